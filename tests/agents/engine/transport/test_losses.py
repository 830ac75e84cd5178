"""Which offsets that are passed over are a loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import TopicPartition
from faust.types import TP

from agents.engine.monitor import Monitor
from agents.engine.transport.losses import Losses

PLACE = TP("appointments", 0)


class Begins:
    """Where the partition begins, and how often that was asked."""

    def __init__(self, beginning: int) -> None:
        self.beginning, self.asked = beginning, 0

    async def beginnings(self, tps: Iterable[Any]) -> dict[Any, int]:
        self.asked += 1
        return {TopicPartition(*tp): self.beginning for tp in tps}


class Told(Monitor):
    def __init__(self) -> None:
        self.lost: list[tuple[str, int]] = []

    def on_lost(self, topic: str, records: int) -> None:
        self.lost.append((topic, records))


@pytest.mark.parametrize(
    ("beginning", "came", "lost", "asked"),
    [
        pytest.param(0, [(10, 12), (12, 20)], [], 0, id="one behind another"),
        pytest.param(0, [(13, 20)], [], 1, id="a gap of markers, or compacted away"),
        pytest.param(10, [(13, 20)], [], 1, id="the same at the very beginning"),
        pytest.param(13, [(13, 20)], [3], 1, id="the partition begins behind what was to come"),
        pytest.param(12, [(13, 20)], [2], 1, id="deleted up to there, and a marker"),
        pytest.param(30, [(13, 20)], [3], 1, id="deleted further since: what came did come"),
        pytest.param(15, [(15, 15), (15, 16)], [5], 1, id="nothing came and all was deleted"),
    ],
)
async def test_what_was_deleted_before_it_was_read(
    beginning: int, came: list[tuple[int, int]], lost: list[int], asked: int
) -> None:
    begins, told = Begins(beginning), Told()
    losses = Losses(begins, told)  # type: ignore[arg-type]
    losses.expected = {PLACE: 10}
    for first, following in came:
        await losses.look({PLACE: (first, following)})
    assert (told.lost, begins.asked) == ([("appointments", count) for count in lost], asked)
