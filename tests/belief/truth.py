"""What is so: the appointments of one client as the input events say, in the words by which a client knows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.belief.dutch import END_OF_DAY, MARKS, MIDNIGHT, When

Json = dict[str, Any]

ADDRESSES = ("Parallelweg 2, 7141 DC Groenlo", "Kerkstraat 12")
"""Addresses that the planner writes as places: they are as no place."""


ON = ("booked", "arrived", "fulfilled", "noshow")
"""Statuses of what takes place, or took place."""


class Fact(NamedTuple):
    """One appointment as it is. `quiet`: not every message may be the first to tell of it, so that it need not be known."""

    appointment: str
    when: When
    place: str | None
    quiet: bool = False


class Truth(NamedTuple):
    """What is booked and the client present; all times that an appointment ever had; and on which the client is absent.

    `lived`: those of which it was ever said what became of them. `quiet`: those of which not every message may be the first to
    tell.
    """

    facts: list[Fact]
    times: dict[str, set[When]]
    absent: set[str]
    lived: set[str] = set()  # nobody changes it
    quiet: set[str] = set()  # nor this

    def ever(self, appointments: Iterable[str]) -> set[When]:
        """All times that any of these appointments ever had."""
        return {when for id_ in appointments for when in self.times.get(id_, ())}


def truth(events: Iterable[Json], client: str, *zones: str) -> Truth:
    """Find what is so after events of `appointments`, given as steps of a history. The highest revision counts.

    `zones`: those that the organisation was in, the last one last.
    """
    events = list(events)
    last: dict[str, Json] = {}
    times: dict[str, set[When]] = {}
    for event in events:
        id_, value = event["key"].split("/")[1], event["value"]
        before = last.get(id_)
        if value is None:
            if before is not None:
                last[id_] = {**before, "status": "cancelled"}
        elif before is None or value["revision"] > before["revision"]:
            last[id_] = {**(before or {}), **value}
            if "start" in last[id_]:
                times.setdefault(id_, set()).update(when(*hours_of(last[id_]), zone) for zone in zones)
    facts = []
    absent = set()
    for id_, value in last.items():
        here = [each["present"] for each in value.get("clients", ()) if each["client"] == client]
        if here == [False]:
            absent.add(id_)
        elif here == [True] and value["status"] in ON:
            facts.append(Fact(id_, when(*hours_of(value), zones[-1]), place_of(value), _is_quiet(value)))
    statuses = {(event["key"].split("/")[1], (event["value"] or {}).get("status")) for event in events}
    quiet_ones = {id_ for id_, value in last.items() if _is_quiet(value)}
    return Truth(facts, times, absent, {id_ for id_, status in statuses if status in ON[1:]}, quiet_ones)


def _is_quiet(value: Json) -> bool:
    return value.get("notify") in ("reminder", "none")


def hours_of(value: Json) -> tuple[str, str]:
    """Return when an appointment is for its client: its arrival, else its start and end."""
    arrival = value.get("arrival")
    return (arrival["from"], arrival["until"]) if arrival is not None else (value["start"], value["end"])


@lru_cache(maxsize=65_536)
def when(start: str, end: str, zone: str) -> When:
    """Word the times of an appointment, to the minute."""
    return when_of(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)


def when_of(start: datetime, end: datetime, zone: str) -> When:
    """Word two instants, to the minute. What ends at midnight ends at 24:00 of the day before."""
    begin, until = (instant.astimezone(ZoneInfo(zone)) for instant in (start, end))
    at, clock, last = f"{begin:%H:%M}", f"{until:%H:%M}", until.date()
    if clock == MIDNIGHT and last > begin.date():
        clock, last = END_OF_DAY, last - timedelta(days=1)
    return When(begin.date(), at, clock, last)


def in_zone(when: When, old: str, new: str) -> When:
    """Word in another zone what was worded in one."""
    last, until = (when.last + timedelta(days=1), MIDNIGHT) if when.until == END_OF_DAY else (when.last, when.until)
    return when_of(instant(when.day, when.at, old), instant(last, until, old), new)


def place_of(value: Json) -> str | None:
    """Word where an appointment is; a mark where it is not on site."""
    return where_of(value.get("kind"), (value["location"] or {}).get("name"))


def where_of(kind: str | None, name: str | None) -> str | None:
    """Word where something is; one that is blank is none, and a full stop at its end is the sentence's."""
    return place_name(name) if kind in (None, "on_site") else MARKS[kind]


def place_name(name: str | None) -> str | None:
    """Word the name of a location."""
    words = " ".join(unicodedata.normalize("NFC", name or "").split()).removesuffix(".")
    return words if words and words not in ADDRESSES else None


def instant(day: date, clock: str, zone: str) -> datetime:
    """Find the instant of a wall time."""
    hour, minute = clock.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=ZoneInfo(zone))
