"""Asks of a broker what workers and commands ask, so that `broker --warm` keeps for the next brokers what Java loads for it."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from ..engine.transport.names import Admin, Consumer
from .reader import read_topic
from .writer import Event, Feeder

GROUP = "rehearsal"
SETTINGS = {"compacted": {"cleanup.policy": "compact"}, "deleted": {"retention.ms": "-1"}}
"""Topic -> settings of its own."""
PARTITIONS = [TopicPartition(topic, p) for topic in SETTINGS for p in range(4)]


async def rehearse(bootstrap: str) -> None:
    """Make topics, write, read, join a group, commit, and delete all of it. Raises the broker's error."""
    admin = Admin(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 4, 1, topic_configs=settings) for name, settings in SETTINGS.items()])
        await admin.describe_topics()
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, settings) for name, settings in SETTINGS.items()]
        await admin.describe_configs(resources)
        await admin.alter_configs(resources)
        async with Feeder(bootstrap) as feeder:
            for number in range(50):
                await feeder.feed(Event(topic, str(number), number) for topic in SETTINGS)
        for topic in SETTINGS:
            async for _ in read_topic(bootstrap, topic):
                pass
        await _join(bootstrap)
        await admin.list_consumer_groups()
        await admin.list_consumer_group_offsets(GROUP)
        await admin.delete_records({tp: RecordsToDelete(before_offset=1) for tp in PARTITIONS if tp.topic == "deleted"})
        await admin.delete_topics(list(SETTINGS))
    finally:
        await admin.close()


async def _join(bootstrap: str) -> None:
    async with Consumer(*SETTINGS, bootstrap_servers=bootstrap, group_id=GROUP, isolation_level="read_committed") as consumer:
        while not consumer.assignment():
            await asyncio.sleep(0.05)
        await consumer.commit(dict.fromkeys(PARTITIONS, 1))
