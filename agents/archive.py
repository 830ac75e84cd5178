"""What Kafka keeps, for a look at it: partitions read from and to an offset, without a consumer group.

It commits nothing and joins no group, so it never moves a worker's offsets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from .reading import MissingError

WAIT_MS = 200


class Archive:
    """A reader. `async with Archive(bootstrap) as archive: …`; `security`: of `agents/kafka_security.py`.

    Of a transaction that was called off it reads nothing, as the worker does.
    """

    def __init__(self, bootstrap: str, security: Mapping[str, Any] | None = None) -> None:
        self.bootstrap, self.security = bootstrap, security or {}
        self.client = self._consumer()

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed", max_partition_fetch_bytes=4 << 20, **self.security,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        try:
            await self.client.start()
        except BaseException:
            await self.client.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.client.stop()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; MissingError where there is no such topic."""
        await self.client.topics()
        cluster = await self.client._client.fetch_all_metadata()  # its own view is of topics that it reads
        found = cluster.partitions_for_topic(topic)
        if not found:
            raise MissingError.topic(topic)
        return len(found)

    async def topic(self, name: str) -> list[Any]:
        """All partitions of a topic; MissingError where there is no such topic."""
        return [TopicPartition(name, p) for p in range(await self.partitions(name))]

    async def beginnings(self, tps: Iterable[Any]) -> dict[Any, int]:
        """The first offset that each still has."""
        found: dict[Any, int] = await self.client.beginning_offsets(list(tps))
        return found

    async def ends(self, tps: Iterable[Any]) -> dict[Any, int]:
        """The offset that the next record of each gets."""
        found: dict[Any, int] = await self.client.end_offsets(list(tps))
        return found

    async def read(self, tps: Iterable[Any], since_ms: int | None = None) -> AsyncIterator[Any]:
        """The records of partitions up to their present ends, in order within each; `since_ms`: from that Kafka timestamp on."""
        wanted = list(tps)
        ends, starts = await self.ends(wanted), await self.beginnings(wanted)
        if since_ms is not None:
            found = await self.client.offsets_for_times(dict.fromkeys(wanted, since_ms))
            starts = {tp: found[tp].offset if found.get(tp) is not None else ends[tp] for tp in wanted}
        left = {tp for tp in wanted if starts[tp] < ends[tp]}
        if not left:  # aiokafka waits for ever after it was assigned nothing
            return
        # A client of its own: one that is assigned other partitions first waits out its fetches of the old ones, for seconds.
        consumer = self._consumer()
        try:
            await consumer.start()
            consumer.assign(list(left))
            for tp in left:
                consumer.seek(tp, starts[tp])
            while left:
                for tp, records in (await consumer.getmany(*left, timeout_ms=WAIT_MS)).items():
                    for record in records:
                        if record.offset < ends[tp]:
                            yield record
                left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
                await asyncio.sleep(0)
        finally:
            await consumer.stop()
