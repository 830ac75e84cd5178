"""Appointments as words: what a sentence says of them, in the organisation's zone; and back to instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from msgspec.structs import replace

from schemas.events import View
from schemas.known import Words
from schemas.notices import Kind

from ..processing.local_time import instant_of, local
from ..processing.places import said_place

MIDNIGHT = "24:00"
"""`until` of what ends as its last day does."""

_DAY = timedelta(days=1)


@lru_cache(maxsize=65_536)
def words_of(view: View, zone: str) -> Words:
    """Return what a sentence would say of a view, in the IANA zone `zone`."""
    start, end = view.start.replace(second=0, microsecond=0), view.end.replace(second=0, microsecond=0)
    kind = view.kind
    first, until = local(start, zone).isoformat(), local(end, zone).isoformat()
    day, at, last, ends = first[:10], first[11:16], until[:10], until[11:16]
    at_midnight = last > day and end == instant_of(last, "00:00", zone)
    if at_midnight:
        last, ends = (date.fromisoformat(last) - _DAY).isoformat(), MIDNIGHT
    other = last if last != day else None
    place = said_place(view.location, kind)
    if at_midnight and start == instant_of(day, "00:00", zone):
        return Words(day, "", "", other, place, kind)
    return Words(day, at, ends if end != start else "", other, place, kind)


def said(view: View) -> View:
    """Return a view with its place as a sentence says it."""
    place = said_place(view.location, view.kind)
    return view if place == view.location else replace(view, location=place)


def start_of(words: Words, zone: str) -> datetime:
    """Return the instant (UTC) at which it begins, to the minute; of one that occurs twice the first."""
    return instant_of(words.day, words.at or "00:00", zone)


def end_of(words: Words, zone: str) -> datetime:
    """Return the instant (UTC) at which it ends, to the minute."""
    if words.until == MIDNIGHT or not words.at:
        return instant_of(words.last or words.day, "00:00", zone, -1)
    return instant_of(words.last or words.day, words.until or words.at, zone)


def view_of(words: Words, zone: str, series: str | None = None) -> View:
    """Return the view of which a sentence says these words."""
    return View(start_of(words, zone), end_of(words, zone), words.place, series, words.kind)


def is_ahead(words: Words, now: datetime, zone: str) -> bool:
    """Tell whether it begins after `now`. Days that are far from today in any zone are told by their names."""
    if words.day > (now + 2 * _DAY).astimezone(UTC).date().isoformat():
        return True
    return start_of(words, zone) > now


def kind_between(was: Words | None, now: Words | None) -> Kind | None:
    """Return the notice that brings a client from one to the other; None where none is needed.

    A place that is dropped is not told.
    """
    if was is None:
        return "created" if now is not None else None
    if now is None:
        return "cancelled"
    if was.slot != now.slot:
        return "moved"
    if was.kind != now.kind:
        return "changed"
    return "relocated" if now.place is not None and was.place != now.place else None
