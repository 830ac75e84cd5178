"""Changelogs to which somebody else wrote, or of which records are gone, on a real Kafka whose cleaner runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from agents.broker.broker import EmbeddedKafka
from agents.engine.state.changelog import EPOCH_HEADER, encode_epoch
from agents.engine.transport.partitioner import partition_for

from .forked import Forked
from .test_engine import N, Workers, create, expected_rows, produce, read, rows, some_words, until

pytestmark = pytest.mark.broker

WORD = b"word7"
ZOMBIE = b"999999"
CLEANING = {
    "cleanup.policy": "compact", "segment.ms": "500", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0",
    "max.message.bytes": str(16 << 20),
}  # fmt: skip


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker whose log cleaner looks five times a second."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), port=None, extra={"log.cleaner.backoff.ms": "200"}) as broker:
        yield broker


@pytest.fixture
def workers(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Workers]:
    these = Workers(kafka.bootstrap, tmp_path)
    yield these
    for worker in these.running:
        worker.kill()
        worker.wait()


class Table:
    """A job that counts words, and what can happen to its changelog."""

    def __init__(self, workers: Workers, name: str) -> None:
        self.workers, self.bootstrap, self.name = workers, workers.bootstrap, name
        self.changelog = f"{name}-words-changelog"
        self.words = some_words(3000)

    async def begin(self, *rest: str) -> Forked:
        """Topics, words, and a worker that has counted them."""
        await create(self.bootstrap, f"{self.name}-in", f"{self.name}-counts", self.changelog)
        await produce(self.bootstrap, f"{self.name}-in", self.words)
        worker = self.start(*rest)
        await self.counted()
        return worker

    def start(self, *rest: str) -> Forked:
        return self.workers.start("words", self.name, "-", "one", *rest)

    async def counted(self) -> None:
        """Wait until the rows, as a load finds them, are those of all words so far."""

        async def right() -> bool:
            return await rows(self.bootstrap, self.changelog) == expected_rows(self.words)

        await until(right, self.workers)

    async def more(self, *words: bytes) -> None:
        some = [(word, b"more") for word in words]
        self.words += some
        await produce(self.bootstrap, f"{self.name}-in", some)

    async def write_late(self, epoch: int = 0) -> None:
        """As a former owner does that was frozen with this batch in its hands."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
            header = [(EPOCH_HEADER, encode_epoch(epoch))]
            await producer.send_and_wait(self.changelog, ZOMBIE, WORD, partition=partition_for(WORD, N), headers=header)

    async def last(self) -> bytes:
        """The value of the word's last record, whoever wrote it: what compaction keeps. Empty where there is none."""
        values: list[bytes] = [record.value for record in await read(self.bootstrap, self.changelog) if record.key == WORD]
        return values[-1] if values else b""

    async def mended(self) -> None:
        """Wait until the last record is not the late one, which compaction would keep, but the true one."""

        async def right() -> bool:
            return await self.last() != ZOMBIE

        await until(right, self.workers)

    async def compact(self) -> None:
        """Wait until the cleaner has taken away what the late writer wrote."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.changelog, CLEANING)])
        await admin.close()

        async def gone() -> bool:
            await self.more(WORD)  # a segment ends when something comes after its time
            return ZOMBIE not in {record.value for record in await read(self.bootstrap, self.changelog)}

        await until(gone, self.workers)

    async def loads_right(self, old: Forked) -> None:
        """Another worker finds the same rows, and counts on from them."""
        old.kill()
        old.wait()
        self.start()
        await self.more(WORD, b"word8")
        await self.counted()

    async def expire(self) -> None:
        """Somebody put a retention on the changelog: all records but the last of each partition go."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        policy = {**CLEANING, "cleanup.policy": "compact,delete"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.changelog, policy)])
        tps = [TopicPartition(self.changelog, p) for p in range(N)]
        ends = {record.partition: record.offset for record in await read(self.bootstrap, self.changelog)}
        await admin.delete_records({tp: RecordsToDelete(ends[tp.partition]) for tp in tps})
        await admin.close()

    async def make_anew(self) -> None:
        """Somebody deleted the changelog, and made it again."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.delete_topics([self.changelog])

        async def absent() -> bool:
            return self.changelog not in await admin.list_topics()

        await until(absent)

        async def made() -> bool:
            try:
                await create(self.bootstrap, self.changelog)
            except KafkaError:
                return False
            return self.changelog in await admin.list_topics()

        await until(made)
        await admin.close()

    async def refused(self, *rest: str) -> str:
        """Start a worker that does not come far; gives its last line."""
        worker = self.start(*rest)
        await until(lambda: worker.poll() is not None, self.workers)
        assert worker.returncode == 2, self.workers.log()
        return self.workers.log().splitlines()[-1]


async def stopped(worker: Forked) -> None:
    worker.send_signal(signal.SIGTERM)
    await until(lambda: worker.poll() is not None)
    assert worker.returncode == 0


@pytest.fixture
def table(workers: Workers, fresh: Callable[[str], str]) -> Table:
    return Table(workers, fresh("table"))


async def test_a_late_write_is_mended_by_the_next_append_and_compaction_keeps_the_true_row(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_SECONDS", "3600")
    worker = await table.begin()
    await table.write_late()
    await table.more(next(word for word, _ in table.words if word != WORD and partition_for(word, N) == partition_for(WORD, N)))
    await table.mended()
    await table.counted()
    await table.compact()
    await table.loads_right(worker)


async def test_a_late_write_is_mended_by_the_audit_where_there_is_nothing_to_append(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_SECONDS", "1")
    worker = await table.begin()
    await table.write_late()
    await table.mended()
    await table.counted()
    await table.compact()
    await table.loads_right(worker)


async def test_a_late_write_is_mended_by_the_next_load(table: Table) -> None:
    await stopped(await table.begin())
    worker = table.start()  # a second owner, so that the first one's epoch is a former one
    await table.more(WORD)
    await table.counted()
    await stopped(worker)
    await table.write_late()
    worker = table.start()
    await table.mended()
    await table.counted()
    await table.compact()
    await table.loads_right(worker)


async def test_an_expired_changelog_is_refused(table: Table) -> None:
    await stopped(await table.begin())
    await table.expire()
    assert "records before that were deleted, and rows with them" in await table.refused()


async def test_a_copy_on_disk_that_has_what_expired_is_used(table: Table, tmp_path: Path) -> None:
    pytest.importorskip("rocksdict")
    folder = str(tmp_path / "state")
    await stopped(await table.begin(folder))
    await table.expire()
    table.start(folder)
    before = expected_rows(table.words)
    await table.more(WORD)

    async def counted_on() -> bool:
        return await table.last() == b"%d" % (int(before[WORD]) + 1)

    await until(counted_on, table.workers)


async def test_a_changelog_that_was_made_anew_is_refused(table: Table) -> None:
    await stopped(await table.begin())
    await table.make_anew()
    assert "the changelog was made anew" in await table.refused()
