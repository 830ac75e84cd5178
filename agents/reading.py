"""Reads a topic from its start, or from now on, without a consumer group: reading never moves a worker's offsets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

from aiokafka import AIOKafkaConsumer

BATCH_MS = 200


class MissingError(Exception):
    """A topic, partition or offset that Kafka does not have; its text is for whoever asked for it."""

    @classmethod
    def topic(cls, name: str) -> Self:
        """The whole topic."""
        return cls(f"topic {name} does not exist: run `afspraakbericht topics` first, or look at the settings")


async def read_topic(
    bootstrap: str, topic: str, *, follow: bool = False, from_end: bool = False, security: Mapping[str, Any] | None = None
) -> AsyncIterator[Any]:
    """The records of a topic as aiokafka's ConsumerRecord: up to its end at the time of the call, or for ever with `follow`.

    Raises MissingError where the topic does not exist. `security`: of `agents/kafka_security.py`.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", **(security or {})
    )
    await consumer.start()
    try:
        if topic not in await consumer.topics():
            raise MissingError.topic(topic)
        consumer.subscribe([topic])  # without a group: all partitions, as soon as their leaders are known
        while not (partitions := sorted(consumer.assignment())):
            await asyncio.sleep(0.02)
        ends = await consumer.end_offsets(partitions)
        await (consumer.seek_to_end(*partitions) if from_end else consumer.seek_to_beginning(*partitions))
        left = {partition for partition in partitions if from_end or await consumer.position(partition) < ends[partition]}
        while left or follow:
            for partition, records in (await consumer.getmany(timeout_ms=BATCH_MS)).items():
                for record in records:
                    if follow or record.offset < ends[partition]:
                        yield record
            if not follow:
                left = {partition for partition in left if await consumer.position(partition) < ends[partition]}
    finally:
        await consumer.stop()
