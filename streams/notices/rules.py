"""Series that a client was told as such: their rhythm, what they cover, and what a notice makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from schemas.known import Item, Rule, Words
from schemas.notices import Notice
from schemas.state import ToldSeries

from .words import MIDNIGHT

MOST_OFF = 3
"""So many days left out can be said of a series; one with more has no rhythm that a sentence could tell."""


class Rhythm(NamedTuple):
    """Every so many weeks, 0 for the same day of each month; and the days of it on which nothing is."""

    weeks: int
    off: tuple[str, ...] = ()


@lru_cache(maxsize=16_384)
def ordinal(day: str) -> int:
    """Return the number of an ISO day."""
    return date.fromisoformat(day).toordinal()


@lru_cache(maxsize=16_384)
def moved_by(day: str, days: int) -> str:
    """Return the ISO day so many days later."""
    return date.fromordinal(date.fromisoformat(day).toordinal() + days).isoformat()


@lru_cache(maxsize=16_384)
def weekday(day: str) -> int:
    """Return the weekday, 0 for Monday."""
    return date.fromisoformat(day).weekday()


def rhythm_of(days: Sequence[str]) -> Rhythm | None:
    """Return the rhythm of ISO days in their order; None where they have none that can be said."""
    if len(days) < 2:
        return Rhythm(1)
    dates = [date.fromisoformat(day) for day in days]
    pairs = list(pairwise(dates))
    if all(b.day == a.day and b.year * 12 + b.month == a.year * 12 + a.month + 1 for a, b in pairs):
        return Rhythm(0)
    gaps = [(b - a).days for a, b in pairs]
    step = min(gaps)
    if step <= 0 or any(gap % 7 or gap % step for gap in gaps) or sum(gap // step - 1 for gap in gaps) > MOST_OFF:
        return None
    on, first, last = set(days), dates[0].toordinal(), dates[-1].toordinal()
    all_days = [date.fromordinal(number).isoformat() for number in range(first, last, step)]
    return Rhythm(step // 7, tuple(day for day in all_days if day not in on))


def times_of(rule: Rule) -> tuple[str, str, int]:
    """Return by what occurrences of it are alike: as `Words.times`."""
    return (rule.at, rule.until, rule.days)


def is_on(rule: Rule, day: str) -> bool:
    """Tell whether a day is of its rhythm, from its first day on and before its end."""
    return (rule.end is None or day < rule.end) and falls_on(rule, day)


def falls_on(rule: Rule, day: str) -> bool:
    """Tell whether a day is of its rhythm, from its first day on, even if the series is over by then."""
    if day < rule.first:
        return False
    if rule.weeks == 0:
        return moved_by(day, -rule.shift)[8:] == moved_by(rule.first, -rule.shift)[8:]
    return (ordinal(day) - ordinal(rule.first)) % (7 * rule.weeks) == 0


def holds(rule: Rule, words: Words) -> bool:
    """Tell whether something is a regular occurrence of it, wherever that be."""
    return words.at == rule.at and words.times == times_of(rule) and words.day not in rule.off and is_on(rule, words.day)


def strayed(rules: Iterable[Rule], item: Item) -> tuple[str, ...]:
    """Return the notices of the series that something was ever of, now that it goes its own way."""
    return tuple(sorted({*item.strayed, *(rule.notice for rule in rules if holds(rule, item.words))}))


def after(rules: Iterable[Rule], notice: Notice) -> tuple[Rule, ...]:
    """Return the rules after a client read a notice."""
    return _after_series(list(rules), notice) if notice.kind.startswith("series_") else _after_single(rules, notice)


def _after_single(rules: Iterable[Rule], notice: Notice) -> tuple[Rule, ...]:
    """Whatever is said of one day makes it an exception of every series at those times; what is made there ends that."""
    was, now = notice.members[0].was, notice.members[0].now
    result = []
    for rule in rules:
        off = set(rule.off)
        if was is not None and times_of(rule) == was.times and is_on(rule, was.day):
            off.add(was.day)
        if now is not None and times_of(rule) == now.times and now.where == (rule.kind, rule.place):
            off.discard(now.day)
        result.append(rule if off == set(rule.off) else replace(rule, off=tuple(sorted(off))))
    return tuple(result)


def _after_series(rules: list[Rule], notice: Notice) -> tuple[Rule, ...]:
    """End the series that it is about with its first day, and begin what is so instead, with their rhythm and exceptions."""
    first = notice.members[0]
    was, now = first.was, first.now
    days = [words.day for member in notice.members if (words := member.now or member.was) is not None]
    weeks = notice.weeks if notice.weeks is not None else (rhythm_of(days) or Rhythm(1)).weeks
    shift, off = 0, set(notice.off)
    if was is not None:
        delta = ordinal(now.day) - ordinal(was.day) if now is not None else 0
        found: set[tuple[int, int]] = set()
        told = [member.was.day for member in notice.members if member.was is not None]
        for number, rule in enumerate(rules):
            ended = rule.end is not None and rule.end <= was.day
            if times_of(rule) != was.times or ended or not any(is_on(rule, day) for day in told):
                continue
            if is_on(rule, was.day):
                found.add((rule.weeks, rule.shift + delta))
            off.update(moved_by(day, delta) for day in rule.off)
            rules[number] = replace(rule, end=max(rule.first, was.day))
        if len(found) > 1:
            return tuple(rules)  # of which of two series? No rule, so that what comes is told
        if found:
            ((weeks, shift),) = found
    if now is not None:
        rules.append(Rule(
            series=first.series or "", at=now.at, until=now.until, days=now.days, place=now.place, kind=now.kind, first=now.day,
            weeks=weeks, shift=shift, off=tuple(sorted(off)), notice=notice.id,
        ))  # fmt: skip
    return tuple(rules)


def shapes(rules: Iterable[Rule]) -> dict[str, ToldSeries]:
    """Return the series as an older worker knows them: those that go on and have no exceptions."""
    return {rule.series: _shape(rule) for rule in rules if rule.end is None and not rule.off and rule.series}


def _shape(rule: Rule) -> ToldSeries:
    if not rule.at:  # whole days end at a midnight too
        return ToldSeries("00:00", "00:00", rule.days + 1, rule.place)
    if rule.until == MIDNIGHT:
        return ToldSeries(rule.at, "00:00", rule.days + 1, rule.place)
    return ToldSeries(rule.at, rule.until or rule.at, rule.days, rule.place)
