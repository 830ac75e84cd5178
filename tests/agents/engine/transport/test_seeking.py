"""Where a worker begins to read each partition that it was given, and which fetched records it hands on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from faust.types import TP

from agents.engine.monitor import Monitor
from agents.engine.transport.bootstrap import Bootstrap
from agents.engine.transport.consumer import Consumer
from agents.engine.transport.losses import Losses
from tests.agents.engine.memory_kafka import MemoryKafka, Raw

ME = TopicPartition("in", 0)


class Reader:
    """Who takes the records of partition 0 of `in`."""

    def __init__(self, in_rows: int | None) -> None:
        self.offsets = {} if in_rows is None else {"in": in_rows}
        self.anew: set[str] = set()
        self.waiting = {"in": 0}
        self.load = 0
        self.taken: list[int] = []

    def expect(self, topic: str, records: Any) -> None:
        self.taken += [record.offset for record in records]

    def position(self, topic: str, offset: int) -> None:
        self.offsets.setdefault(topic, offset)

    def rewind(self, topic: str, offset: int) -> None:
        self.offsets[topic] = offset

    def skip(self, topic: str, offset: int) -> None: ...

    def is_empty(self, topic: str) -> None: ...


class Fed(Consumer):
    """The engine's consumer, with fetches that a test gives by hand; it stops when these are done."""

    should_stop = False
    flow_active = True
    fetches: list[Any]

    def _get_active_partitions(self) -> set[Any]:
        return {TP("in", 0)}

    async def _skip_markers(self, tasks: Any) -> None: ...

    async def _getmany(self, wanted: Any, timeout: float) -> Any:
        fetch = self.fetches.pop(0)
        self.should_stop = not self.fetches
        return fetch()


def consumer(reader: Reader, committed: int | None, end: int = 9) -> tuple[Fed, dict[Any, int]]:
    """The engine's consumer of that partition, with what it seeks to."""
    kafka = MemoryKafka()
    kafka.write("in", 0, [(b"k", b"v", ())] * end)
    sought: dict[Any, int] = {}

    async def seek_wait(positions: dict[Any, int]) -> None:
        sought.update(positions)

    async def group_offsets(tps: Any) -> dict[Any, int]:
        return {} if committed is None else {ME: committed}

    async def caught_up(topics: Any) -> bool:
        return True

    one = Fed.__new__(Fed)
    one.app = cast(Any, SimpleNamespace(
        tables=SimpleNamespace(changelog_topics=set()), lookup=kafka, hooks=Monitor(), task_of=lambda tp: reader,
        topics=SimpleNamespace(_tp_index={}), should_stop=False, background=asyncio.ensure_future,
    ))  # fmt: skip
    one._seek_due = True
    one.done, one.committed, one._holding = {}, {}, None
    one.losses, one.hold = Losses(cast(Any, kafka), one.app.hooks), Bootstrap({}, caught_up, one.app.hooks)
    one.assignment = lambda: {TP("in", 0)}
    one.seek_wait, one.group_offsets = seek_wait, group_offsets  # type: ignore[method-assign]
    return one, sought


@pytest.mark.parametrize(
    ("what", "in_rows", "committed", "wanted"),
    [
        ("the rows go before the commit, which comes later", 7, 5, 7),
        ("the rows go before a commit that is ahead of them, too", 5, 7, 5),
        ("without rows it is the commit", None, 5, 5),
        ("without a commit it is the rows", 7, None, 7),
        ("without either it is the beginning", None, None, 0),
        ("an offset behind the end is one of a topic that was made anew", 12, 12, 0),
    ],
)
async def test_a_partition_is_read_from(what: str, in_rows: int | None, committed: int | None, wanted: int) -> None:
    one, sought = consumer(Reader(in_rows), committed)
    await one._seek()
    assert sought == {ME: wanted}, what


async def test_what_was_fetched_before_a_seek_that_came_meanwhile_is_not_handed_on() -> None:
    """A generation ended and another began within one fetch: its records are of a place where nobody reads any more."""
    reader = Reader(3)
    one, sought = consumer(reader, None)
    one.app.topics._tp_index[TP("in", 0)] = ()

    def before() -> dict[Any, list[Raw]]:
        reader.offsets["in"] = 5  # another worker had the partition, and the rows were loaded anew
        one._seek_due = True
        return {TP("in", 0): [Raw(3, b"k", b"v"), Raw(4, b"k", b"v")]}

    def after() -> dict[Any, list[Raw]]:
        return {TP("in", 0): [Raw(offset, b"k", b"v") for offset in range(sought[ME], 9)]}

    one.fetches = [before, after]
    await one._deliver(SimpleNamespace(should_stop=False))
    assert reader.taken == [5, 6, 7, 8]
