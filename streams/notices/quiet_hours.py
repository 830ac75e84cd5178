"""Quiet hours (`streams/README.md`, "Quiet hours"): `from` included, `until` not; they may cross midnight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from schemas.inputs import Organisation
from schemas.known import Words
from schemas.state import AgendaEntry

from ..processing.local_time import day_of, instant_of
from .words import start_of

SOON = timedelta(hours=24)
"""A day on which an appointment begins within this time is not held back."""


def quiet_until(organisation: Organisation | None, instant: datetime) -> datetime | None:
    """Return the end of the quiet hours in which the instant falls; None when it falls in none."""
    if organisation is None or organisation.quiet_hours is None:
        return None
    hours, name = organisation.quiet_hours, organisation.time_zone
    today = day_of(instant, name)
    for days_before in (1, 0):  # a quiet night that began yesterday may still last
        start = instant_of(today, hours.from_, name, days_before)
        crosses = hours.until <= hours.from_ and hours.until != hours.from_
        end = instant_of(today, hours.until, name, days_before - 1 if crosses else days_before)
        if start <= instant < end:
            return end
    return None


def soon_days(entries: Iterable[AgendaEntry], zone: str, instant: datetime, known: Iterable[Words] = ()) -> set[str]:
    """Return the local days on which an appointment of the client, as it is or as it was told, begins within 24 hours.

    `known`: all that the client knows, what no appointment stands for any more too.
    """
    return {day_of(start, zone) for start in starts(entries, zone, known) if instant <= start <= instant + SOON}


def starts(entries: Iterable[AgendaEntry], zone: str, known: Iterable[Words]) -> Iterator[datetime]:
    """Yield when something of a client begins, as it is or as it was told."""
    for entry in entries:
        if entry.booked:
            yield entry.actual.start
        if entry.told is not None:
            yield entry.told.start
    yield from (start_of(words, zone) for words in known)
