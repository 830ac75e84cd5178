"""Time waits for the backlog.

After an outage a reminder must not overtake the cancellation that lies behind it in a log. So a due moment fires only when
the whole group has taken in what every input topic held at that moment, and the partition has handled what came of it. In rounds:

1. t0 = now; E = the ends of all partitions of the `waits_for` topics.
2. Wait until the group's committed offsets have reached E. An offset is committed only after the outputs that it led to are
   acknowledged, so those lie in the nodes' own topics now.
3. F = the ends of the nodes' own input partitions. As soon as a partition has been handled up to F, its horizon is t0.

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

from .actor import Actor
from .monitor import Monitor
from .node import NodeSpec

log = logging.getLogger("engine")

PAUSE = 0.5
"""Seconds between two rounds."""


@dataclass(frozen=True)
class Target:
    """What a partition has to handle before its horizon becomes `moment`."""

    moment: datetime
    ends: dict[str, int]
    deadline: float
    timed_out: bool = False

    def reached(self, offsets: dict[str, int]) -> bool:
        """Whether it has."""
        return all(offsets.get(topic, 0) >= end for topic, end in self.ends.items())


class Horizon:
    """The horizon of all nodes that wait for the same topics.

    Args:
        specs: the nodes.
        actors: gives the present actors of a node.
        ends: gives the ends of partitions.
        caught_up: waits until the group has committed past the present ends of topics; False if it took too long.
        clock: now, in UTC.
        bound: seconds after which a step counts as completed all the same.
    """

    def __init__(
        self, specs: list[NodeSpec], actors: Callable[[str], Iterable[Actor]], ends: Callable[[list[Any]], Awaitable[Any]],
        caught_up: Callable[[Iterable[str]], Awaitable[bool]], clock: Callable[[], datetime], hooks: Monitor, bound: float,
    ) -> None:  # fmt: skip
        self.specs, self.actors, self.ends, self.caught_up = specs, actors, ends, caught_up
        self.clock, self.hooks, self.bound = clock, hooks, bound
        self.targets: dict[Actor, Target] = {}

    async def run(self) -> None:
        """Rounds, for ever."""
        while True:
            try:
                await self.round()
            except KafkaError as error:
                log.warning("the horizon waits for the broker: %r", error)
            await asyncio.sleep(PAUSE)

    async def round(self) -> None:
        """One round, up to the targets; partitions that have reached theirs move on at once."""
        began, moment = time.monotonic(), self.clock()
        # taken before the wait: a partition that is taken over later gets its horizon from a round of its own
        actors = [(spec, actor) for spec in self.specs for actor in self.actors(spec.name)]
        if not actors:
            return
        timed_out = not await self.caught_up(self.specs[0].waits_for)
        if timed_out:
            log.warning("the horizon goes on: the backlog is not in after %.0f s", self.bound)
        own = await self.ends([TopicPartition(topic, actor.p) for spec, actor in actors for topic in spec.topics])
        self.targets = {actor: target for actor, target in self.targets.items() if not actor.draining}
        for spec, actor in actors:
            ends = {topic: own[TopicPartition(topic, actor.p)] for topic in spec.topics}
            self.targets.setdefault(actor, Target(moment, ends, time.monotonic() + self.bound, timed_out))
            self.look(actor)
        self.hooks.on_horizon(time.monotonic() - began, timed_out)

    def look(self, actor: Actor) -> None:
        """Move a partition's horizon on if it has reached its target. Called after each of its turns too."""
        target = self.targets.get(actor)
        if target is None or actor.draining:
            return
        if not target.reached(actor.offsets):
            if time.monotonic() < target.deadline:
                return
            log.warning("%s/%d: the horizon goes on; its own backlog is not in after %.0f s", actor.node, actor.p, self.bound)
            self.hooks.on_horizon(self.bound, True)
        del self.targets[actor]
        actor.horizon = target.moment
        actor.tick()
