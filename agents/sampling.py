"""The gauges that are looked up once a second, in the main loop: a few numbers for each partition, whatever it holds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from streams.graph import graph
from streams.moments import Moments
from streams.notices import KINDS, Notices
from streams.sending import Sending

from .engine import Engine
from .engine.actor import Actor
from .metrics import Metrics


def watch(app: Engine, metrics: Metrics) -> None:
    """Let `metrics` look at this app. Every label is there from the start: an alert on a series that is absent never fires."""
    look = Sampler(app, metrics)
    metrics.sample = look
    metrics.partitions.set(app.partitions)
    for teller in ("answer", "report"):
        metrics.counted["parts_differ"].labels(teller)
    for node in graph(1):
        metrics.turns.labels(node.name)
        for topic in node.reads:
            metrics.ages.labels(topic.name)
            if node.name == "intake":
                metrics.counted["events"].labels(topic.name)
                metrics.counted["refused"].labels(topic.name)
        for name in ("resent", "strangers"):
            getattr(metrics, name).labels(node.name)
        if node.calls is not None:
            for name in ("calls", "timed_out", "failed", "dropped"):
                getattr(metrics, name).labels(node.calls)
            for name in ("pauses", "organisation_pauses", "refused_addresses"):
                metrics.counted[name].labels(node.calls)
            for status in ("sent", "delivered", "retrying", "failed", "unknown"):
                metrics.counted["outcomes"].labels(node.calls, status)
            for kind in ("sent", "retry", "permanent_address", "permanent_message", "stop", "unknown"):
                metrics.counted["answers"].labels(node.calls, kind)
    for kind in KINDS:
        metrics.pending.labels(kind)


class Sampler:
    """Looks at the shards, the stores and the consumer."""

    def __init__(self, app: Engine, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics
        self.topics = [topic.name for node in graph(1) for topic in node.reads]
        self.nodes = [(node.name, node.calls) for node in graph(1)]

    def __call__(self) -> None:
        """Set the gauges."""
        metrics, now = self.metrics, self.app.clock()
        for node, channel in self.nodes:
            actors = list(self.app.shards.of(node))
            metrics.rows.labels(node).set(sum(len(actor.part.rows) for actor in actors))
            shards = [actor.shard for actor in actors]
            metrics.due_lag.labels(node).set(max((overdue(shard, now) for shard in shards), default=0.0))
            senders = [shard for shard in shards if isinstance(shard, Sending)]
            if channel is not None:
                metrics.waiting.labels(channel).set(sum(shard.lanes.clients for shard in senders))
                metrics.paused.labels(channel).set(any(shard.paused_until > now for shard in senders))
        self._pending()
        self._topics(now)
        since = self.app.consumer.waiting_since
        metrics.commit_wait.set(metrics.monotonic() - since if since else 0.0)

    def _pending(self) -> None:
        counts: Counter[int] = Counter()
        for actor in self.app.shards.of("notices"):
            if isinstance(actor.shard, Notices):
                counts.update(actor.shard.moments.kinds)
        for number, kind in enumerate(KINDS):
            self.metrics.pending.labels(kind).set(counts[number])

    def _topics(self, now: datetime) -> None:
        lag: Counter[str] = Counter()
        behind: dict[str, float] = {}
        for node, _ in self.nodes:
            for actor in self.app.shards.of(node):
                for topic in actor.waiting:
                    left = records_left(self.app, actor, topic)
                    lag[topic] += left
                    first = self.metrics.received.get((topic, actor.p))
                    if left and first is not None:
                        behind[topic] = max(behind.get(topic, 0.0), now.timestamp() - first)
        for topic in self.topics:
            self.metrics.lag.labels(topic).set(lag[topic])
            self.metrics.behind.labels(topic).set(behind.get(topic, 0.0))


def overdue(shard: Any, now: datetime) -> float:
    """Seconds that the shard's first moment has waited; 0 where none is due."""
    moments = getattr(shard, "moments", None)
    first = moments.next() if isinstance(moments, Moments) else None
    return max(0.0, (now - first) / timedelta(seconds=1)) if first is not None else 0.0


def records_left(app: Engine, actor: Actor, topic: str) -> int:
    """Records of a topic's partition that are not handled, as far as the last fetch told; transaction markers count too."""
    end = app.consumer.end_of(topic, actor.p)
    done, waiting = actor.offsets.get(topic), actor.waiting[topic]
    return waiting if end is None or done is None else max(waiting, end - done)
