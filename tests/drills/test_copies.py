"""What `make two-weeks` compares a mirror by: the last records of the partitions, on a real broker."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.broker.jars import VERSION
from tests.broker.lent import shared
from tests.drills.copies import lasts

pytestmark = pytest.mark.broker


async def test_the_last_record_of_a_partition_is_found_before_the_marks_of_commits_and_aborts() -> None:
    bootstrap, topic = shared(VERSION).bootstrap, f"copied-{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 3, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
        for value in (b"first", b"last"):
            async with producer.transaction():
                await producer.send_and_wait(topic, value, key=b"a", partition=0)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(topic, b"plain", key=b"b", partition=1)

    found = await asyncio.wait_for(lasts(bootstrap, [topic], 3), 60)

    assert {place: (last.key, last.value) for place, last in found.items()} == {
        (topic, 0): (b"a", b"last"), (topic, 1): (b"b", b"plain"),
    }  # fmt: skip
