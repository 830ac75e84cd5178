"""What a producer may do by right, or by another library's defaults: compress, send much in little, and give any time."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.record.util import calc_crc32c

from agents.kafka.topics import settings_of, stores
from agents.kafka.writer import Event
from schemas.topics import TOPICS, Topic, changelog

from .harness import Stand, client, request, settings, visit

pytestmark = pytest.mark.broker

CODECS = ("gzip", "snappy", "lz4", "zstd")
START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)
MIB = 1 << 20


async def as_before(stand: Stand, *names: str) -> None:
    """Topics as they were made before they had settings of compression and time: the broker's defaults count."""
    ours = ("compression.type", "message.timestamp.type")
    every: list[Topic] = [*TOPICS, *(changelog(stand.application, store) for store in stores())]
    wanted = {one.name: settings_of(one, 1) for one in every if not names or one.name in names}
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, {key: value for key, value in found.items() if key not in ours})
        for name, found in wanted.items()
    ]
    await stand.admin.alter_configs(resources)
    await asyncio.sleep(0.5)  # the broker has it with its next look at the metadata log


@asynccontextmanager
async def producer(stand: Stand, codec: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    """An upstream's, which compresses, and whose own bound was raised "because it was refused"."""
    made = AIOKafkaProducer(
        bootstrap_servers=stand.kafka.bootstrap, compression_type=codec, max_request_size=512 * MIB, acks="all",
        request_timeout_ms=120_000,
    )  # fmt: skip
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def write(to: AIOKafkaProducer, *events: Event, timestamp_ms: int | None = None) -> None:
    """Write events, all of one partition in one batch where there is room."""
    sent = []
    for topic, key, value in events:
        raw = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
        sent.append(await to.send(topic, raw, key.encode() if key is not None else None, timestamp_ms=timestamp_ms))
    await asyncio.gather(*sent)


async def test_batches_of_every_codec_are_read(tmp_path: Path) -> None:
    """On topics that keep what a producer chose. One such batch once stopped every worker, for as long as the topic had it."""
    async with Stand(tmp_path) as stand:
        await as_before(stand)
        await stand.feed(settings("linde"))
        stand.worker()
        for codec in CODECS:
            name = f"anna-{codec}"
            async with producer(stand, codec) as upstream:
                await write(upstream, *client("linde", name, "sms"))
                await stand.settled()
                visits = [visit("linde", f"{codec}-{n}", 1, START + timedelta(days=n), name) for n in range(3)]
                await write(upstream, *visits, request("linde", name, codec, "Vul in."))
        await stand.logged(4 * len(CODECS), "linde")


@pytest.mark.parametrize("codec", CODECS)
async def test_a_broker_that_compresses_by_default_is_read_after_a_restart_too(tmp_path: Path, codec: str) -> None:
    """Inputs, internal topics and changelogs are then compressed, whatever who writes them does."""
    async with Stand(tmp_path, partitions=2, broker={"compression.type": codec}) as stand:
        await as_before(stand)
        await stand.feed(settings("linde"), client("linde", "anna", "sms"))
        worker = stand.worker()
        await stand.settled()
        await stand.feed([visit("linde", f"a{n}", 1, START + timedelta(days=n), "anna") for n in range(3)])
        await stand.logged(3, "linde")
        assert await worker.stop() == 0
        stand.worker()
        await stand.feed(visit("linde", "a0", 2, START, "anna", status="cancelled"))
        texts = [one["text"] for one in await stand.logged(4, "linde")]
        assert [text for text in texts if "geannuleerd" in text]


def bomb(size: int) -> bytes:
    """An event that upstream may write, but for its size."""
    value: dict[str, Any] = visit("linde", "te-groot", 1, START, "anna").value
    return orjson.dumps(value)[:-1] + b', "note": "' + b"x" * size + b'"}'


def large() -> list[tuple[str, bytes, bytes]]:
    """What it is, key and value. Half a gigabyte: not in each process that only collects the tests."""
    return [
        ("5 MB of JSON, in 6 kB", b"linde/te-groot", bomb(5 * MIB)),
        ("4 MiB less 20 bytes, which fit without key and headers", b"linde/te-groot", b"x" * (4 * MIB - 20)),
        ("a key of 3 MB and a value of 2 MB", b"k" * 3_000_000, b"x" * 2_000_000),
        ("a key of 6 MB", b"k" * 6_000_000, b""),
        ("64 MiB", b"linde/te-groot", bomb(64 * MIB)),
        ("400 MiB, in 400 kB", b"linde/te-groot", b"x" * (400 * MIB)),
    ]


async def test_a_compressed_event_of_any_size_is_set_aside_and_the_next_one_is_told(tmp_path: Path) -> None:
    """On topics that keep a producer's compression. Less than 4 MiB once stopped every worker for ever."""
    async with Stand(tmp_path) as stand:
        await as_before(stand, "appointments")
        await stand.feed(settings("linde"), client("linde", "anna", "sms"))
        worker = stand.worker()
        await stand.settled()
        events = large()
        async with producer(stand, "gzip") as upstream:
            for number, (_, key, value) in enumerate(events):
                await upstream.send_and_wait("appointments", value, key, partition=0)
                await upstream.send_and_wait(*canary(number), partition=0)
                await stand.logged(number + 1, "linde")
        letters = await stand.records("dead-letters")

        assert worker.running
        letters.sort(key=lambda letter: int(dict(letter.headers)["offset"]))
        sizes = [{name: value for name, value in letter.headers if name.endswith("size")} for letter in letters]
        assert sizes == [
            {"size": b"%d" % len(value)} | ({"key-size": b"%d" % len(key)} if len(key) > 4 * MIB else {})
            for _, key, value in events
        ]
        print("PEAK", peak_memory(worker.process.pid) / MIB)
        assert peak_memory(worker.process.pid) < 1536 * MIB


def canary(number: int) -> tuple[str, bytes, bytes]:
    event = visit("linde", f"goed-{number}", 1, START + timedelta(days=number), "anna")
    return event.topic, orjson.dumps(event.value), (event.key or "").encode()


def peak_memory(pid: int) -> int:
    """Bytes that a process had in memory at its most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) * 1024


async def test_the_broker_refuses_at_the_producer_what_is_too_large_unpacked_and_takes_what_is_not(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.feed(settings("linde"), client("linde", "anna", "sms"))
        stand.worker()
        await stand.settled()
        async with producer(stand, "gzip") as upstream:
            for size in (int(1.2 * MIB), 5 * MIB, 64 * MIB):
                with pytest.raises(MessageSizeTooLargeError):
                    await upstream.send_and_wait("appointments", bomb(size), b"linde/te-groot")
            await upstream.send_and_wait("appointments", bomb(900_000), b"linde/te-groot")
        assert len(gzip.compress(bomb(5 * MIB))) < 8000
        await stand.logged(1, "linde")


TIMES = {
    "31 days ago": int((datetime.now(UTC) - timedelta(days=31)).timestamp() * 1000),
    "1970": 0,
    "before there were years": -(10**15),
    "in the next century": int(datetime(2150, 1, 1, tzinfo=UTC).timestamp() * 1000),
}


async def test_records_with_old_times_are_kept_until_they_are_read_and_told(tmp_path: Path) -> None:
    """Kafka deletes by the time of a record. A producer that gives the event's own, or one of a clock at 1970, once lost all it
    wrote while no worker ran, and nothing said so: an appointment, a request, an opt-out."""
    looks = {"log.retention.check.interval.ms": "300", "log.initial.task.delay.ms": "300"}
    async with Stand(tmp_path, partitions=2, broker=looks) as stand:
        await as_before(stand, "contacts", "erasures")
        await stand.feed(settings("linde"))
        async with producer(stand) as upstream:
            for number, at in enumerate(TIMES.values()):
                mine = f"anna-{number}"
                off = {"organisation": "linde", "client": f"bram-{number}", "channel": "sms", "off": True, "source": "link"}
                await stand.feed(client("linde", mine, "sms"), client("linde", f"bram-{number}", "sms"))
                await write(
                    upstream, Event("opt-outs", f"linde/bram-{number}", off), visit("linde", f"a{number}", 1, START, mine),
                    visit("linde", f"b{number}", 1, START, f"bram-{number}"), request("linde", mine, "r", "Vul in."),
                    timestamp_ms=at,
                )  # fmt: skip
            control = {"organisation": "linde", "client": "niemand", "at": "2020-01-01T00:00:00Z", "stage": "done"}
            await write(upstream, Event("erasures", "linde/niemand", control), timestamp_ms=TIMES["1970"])
        await stand.until(lambda: deleted(stand, "erasures"), "Kafka deletes what is old by its own time")

        began = datetime.now(UTC) - timedelta(minutes=10)
        stand.worker()
        found = await stand.logged(3 * len(TIMES), "linde")
        assert sorted((one["client"], one["reason"], one["status"], one["detail"]) for one in found) == sorted(
            entry
            for number in range(len(TIMES))
            for entry in (
                (f"anna-{number}", "direct", "sent", None), (f"anna-{number}", "request", "sent", None),
                (f"bram-{number}", "direct", "suppressed", "client_off"),
            )
        )  # fmt: skip
        for topic in ("appointments", "requests", "opt-outs", "client-events", "delivery-log"):
            records = await stand.records(topic)
            assert all(record.timestamp_type == 1 and record.timestamp >= began.timestamp() * 1000 for record in records), topic


async def deleted(stand: Stand, topic: str) -> bool:
    """Whether Kafka has deleted from a topic."""
    await stand.records(topic)
    consumer = stand.tails[topic].consumer
    return any((await consumer.beginning_offsets(consumer.assignment())).values())


def with_odd_names(to: AIOKafkaProducer, *events: Event) -> Any:
    """A batch whose records have a header with a name that is not UTF-8, as a library in another language may write it."""
    batch = to.create_batch()
    for event in events:
        batch.append(key=(event.key or "").encode(), value=orjson.dumps(event.value), timestamp=None, headers=[("name", b"x")])
    build = batch._build

    def odd() -> bytes:
        raw = bytearray(build())
        while (at := raw.find(b"\x08name")) >= 0:
            raw[at + 1 : at + 5] = b"na\xff\xfe"
        raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
        return bytes(raw)

    batch._build = odd
    return batch


async def test_a_header_whose_name_is_not_utf8_stops_nobody(tmp_path: Path) -> None:
    """Kafka calls it a string and checks nothing; one such record stopped every worker that came to it."""
    async with Stand(tmp_path, partitions=1) as stand, producer(stand) as upstream:
        worker = stand.worker()
        await stand.feed(settings("naam"), client("naam", "anna", "sms"))
        await stand.settled()
        good, bad = visit("naam", "a", 1, START, "anna"), Event("appointments", "naam/b", {"organisation": 1})
        await (await upstream.send_batch(with_odd_names(upstream, good, bad), "appointments", partition=0))
        await stand.feed(visit("naam", "c", 1, START + timedelta(days=1), "anna"))
        assert len(await stand.texts("naam", 2)) == 2
        (letter,) = await stand.records("dead-letters")
        assert dict(letter.headers)["event-na\\xff\\xfe"] == b"x"
        assert await worker.stop() == 0
