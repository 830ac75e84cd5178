"""Many histories, on as many processes as are wanted, and what came of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.belief.histories import made
from tests.belief.oracle import judge

CHUNK = 200


@dataclass
class Count:
    """What came of histories: how many, with how many messages, which seeds are wrong and in which ways, and what was said."""

    histories: int = 0
    messages: int = 0
    wrong: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: Count) -> None:
        """Take another count in."""
        self.histories += other.histories
        self.messages += other.messages
        self.wrong += other.wrong
        self.faults += other.faults
        self.kinds += other.kinds

    def line(self) -> str:
        """Say it in one line."""
        ways = ", ".join(f"{way} {number}" for way, number in self.faults.most_common())
        said = ", ".join(f"{kind} {number}" for kind, number in self.kinds.most_common())
        return (
            f"{self.histories} histories, {self.messages} messages, {len(self.wrong)} wrong, {self.seconds:.0f} s; said: {said}"
            + (f"; wrong by: {ways}; first seeds: {sorted(self.wrong)[:12]}" if self.wrong else "")
        )


def count(start: int, number: int, extras: frozenset[str] = frozenset(), *, at_once: bool = False) -> Count:
    """Judge the histories of a stretch of seeds."""
    result = Count(number)
    for seed in range(start, start + number):
        verdict = judge(made(seed, extras, at_once=at_once))
        result.messages += verdict.messages
        result.kinds += verdict.kinds
        if verdict.faults:
            result.wrong.append(seed)
            result.faults.update(
                {fault.split(": ")[0] + " " + fault.split(": ")[-2] for fault in verdict.faults if ": " in fault}
            )
    return result


def run(
    start: int, number: int, jobs: int, extras: frozenset[str] = frozenset(), *, at_once: bool = False
) -> Iterator[Count]:  # fmt: skip
    """Judge as many histories from a seed on, on several processes; gives the count so far, the last one whole."""
    began, total = time.monotonic(), Count()
    stretches = [(first, min(CHUNK, start + number - first), extras, at_once) for first in range(start, start + number, CHUNK)]
    with get_context("spawn").Pool(jobs) as pool:
        for one in pool.imap_unordered(_count, stretches):
            total.add(one)
            total.seconds = time.monotonic() - began
            yield total


def _count(stretch: tuple[int, int, frozenset[str], bool]) -> Count:
    start, number, extras, at_once = stretch
    return count(start, number, extras, at_once=at_once)
