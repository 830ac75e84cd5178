"""Quiet hours (DESIGN.md "Quiet hours"): `from` included, `until` not; they may cross midnight."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from schemas.inputs import Organisation
from schemas.state import Entry

from .zones import day_of, instant_of, local

SOON = timedelta(hours=24)
"""A day on which an appointment begins within this time is not held back."""


def quiet_until(organisation: Organisation | None, instant: datetime) -> datetime | None:
    """The end of the quiet hours in which the instant falls, None when it falls in none."""
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


def soon_days(entries: Iterable[Entry], zone: str, instant: datetime) -> set[str]:
    """The local days on which an appointment of the client, as it is or as it was told, begins within 24 hours."""
    days: set[str] = set()
    for entry in entries:
        starts = [entry.actual.start] if entry.booked else []
        if entry.told is not None:
            starts.append(entry.told.start)
        days.update(day_of(start, zone) for start in starts if instant <= start <= instant + SOON)
    return days


def wall(instant: datetime, zone: str) -> str:
    """Local `HH:MM`."""
    return f"{local(instant, zone):%H:%M}"
