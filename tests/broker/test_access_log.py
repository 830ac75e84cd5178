"""Who looked stays as long as it must: Kafka's own retention and cleaner run over `access-log`, and nothing has gone early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.broker.broker import EmbeddedKafka
from agents.kafka.topics import ensure, settings_of, stores
from schemas.access import AccessRecord
from schemas.topics import ACCESS_LOG, AUDIT_DAYS, ORGANISATIONS
from schemas.wire import encode

from .harness import DEADLINE, command
from .test_topics import configure

pytestmark = pytest.mark.broker

OFTEN = {"log.retention.check.interval.ms": "500", "log.initial.task.delay.ms": "500", "log.cleaner.backoff.ms": "200"}
GONE, KEPT = (AUDIT_DAYS + 30, AUDIT_DAYS + 2), (AUDIT_DAYS - 1, 1000, 400, 1, 0)
"""Days ago."""


def look(days: int) -> bytes:
    at = datetime.now(UTC) - timedelta(days=days)
    return encode(
        AccessRecord(
            id=str(days), at=at, organisation="linde", user=f"u{days}", role="inzage", action="client", clients=("anna",),
            outcome="shown",
        )
    )  # fmt: skip


@asynccontextmanager
async def producer(bootstrap: str) -> AsyncIterator[Any]:
    client = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def values(bootstrap: str, topic: str) -> list[bytes]:
    """What a topic has now."""
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await client.start()
    try:
        tp = TopicPartition(topic, 0)
        client.assign([tp])
        end = (await client.end_offsets([tp]))[tp]
        await client.seek_to_beginning(tp)
        found = []
        while await client.position(tp) < end:
            for records in (await client.getmany(timeout_ms=200)).values():
                found += [record.value for record in records]
        return found
    finally:
        await client.stop()


async def test_retention_and_the_cleaner_run_and_nothing_has_gone_early(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "kafka", port=None, extra=OFTEN) as kafka:
        report = await ensure(kafka.bootstrap, 1, 1, "a", stores())
        assert not report.problems
        # So that time has gone by: of records with times of their own, each in a segment.
        aged = {"message.timestamp.type": "CreateTime", "segment.ms": "1"}
        await configure(kafka.bootstrap, ACCESS_LOG.name, **{**settings_of(ACCESS_LOG, 1), **aged})
        cleaned = {"segment.ms": "1", "min.compaction.lag.ms": "0", "min.cleanable.dirty.ratio": "0.001"}
        await configure(kafka.bootstrap, ORGANISATIONS.name, **{**settings_of(ORGANISATIONS, 1), **cleaned})
        now = datetime.now(UTC)
        async with producer(kafka.bootstrap) as writer:
            for days in (*GONE, *KEPT):
                at = int((now - timedelta(days=days)).timestamp() * 1000)
                await writer.send_and_wait(ACCESS_LOG.name, look(days), b"linde", timestamp_ms=at)
            async with asyncio.timeout(DEADLINE):
                number = 0
                while len(await values(kafka.bootstrap, ORGANISATIONS.name)) >= max(3, number):  # until the cleaner has run
                    await writer.send_and_wait(ORGANISATIONS.name, str(number).encode(), b"linde")
                    number += 1
                    await asyncio.sleep(0.2)
                while len(await values(kafka.bootstrap, ACCESS_LOG.name)) > len(KEPT):  # until retention has run
                    await asyncio.sleep(0.2)
            await asyncio.sleep(2)  # and both again, some times
        assert len(await values(kafka.bootstrap, ACCESS_LOG.name)) == len(KEPT)
        settings = {"bootstrap": kafka.bootstrap, "partitions": 1, "replication": 1, "application": "a", "data": tmp_path}
        done = await asyncio.to_thread(lambda: command("retention", **settings))
        assert done.returncode == 0, done.stderr
        seen = await asyncio.to_thread(lambda: command("access", "linde/anna", **settings))
        assert seen.returncode == 0, seen.stderr
        users = [word for line in seen.stdout.splitlines() for word in line.split() if word.startswith("u")]
        assert users == [f"u{days}" for days in KEPT]
