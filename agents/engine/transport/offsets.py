"""Questions about offsets: where logs end and begin, and what the group has committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest

from ..host import Host
from ..topic_ids import topic_ids

Offsets = Mapping[Any, int]

POLL = 0.1
"""Seconds between two looks at the group's commits."""


class Lookup:
    """Asks the broker by a client of its own that belongs to no group, so that it never waits behind a fetch."""

    def __init__(self, app: Host) -> None:
        self.app = app
        self._client: Any = None
        self._starting = asyncio.Lock()

    async def start(self) -> Any:
        """Return the client. Raises aiokafka's KafkaConnectionError where no broker answers."""
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
        """Return every topic with its number of partitions."""
        cluster = await (await self.start())._client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}

    async def ids(self, topics: Collection[str]) -> dict[str, bytes]:
        """Return the ids of topics, of those that the broker knows one of. It asks again while no broker answers."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + float(self.app.conf.broker_request_timeout)
        while True:
            try:
                return await topic_ids((await self.start())._client, topics)
            except KafkaError:
                if loop.time() > deadline:
                    raise
            await asyncio.sleep(POLL)

    async def members(self, group: str) -> list[Any]:
        """Return the group's members, each as the broker describes it. Raises KafkaError, retriable while a coordinator moves."""
        client = (await self.start())._client
        coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
        ((code, *_, members),) = (await client.send(coordinator, DescribeGroupsRequest([group]))).groups
        if code:
            raise for_code(code)
        return list(members)

    async def ends(self, tps: Iterable[Any]) -> Offsets:
        """Return the offset that each partition's next record gets."""
        return await self._ask("end_offsets", tps)

    async def ends_past(self, tps: Collection[Any], read: Offsets) -> Offsets:
        """Return the same. A new leader may give an end that lies behind what was read, for a moment only."""
        for _ in range(20):
            ends = await self.ends(tps)
            if all(read.get(tp, 0) <= ends[tp] for tp in tps):
                break
            await asyncio.sleep(0.5)
        return ends

    async def beginnings(self, tps: Iterable[Any]) -> Offsets:
        """Return the first offset that each partition still has."""
        return await self._ask("beginning_offsets", tps)

    async def _ask(self, what: str, tps: Iterable[Any]) -> Offsets:
        wanted = [TopicPartition(*tp) for tp in tps]
        return await getattr(await self.start(), what)(wanted) if wanted else {}


class Backlog:
    """What the whole group had before it at a moment, and whether it has been taken in since.

    `committed` returns the group's offsets, without those partitions that have none.
    """

    def __init__(self, ends: Offsets, beginnings: Offsets) -> None:
        self.left = {tp: end for tp, end in ends.items() if end > beginnings.get(tp, 0)}

    def done(self, committed: Offsets) -> bool:
        """Tell whether all of it has been committed past."""
        self.left = {tp: end for tp, end in self.left.items() if committed.get(tp, 0) < end}
        return not self.left


class Ends(Protocol):
    """Where logs begin and end."""

    async def ends(self, tps: Iterable[Any]) -> Offsets:
        """Return the offset that each partition's next record gets."""

    async def beginnings(self, tps: Iterable[Any]) -> Offsets:
        """Return the first offset that each partition still has."""


async def wait_for_backlog(
    lookup: Ends, tps: Collection[Any], committed: Callable[[Iterable[Any]], Awaitable[Offsets]], bound: float
) -> bool:
    """Wait until the group has committed past the present ends of partitions; False after `bound` seconds of waiting."""
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
