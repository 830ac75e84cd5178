"""The engine on a real Kafka: workers are processes that get killed, and what they leave behind is read and compared."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.engine.state.changelog import Partition
from agents.engine.state.outbox import OUTBOX_KEY
from agents.engine.transport.partitioner import partition_for
from agents.exits import NOT_YET

from .forked import Forked

pytestmark = pytest.mark.broker

N = 4
DEADLINE = 90.0
ROOT = Path(__file__).parent.parent.parent


class Workers:
    """Worker processes of one test."""

    def __init__(self, bootstrap: str, logs: Path) -> None:
        self.bootstrap, self.logs = bootstrap, logs
        self.running: list[Forked] = []

    def start(self, kind: str, name: str, *rest: str) -> Forked:
        log = self.logs / f"worker-{len(self.running)}.log"
        worker = Forked(("tests.broker.engine_app", kind, name, self.bootstrap, *rest), os.environ, ROOT, log)
        self.running.append(worker)
        return worker

    def log(self, number: int = -1) -> str:
        return sorted(self.logs.glob("worker-*.log"))[number].read_text()


@pytest.fixture
def workers(kafka: Any, tmp_path: Path) -> Iterator[Workers]:
    these = Workers(kafka.bootstrap, tmp_path)
    yield these
    for worker in these.running:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


async def create(bootstrap: str, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(t, N, 1, topic_configs={"max.message.bytes": str(16 << 20)}) for t in topics])
    await admin.close()


async def produce(bootstrap: str, topic: str, records: list[tuple[bytes, bytes]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 20, max_request_size=8 << 20, linger_ms=5)
    await producer.start()
    for key, value in records:
        await producer.send(topic, value, key=key, partition=partition_for(key, N))
    await producer.stop()


async def read(bootstrap: str, topic: str) -> list[Any]:
    """All records that a topic has now, by partition."""
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=8 << 20)
    await client.start()
    tps = [TopicPartition(topic, p) for p in range(N)]
    client.assign(tps)
    ends, found = await client.end_offsets(tps), []
    await client.seek_to_beginning(*tps)
    while any([await client.position(tp) < ends[tp] for tp in tps]):
        for records in (await client.getmany(*tps, timeout_ms=200)).values():
            found += records
    await client.stop()
    return found


async def partitions_of(bootstrap: str, changelog: str) -> dict[int, Partition]:
    """The rows as a load would find them."""
    parts = {p: Partition({}) for p in range(N)}
    for record in await read(bootstrap, changelog):
        parts[record.partition].read([record])
    return parts


async def rows(bootstrap: str, changelog: str) -> dict[bytes, bytes]:
    return {key: value for part in (await partitions_of(bootstrap, changelog)).values() for key, value in part.rows.items()}


async def until(condition: Callable[[], Any], workers: Workers | None = None) -> Any:
    """Poll; the deadline is there only to end a test that hangs."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        result = condition()
        if asyncio.iscoroutine(result):
            result = await result
        if result:
            return result
        await asyncio.sleep(0.3)
    raise AssertionError("not reached; " + (workers.log()[-3000:] if workers else ""))


def some_words(n: int, seed: int = 1) -> list[tuple[bytes, bytes]]:
    rnd = random.Random(seed)
    return [(b"word%d" % rnd.randrange(200), b"%d" % i) for i in range(n)]


def expected_rows(words: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    return {word: b"%d" % count for word, count in Counter(word for word, _ in words).items()}


def expected_outputs(words: list[tuple[bytes, bytes]]) -> set[tuple[bytes, bytes]]:
    counts: Counter[bytes] = Counter()
    outputs = set()
    for word, value in words:
        counts[word] += 1
        outputs.add((word, b"%d %s" % (counts[word], value)))
    return outputs


async def outputs(bootstrap: str, topic: str) -> set[tuple[bytes, bytes]]:
    return {(record.key, record.value) for record in await read(bootstrap, topic)}


async def test_rows_and_outputs_are_exactly_those_of_the_records(
    kafka: Any, workers: Workers, fresh: Callable[[str], str]
) -> None:
    name, words = fresh("words"), some_words(20_000)
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")
    await produce(kafka.bootstrap, f"{name}-in", words)
    worker = workers.start("words", name)

    async def complete() -> bool:
        return await rows(kafka.bootstrap, f"{name}-words-changelog") == expected_rows(words)

    await until(complete, workers)
    worker.send_signal(signal.SIGTERM)
    await until(lambda: worker.poll() is not None)

    assert worker.returncode == 0
    sent = await read(kafka.bootstrap, f"{name}-counts")
    assert Counter((r.key, r.value) for r in sent) == Counter(expected_outputs(words)), (
        "nothing failed, so nothing is there twice"
    )
    assert all(r.partition == partition_for(r.key, N) for r in sent)
    parts = await partitions_of(kafka.bootstrap, f"{name}-words-changelog")
    assert all(OUTBOX_KEY not in part.meta for part in parts.values()), "a clean stop empties the outboxes"


async def test_nothing_is_lost_or_counted_twice_when_workers_are_killed(
    kafka: Any, workers: Workers, fresh: Callable[[str], str]
) -> None:
    name, words = fresh("killed"), some_words(60_000)
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")
    rnd = random.Random(4)
    load = asyncio.create_task(slowly(kafka.bootstrap, f"{name}-in", words, 12))
    for _ in range(4):
        worker = workers.start("words", name, "-", "one")  # a static member: its successor has the partitions at once
        before = len(await read(kafka.bootstrap, f"{name}-counts"))

        async def moved(before: int = before) -> bool:
            return len(await read(kafka.bootstrap, f"{name}-counts")) > before or load.done()

        await until(moved, workers)
        await asyncio.sleep(rnd.random())
        worker.kill()
        worker.wait()
    await load
    workers.start("words", name, "-", "one")

    async def complete() -> bool:
        return await rows(kafka.bootstrap, f"{name}-words-changelog") == expected_rows(words)

    await until(complete, workers)

    async def all_sent() -> bool:
        return await outputs(kafka.bootstrap, f"{name}-counts") >= expected_outputs(words)

    await until(all_sent, workers)
    assert await outputs(kafka.bootstrap, f"{name}-counts") == expected_outputs(words), "what is there twice is the same"


async def slowly(bootstrap: str, topic: str, records: list[tuple[bytes, bytes]], parts: int) -> None:
    size = -(-len(records) // parts)
    for start in range(0, len(records), size):
        await produce(bootstrap, topic, records[start : start + size])
        await asyncio.sleep(0.5)


async def test_a_second_worker_takes_its_share_and_gives_it_back(
    kafka: Any, workers: Workers, fresh: Callable[[str], str]
) -> None:
    name, words = fresh("shared"), some_words(40_000)
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")
    load = asyncio.create_task(slowly(kafka.bootstrap, f"{name}-in", words, 20))
    first = workers.start("words", name)
    await until(lambda: '"partitions":4' in workers.log(0), workers)
    second = workers.start("words", name)
    await until(lambda: '"partitions":2' in workers.log(1), workers)
    await asyncio.sleep(1.0)
    second.send_signal(signal.SIGTERM)
    await until(lambda: second.poll() is not None)
    await until(lambda: workers.log(0).count('"partitions":4') == 2, workers)
    await load

    async def complete() -> bool:
        return await rows(kafka.bootstrap, f"{name}-words-changelog") == expected_rows(words)

    await until(complete, workers)
    first.send_signal(signal.SIGTERM)
    await until(lambda: first.poll() is not None)
    assert (first.returncode, second.returncode) == (0, 0)
    sent = [(r.key, r.value) for r in await read(kafka.bootstrap, f"{name}-counts")]
    assert Counter(sent) == Counter(expected_outputs(words)), "a rebalance repeats nothing"


async def test_a_claim_survives_the_worker_that_made_it(
    kafka: Any, workers: Workers, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    name, made = fresh("calls"), tmp_path / "made"
    made.touch()
    await create(kafka.bootstrap, f"{name}-in", f"{name}-log", f"{name}-ledger-changelog")
    ids = [b"id%d" % i for i in range(300)]
    await produce(kafka.bootstrap, f"{name}-in", [(i, b"") for i in ids])
    worker = workers.start("caller", name, str(made), "one")
    await until(lambda: len(made.read_text().splitlines()) > 40, workers)
    worker.kill()
    worker.wait()
    second = workers.start("caller", name, str(made), "one")

    async def complete() -> bool:
        return {r.key for r in await read(kafka.bootstrap, f"{name}-log")} == set(ids)

    await until(complete, workers)
    second.send_signal(signal.SIGTERM)
    await until(lambda: second.poll() is not None)
    assert second.returncode == 0
    calls = Counter(made.read_text().split())
    assert set(calls) <= {i.decode() for i in ids}
    assert max(calls.values()) == 1, "a claimed call is not made again: its row says that nobody knows"
    ends = {r.key: r.value for r in await read(kafka.bootstrap, f"{name}-log")}
    unknown = [key for key, value in ends.items() if value == b"unknown"]
    assert 0 < len(unknown) <= 16, "those that were under way when the worker was killed"
    assert all(calls[key.decode()] == 1 for key, value in ends.items() if value == b"sent")


async def test_a_stop_lets_calls_in_flight_end(kafka: Any, workers: Workers, fresh: Callable[[str], str], tmp_path: Path) -> None:
    name, made = fresh("stop"), tmp_path / "made"
    made.touch()
    await create(kafka.bootstrap, f"{name}-in", f"{name}-log", f"{name}-ledger-changelog")
    await produce(kafka.bootstrap, f"{name}-in", [(b"id%d" % i, b"") for i in range(200)])
    worker = workers.start("caller", name, str(made))
    await until(lambda: len(made.read_text().splitlines()) > 20, workers)
    worker.send_signal(signal.SIGTERM)
    await until(lambda: worker.poll() is not None)

    assert worker.returncode == 0
    calls = made.read_text().split()
    ends = {r.key.decode(): r.value for r in await read(kafka.bootstrap, f"{name}-log")}
    assert ends == dict.fromkeys(calls, b"sent"), "each call that was made has its outcome in the log"


async def test_a_due_moment_waits_for_the_backlog(kafka: Any, workers: Workers, fresh: Callable[[str], str]) -> None:
    name = fresh("alarms")
    topics = [f"{name}-{t}" for t in ("in", "late", "clean", "rung", "alarms-changelog", "intake-changelog")]
    await create(kafka.bootstrap, *topics)
    keys = [b"k%d" % i for i in range(2000)]
    await produce(kafka.bootstrap, f"{name}-in", [(k, b"set") for k in keys])
    await produce(kafka.bootstrap, f"{name}-late", [(k, b"cancel") for k in keys[1:]])
    workers.start("alarms", name)

    async def rung() -> set[bytes]:
        return {r.key for r in await read(kafka.bootstrap, f"{name}-rung")}

    assert await until(rung, workers) == {keys[0]}, "every other moment was cancelled by what lay behind it"
    clean = [r.value for r in await read(kafka.bootstrap, f"{name}-clean")]
    assert Counter(clean) == {b"set": 2000, b"cancel": 1999}
    for p in range(N):
        mine = [r.value for r in await read(kafka.bootstrap, f"{name}-clean") if r.partition == p]
        assert mine == sorted(mine, reverse=True), "at a first start the late topic comes after the early one"


async def test_a_decision_that_grows_too_large_is_split(kafka: Any, workers: Workers, fresh: Callable[[str], str]) -> None:
    name = fresh("large")
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")
    words = [(b"same", b"x" * 600_000) for _ in range(20)] + [(b"same", b"y" * (3 << 20))]
    await produce(kafka.bootstrap, f"{name}-in", words)
    workers.start("words", name)

    async def complete() -> bool:
        return await rows(kafka.bootstrap, f"{name}-words-changelog") == {b"same": b"21"}

    await until(complete, workers)

    async def all_sent() -> bool:
        return await outputs(kafka.bootstrap, f"{name}-counts") == expected_outputs(words)

    await until(all_sent, workers)
    offsets = [r.value for r in await read(kafka.bootstrap, f"{name}-words-changelog") if r.key == f"\0offset/{name}-in".encode()]
    assert len(offsets) > 4, "several turns took it"


async def test_a_missing_topic_is_said_and_nothing_starts(kafka: Any, workers: Workers, fresh: Callable[[str], str]) -> None:
    name = fresh("missing")
    await create(kafka.bootstrap, f"{name}-in")
    worker = workers.start("words", name)
    await until(lambda: worker.poll() is not None)
    assert worker.returncode == NOT_YET
    assert f"topic {name}-words-changelog does not exist" in workers.log()


async def test_an_absent_broker_is_said_in_a_line(tmp_path: Path) -> None:
    nowhere = Workers("127.0.0.1:9", tmp_path)
    worker = nowhere.start("words", "nowhere")
    await until(lambda: worker.poll() is not None)
    assert worker.returncode == NOT_YET
    assert "no Kafka broker answers at 127.0.0.1:9" in nowhere.log()
    assert "Traceback" not in nowhere.log()


async def test_a_frozen_worker_that_lost_its_partitions_ends(kafka: Any, workers: Workers, fresh: Callable[[str], str]) -> None:
    name, words = fresh("zombie"), some_words(30_000)
    await create(kafka.bootstrap, f"{name}-in", f"{name}-counts", f"{name}-words-changelog")
    load = asyncio.create_task(slowly(kafka.bootstrap, f"{name}-in", words, 20))
    frozen = workers.start("words", name)
    await until(lambda: '"partitions":4' in workers.log(0), workers)
    frozen.send_signal(signal.SIGSTOP)
    workers.start("words", name)
    await until(lambda: '"partitions":4' in workers.log(1), workers)
    await asyncio.sleep(2)  # the group counts from the last heartbeat, which may be a second older than the freeze
    frozen.send_signal(signal.SIGCONT)
    await until(lambda: frozen.poll() is not None, workers)
    assert frozen.returncode == 70
    await load

    async def complete() -> bool:
        return await rows(kafka.bootstrap, f"{name}-words-changelog") == expected_rows(words)

    await until(complete, workers)

    async def all_sent() -> bool:
        return await outputs(kafka.bootstrap, f"{name}-counts") == expected_outputs(words)

    await until(all_sent, workers)
