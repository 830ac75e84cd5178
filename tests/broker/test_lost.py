"""What is lost between upstream and a worker is told: events that Kafka deleted, and partitions that somebody added."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from .harness import AMSTERDAM, Stand, client, settings, visit

pytestmark = pytest.mark.broker

START = (datetime.now(AMSTERDAM) + timedelta(days=30)).replace(hour=10, minute=0, second=0, microsecond=0)


async def delete_all(stand: Stand, topic: str) -> int:
    """Delete all records of a topic, as retention does; gives how many there were."""
    tps = [TopicPartition(topic, p) for p in range(stand.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=stand.kafka.bootstrap) as consumer:
        ends, beginnings = await consumer.end_offsets(tps), await consumer.beginning_offsets(tps)
    await stand.admin.delete_records({tp: RecordsToDelete(before_offset=end) for tp, end in ends.items() if end})
    return int(sum(ends.values()) - sum(beginnings.values()))


async def told(stand: Stand) -> list[str]:
    """The appointments that were told, in order: a message has one, or what gathered while the one before it was on its way."""
    return [notice["appointment"] for entry in await stand.log("weg") for notice in entry["notices"]]


async def test_events_that_were_deleted_before_they_were_read_are_told_and_later_ones_go_on(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        worker = stand.worker()
        await stand.feed(settings("weg"), client("weg", "anna", "sms"))
        await stand.settled()
        await stand.feed(visit("weg", f"a{n}", 1, START + timedelta(days=n), "anna") for n in range(20))  # in every partition

        async def all_told() -> bool:
            return len(await told(stand)) >= 20

        await stand.until(all_told, "20 appointments are told")
        await stand.settled()
        assert sorted(await told(stand)) == sorted(f"a{n}" for n in range(20))
        assert await worker.stop() == 0
        assert "were deleted before" not in worker.output

        await stand.feed(visit("weg", f"a{n}", 2, START + timedelta(days=n, hours=1), "anna") for n in range(10))
        await delete_all(stand, "appointments")
        worker = stand.worker()
        await stand.feed(visit("weg", "later", 1, START + timedelta(days=30), "anna"))

        async def more_told() -> bool:
            return len(await told(stand)) > 20

        await stand.until(more_told, "what comes later is told")
        assert (await told(stand))[20:] == ["later"]
        lines = [line for line in worker.output.splitlines() if "were deleted before they were read" in line]
        assert sum(orjson.loads(line)["records"] for line in lines) == 10
        assert await worker.stop() == 0


async def test_events_that_are_deleted_under_a_worker_that_stands_still_are_told(tmp_path: Path) -> None:
    async with Stand(tmp_path, session=60.0) as stand:
        worker = stand.worker()
        await stand.feed(settings("weg"), client("weg", "anna", "sms"), visit("weg", "eerst", 1, START, "anna"))
        await stand.logged(1, "weg")
        await stand.settled()
        worker.freeze()
        await stand.feed(visit("weg", f"a{n}", 1, START + timedelta(days=n), "anna") for n in range(400))
        await delete_all(stand, "appointments")
        worker.thaw()
        worker.expected_to_end = False

        async def loss_told() -> bool:
            return "were deleted before they were read" in worker.output

        await stand.until(loss_told, "the loss is told")
        await stand.feed(visit("weg", "later", 1, START + timedelta(days=20), "anna"))

        async def later() -> bool:
            return "later" in await told(stand)

        await stand.until(later, "what comes later is told")
        assert await worker.stop() == 0


async def test_partitions_that_somebody_adds_stop_a_worker_with_the_true_reason(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        worker = stand.worker()
        await stand.feed(settings("meer"), client("meer", "anna", "sms"), visit("meer", "a", 1, START, "anna"))
        await stand.logged(1, "meer")
        admin = AIOKafkaAdminClient(bootstrap_servers=stand.kafka.bootstrap)
        await admin.start()
        await admin.create_partitions({"appointments": NewPartitions(total_count=6)})
        await admin.close()
        assert await asyncio.wait_for(worker.end(), 60) == 2
        assert "topic appointments has 6 partitions and had 4: somebody changed it while we ran" in worker.output
        again = stand.worker()
        assert await again.end() == 2
        assert "topic appointments has 6 partitions where 4 are configured" in again.output
