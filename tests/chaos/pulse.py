"""How much arrives at the providers, from which partitions, and how long it takes after a fault until it does so again."""

from __future__ import annotations

import asyncio
import os
import time
import zlib
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.broker.harness import address, number

STEP = 0.1
"""Seconds between two looks."""
WINDOW = 2.0
"""Seconds over which arrivals are counted."""
SHARE = 0.6
"""Of the level before: what counts as back. Changes differ in how many messages they lead to."""
HOLD = 2.0
"""Seconds for which it must stay so."""


@dataclass(frozen=True)
class Back:
    """A fault, and after how many seconds all partitions were at work again; None where they were not.

    `load`: processes that wanted a core then, for each core; `still`: the longest time in which this process got none. Where
    they are large the machine was busy with other things, and the seconds say little.
    """

    kind: str
    seconds: float | None
    load: float = 0.0
    still: float = 0.0


class Pulse:
    """Arrivals at both providers.

    Args:
        received: what the providers have received: their lists, which grow.
        clients: organisation and client of everybody.
        partitions: of every topic.
    """

    def __init__(self, received: Iterable[list[dict[str, Any]]], clients: Iterable[tuple[str, str]], partitions: int) -> None:
        self.partitions = partitions
        self._of: dict[str, int] = {}
        for organisation, client in clients:
            partition = zlib.crc32(f"{organisation}/{client}".encode()) % partitions
            self._of[number(organisation, client)[1:]] = self._of[address(organisation, client)] = partition
        self._lists = [(found, 0) for found in received]
        self._at: list[float] = []
        self._from: list[int] = []
        self._looks: deque[tuple[float, float]] = deque(maxlen=2000)
        self._began = time.monotonic()

    def restart(self) -> None:
        """The feed begins now."""
        self._began = time.monotonic()

    async def run(self) -> None:
        """Look, for ever."""
        last = time.monotonic()
        while True:
            now = time.monotonic()
            self._looks.append((last, now))
            self.look(now)
            last = now
            await asyncio.sleep(STEP)

    def look(self, now: float) -> None:
        """Note what has come since the last look."""
        for place, (found, seen) in enumerate(self._lists):
            for message in found[seen:]:
                self._at.append(now)
                self._from.append(self._of[message["recipients"][0]])
            self._lists[place] = (found, len(found))

    def level(self, now: float, seconds: float = 10.0) -> float:
        """Arrivals a second of late, or over all the time if that is less: a backlog that is worked off is no level."""
        recent = self._count(now - seconds, now) / seconds
        return min(recent, len(self._at) / max(1.0, now - self._began))

    def is_good(self, moment: float, level: float) -> bool:
        """Whether enough arrived in the window before that moment, and something from every partition."""
        first, end = bisect_right(self._at, moment - WINDOW), bisect_right(self._at, moment)
        return end - first >= SHARE * level * WINDOW and len(set(self._from[first:end])) == self.partitions

    def back(self, since: float, until: float, level: float) -> float:
        """Seconds from `since` to the last moment up to `until` at which it was not good; 0 where it always was."""
        bad = [moment for moment in _moments(since, until) if not self.is_good(moment, level)]
        return bad[-1] - since if bad else 0.0

    async def wait_back(self, kind: str, since: float, level: float, bound: float) -> Back:
        """Wait until it is good, and has been so for a while."""
        seconds: float | None = None
        while (now := time.monotonic()) < since + bound:
            if now > since + HOLD and all(self.is_good(moment, level) for moment in _moments(now - HOLD, now)):
                seconds = round(self.back(since, now, level), 1)
                break
            await asyncio.sleep(STEP)
        still = max((later - earlier for earlier, later in self._looks if later > since), default=0.0)
        return Back(kind, seconds, round(os.getloadavg()[0] / (os.cpu_count() or 1), 1), round(still, 1))

    def _count(self, since: float, until: float) -> int:
        return bisect_right(self._at, until) - bisect_right(self._at, since)


def _moments(since: float, until: float) -> list[float]:
    return [since + STEP * step for step in range(int((until - since) / STEP) + 1)]
