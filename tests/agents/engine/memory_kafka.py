"""Kafka in memory, and workers on it with the engine's own state: fences, loads, appends, processors and tasks.

There is no group: who has which partition, and who does not hear that it went, is for a test to say.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn, cast

from aiokafka import TopicPartition

from agents.engine.app import Engine
from agents.engine.host import Host
from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.readiness import NotReadyError
from agents.engine.state.recovery import BulkRecovery
from agents.engine.state.store import Store
from agents.engine.tasks.tasks import StreamTasks
from agents.engine.transport.record_batches import Whole
from streams.processing.turn import Decision, Output, Processor, Turn

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Raw(NamedTuple):
    """A record as the consumer has it."""

    offset: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


class MemoryKafka:
    """The logs. `before_read`: what happens, once, before the next fetch of a worker that loads."""

    def __init__(self) -> None:
        self.logs: dict[Any, list[Raw]] = defaultdict(list)
        self.before_read: Callable[[], Coroutine[Any, Any, None]] | None = None

    def write(self, topic: str, p: int, entries: Iterable[Any]) -> int:
        """Append records; returns the offset of the first."""
        log = self.logs[TopicPartition(topic, p)]
        first = len(log)
        for key, value, headers in entries:
            log.append(Raw(len(log), key, value, tuple(headers)))
        return first

    async def append(self, topic: str, p: int, entries: Iterable[Any]) -> tuple[asyncio.Future[Any], int]:
        """As the engine's producer does."""
        first = self.write(topic, p, entries)
        done = asyncio.get_running_loop().create_future()
        done.set_result(SimpleNamespace(offset=first))
        return done, len(self.logs[TopicPartition(topic, p)]) - first

    async def ends(self, tps: Iterable[Any]) -> dict[Any, int]:
        return {TopicPartition(*tp): len(self.logs[TopicPartition(*tp)]) for tp in tps}

    async def ends_past(self, tps: Iterable[Any], read: Mapping[Any, int]) -> dict[Any, int]:
        return await self.ends(tps)

    async def ids(self, topics: Iterable[str]) -> dict[str, bytes]:
        """The same id for a topic all the time."""
        return {topic: topic.encode().ljust(16)[:16] for topic in topics}

    async def beginnings(self, tps: Iterable[Any]) -> dict[Any, int]:
        return {TopicPartition(*tp): 0 for tp in tps}


class Client:
    """A consumer of no group: all that there is in one fetch."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self.kafka = kafka
        self.positions: dict[Any, int] = {}
        self._fetcher = SimpleNamespace(_records={})

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def assign(self, tps: Iterable[Any]) -> None:
        self.positions = dict.fromkeys(tps, 0)

    def seek(self, tp: Any, offset: int) -> None:
        self.positions[tp] = offset

    def pause(self, tp: Any) -> None: ...

    async def position(self, tp: Any) -> int:
        return self.positions[tp]

    async def getmany(self, *tps: Any, timeout_ms: int) -> dict[Any, list[Whole]]:
        if (first := self.kafka.before_read) is not None:
            self.kafka.before_read = None
            await first()
        found = {tp: self.kafka.logs[tp][self.positions[tp] :] for tp in tps}
        for tp, records in found.items():
            self.positions[tp] += len(records)
        return {tp: [Whole(records[-1].offset, records)] for tp, records in found.items() if records}


class FailStop(BaseException):
    """The worker's process ended. No Exception, since nothing of the worker may catch it."""


class Counting:
    """Counts words, in memory and in rows, and says each count. What it derived from rows of before shows in the counts."""

    def __init__(self, rows: MutableMapping[bytes, bytes]) -> None:
        self.rows, self.counts = rows, dict[bytes, int]()

    def loaded(self) -> None:
        self.counts = {key: int(value) for key, value in self.rows.items()}

    def decide(self, turn: Turn) -> Decision:
        decision = Decision(taken=len(turn.records))
        for record in turn.records:
            word = record.key or b""
            self.counts[word] = self.counts.get(word, 0) + 1
            decision.put(word, b"%d" % self.counts[word])
            if record.value != b"quietly":
                decision.emit(Output("said", word, b"%d" % self.counts[word]))
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None: ...

    def next_due(self) -> datetime | None:
        return None


def counting(p: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Counting:
    """The factory of its processors."""
    return Counting(rows)


class Named(NamedTuple):
    """What the engine looks at of a Faust table."""

    data: Store


class MemoryWorker:
    """A worker: the engine's `Host` over Kafka in memory, with one node that counts the words of topic `words`.

    `format_`: of its rows.
    """

    def __init__(self, kafka: MemoryKafka, format_: int = 0) -> None:
        self.kafka, self.lookup, self.producer = kafka, kafka, kafka
        self.specs = [NodeSpec("words", ("words",), counting, format=format_)]
        self.hooks = Monitor()
        self.skipped: frozenset[tuple[str, int, int]] = frozenset()
        self.watermarks: list[Any] = []
        self.disk = None
        self.revocations = 0
        self.ids: Mapping[str, bytes] = {}
        self.consumer = SimpleNamespace(group_offsets=self._group_offsets)
        store = Store.__new__(Store)
        name = SimpleNamespace(get_topic_name=lambda: "words-changelog")
        store.app, store.parts, store.table = cast(Host, self), {}, SimpleNamespace(name="words", changelog_topic=name)
        self.store = store
        self.stores = {"words": Named(store)}
        self.tasks = StreamTasks(cast(Host, self), self.specs)
        self.running: list[asyncio.Task[None]] = []
        self.ended: str | None = None

    # -- what a test has it do

    async def take(self, *partitions: int) -> None:
        """A generation begins in which these are ours: what recovery does then."""
        recovery = BulkRecovery.__new__(BulkRecovery)
        recovery.app, recovery.tables = cast(Host, self), self.stores
        tps = {TopicPartition("words-changelog", p) for p in partitions}
        recovery.actives_for_table = dict.fromkeys(self.stores.values(), tps)
        await recovery._take()

    async def give_up(self) -> None:
        """The generation ends, and this worker hears of it."""
        self.revocations += 1
        assert await self.tasks.close(5) == []

    async def read(self) -> None:
        """Handle what has come in of its partitions."""
        for task in self.tasks.all():
            log = self.kafka.logs[TopicPartition("words", task.p)]
            task.position("words", 0)
            records = log[task.offsets["words"] :]
            if records:
                task.expect("words", records)
                task.receive("words", records)
        await self.settle()

    async def settle(self) -> None:
        """Let what is under way end; raises FailStop where the process did."""
        for _ in range(50):
            await asyncio.sleep(0)
        for one in self.running:
            if one.done():
                one.result()

    async def audit(self) -> None:
        """Look whether somebody else wrote to a changelog, as is done every minute."""
        await Engine.audit(cast(Engine, self))
        await self.settle()

    @property
    def rows(self) -> dict[bytes, bytes]:
        """The rows of all its partitions."""
        return {key: value for part in self.store.parts.values() for key, value in part.rows.items()}

    # -- what the engine asks of its host

    def clock(self) -> datetime:
        return NOW

    def fit(self, output: Output) -> Output:
        return output

    def finish(self, topic: str, partition: int, offset: int) -> None: ...

    async def send(self, outputs: list[Output], own: int) -> None:
        self.kafka.write("said", own, [(output.key, output.value, ()) for output in outputs])

    def subscribed(self) -> set[str]:
        return {"words", "words-changelog"}

    def new_client(self, **settings: Any) -> Client:
        return Client(self.kafka)

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.running.append(asyncio.ensure_future(work))
        return self.running[-1]

    async def maybe_start_producer(self) -> None: ...

    async def open_tasks(self, partitions: Iterable[int], fresh: set[int]) -> bool:
        return await self.tasks.open(partitions, fresh)

    async def _group_offsets(self, tps: Iterable[Any]) -> dict[Any, int]:
        return {}

    def refuse(self, why: NotReadyError, what: str = "cannot start") -> NoReturn:
        self.die(f"{what}: {why}")

    def die(self, why: str, cause: BaseException | None = None) -> NoReturn:
        self.ended = why
        raise FailStop(why)
