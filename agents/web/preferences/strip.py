"""A day as a strip: when messages go, when they wait, and when reminders are set. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.inputs import Organisation, QuietHours, ReminderSettings
from streams.notices.due_moments import reminders_of

DAY = 24 * 60


class Mark(NamedTuple):
    """A reminder on the strip. `at`: minutes after midnight; `waits`: it falls in the quiet hours; `until`: when it then goes."""

    at: int
    words: str
    waits: bool
    until: str


class Strip(NamedTuple):
    """`quiet`: pieces in minutes after midnight, from and until; what crosses midnight is two. `words`: the same as text."""

    quiet: list[tuple[int, int]]
    marks: list[Mark]
    words: str


def strip(organisation: Organisation) -> Strip:
    """Return the day of an organisation."""
    quiet = _pieces(organisation.quiet_hours)
    marks = [_mark(one, quiet, organisation.quiet_hours) for one in reminders_of(organisation)]
    marks.sort(key=lambda mark: mark.at)
    return Strip(quiet, marks, _words(organisation.quiet_hours, marks))


def _pieces(hours: QuietHours | None) -> list[tuple[int, int]]:
    if hours is None:
        return []
    begin, end = minutes(hours.from_), minutes(hours.until)
    if begin < end:
        return [(begin, end)]
    return [piece for piece in ((0, end), (begin, DAY)) if piece[0] < piece[1]] if begin != end else []


def _mark(one: ReminderSettings, quiet: Sequence[tuple[int, int]], hours: QuietHours | None) -> Mark:
    at = minutes(one.at)
    waits = any(begin <= at < end for begin, end in quiet)
    return Mark(at, f"herinnering om {one.at} uur", waits, hours.until if waits and hours is not None else "")


def _words(hours: QuietHours | None, marks: Sequence[Mark]) -> str:
    """Say what the picture shows."""
    said = [
        f"Stille uren van {hours.from_} tot {hours.until} uur." if hours is not None else "Er zijn geen stille uren.",
        *[
            f"De {mark.words} gaat om {mark.until} uur, of toch meteen als de afspraak binnen 24 uur begint." if mark.waits
            else f"Een {mark.words}."
            for mark in marks
        ],
    ]  # fmt: skip
    return " ".join(said if marks else [*said, "Er zijn geen herinneringen."])


def minutes(clock: str) -> int:
    """Return how many minutes after midnight a wall time is."""
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
