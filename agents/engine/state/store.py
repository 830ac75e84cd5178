"""The store of a node: its partitions, and the only way to write to them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, Protocol

from aiokafka import TopicPartition
from faust import Table as FaustTable
from faust.stores.memory import Store as FaustStore

from ..host import Host
from ..transport.producer import refusal_named
from ..transport.ranges import Ranges
from .changelog import EPOCH_HEADER, Partition
from .outbox import FENCE_KEY

log = logging.getLogger("engine")

REPAIR_CHUNK = 1000


class StateBackend(Protocol):
    """Keeps partitions where they outlive their worker: `rocksdb.RocksDbBackend`."""

    def open(self, node: str, partition: int) -> Partition:
        """Open a partition with what is kept of it."""

    def discard(self, node: str, partition: int) -> Partition:
        """Throw away what is kept of a partition, and return it empty."""


class Store(FaustStore):  # type: ignore[misc]
    """What Faust calls a table's store; nothing of the base class's dict is used."""

    app: Host

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parts: dict[int, Partition] = {}

    @property
    def node(self) -> str:
        """The node's name."""
        return str(self.table.name)

    @property
    def topic(self) -> str:
        """The changelog."""
        return str(self.table.changelog_topic.get_topic_name())

    def new_partition(self, p: int) -> Partition:
        """Return a partition to load: with what is on disk of it, where state is kept there."""
        return self._known(Partition({}) if self.app.disk is None else self.app.disk.open(self.node, p))

    def discard(self, p: int, part: Partition) -> Partition:
        """Throw away what is kept of a partition; return an empty one to load."""
        part.close()
        return self._known(Partition({}) if self.app.disk is None else self.app.disk.discard(self.node, p))

    def _known(self, part: Partition) -> Partition:
        part.changelog = self.app.ids.get(self.topic)
        return part

    def close(self) -> None:
        """Close copies on disk. RocksDB then deletes files with what was erased; a process that only ends leaves them."""
        for part in self.parts.values():
            part.close()

    async def append(self, p: int, entries: Mapping[bytes, bytes | None]) -> None:
        """Make entries durable together, make sure that nobody else wrote meanwhile, and apply them.

        Only one append of a partition at a time. Only the owner writes to it, so offsets have no gap; where there is
        one, either a former owner was late and its keys are written again, or we are the former owner and exit.
        """
        part = self.parts[p]
        headers = ((EPOCH_HEADER, part.epoch),)
        part.writing = True
        future, count = await self.app.producer.append(self.topic, p, zip(entries.keys(), entries.values(), repeat(headers)))
        with refusal_named(self.topic, p, sum(map(len, filter(None, entries.values())))):
            offset = (await future).offset
        foreign: set[bytes] = set()
        if offset != part.end:
            foreign = await self.zombie_writes(p, part.end, offset)
            part.stale |= foreign
        part.end = offset + count
        part.writing = False
        part.apply(entries)
        if foreign:
            await self.repair(p, foreign)
            part.stale -= foreign

    async def repair(self, p: int, keys: Iterable[bytes]) -> None:
        """Write the true values over stale ones: compaction keeps a key's last record but not the fence before it."""
        wanted = sorted(keys)
        for start in range(0, len(wanted), REPAIR_CHUNK):
            await self.append(p, {key: self.parts[p].value(key) for key in wanted[start : start + REPAIR_CHUNK]})

    async def zombie_writes(self, p: int, start: int, end: int) -> set[bytes]:
        """Return the keys that somebody else wrote from offset `start` up to `end`.

        Exits if a new owner's fence is among them.
        """
        if end < start:
            self.app.die(f"{self.topic}/{p}: the broker gave offset {end} where {start} was next; the log was cut off")
        tp, found = TopicPartition(self.topic, p), set[bytes]()
        client = self.app.new_client()
        await client.start()
        try:
            async for _, records in Ranges(client, {tp: start}, {tp: end}).batches():
                found |= {record.key for record in records}
        finally:
            await client.stop()
        if FENCE_KEY in found:
            self.app.die(f"{self.topic}/{p} was taken over by another worker")
        where = {"topic": self.topic, "partition": p, "keys": len(found)}
        log.warning("a former owner wrote late; writing its keys again", extra=where)
        self.app.hooks.on_zombie_writes(self.node, len(found))
        return found

    def grown_partitions(self, ends: Mapping[Any, int]) -> dict[int, int]:
        """Return partitions that are longer than we know, with their end: somebody wrote while we had nothing to write."""
        return {
            p: ends[tp]
            for p, part in self.parts.items()
            if (tp := TopicPartition(self.topic, p)) in ends and not part.writing and ends[tp] > part.end
        }


class ChangelogTable(FaustTable):  # type: ignore[misc]
    """A Faust table of which only the name, the changelog and the place in the assignment are used."""

    def _new_store(self) -> Store:
        # faust/tables/base.py: the store is made from the table's URL there
        return Store("memory://", self.app, self, table_name=self.name, loop=self.loop)
