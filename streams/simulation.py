"""The whole graph in memory on simulated time: the worker's nodes on one partition, with providers that succeed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType

from schemas.topics import AUDIT_LOG, DEAD_LETTERS, DELIVERY_LOG, DOUBTED, HELD, OUTCOMES

from .processing.turn import Decision, Output, Processor, Record, Result, Turn, make_durable
from .sending.outcomes import Outcome, SendCall
from .topology import Node, graph
from .translate.hl7_time import milliseconds
from .translate.producers import Producers

Provider = Callable[[SendCall], Outcome]


class Refused(Exception):  # noqa: N818  # it is what intake says, not a fault
    """Intake refused an event; the text says why."""


class Simulation:
    """Feed it events and let time pass; it returns the delivery-log records (JSON) in the order in which they came about.

    `faults`: records of our own that could not be used at a moment when nothing was fed, and why.
    """

    def __init__(self, provider: Provider, producers: Producers = MappingProxyType({})) -> None:
        self.provider = provider
        self.processors: dict[str, Processor] = {}
        self.rows: dict[str, dict[bytes, bytes]] = {}
        self.readers: dict[str, Node] = {}
        self.offsets: dict[str, int] = {}
        self.refused: list[str] = []
        self.faults: list[str] = []
        self.now = datetime.min.replace(tzinfo=UTC)
        for node in graph(1, producers=producers):
            self.rows[node.name] = {}
            peers = {name: self.processors[name] for name in node.peers}
            self.processors[node.name] = node.processor(0, self.rows[node.name], peers)
            self.readers.update({topic.name: node for topic in node.reads})

    def feed(self, topic: str, key: bytes | None, value: bytes | None, now: datetime) -> Iterator[bytes]:
        """Feed one event, at its time. Raises Refused where intake sets it aside."""
        self.now, self.refused = now, []
        yield from self._write(Output(topic, key, value), now)
        if self.refused:
            raise Refused("; ".join(self.refused))

    def until(self, end: datetime) -> Iterator[bytes]:
        """Let every moment up to and including `end` fire, each at its own time; one that an event made late, at that event's."""
        while True:
            upcoming = [
                (when, order)
                for order, processor in enumerate(self.processors.values())
                if (when := processor.next_due()) is not None
            ]
            if not upcoming or min(upcoming)[0] > end:
                return
            when, order = min(upcoming)
            name = list(self.processors)[order]
            self.now, self.refused = max(self.now, when), []
            yield from self._turn(name, Turn(self.now, due=self.now, limit=1, room=1))
            self.faults += self.refused

    def _write(self, output: Output, now: datetime) -> Iterator[bytes]:
        if output.topic == DELIVERY_LOG.name:
            yield output.value or b""
            return
        if output.topic in (AUDIT_LOG.name, OUTCOMES.name, HELD.name, DOUBTED.name):
            return
        if output.topic == DEAD_LETTERS.name:
            self.refused.append(dict(output.headers)["reason"].decode())
            return
        node = self.readers.get(output.topic)
        if node is None:
            raise Refused(f"unknown topic {output.topic}")
        offset = self.offsets[output.topic] = self.offsets.get(output.topic, -1) + 1
        record = Record(output.topic, 0, offset, output.key, output.value, milliseconds(now))
        yield from self._turn(node.name, Turn(now, [record], room=1))

    def _turn(self, name: str, turn: Turn) -> Iterator[bytes]:
        decision = self.processors[name].decide(turn)
        self._apply(name, decision)
        for output in decision.outputs:
            yield from self._write(output, turn.now)
        if decision.taken < len(turn.records):
            yield from self._turn(name, Turn(turn.now, turn.records[decision.taken :], room=1))
        if decision.calls:
            results = [Result(call.key, self.provider(call.request), number=call.number) for call in decision.calls]
            yield from self._turn(name, Turn(turn.now, results=results, room=1))

    def _apply(self, name: str, decision: Decision) -> None:
        make_durable(self.processors[name], self.rows[name], decision)
