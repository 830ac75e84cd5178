"""Time waits for the backlog; and at a first start, topics for topics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import TopicPartition

from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.tasks.watermark import Watermark
from agents.engine.transport import bootstrap
from agents.engine.transport.bootstrap import Bootstrap
from agents.engine.transport.offsets import Backlog, wait_for_backlog

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SPEC = NodeSpec("notices", ("client-events",), lambda p, rows, peers: None, waits_for=("appointments",))  # type: ignore[arg-type,return-value]


class FakeActor:
    def __init__(self, p: int, handled: int) -> None:
        self.node, self.p, self.offsets, self.draining = "notices", p, {"client-events": handled}, False
        self.watermark: datetime | None = None
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1


class Rounds(Monitor):
    def __init__(self) -> None:
        self.seen: list[bool] = []

    def on_watermark(self, lag_seconds: float, timed_out: bool) -> None:
        self.seen.append(timed_out)


class Setting:
    def __init__(self, *tasks: FakeActor, ends: dict[int, int], bound: float = 300.0) -> None:
        self.tasks, self.own, self.now, self.in_time, self.hooks = tasks, ends, NOW, True, Rounds()
        self.watermark = Watermark([SPEC], lambda _: self.tasks, self.ends, self.caught_up, lambda: self.now, self.hooks, bound)  # type: ignore

    async def ends(self, tps: list[Any]) -> dict[Any, int]:
        return {tp: self.own[tp.partition] for tp in tps}

    async def caught_up(self, topics: Iterable[str]) -> bool:
        assert tuple(topics) == ("appointments",)
        self.now += timedelta(seconds=7)  # the wait takes its time; the watermark is the moment before it
        return self.in_time


async def test_a_partition_moves_to_the_moment_before_the_wait_when_it_has_handled_its_own_log() -> None:
    ahead, behind = FakeActor(0, 10), FakeActor(1, 4)
    setting = Setting(ahead, behind, ends={0: 10, 1: 5})
    await setting.watermark.round()
    assert (ahead.watermark, behind.watermark) == (NOW, None)

    behind.offsets["client-events"] = 5
    setting.watermark.look(behind)  # type: ignore[arg-type]
    assert (behind.watermark, behind.ticks) == (NOW, 1)


async def test_a_slow_partition_keeps_its_target_and_does_not_hold_up_others() -> None:
    ahead, behind = FakeActor(0, 10), FakeActor(1, 4)
    setting = Setting(ahead, behind, ends={0: 10, 1: 5})
    await setting.watermark.round()
    setting.own = {0: 10, 1: 50}
    await setting.watermark.round()
    assert ahead.watermark == NOW + timedelta(seconds=7)

    behind.offsets["client-events"] = 5
    setting.watermark.look(behind)  # type: ignore[arg-type]
    assert behind.watermark == NOW, "the first target, not a new one that it would never reach"


async def test_a_wait_that_takes_too_long_counts_as_done_and_is_counted() -> None:
    task = FakeActor(0, 10)
    setting = Setting(task, ends={0: 10})
    setting.in_time = False
    await setting.watermark.round()
    assert (task.watermark, setting.hooks.seen) == (NOW, [True])


async def test_what_becomes_an_input_is_taken_in_before_the_inputs_are_looked_at() -> None:
    """What is translated lies behind the end that the input had before."""
    looked: list[tuple[str, ...]] = []

    async def caught_up(topics: Iterable[str]) -> bool:
        looked.append(tuple(topics))
        return True

    task = FakeActor(0, 10)
    setting = Setting(task, ends={0: 10})
    setting.watermark.specs = [replace(SPEC, waits_first=("fhir", "hl7v2"))]
    setting.watermark.caught_up = caught_up
    await setting.watermark.round()
    assert (looked, task.watermark) == ([("fhir", "hl7v2"), ("appointments",)], NOW)


async def test_a_partition_that_never_catches_up_goes_on_after_the_bound() -> None:
    task = FakeActor(0, 0)
    setting = Setting(task, ends={0: 10}, bound=0.0)
    await setting.watermark.round()
    assert (task.watermark, setting.hooks.seen) == (NOW, [True, False])


async def test_a_worker_that_has_just_taken_a_partition_has_no_horizon_for_it() -> None:
    task = FakeActor(0, 10)
    setting = Setting(ends={0: 10})
    taken = setting.caught_up

    async def while_waiting(topics: Iterable[str]) -> bool:
        setting.tasks = (task,)
        return await taken(topics)

    setting.watermark.caught_up = while_waiting
    await setting.watermark.round()
    assert task.watermark is None


def test_a_backlog_is_done_when_each_partition_with_records_is_committed_past_its_end() -> None:
    a, b, empty = TopicPartition("t", 0), TopicPartition("t", 1), TopicPartition("t", 2)
    backlog = Backlog({a: 5, b: 3, empty: 9}, {a: 0, b: 0, empty: 9})
    assert not backlog.done({a: 5})
    assert not backlog.done({b: 2})
    assert backlog.done({b: 4})


class FakeLookup:
    async def ends(self, tps: Iterable[Any]) -> dict[Any, int]:
        return dict.fromkeys(tps, 4)

    async def beginnings(self, tps: Iterable[Any]) -> dict[Any, int]:
        return dict.fromkeys(tps, 0)


async def test_the_wait_looks_at_all_partitions_of_the_group_and_is_bounded() -> None:
    asked: list[Any] = []

    async def committed(tps: Iterable[Any]) -> dict[Any, int]:
        asked.append(sorted(tps))
        return {TopicPartition("t", 0): 4, TopicPartition("t", 1): 4} if len(asked) > 1 else {TopicPartition("t", 1): 4}

    tps = [TopicPartition("t", 0), TopicPartition("t", 1)]
    assert await wait_for_backlog(FakeLookup(), tps, committed, 60)
    assert asked == [tps, tps[:1]]

    async def never(tps: Iterable[Any]) -> dict[Any, int]:
        return {}

    assert not await wait_for_backlog(FakeLookup(), tps, never, 0)


async def test_only_late_topics_that_were_never_read_are_held_until_the_early_ones_are_in() -> None:
    gate = asyncio.Event()
    waited_for: list[str] = []

    async def caught_up(topics: Iterable[str]) -> bool:
        waited_for.extend(topics)
        await gate.wait()
        return True

    hold = Bootstrap({"appointments": ("consents", "contacts")}, caught_up, Monitor())
    hold.begin([TopicPartition("appointments", 0), TopicPartition("consents", 0)])
    waiting = asyncio.create_task(hold.wait())
    await asyncio.sleep(0)
    assert (hold.held, waited_for) == ({TopicPartition("appointments", 0)}, ["consents", "contacts"])
    gate.set()
    await waiting
    assert hold.held == set()


async def test_a_hold_that_takes_too_long_ends_and_is_counted() -> None:
    class Timeouts(Monitor):
        count = 0

        def on_bootstrap_timeout(self) -> None:
            self.count += 1

    async def caught_up(topics: Iterable[str]) -> bool:
        return False

    hooks = Timeouts()
    hold = Bootstrap({"late": ("early",)}, caught_up, hooks)
    hold.begin([TopicPartition("late", 0)])
    await hold.wait()
    assert (hold.held, hooks.count) == (set(), 1)


async def test_a_hold_is_told_of_where_it_lasts_and_not_at_every_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A partition that never had an event is held for a moment whenever its worker starts."""
    told = asyncio.Event()

    class Heard(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            told.set()
            return True

    async def at_once(topics: Iterable[str]) -> bool:
        return True

    async def lasting(topics: Iterable[str]) -> bool:
        await told.wait()
        return True

    caplog.set_level(logging.INFO, "engine")
    monkeypatch.setattr(bootstrap.log, "filters", [Heard()])
    monkeypatch.setattr(bootstrap, "SOON", 0)
    said = []
    for caught_up in (at_once, lasting):
        hold = Bootstrap({"late": ("early",)}, caught_up, Monitor())
        hold.begin([TopicPartition("late", 0)])
        await hold.wait()
        said.append([record.getMessage() for record in caplog.records])
    assert said == [[], ["partitions never read wait for settings"]]
