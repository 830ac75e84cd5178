"""A stretch of a topic, from an offset or a time to its end or a time, without a consumer group: no worker's place moves by it.

Records come as the client's compiled parser makes them, whole batches of a partition at a time (`whole.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from ..reading import MissingError
from .whole import by_batches

BATCH_MS = 200
FETCH = 1 << 20
"""Bytes of a partition in one answer of the broker: few enough to keep memory flat, enough to be quick."""


@dataclass(frozen=True)
class Stretch:
    """Which records, by the time that Kafka has of them (when they were written), or by offset.

    Attributes:
        since, until: from the first record of that time or a later one; up to such a one. None: all there is.
        offsets: from these offsets, of these partitions only, instead of `since`.
        follow: go on with what comes.
    """

    since: datetime | None = None
    until: datetime | None = None
    offsets: Mapping[int, int] = field(default_factory=dict)
    follow: bool = False


class Reading:
    """Reads a stretch: `async with Reading(…) as reading: async for partition, records in reading.batches()`.

    Raises MissingError where topic, partition or offset is not there. `security`: of `agents/kafka_security.py`.
    What a producer's transaction aborted was never said and does not come.
    """

    def __init__(self, bootstrap: str, topic: str, stretch: Stretch, security: Mapping[str, Any] | None = None) -> None:
        self.topic, self.stretch = topic, stretch
        self.begins: dict[Any, int] = {}
        self.ends: dict[Any, int] = {}
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=BATCH_MS,
            isolation_level="read_committed", max_partition_fetch_bytes=FETCH, fetch_max_bytes=4 * FETCH, **(security or {}),
        )  # fmt: skip

    @property
    def total(self) -> int:
        """How many offsets the stretch has, as far as it is there now."""
        return sum(max(0, end - self.begins[tp]) for tp, end in self.ends.items())

    async def __aenter__(self) -> Self:
        try:
            await self.consumer.start()
            by_batches(self.consumer)
            await self._place()
        except BaseException:
            await self.consumer.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.consumer.stop()

    async def _place(self) -> None:
        consumer, stretch = self.consumer, self.stretch
        if self.topic not in await consumer.topics():
            raise MissingError.topic(self.topic)
        consumer.subscribe([self.topic])  # without a group: all partitions, as soon as their leaders are known
        while not (partitions := sorted(consumer.assignment())):
            await asyncio.sleep(0.02)
        if missing := sorted(set(stretch.offsets) - {tp.partition for tp in partitions}):
            raise MissingError(f"{self.topic} has no partition {missing[0]}: it has 0 to {len(partitions) - 1}")
        firsts, self.ends = await consumer.beginning_offsets(partitions), dict(await consumer.end_offsets(partitions))
        self.begins = dict(firsts)
        if stretch.since is not None:
            self.begins = await self._at(stretch.since, self.ends)
        for number, offset in stretch.offsets.items():
            tp = TopicPartition(self.topic, number)
            if offset > self.ends[tp]:
                raise MissingError(f"partition {number} of {self.topic} ends at offset {self.ends[tp]}, before {offset}")
            self.begins[tp] = max(offset, firsts[tp])
        if stretch.offsets:
            self.ends = {tp: end for tp, end in self.ends.items() if tp.partition in stretch.offsets}
            consumer.pause(*(tp for tp in partitions if tp not in self.ends))
        if stretch.until is not None:
            self.ends = await self._at(stretch.until, self.ends)
        for tp in partitions:
            consumer.seek(tp, self.begins[tp])

    async def _at(self, moment: datetime, otherwise: Mapping[Any, int]) -> dict[Any, int]:
        """The first offset of that time or a later one, per partition."""
        found = await self.consumer.offsets_for_times({tp: max(0, int(moment.timestamp() * 1000)) for tp in otherwise})
        return {tp: otherwise[tp] if found[tp] is None else min(found[tp].offset, otherwise[tp]) for tp in otherwise}

    async def batches(self) -> AsyncIterator[tuple[int, list[Any]]]:
        """The records, of a partition in its order; to the end that the stretch had at its begin, or for ever.

        A record has `offset`, `timestamp` (ms), `key` and `value`.
        """
        follow, left = self.stretch.follow, set()
        for tp, end in self.ends.items():
            if follow or self.begins[tp] < end:
                left.add(tp)
            else:
                self.consumer.pause(tp)
        while left:
            for tp, batches in (await self.consumer.getmany(timeout_ms=BATCH_MS)).items():
                if tp not in left:
                    continue
                records = [record for batch in batches for record in batch.records]
                if records[0].offset < self.begins[tp]:
                    records = [record for record in records if record.offset >= self.begins[tp]]
                if not follow and records and records[-1].offset >= self.ends[tp]:
                    records = [record for record in records if record.offset < self.ends[tp]]
                if records:
                    yield tp.partition, records
            if not follow:
                for tp in [tp for tp in left if await self.consumer.position(tp) >= self.ends[tp]]:
                    left.discard(tp)
                    self.consumer.pause(tp)
