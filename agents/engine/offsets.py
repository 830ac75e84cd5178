"""Questions about offsets: where logs end and begin, and what the group has committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest

if TYPE_CHECKING:
    from .app import Engine

Offsets = Mapping[Any, int]

POLL = 0.1
"""Seconds between two looks at the group's commits."""


class Lookup:
    """Asks the broker by a client of its own that belongs to no group, so that it never waits behind a fetch."""

    def __init__(self, app: Engine) -> None:
        self.app = app
        self._client: Any = None
        self._starting = asyncio.Lock()

    async def start(self) -> Any:
        """The client; raises aiokafka's KafkaConnectionError where no broker answers."""
        async with self._starting:
            if self._client is None:
                client = self.app.new_client()
                try:
                    await client.start()
                except BaseException:
                    await client.stop()
                    raise
                self._client = client
        return self._client

    async def stop(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def partitions(self) -> dict[str, int]:
        """Every topic with its number of partitions."""
        cluster = await (await self.start())._client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}

    async def members(self, group: str) -> list[Any]:
        """The group's members, each as the broker describes it. Raises KafkaError, retriable while a coordinator moves."""
        client = (await self.start())._client
        coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
        ((code, *_, members),) = (await client.send(coordinator, DescribeGroupsRequest([group]))).groups
        if code:
            raise for_code(code)
        return list(members)

    async def ends(self, tps: Iterable[Any]) -> Offsets:
        """The offset that each partition's next record gets."""
        return await self._ask("end_offsets", tps)

    async def beginnings(self, tps: Iterable[Any]) -> Offsets:
        """The first offset that each partition still has."""
        return await self._ask("beginning_offsets", tps)

    async def _ask(self, what: str, tps: Iterable[Any]) -> Offsets:
        wanted = [TopicPartition(*tp) for tp in tps]
        return await getattr(await self.start(), what)(wanted) if wanted else {}


class Backlog:
    """What the whole group had before it at a moment, and whether it has been taken in since.

    `committed` gives the group's offsets, without those partitions that have none.
    """

    def __init__(self, ends: Offsets, beginnings: Offsets) -> None:
        self.left = {tp: end for tp, end in ends.items() if end > beginnings.get(tp, 0)}

    def done(self, committed: Offsets) -> bool:
        """Whether all of it has been committed past."""
        self.left = {tp: end for tp, end in self.left.items() if committed.get(tp, 0) < end}
        return not self.left


async def wait_for_backlog(
    lookup: Lookup,
    topics: Iterable[str],
    committed: Callable[[Iterable[Any]], Awaitable[Offsets]],
    partitions: int,
    bound: float,
) -> bool:
    """Wait until the group has committed past the present ends of `topics`; False after `bound` seconds of waiting."""
    tps = [TopicPartition(topic, p) for topic in topics for p in range(partitions)]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + bound
    backlog: Backlog | None = None
    while True:
        try:
            if backlog is None:
                ends = await lookup.ends(tps)
                backlog = Backlog(ends, await lookup.beginnings(tps))
            if not backlog.left or backlog.done(await committed(backlog.left)):
                return True
        except KafkaError:
            await asyncio.sleep(1.0)  # a broker is restarting; ask again
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(POLL)
