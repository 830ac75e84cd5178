"""Rows keep offsets of topics. Of a topic that was made anew, or comes from a mirror, they say nothing, wherever its end lies."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from agents.kafka.reader import MissingError, Reader
from agents.kafka.topics import ensure, stores
from agents.kafka.writer import Event
from agents.projection.follower import Follower
from agents.projection.projection import Projection
from agents.projection.tables import open_database
from tests.agents.web.samples import record

from .harness import AMSTERDAM, Stand, Worker, client, settings, visit

pytestmark = pytest.mark.broker

START = (datetime.now(AMSTERDAM) + timedelta(days=30)).replace(hour=10, minute=0, second=0, microsecond=0)
READ_ANEW = "afspraakbericht_projection_read_anew_total"
OLD, NEW = 16, 60
"""Visits before and after. The new ones come past the end of the old ones in each partition."""


def visits(name: str, number: int, first_day: int = 0) -> list[Event]:
    return [visit("weg", f"{name}{n}", 1, START + timedelta(days=first_day + n), "anna") for n in range(number)]


async def told(stand: Stand) -> list[str]:
    """The appointments of which messages that were sent speak, sorted; one that was told twice stands there twice."""
    sent = [entry for entry in await stand.log("weg") if entry["status"] == "sent"]
    return sorted(notice["appointment"] for entry in sent for notice in entry["notices"])


def names(*events: Iterable[Event]) -> list[str]:
    return sorted(str(event.key).split("/")[1] for some in events for event in some)


async def read_to(stand: Stand, number: int) -> None:
    """Wait until so many appointments were told, and what came of them is taken in."""

    async def enough() -> bool:
        return len(await told(stand)) >= number

    await stand.until(enough, f"{number} appointments are told")
    await stand.settled()


async def told_by(stand: Stand, visits: list[Event], window: int = 0) -> Worker:
    """A worker that has told a client of visits, and has taken in what came of that."""
    worker = stand.worker()
    await stand.feed(settings("weg", window, window), client("weg", "anna", "sms"))
    await stand.settled()
    await stand.feed(visits)
    await read_to(stand, len(visits))
    return worker


async def contents(stand: Stand, topic: str) -> list[Any]:
    """All records that a topic still has."""
    tps = [TopicPartition(topic, p) for p in range(stand.partitions)]
    found: list[Any] = []
    async with AIOKafkaConsumer(bootstrap_servers=stand.kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
    return found


async def make_anew(stand: Stand, *topics: str) -> None:
    """Delete topics and make them again."""
    for topic in topics:
        if (tail := stand.tails.pop(topic, None)) is not None:
            await tail.consumer.stop()
    await stand.admin.delete_topics(list(topics))
    while set(topics) & set(await stand.admin.list_topics()):
        await asyncio.sleep(0.1)
    report = await ensure(stand.kafka.bootstrap, stand.partitions, 1, stand.application, stores())
    assert not report.problems


async def mirror(stand: Stand, *topics: str) -> None:
    """What a mirror makes of topics: their records from the first one that is left, at offsets of their own."""
    kept = [record for topic in topics for record in await contents(stand, topic)]
    await make_anew(stand, *topics)
    async with AIOKafkaProducer(bootstrap_servers=stand.kafka.bootstrap, max_request_size=8 << 20) as producer:
        for record in kept:
            await producer.send(record.topic, record.value, record.key, partition=record.partition, headers=list(record.headers))


async def delete_first_half(stand: Stand, topic: str) -> None:
    """As retention does."""
    tps = [TopicPartition(topic, p) for p in range(stand.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=stand.kafka.bootstrap) as consumer:
        ends = await consumer.end_offsets(tps)
    await stand.admin.delete_records({tp: RecordsToDelete(before_offset=end // 2) for tp, end in ends.items() if end > 1})


@pytest.mark.parametrize("copied", [OLD // 2, 0], ids=["shifted by a mirror", "made anew and filled past the old end"])
async def test_an_input_topic_of_other_offsets_is_read_from_its_beginning_and_nothing_is_told_twice(
    tmp_path: Path, copied: int
) -> None:
    old, new = visits("oud", OLD), visits("nieuw", NEW, OLD)
    async with Stand(tmp_path) as stand:
        worker = await told_by(stand, old)
        assert await worker.stop() == 0

        await make_anew(stand, "appointments")
        await stand.feed(old[OLD - copied :], new)
        worker = stand.worker()
        await read_to(stand, OLD + NEW)
        assert await told(stand) == names(old, new)
        said = worker.output.split("a topic has another id than the one that was read")[1]
        assert '"topic":"appointments","partitions":' in said
        assert await worker.stop() == 0

        again = stand.worker()
        await stand.feed(visits("later", 1, OLD + NEW))
        await read_to(stand, OLD + NEW + 1)
        assert "another id" not in again.output, "it is known now"


async def test_a_topic_that_is_made_anew_under_a_running_worker_stops_it_and_a_start_reads_all_of_it(tmp_path: Path) -> None:
    old, new = visits("oud", OLD), visits("nieuw", NEW, OLD)
    async with Stand(tmp_path) as stand:
        # With a window: without one its end would cut off calls about the new ones, and what came of them waits ten minutes.
        worker = await told_by(stand, old, window=15)

        worker.freeze()  # so that it does not see the moment without the topic
        await make_anew(stand, "appointments")
        await stand.feed(new)
        worker.thaw()
        assert await worker.end() != 0
        stand.worker()
        await read_to(stand, OLD + NEW)
        assert await told(stand) == names(old, new)


async def test_the_overview_reads_a_topic_that_was_made_anew_from_its_start_also_while_it_follows(tmp_path: Path) -> None:
    """The delivery log, filled past the old end: its records count once each."""

    def logged(*messages: str) -> list[Event]:
        return [Event("delivery-log", "linde/anna", record(message)) for message in messages]

    ticks = count(0, 60)
    async with Stand(tmp_path, partitions=1) as stand:
        projection = Projection(open_database(None, tmp_path))
        await stand.feed(logged("a", "b"))
        assert await Follower(projection, stand.application, stand.kafka.bootstrap).read() == 2
        await make_anew(stand, "delivery-log")
        await stand.feed(logged("b", "c", "d"))
        follower = Follower(projection, stand.application, stand.kafka.bootstrap, clock=lambda: float(next(ticks)))
        assert await follower.read() == 3
        assert projection.messages_of("linde", "anna") == 4
        assert follower.metrics.registry.get_sample_value(READ_ANEW, {"topic": "delivery-log"}) == 1

        follows = asyncio.create_task(follower.run())
        await make_anew(stand, "delivery-log")
        await stand.feed(logged("d", "e", "f", "g", "h"))

        async def all_there() -> bool:
            assert not follows.done()
            return projection.messages_of("linde", "anna") == 8

        await stand.until(all_there, "the overview has each message")
        follows.cancel()
        await asyncio.gather(follows, return_exceptions=True)


async def test_a_topic_that_is_deleted_while_the_overview_begins_to_read_it_is_not_read_on_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """The brokers still list it, and have no id of it any more: its offsets are of no topic."""

    async def ids(self: Reader, topics: Collection[str]) -> dict[str, bytes]:
        return {topic: bytes(15) + b"1" for topic in topics if topic != "delivery-log"}

    async with Stand(tmp_path, partitions=1) as stand:
        monkeypatch.setattr(Reader, "ids", ids)
        with pytest.raises(MissingError, match="delivery-log"):
            await Follower(Projection(open_database(None, tmp_path)), stand.application, stand.kafka.bootstrap).read()


async def test_after_a_restore_from_a_mirror_of_all_topics_every_new_event_is_told_and_none_twice(tmp_path: Path) -> None:
    """Inputs, our own topics, changelogs and logs have other ids and other offsets; the group has none."""
    old, new = visits("oud", OLD), visits("nieuw", NEW, OLD)
    async with Stand(tmp_path) as stand:
        worker = await told_by(stand, old)
        assert await worker.stop() == 0

        topics = [topic for topic in await stand.admin.list_topics() if not topic.startswith("__")]
        for topic in ("appointments", "client-events", "deliveries-sms"):
            await delete_first_half(stand, topic)
        await mirror(stand, *topics)
        await stand.feed(new)
        stand.worker()
        await read_to(stand, OLD + NEW)
        assert await told(stand) == names(old, new)
        assert sum(text.count("Er is een afspraak met u gemaakt") for _, text in stand.received_sms()) == OLD + NEW
