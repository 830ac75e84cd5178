"""Set the gauges once a second, in the main loop: a few numbers for each partition, however much it holds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from streams.intake.polls import DOUBTS
from streams.notices.clients import KINDS
from streams.notices.holds import is_on
from streams.notices.listing import ANSWERS, HOLDS
from streams.notices.notices import Notices
from streams.processing.caps import CAPS
from streams.processing.timers import Timers
from streams.sending.sender import Sending
from streams.topology import graph

from ..engine.app import Engine
from ..engine.tasks.task import StreamTask
from ..monitoring.metrics import Metrics


def install(app: Engine, metrics: Metrics) -> None:
    """Let `metrics` look at this app. Every label is there from the start: an alert on a series that is absent never fires."""
    look = Gauges(app, metrics)
    metrics.sample = look
    metrics.partitions.set(app.partitions)
    for teller in ("answer", "report"):
        metrics.counted["parts_differ"].labels(teller)
    for node in graph(1):
        metrics.turns.labels(node.name)
        for topic in node.writes:
            metrics.set_aside.labels(topic.name)
        for topic in node.reads:
            metrics.ages.labels(topic.name)
            metrics.lost.labels(topic.name)
            metrics.anew.labels(topic.name)
            if node.name in ("translate", "intake"):
                metrics.counted["events"].labels(topic.name)
                metrics.counted["refused"].labels(topic.name)
            else:
                metrics.counted["poison"].labels(topic.name)
        for name in ("resent", "zombie_writes"):
            getattr(metrics, name).labels(node.name)
        if node.calls is not None:
            for name in ("calls", "timed_out", "failed", "dropped"):
                getattr(metrics, name).labels(node.calls)
            for name in ("pauses", "organisation_pauses", "refused_addresses", "wordless"):
                metrics.counted[name].labels(node.calls)
            for status in ("sent", "delivered", "retrying", "failed", "unknown"):
                metrics.counted["outcomes"].labels(node.calls, status)
            for kind in ("sent", "retry", "permanent_address", "permanent_message", "stop", "unknown"):
                metrics.counted["answers"].labels(node.calls, kind)
    for did in HOLDS:
        metrics.counted["holds"].labels(did)
    for answer in ANSWERS:
        metrics.counted["holds_urgent"].labels(answer)
    for became in DOUBTS:
        metrics.counted["doubts"].labels(became)
    for cap in CAPS:
        metrics.counted["capped"].labels(cap)
    for kind in KINDS:
        metrics.pending.labels(kind)


class Gauges:
    """Looks at the processors, the stores and the consumer."""

    def __init__(self, app: Engine, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics
        self.topics = [topic.name for node in graph(1) for topic in node.reads]
        self.nodes = [(node.name, node.calls) for node in graph(1)]

    def __call__(self) -> None:
        """Set the gauges."""
        metrics, now = self.metrics, self.app.clock()
        for node, channel in self.nodes:
            tasks = list(self.app.tasks.of(node))
            metrics.rows.labels(node).set(sum(len(task.part.rows) for task in tasks))
            processors = [task.processor for task in tasks]
            metrics.due_lag.labels(node).set(max((overdue(processor, now) for processor in processors), default=0.0))
            senders = [processor for processor in processors if isinstance(processor, Sending)]
            if channel is not None:
                metrics.waiting.labels(channel).set(sum(processor.queues.clients for processor in senders))
                metrics.paused.labels(channel).set(any(processor.paused_until > now for processor in senders))
        self._pending()
        self._topics(now)
        since = self.app.consumer.waiting_since
        metrics.commit_wait.set(metrics.monotonic() - since if since else 0.0)

    def _pending(self) -> None:
        counts: Counter[int] = Counter()
        holding = 0
        for task in self.app.tasks.of("notices"):
            if isinstance(task.processor, Notices):
                counts.update(task.processor.timers.kinds)
                holding = max(holding, sum(is_on(settings) for settings in task.processor.settings.values()))
        self.metrics.holding.set(holding)
        for number, kind in enumerate(KINDS):
            self.metrics.pending.labels(kind).set(counts[number])

    def _topics(self, now: datetime) -> None:
        lag: Counter[str] = Counter()
        behind: dict[str, float] = {}
        for node, _ in self.nodes:
            for task in self.app.tasks.of(node):
                for topic in task.waiting:
                    left = records_left(self.app, task, topic)
                    lag[topic] += left
                    first = self.metrics.received.get((topic, task.p))
                    if left and first is not None:
                        behind[topic] = max(behind.get(topic, 0.0), now.timestamp() - first)
        for topic in self.topics:
            self.metrics.lag.labels(topic).set(lag[topic])
            self.metrics.behind.labels(topic).set(behind.get(topic, 0.0))


def overdue(processor: Any, now: datetime) -> float:
    """Return the seconds that the processor's first timer has waited; 0 where none is due."""
    timers = getattr(processor, "timers", None)
    first = timers.next() if isinstance(timers, Timers) else None
    return max(0.0, (now - first) / timedelta(seconds=1)) if first is not None else 0.0


def records_left(app: Engine, task: StreamTask, topic: str) -> int:
    """Count records of a topic's partition that are not handled, as far as the last fetch told; transaction markers count too."""
    end = app.consumer.end_of(topic, task.p)
    done, waiting = task.offsets.get(topic), task.waiting[topic]
    return waiting if end is None or done is None else max(waiting, end - done)
