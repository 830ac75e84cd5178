"""Reads what Kafka keeps of topics: partitions from and to an offset or a time, without a consumer group.

It commits nothing and joins no group, so it never moves a worker's offsets. The loop is the engine's (`ranges.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiokafka import TopicPartition

from ..engine.topic_ids import topic_ids
from ..engine.transport.names import Consumer
from ..engine.transport.ranges import WAIT_MS, Ranges
from ..terminal import Progress, silent

FETCH = 1 << 20
"""Bytes of a partition in one answer of the broker: few enough to keep memory flat, enough to be quick."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class MissingError(Exception):
    """A topic, partition or offset that Kafka does not have; its text is for whoever asked for it."""

    @classmethod
    def topic(cls, name: str) -> Self:
        """Say it of a whole topic."""
        return cls(f"topic {name} does not exist: run `afspraakbericht topics` first, or look at the settings")


@dataclass(frozen=True)
class TopicRange:
    """Which records of a topic, by the time that Kafka has of them (when they were written), or by offset.

    Attributes:
        since, until: from the first record of that time or a later one; up to such a one. None: all there is.
        offsets: from these offsets, of these partitions only, instead of `since`.
        follow: go on with what comes.
    """

    since: datetime | None = None
    until: datetime | None = None
    offsets: Mapping[int, int] = field(default_factory=dict)
    follow: bool = False


ALL = TopicRange()


@dataclass(frozen=True)
class Span:
    """Offsets that a `TopicRange` comes to: the first to read and the one before which to stop, of each partition."""

    starts: dict[Any, int]
    stops: dict[Any, int]

    @property
    def total(self) -> int:
        """Count the offsets in it."""
        return sum(max(0, stop - self.starts[tp]) for tp, stop in self.stops.items())


class Reader:
    """Reads topics: `async with Reader(bootstrap) as reader: …`.

    Args:
        bootstrap: the brokers.
        security: of `agents/kafka/security.py`.
        aborted: also read what transactions aborted, which lies on disk all the same. A worker never sees it.
        progress: what shows how far a long read has come.
    """

    def __init__(
        self, bootstrap: str, security: Mapping[str, Any] | None = None, *, aborted: bool = False, progress: Progress = silent
    ) -> None:
        self.progress = progress
        self.settings = {
            "bootstrap_servers": bootstrap, "enable_auto_commit": False, "auto_offset_reset": "earliest",
            "isolation_level": "read_uncommitted" if aborted else "read_committed",
            "fetch_max_wait_ms": WAIT_MS, "max_partition_fetch_bytes": FETCH, "fetch_max_bytes": 4 * FETCH, **(security or {}),
        }  # fmt: skip

    def _new_client(self) -> Consumer:
        return Consumer(**self.settings)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.client = await self._stack.enter_async_context(running(self._new_client(), "stop"))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    async def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has; MissingError where there is no such topic."""
        return len(await self.topic(topic))

    async def topic(self, name: str) -> list[Any]:
        """Return all partitions of a topic; MissingError where there is no such topic."""
        return await self.topics([name])

    async def topics(self, names: Iterable[str]) -> list[Any]:
        """Return all partitions of topics; MissingError where one does not exist.

        All topics are asked for: a broker with auto-creation would create those that are named.
        """
        cluster = await self.client._client.fetch_all_metadata()  # its own view is of topics that it reads
        found: list[Any] = []
        for name in names:
            numbers = cluster.partitions_for_topic(name)
            if not numbers:
                raise MissingError.topic(name)
            found += [TopicPartition(name, number) for number in sorted(numbers)]
        return found

    async def ids(self, topics: Collection[str]) -> dict[str, bytes]:
        """Return the ids of topics, where the broker knows them."""
        return await topic_ids(self.client._client, topics)

    async def beginnings(self, tps: Iterable[Any]) -> dict[Any, int]:
        """Return the first offset that each still has."""
        return dict(await self.client.beginning_offsets(list(tps)))

    async def ends(self, tps: Iterable[Any]) -> dict[Any, int]:
        """Return the offset that the next record of each gets."""
        return dict(await self.client.end_offsets(list(tps)))

    async def span(self, tps: Iterable[Any], wanted: TopicRange = ALL) -> Span:
        """Return the offsets of a range of one topic's partitions; MissingError where it names what is not there."""
        every = list(tps)
        firsts, stops = await self.beginnings(every), await self.ends(every)
        starts = firsts if wanted.since is None else await self._at(wanted.since, stops)
        if wanted.offsets:
            starts = {tp: max(offset, firsts[tp]) for tp, offset in _named(every, stops, wanted.offsets).items()}
            stops = {tp: stops[tp] for tp in starts}
        if wanted.until is not None:
            stops = await self._at(wanted.until, stops)
        return Span(starts, stops)

    async def _at(self, moment: datetime, ends: Mapping[Any, int]) -> dict[Any, int]:
        """Return the first offset of that time or a later one, per partition; its end where there is none."""
        milliseconds = max(0, int(moment.timestamp() * 1000))
        found = await self.client.offsets_for_times(dict.fromkeys(ends, milliseconds))
        return {tp: end if found.get(tp) is None else min(found[tp].offset, end) for tp, end in ends.items()}

    @asynccontextmanager
    async def ranges(self, starts: Mapping[Any, int], stops: Mapping[Any, int] | None = None) -> AsyncIterator[Ranges]:
        """Begin to read, by a client of its own; without `stops` for ever.

        A client that is assigned other partitions than before first waits out its fetches of the old ones, for seconds.
        """
        async with running(self._new_client(), "stop") as client:
            yield Ranges(client, starts, stops)

    async def batches(self, span: Span) -> AsyncGenerator[tuple[Any, list[Any]], None]:
        """Yield partition and records, in order within each."""
        if not span.total:
            return
        at = dict(span.starts)
        with self.progress(span.total, "record") as more:
            async with self.ranges(span.starts, span.stops) as ranges, aclosing(ranges.batches()) as stream:
                async for tp, records in stream:
                    yield tp, records
                    if records:  # offsets, not records: what was compacted away is passed as well
                        more(records[-1].offset + 1 - at[tp])
                        at[tp] = records[-1].offset + 1

    async def records(self, tps: Iterable[Any], since: datetime | None = None) -> AsyncGenerator[tuple[Any, Any], None]:
        """Yield partition and record up to the present ends; `since`: from that time of Kafka's on."""
        async with aclosing(self.batches(await self.span(tps, TopicRange(since)))) as stream:
            async for tp, records in stream:
                for record in records:
                    yield tp, record


def _named(tps: Iterable[Any], ends: Mapping[Any, int], offsets: Mapping[int, int]) -> dict[Any, int]:
    """Return the partitions that are asked for by number, with their offsets; MissingError where one is not there."""
    there = {tp.partition: tp for tp in tps}
    found = {}
    for number, offset in sorted(offsets.items()):
        if (tp := there.get(number)) is None:
            raise MissingError(f"{next(iter(there.values())).topic} has no partition {number}: it has 0 to {len(there) - 1}")
        if offset > ends[tp]:
            raise MissingError(f"partition {number} of {tp.topic} ends at offset {ends[tp]}, before {offset}")
        found[tp] = offset
    return found


@asynccontextmanager
async def running(client: Any, end: str) -> AsyncIterator[Any]:
    """Run a client of aiokafka for the length of a `with`; `end` names the method that stops it."""
    try:
        await client.start()
        # aiokafka/consumer/group_coordinator.py:180: a task that is cancelled before it began raises there.
        await asyncio.sleep(0)
        yield client
    finally:
        await getattr(client, end)()


async def read_topic(bootstrap: str, topic: str, security: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
    """Yield the records of a topic up to its present end; MissingError where it does not exist."""
    async with Reader(bootstrap, security) as reader, aclosing(reader.records(await reader.topic(topic))) as stream:
        async for _, record in stream:
            yield record


def written(timestamp: int) -> datetime | None:
    """Return when a record was written, from its milliseconds; None for what is no time, such as microseconds or -1."""
    if not 0 <= timestamp < LATEST.timestamp() * 1000:
        return None
    return datetime.fromtimestamp(timestamp / 1000, UTC)


def earlier(moment: datetime | None, margin: timedelta) -> datetime | None:
    """Return the moment so much before, none before Kafka's first one; None for None."""
    return None if moment is None else max(moment, EARLIEST + margin) - margin
