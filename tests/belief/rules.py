"""What a client takes from "en de daarop volgende": which days follow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from math import gcd

from tests.belief.dutch import When

MOST_MISSING = 3
"""So many days may be left out of what still sounds like every week."""


@dataclass
class Rule:
    """A series as a client has it in mind.

    Attributes:
        at, until, nights: its times, and how many days later it ends.
        place: where, None where nothing was said.
        first: its first day; `end`: a day from which on it is no more.
        weeks: every how many; 0: each month on the same day.
        shift: by how many days it was moved since it got its rhythm.
        off: days that it leaves out.
        kin: what was ever of it, with its place, wherever it went since.
    """

    at: str
    until: str
    nights: timedelta
    place: str | None
    first: date
    end: date | None = None
    weeks: int = 1
    shift: timedelta = timedelta()
    off: set[date] = field(default_factory=set)
    kin: set[tuple[When, str | None]] = field(default_factory=set)

    def times(self, when: When) -> bool:
        """Say whether something is at the rule's times."""
        return (self.at, self.until, self.nights) == (when.at, when.until, when.last - when.day)

    def falls_on(self, day: date) -> bool:
        """Say whether a day is on the rhythm, from the first day on, whatever was left out or ended."""
        if day < self.first:
            return False
        if self.weeks:
            return (day - self.first).days % (7 * self.weeks) == 0
        return (day - self.shift).day == (self.first - self.shift).day

    def runs_on(self, day: date) -> bool:
        """Say whether a day is on the rhythm and the rule not over by then."""
        return self.falls_on(day) and (self.end is None or day < self.end)

    def has(self, when: When) -> bool:
        """Say whether this is an occurrence of the rule as it now is."""
        return self.times(when) and self.runs_on(when.day) and when.day not in self.off

    def days(self, horizon: date) -> list[date]:
        """List its days up to a horizon."""
        return [day for day in _days(self.first, horizon) if self.runs_on(day) and day not in self.off]

    def moved(self, was: date, now: When, place: str | None) -> Rule:
        """Make the rule that holds when this one goes, from the day `was` on, to other times and by as many days as `now`."""
        by = now.day - was
        off = {day + by for day in self.off}
        return Rule(now.at, now.until, now.last - now.day, place, now.day, None, self.weeks, self.shift + by, off)


def when_of(rule: Rule, day: date) -> When:
    """Make the occurrence of a rule on a day."""
    return When(day, rule.at, rule.until, day + rule.nights)


def rhythm_of(days: Collection[date]) -> int | None:
    """Find the rhythm in days, as `Rule.weeks`; None where there is none that one hears."""
    found = sorted(days)
    if len(found) < 2:
        return 1
    gaps = [(later - earlier).days for earlier, later in pairwise(found)]
    step = gcd(*gaps)
    if step % 7 == 0 and (found[-1] - found[0]).days // step + 1 - len(found) <= MOST_MISSING:
        return step // 7
    months = [12 * day.year + day.month for day in found]
    if len({day.day for day in found}) == 1 and months == list(range(months[0], months[-1] + 1)):
        return 0
    return None


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
