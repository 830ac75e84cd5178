"""Time waits for the backlog.

After an outage a reminder must not overtake the cancellation that lies behind it in a log. So a due timer fires only once the
whole group has taken in what every input topic held at that moment, and the partition has handled what came of it. In rounds:

1. t0 = now; E = the ends of all partitions of the `waits_first` topics, if there are any, then of the `waits_for` topics.
2. Each time wait until the group's committed offsets have reached E. An offset is committed only after the outputs that it led
   to are acknowledged, so those lie in the topics that come next, at last in the nodes' own.
3. F = the ends of the nodes' own input partitions. As soon as a partition has been handled up to F, its watermark is t0.

The rounds go on while a slow partition still works towards its F: it keeps the oldest one that it has not reached.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from ..monitor import Monitor
from ..node import NodeSpec
from .task import StreamTask

log = logging.getLogger("engine")

PAUSE = 0.5
"""Seconds between two rounds."""


@dataclass(frozen=True)
class WatermarkTarget:
    """What a partition has to handle before its watermark becomes `moment`."""

    moment: datetime
    ends: dict[str, int]
    deadline: float
    timed_out: bool = False

    def reached(self, offsets: dict[str, int]) -> bool:
        """Tell whether it is reached."""
        return all(offsets.get(topic, 0) >= end for topic, end in self.ends.items())


class Watermark:
    """The watermark of all nodes that wait for the same topics.

    Args:
        specs: the nodes.
        tasks: returns the present tasks of a node.
        ends: returns the ends of partitions.
        caught_up: waits until the group has committed past the present ends of topics; False if it took too long.
        clock: now, in UTC.
        bound: seconds after which a step counts as completed all the same.
    """

    def __init__(
        self, specs: list[NodeSpec], tasks: Callable[[str], Iterable[StreamTask]], ends: Callable[[list[Any]], Awaitable[Any]],
        caught_up: Callable[[Iterable[str]], Awaitable[bool]], clock: Callable[[], datetime], hooks: Monitor, bound: float,
    ) -> None:  # fmt: skip
        self.specs, self.tasks, self.ends, self.caught_up = specs, tasks, ends, caught_up
        self.clock, self.hooks, self.bound = clock, hooks, bound
        self.targets: dict[StreamTask, WatermarkTarget] = {}

    async def run(self) -> None:
        """Run rounds, for ever."""
        while True:
            try:
                await self.round()
            except KafkaError as error:
                log.warning("the horizon waits for the broker", extra={"error": repr(error)})
            await asyncio.sleep(PAUSE)

    async def round(self) -> None:
        """Run one round, up to the targets; partitions that have reached theirs move on at once."""
        began, moment = time.monotonic(), self.clock()
        # taken before the wait: a partition that is taken over later gets its watermark from a round of its own
        tasks = [(spec, task) for spec in self.specs for task in self.tasks(spec.name)]
        if not tasks:
            return
        stages = [topics for topics in (self.specs[0].waits_first, self.specs[0].waits_for) if topics]
        timed_out = not all([await self.caught_up(topics) for topics in stages])
        if timed_out:
            log.warning("the horizon goes on: the backlog is not in", extra={"seconds": self.bound})
        own = await self.ends([TopicPartition(topic, task.p) for spec, task in tasks for topic in spec.topics])
        self.targets = {task: target for task, target in self.targets.items() if not task.draining}
        for spec, task in tasks:
            ends = {topic: own[TopicPartition(topic, task.p)] for topic in spec.topics}
            self.targets.setdefault(task, WatermarkTarget(moment, ends, time.monotonic() + self.bound, timed_out))
            self.look(task)
        self.hooks.on_watermark(time.monotonic() - began, timed_out)

    def look(self, task: StreamTask) -> None:
        """Move a partition's watermark on if it has reached its target. Called after each of its turns too."""
        target = self.targets.get(task)
        if target is None or task.draining:
            return
        if not target.reached(task.offsets):
            if time.monotonic() < target.deadline:
                return
            where = {"node": task.node, "partition": task.p, "seconds": self.bound}
            log.warning("the horizon goes on: the partition's own backlog is not in", extra=where)
            self.hooks.on_watermark(self.bound, True)
        del self.targets[task]
        task.watermark = target.moment
        task.tick()
