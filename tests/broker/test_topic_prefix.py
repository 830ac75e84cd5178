"""Two installations on one Kafka, of equal application, organisation and clients: each works, and neither sees the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.broker.broker import EmbeddedKafka
from schemas.topics import STORES, TOPICS, changelog

from .harness import BROKER, Stand, client, command, request, settings, visit

pytestmark = pytest.mark.broker

START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=9)
PREFIXES = ("noord.", "zuid.")
VISITS = 40


class Shared:
    """A broker that others start and stop."""

    def __init__(self, kafka: EmbeddedKafka) -> None:
        self.bootstrap, self.nodes = kafka.bootstrap, [kafka]

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path / "kafka", port=None, version=BROKER)
    await asyncio.to_thread(broker.start)
    yield broker
    await asyncio.to_thread(broker.stop)


async def test_two_installations_on_one_kafka_work_side_by_side_and_nothing_crosses(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    shared: Any = Shared(kafka)
    folders = [tmp_path / prefix for prefix in PREFIXES]
    for folder in folders:
        folder.mkdir()
    async with (
        Stand(folders[0], cluster=shared, prefix=PREFIXES[0]) as north,
        Stand(folders[1], cluster=shared, prefix=PREFIXES[1], partitions=2) as south,
    ):
        north.worker()
        south.worker()
        for stand in (north, south):
            await stand.feed(settings("linde"), client("linde", "anna", "sms"), client("linde", "bram", "sms"))
            await stand.settled()
        # both are busy with appointments of equal ids; the worker of one is replaced in the midst of it
        await asyncio.gather(*(stand.feed(visits(stand)) for stand in (north, south)))
        await north.until(lambda: some(north), "the first are sent")
        assert await north.workers[0].stop() == 0
        north.worker()
        for stand in (north, south):
            await stand.until(partial(all_told, stand), f"all of {stand.prefix} is told")
            await stand.settled()
            wanted = sorted(f"{place_of(stand)} {day}" for day in range(VISITS) for _ in ("anna", "bram"))
            assert told(stand) == wanted, "each client heard of each appointment once, and of no other one's"
            assert {entry["status"] for entry in await stand.log()} == {"sent"}

        await each_command_looks_at_its_own(north, south)
        await nothing_is_named_without_a_prefix(kafka, north)
        assert [await worker.stop() for worker in (north.workers[-1], south.workers[-1])] == [0, 0]


async def test_an_installation_moves_to_another_prefix_with_all_it_knows(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """By the RUNBOOK: stopped, each partition copied as it is, and started under the new name with the organisations off."""
    shared: Any = Shared(kafka)
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    async with Stand(tmp_path / "old", cluster=shared) as old:
        old.worker()
        await old.feed(settings("linde"), client("linde", "anna", "sms"), client("linde", "bram", "sms"))
        await old.settled()
        await old.feed(visits(old))
        await old.until(partial(all_told, old), "all is told")
        await old.settled()
        assert await old.workers[0].stop() == 0
        count = len(await old.log())
        async with Stand(tmp_path / "new", cluster=shared, prefix="west.") as new:
            await copied(kafka, old, "west.")
            new.worker()
            await new.feed(visits(old))  # upstream sends all of it once more
            await new.settled()
            assert (new.received_sms(), len(await new.log())) == ([], count), "it is known"
            await new.feed(visit("linde", "a3", 2, START + timedelta(days=3, hours=2), "anna", location="Oud 3"))
            await new.logged(count + 2)
            assert sorted(text.split(" op ")[0] for _, text in new.received_sms()) == [
                "Uw afspraak", "Uw afspraak",
            ], new.received_sms()  # fmt: skip
            assert await new.workers[0].stop() == 0


async def copied(kafka: EmbeddedKafka, old: Stand, prefix: str) -> None:
    """Copy every record of every topic, partition by partition, as a mirror does."""
    names = [*(topic.name for topic in TOPICS), *(changelog(old.application, store).name for store in STORES)]
    tps = [TopicPartition(name, p) for name in names for p in range(old.partitions)]
    async with (
        AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=8 << 20) as producer,
    ):
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                for one in records:
                    await producer.send(prefix + tp.topic, one.value, one.key, tp.partition, headers=list(one.headers))


def visits(stand: Stand) -> list[Any]:
    """An appointment a day for two clients, at a place of the installation's own."""
    return [
        visit("linde", f"a{day}", 1, START + timedelta(days=day), "anna", "bram", location=f"{place_of(stand)} {day}")
        for day in range(VISITS)
    ]


def place_of(stand: Stand) -> str:
    return stand.prefix.strip(".").capitalize() or "Oud"


def told(stand: Stand) -> list[str]:
    """The places that its clients read, each as often as one reads it."""
    return sorted(place for _, text in stand.received_sms() for place in re.findall(r"(?:Noord|Zuid|Oud) \d+", text))


async def all_told(stand: Stand) -> bool:
    return len(told(stand)) >= 2 * VISITS


async def has_received(stand: Stand, text: str) -> bool:
    return any(text in body for _, body in stand.received_sms())


async def some(stand: Stand) -> bool:
    return len(await stand.log()) > 4


async def each_command_looks_at_its_own(north: Stand, south: Stand) -> None:
    def run(stand: Stand, *words: str, code: int = 0) -> str:
        done = command(*words, **stand.settings(data=stand.folder / "commands"))
        assert done.returncode == code, (words, done.stdout[-500:], done.stderr[-2000:])
        return done.stdout

    def lines(stand: Stand, *words: str, code: int = 0) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in run(stand, *words, code=code).splitlines()]

    events = north.folder / "events.jsonl"
    asked = request("linde", "anna", "r1", "Vul uw lijst in")
    bad = {"topic": "requests", "key": "linde/anna", "value": {"organisation": "linde", "client": "anna"}}
    good = {"topic": asked.topic, "key": asked.key, "value": asked.value}
    events.write_bytes(orjson.dumps(good) + b"\n" + orjson.dumps(bad) + b"\n")
    run(north, "feed", str(events))
    await north.until(partial(has_received, north, "Vul uw lijst in"), "the request is sent")
    await north.settled()

    assert len(lines(north, "log", "--json")) == len(await north.log()) > 1
    assert len(lines(south, "log", "--json")) == len(await south.log()) > 1
    assert all("noord." in line for line in run(north, "topics", "--check").splitlines()[1:])
    assert "Noord 3" in run(north, "why", "linde/anna")
    assert "Noord" not in run(south, "why", "linde/anna")
    (seen,) = lines(north, "status", "--json", code=1)
    assert (seen["workers"], seen["dead_letters"]) == (1, {"requests": 1})
    (seen,) = lines(south, "status", "--json")
    assert (seen["workers"], seen["dead_letters"]) == (1, {})
    run(north, "hold", "linde", "--set")
    assert lines(north, "status", "--json", code=1)[0]["holding"] == 1
    assert lines(south, "status", "--json")[0]["holding"] == 0
    assert "requests" in run(north, "dead-letters")
    assert "requests" not in run(south, "dead-letters")
    assert [one["action"] for one in lines(north, "access", "linde/anna", "--json")] == ["why", "access"]
    assert "noord" not in run(south, "replay", "--dry-run").lower()
    run(north, "erase", "linde/anna", "--yes", "--proof", str(north.folder / "proof.json"))
    proof = orjson.loads((north.folder / "proof.json").read_bytes())
    assert (proof["outcome"], proof["to_do"]) == ("done", [])
    await south.settled()
    assert "Zuid 3" in run(south, "why", "linde/anna"), "an erasure is of one installation"


async def nothing_is_named_without_a_prefix(kafka: EmbeddedKafka, stand: Stand) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        topics = {name for name in await admin.list_topics() if not name.startswith("__")}
        groups = {name for name, _ in await admin.list_consumer_groups()}
    finally:
        await admin.close()
    ours = [*(topic.name for topic in TOPICS), *(changelog(stand.application, store).name for store in STORES)]
    assert topics == {prefix + name for prefix in PREFIXES for name in ours}
    assert groups == {prefix + stand.application for prefix in PREFIXES}
