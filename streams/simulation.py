"""The whole graph in memory on simulated time: the worker's nodes on one partition, with providers that succeed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from schemas.topics import AUDIT_LOG, DEAD_LETTERS, DELIVERY_LOG

from .graph import Node, graph
from .outcomes import Outcome, SendCall
from .turn import Decision, Output, Record, Result, Shard, Turn

Provider = Callable[[SendCall], Outcome]


class Refused(Exception):  # noqa: N818  # it is what intake says, not a fault
    """Intake refused an event; the text says why."""


class Simulation:
    """Feed it events and let time pass; it gives the delivery-log records (JSON) in the order in which they came about."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.shards: dict[str, Shard] = {}
        self.rows: dict[str, dict[bytes, bytes]] = {}
        self.readers: dict[str, Node] = {}
        self.offsets: dict[str, int] = {}
        self.now = datetime.min.replace(tzinfo=UTC)
        for node in graph(1):
            self.rows[node.name] = {}
            peers = {name: self.shards[name] for name in node.peers}
            self.shards[node.name] = node.shard(0, self.rows[node.name], peers)
            self.readers.update({topic.name: node for topic in node.reads})

    def feed(self, topic: str, key: bytes | None, value: bytes | None, now: datetime) -> Iterator[bytes]:
        """One event, at its time. Raises Refused where intake sets it aside."""
        self.now = now
        yield from self._write(Output(topic, key, value), now)

    def until(self, end: datetime) -> Iterator[bytes]:
        """Let every moment up to and including `end` fire, each at its own time; one that an event made late, at that event's."""
        while True:
            upcoming = [
                (when, order) for order, shard in enumerate(self.shards.values()) if (when := shard.next_due()) is not None
            ]
            if not upcoming or min(upcoming)[0] > end:
                return
            when, order = min(upcoming)
            name = list(self.shards)[order]
            self.now = max(self.now, when)
            yield from self._turn(name, Turn(self.now, due=self.now, limit=1, room=1))

    def _write(self, output: Output, now: datetime) -> Iterator[bytes]:
        if output.topic == DELIVERY_LOG.name:
            yield output.value or b""
            return
        if output.topic == AUDIT_LOG.name:
            return
        if output.topic == DEAD_LETTERS.name:
            raise Refused(dict(output.headers)["reason"].decode())
        node = self.readers.get(output.topic)
        if node is None:
            raise Refused(f"unknown topic {output.topic}")
        offset = self.offsets[output.topic] = self.offsets.get(output.topic, -1) + 1
        yield from self._turn(node.name, Turn(now, [Record(output.topic, 0, offset, output.key, output.value)], room=1))

    def _turn(self, name: str, turn: Turn) -> Iterator[bytes]:
        decision = self.shards[name].decide(turn)
        self._apply(name, decision)
        for output in decision.outputs:
            yield from self._write(output, turn.now)
        if decision.calls:
            results = [Result(call.key, self.provider(call.request)) for call in decision.calls]
            yield from self._turn(name, Turn(turn.now, results=results, room=1))

    def _apply(self, name: str, decision: Decision) -> None:
        rows = self.rows[name]
        for key, value in decision.rows.items():
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
        self.shards[name].applied(decision.rows)
