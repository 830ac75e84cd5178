"""Ranges of partitions: what comes of whole batches, where each stops, and what follows."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition

from agents.engine.transport.ranges import Ranges
from agents.engine.transport.record_batches import Whole

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


class Raw(NamedTuple):
    offset: int


class Client:
    """A consumer of no group. `logs`: batches of offsets, of each partition; a batch comes whole, wherever reading began."""

    def __init__(self, **logs: list[list[int]]) -> None:
        self.logs = {TopicPartition("t", "ab".index(name)): batches for name, batches in logs.items()}
        self.positions: dict[Any, int] = {}
        self.paused: list[Any] = []
        self.assigned: list[Any] = []
        self._fetcher = SimpleNamespace(_records={})

    def assign(self, tps: Iterable[Any]) -> None:
        self.assigned = sorted(tps)

    def seek(self, tp: Any, offset: int) -> None:
        self.positions[tp] = offset

    def pause(self, tp: Any) -> None:
        self.paused.append(tp)

    async def position(self, tp: Any) -> int:
        return self.positions[tp]

    async def getmany(self, *tps: Any, timeout_ms: int) -> dict[Any, list[Whole]]:
        """One batch of each."""
        found = {}
        for tp in tps:
            batch = next((one for one in self.logs[tp] if one[-1] >= self.positions[tp]), None)
            if batch is not None:
                found[tp] = [Whole(batch[-1], [Raw(offset) for offset in batch])]
                self.positions[tp] = batch[-1] + 1
        return found


BATCHES = [[0, 1, 2], [3, 4], [7, 8, 9]]

RANGES: tuple[tuple[str, int, int, list[int]], ...] = (
    ("all of it", 0, 10, [0, 1, 2, 3, 4, 7, 8, 9]),
    ("from within a batch to within a batch", 1, 8, [1, 2, 3, 4, 7]),
    ("within one batch", 8, 9, [8]),
    ("up to where compaction took everything", 3, 6, [3, 4]),
    ("from where compaction took everything", 5, 10, [7, 8, 9]),
    ("nothing", 4, 4, []),
    ("nothing, since it stops before it starts", 9, 4, []),
)


@pytest.mark.parametrize(("start", "stop", "found"), [row[1:] for row in RANGES], ids=[row[0] for row in RANGES])
async def test_a_range_of_a_partition_is(start: int, stop: int, found: list[int]) -> None:
    ranges = Ranges(Client(a=BATCHES), {A: start}, {A: stop})
    assert [record.offset async for _, records in ranges.batches() for record in records] == found
    assert ranges.left == set()


async def test_each_partition_stops_at_its_own_offset_and_is_not_asked_for_again() -> None:
    client = Client(a=[[0, 1]], b=[[0], [1], [2]])
    ranges = Ranges(client, {A: 0, B: 0}, {A: 1, B: 3})
    found = [(tp, [record.offset for record in records]) async for tp, records in ranges.batches()]
    assert sorted(found) == [(A, [0]), (B, [0]), (B, [1]), (B, [2])]
    assert client.paused == [A, B]


async def test_what_was_fetched_beyond_the_stop_comes_where_it_is_asked_for() -> None:
    ranges = Ranges(Client(a=BATCHES), {A: 1}, {A: 4}, beyond=True)
    assert [[record.offset for record in records] async for _, records in ranges.batches()] == [[1, 2], [3, 4]]


async def test_a_partition_that_is_dropped_is_read_no_further() -> None:
    client = Client(a=[[0], [1]])
    ranges = Ranges(client, {A: 0}, {A: 2})
    found = []
    async for _, records in ranges.batches():
        found += [record.offset for record in records]
        ranges.drop(A)
    assert (found, client.paused) == ([0], [A])


async def test_without_stops_it_follows() -> None:
    client = Client(a=[[0]], b=[])
    ranges = Ranges(client, {A: 0, B: 0})
    assert ranges.follow
    assert await ranges.poll() == {A: [Raw(0)]}
    assert await ranges.poll() == {}
    client.logs[B] = [[0, 1]]
    assert await ranges.poll() == {B: [Raw(0), Raw(1)]}
    assert ranges.left == {A, B}


async def test_nothing_to_read_asks_the_broker_for_nothing() -> None:
    client = Client(a=BATCHES)
    assert [one async for one in Ranges(client, {}, {}).batches()] == []
    assert (client.assigned, client.positions) == ([], {})
