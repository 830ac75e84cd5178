"""What a replay reads of topics that keep their producers' times, whatever these are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from agents.kafka import kept_events

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Raw(NamedTuple):
    offset: int
    timestamp: int
    key: bytes = b"linde/anna"
    value: bytes = b'{"bounce":{}}'


class Shelf:
    """A reader with the same records in every topic."""

    def __init__(self, *times: int) -> None:
        self.kept = [Raw(number, time) for number, time in enumerate(times)]

    async def topic(self, name: str) -> list[Any]:
        return [TopicPartition(name, 0)]

    async def beginnings(self, tps: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(tps, 0)

    async def records(self, tps: list[Any]) -> AsyncIterator[tuple[Any, Raw]]:
        for record in self.kept:
            yield tps[0], record


async def test_an_event_of_a_time_that_is_none_is_kept_in_its_place() -> None:
    """Before there were years, in microseconds, and -1: one such record once ended every replay."""
    shelf: Any = Shelf(int(NOON.timestamp() * 1000), -(10**15), 10**18, -1)
    found = [one for one in await kept_events.inputs(shelf) if one.topic == "appointments"]

    assert [(one.offset, one.at) for one in found] == [(number, NOON) for number in range(4)]
    assert await kept_events.began(shelf) == NOON
