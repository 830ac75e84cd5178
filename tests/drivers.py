"""The graph driven as unkindly as a cluster of workers drives it, in memory, on one thread, by a seed.

`streams/simulation.py` hands each record on at once: a turn of one record, never late, one worker that never ends. Here turns are
cut anywhere (1 to 4,000 records), senders stand still, the workers' clocks jump, a worker starts anew from the rows amid its
calls, and partitions move. What a test feeds it, and what must hold then, is the test's (`tests/belief`, `tests/model`).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson
from msgspec.structs import replace

from agents.engine.transport.partitioner import partition_for
from agents.worker.wording import succeed
from schemas.deliveries import DeliveryReport
from schemas.topics import AUDIT_LOG, DEAD_LETTERS, DELIVERIES, DELIVERY_LOG, DELIVERY_REPORTS, DOUBTED, HELD, OUTCOMES
from schemas.wire import encode
from streams.processing.turn import EVERY, Call, Output, Processor, Record, Result, Turn, make_durable
from streams.sending.outcomes import Outcome, SendCall
from streams.topology import Node, graph

SENDERS = ("sms", "email")
MOST_TURNS = 20_000

Calls = Literal["wait", "lost", "made"]
"""What becomes of the calls of a worker that ends: it ends once there are none, or they reached nobody, or the client. Those of
which nobody knew already do reach the client."""


class RestlessError(Exception):
    """It goes on for ever."""


class Choices(NamedTuple):
    """What a driver draws from: how many records a turn has, calls it may start and moments may fire in it; seconds of a call."""

    sizes: Sequence[int] = (1, 1, 2, 3, 10, 100, 4000)
    rooms: Sequence[int] = (1, 1, 2, 100)
    limits: Sequence[int] = (1, 1000)
    delays: Sequence[int] = (0,)


@dataclass
class Task:
    """One partition of one node: what the changelog keeps (`rows`), what the topics keep (`records`), and its worker's part."""

    node: str
    partition: int
    processor: Processor
    rows: dict[bytes, bytes]
    records: deque[Record] = field(default_factory=deque)
    calls: list[tuple[datetime, Call]] = field(default_factory=list)
    """Those that are under way, each with the moment at which it ends."""


class Driver:
    """Workers that share partitions. `log` is the delivery log, `refused` what was set aside: topic, partition, offset, reason.

    Attributes:
        now: the time of the world; a worker's clock is `skews` beside it.
        held: nodes that stand still: their records and moments wait.
        answers: by channel, what the provider says to the next calls; else it takes what it is given.
        dead: calls that the provider took, and of which it is still to report that they did not arrive.
        unsure: messages of whose first call nobody knows what became.
    """

    def __init__(
        self, seed: int, start: datetime, choices: Choices | None = None, *, partitions: int = 1, workers: int = 1
    ) -> None:  # fmt: skip
        self.random, self.now, self.choices = random.Random(seed), start, choices or Choices()
        self.partitions = partitions
        self.fleet = [graph(partitions) for _ in range(workers)]
        self.owners = [partition % workers for partition in range(partitions)]
        self.skews = [timedelta()] * workers
        self.tasks: dict[tuple[str, int], Task] = {}
        self.readers = {topic.name: node.name for node in self.fleet[0] for topic in node.reads}
        self.offsets: dict[tuple[str, int], int] = {}
        self.held: set[str] = set()
        self.answers: dict[str, list[str]] = {name: [] for name in SENDERS}
        self.unsure: set[str] = set()
        self.dead: list[SendCall] = []
        self.log: list[dict[str, Any]] = []
        self.refused: list[tuple[str, int, int, str]] = []
        self.restart_in: int | None = None
        self.restart_calls: Calls = "wait"
        self.turns = 0
        for partition in range(partitions):
            self._begin(partition, {})

    # -- what a test does ----------------------------------------------------------------------------------------------

    def write(self, topic: str, key: bytes | None, value: Any) -> tuple[int, int]:
        """Have upstream write a record, JSON or None; gives its partition and offset. It waits for the next turn."""
        partition = partition_for(key or b"", self.partitions)
        return partition, self._put(topic, key, None if value is None else orjson.dumps(value), partition)

    def pass_to(self, end: datetime) -> None:
        """Let what can happen up to and including `end` happen, each at its time; what is written first, then what is due."""
        while True:
            while ready := [task for task in self.tasks.values() if self._is_ready(task)]:
                self.take_turn(self.random.choice(ready))
            tasks = list(self.tasks.values())
            found = [(when, order) for order, task in enumerate(tasks) if (when := self._upcoming(task)) is not None]
            when, order = min(found, default=(end, -1))
            if order < 0 or when > end:
                break
            self.now, task = max(self.now, when), tasks[order]
            if not self._is_ready(task):
                self.take_turn(task, due=True)
        self.now = max(self.now, end)

    def rest(self, until: datetime) -> None:
        """Let all that holds anything up go, and time pass: what is decided by then is all there is."""
        self.held.clear()
        self.pass_to(self.now)
        self.report()
        self.answers = {name: [] for name in SENDERS}
        self.pass_to(until)

    def restart(self, turns: int, calls: Calls) -> None:
        """Have all workers end so many turns later, and start anew from the rows alone."""
        self.restart_in, self.restart_calls = turns, calls

    def move(self, partition: int, worker: int, calls: Calls = "lost") -> None:
        """Give a partition to another worker, or to the same one anew."""
        self._end_calls(partition, calls)
        self.owners[partition] = worker
        self._begin(partition, {name: task.rows for (name, p), task in self.tasks.items() if p == partition})

    # -- turns ---------------------------------------------------------------------------------------------------------

    def take_turn(self, task: Task, *, due: bool = False, room: int | None = None) -> None:
        """Have a task handle some of its records, the answers to its calls, and what is due if `due`."""
        self.turns += 1
        if self.turns > MOST_TURNS:
            raise RestlessError
        now = self.now + self._skew(task)
        ended = [call for when, call in task.calls if when <= self.now]
        task.calls = [(when, call) for when, call in task.calls if when > self.now]
        results = [self._result(task, call) for call in ended]
        records = [task.records.popleft() for _ in range(min(len(task.records), self._one_of(self.choices.sizes)))]
        decision = task.processor.decide(Turn(
            now, records, results, due=now if due else None, room=self._one_of(self.choices.rooms) if room is None else room,
            limit=self._one_of(self.choices.limits),
        ))  # fmt: skip
        task.records.extendleft(reversed(records[decision.taken :]))
        make_durable(task.processor, task.rows, decision)
        for output in decision.outputs:
            self._hand_on(task, output)
        for call in decision.calls:
            task.calls.append((self.now + timedelta(seconds=self._one_of(self.choices.delays)), call))
            self.start(call.request)
        if self.restart_in is not None:
            self.restart_in -= 1
            if self.restart_in <= 0 and (self.restart_calls != "wait" or not any(one.calls for one in self.tasks.values())):
                self._restart()

    def _is_ready(self, task: Task) -> bool:
        return task.node not in self.held and bool(task.records or any(when <= self.now for when, _ in task.calls))

    def _upcoming(self, task: Task) -> datetime | None:
        """When something is due next, or a call ends, by the time of the world."""
        if task.node in self.held:
            return None
        due = task.processor.next_due()
        moments = [when for when, _ in task.calls] + ([due - self._skew(task)] if due is not None else [])
        return min(moments, default=None)

    def _skew(self, task: Task) -> timedelta:
        return self.skews[self.owners[task.partition]]

    def _one_of(self, choices: Sequence[int]) -> int:
        return choices[0] if len(choices) == 1 else self.random.choice(choices)

    def _hand_on(self, task: Task, output: Output) -> None:
        """Bring an output to whoever reads it."""
        if output.topic == DELIVERY_LOG.name:
            record = orjson.loads(output.value or b"null")
            self.log.append(record)
            self.see(record)
        elif output.topic == DEAD_LETTERS.name:
            headers = dict(output.headers)
            self.refuse(headers["topic"].decode(), int(headers["partition"]), int(headers["offset"]), headers["reason"].decode())
        elif output.topic not in (AUDIT_LOG.name, DOUBTED.name, HELD.name, OUTCOMES.name):
            if output.topic in {topic.name for topic in DELIVERIES.values()} and output.value is not None:
                self.expect(orjson.loads(output.value))
            if output.partition == EVERY:
                places: Iterable[int] = range(self.partitions)
            else:
                places = [partition_for(output.key or b"", self.partitions) if output.partition is None else output.partition]
            for place in places:
                self._put(output.topic, output.key, output.value, place)

    def _put(self, topic: str, key: bytes | None, value: bytes | None, partition: int) -> int:
        offset = self.offsets[topic, partition] = self.offsets.get((topic, partition), -1) + 1
        self.tasks[self.readers[topic], partition].records.append(Record(topic, partition, offset, key, value))
        return offset

    # -- workers -------------------------------------------------------------------------------------------------------

    def _begin(self, partition: int, rows: Mapping[str, dict[bytes, bytes]]) -> None:
        """Make the processors of a partition anew, on its owner, over its rows alone."""
        for node in self.fleet[self.owners[partition]]:
            found = rows.get(node.name, {})
            processor = self._processor(node, partition, found)
            if node.name in rows:
                processor.loaded()
            task = self.tasks.get((node.name, partition))
            if task is None:
                self.tasks[node.name, partition] = Task(node.name, partition, processor, found)
            else:
                task.processor = processor

    def _processor(self, node: Node, partition: int, rows: dict[bytes, bytes]) -> Processor:
        return node.processor(partition, rows, {peer: self.tasks[peer, partition].processor for peer in node.peers})

    def _restart(self) -> None:
        self.restart_in = None
        self.fleet = [graph(self.partitions) for _ in self.fleet]
        for partition in range(self.partitions):
            self.move(partition, self.owners[partition], self.restart_calls)

    def _end_calls(self, partition: int, calls: Calls) -> None:
        """Say what became of the calls of a worker that ends; it hears nothing of it."""
        for task in self.tasks.values():
            if task.partition == partition:
                for _, call in task.calls:
                    message = call.request.delivery.message
                    if calls == "made" or message in self.unsure:
                        self.reach(task, call.request)
                    self.unsure.add(message)
                task.calls = []

    # -- what a provider does, and what a test looks at ------------------------------------------------------------------

    def _result(self, task: Task, call: Call) -> Result:
        """Say what became of a call: `unknown` and `lost` are both unknown, of which the second did reach the client.

        `late`: the provider took it, and reports later that its number takes none.
        """
        request: SendCall = call.request

        def result(outcome: Outcome) -> Result:
            return Result(call.key, outcome, number=call.number)

        message, answers = request.delivery.message, self.answers[task.node]
        kind = answers.pop(0) if answers and message not in self.unsure else "sent"
        if kind == "late":
            self.dead.append(request)
            self.perish(request)
            return result(succeed(request))
        if kind == "sent":
            return result(self.reach(task, request))
        if kind in ("unknown", "lost"):
            if kind == "lost":
                self.reach(task, request)
            self.unsure.add(message)
            return result(Outcome(kind="unknown", detail="as the history says"))
        return result(Outcome(kind=kind, detail="as the history says"))  # type: ignore[arg-type]

    def report(self) -> None:
        """Have the provider report that what it took did not arrive."""
        dead, self.dead = self.dead, []
        for call in dead:
            said = DeliveryReport(
                organisation=call.delivery.organisation, client=call.delivery.client, message=call.delivery.message,
                attempt=call.attempt, status="delivery_failed", error=1, at=self.now,
            )  # fmt: skip
            key = f"{said.organisation}/{said.client}".encode()
            for piece in range(succeed(call).piece):
                value = encode(replace(said, piece=piece))
                self._put(DELIVERY_REPORTS.name, key, value, partition_for(key, self.partitions))

    def start(self, call: SendCall) -> None:
        """A call begins."""

    def reach(self, task: Task, call: SendCall) -> Outcome:
        """A call reaches its client."""
        return succeed(call)

    def perish(self, call: SendCall) -> None:
        """A call was taken, and reaches nobody."""

    def see(self, record: dict[str, Any]) -> None:
        """A record of the delivery log is written."""

    def expect(self, delivery: dict[str, Any]) -> None:
        """A message is decided."""

    def refuse(self, topic: str, partition: int, offset: int, reason: str) -> None:
        """A record is set aside."""
        self.refused.append((topic, partition, offset, reason))
