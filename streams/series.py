"""Series (DESIGN.md "Series"): when "en de daarop volgende" may be said, and what it covers afterwards.

Two or more notices of one kind and series that have the same local times and location and shift alike make one series notice,
if they are the client's last ones ahead: "and the following" would else be said of one that is not so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from schemas.events import View
from schemas.state import Entry, ToldSeries

from .quiet import wall
from .zones import day_of

if TYPE_CHECKING:
    from .agenda import Difference

Member = tuple["Difference", Entry]


class Told(msgspec.Struct, frozen=True):
    """Members that one notice speaks of, in order of start. `covered`: `series` when an earlier series notice said it all."""

    members: list[Member]
    is_series: bool = False
    covered: str | None = None


def shape(view: View, zone: str) -> ToldSeries:
    """The local times by which occurrences of a series are alike."""
    first, last = day_of(view.start, zone), day_of(view.end, zone)
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days
    return ToldSeries(wall(view.start, zone), wall(view.end, zone), days, view.location)


def gather(
    changes: list[Member], known: Mapping[str, Entry], told: Mapping[str, ToldSeries], zone: str, now: datetime
) -> list[Told]:
    """Gather changes into what one notice each can say. `known`: the client's appointments; `told`: its series told as such."""
    result: list[Told] = []
    alike: dict[tuple[object, ...], list[Member]] = {}
    for member in changes:
        change = member[0]
        id_ = series_id(change)
        if id_ is None:
            result.append(Told([member]))
        elif change.kind == "created" and change.now is not None and shape(change.now, zone) == told.get(id_):
            result.append(Told([member], covered="series"))
        else:
            alike.setdefault((id_, change.kind, *likeness(change, zone)), []).append(member)
    for members in alike.values():
        run = last_run(members, changes, known, now)
        if len(run) < 2:
            result.extend(Told([member]) for member in members)
            continue
        inside = {change.appointment for change, _ in run}
        result.extend(Told([member]) for member in members if member[0].appointment not in inside)
        result.append(Told(run, is_series=True))
    return result


def remember(
    groups: Iterable[Told], known: Mapping[str, Entry], told: Mapping[str, ToldSeries], zone: str, now: datetime
) -> dict[str, ToldSeries]:
    """The series told as such after these groups were told. One whose last occurrence ahead was cancelled is told no longer."""
    groups = [group for group in groups if series_id(group.members[0][0]) is not None]
    if not groups:
        return dict(told)
    remembered = dict(told)
    cancelled: dict[str, set[str]] = {}
    for group in groups:
        change, _ = group.members[0]
        id_ = series_id(change)
        if id_ is None:
            continue
        if group.is_series and change.now is not None:
            remembered[id_] = shape(change.now, zone)
        if change.kind == "cancelled":
            cancelled.setdefault(id_, set()).update(member.appointment for member, _ in group.members)
            if group.is_series:
                remembered.pop(id_, None)
    for id_ in set(cancelled) & set(remembered):
        if not any(told_ahead(entry, id_, now) for name, entry in known.items() if name not in cancelled[id_]):
            del remembered[id_]
    return remembered


def told_ahead(entry: Entry, id_: str, now: datetime) -> bool:
    """Whether the client was told of this occurrence of the series, and it is still ahead."""
    return entry.told is not None and entry.told.series == id_ and entry.told.start > now


def series_id(change: Difference) -> str | None:
    """The series of a change: as it was told, else as it is."""
    view = change.now if change.was is None else change.was
    return view.series if view is not None else None


def likeness(change: Difference, zone: str) -> tuple[object, ...]:
    """What members of one notice have in common: local times before and after, location, and the days they shift by."""
    was = replace(shape(change.was, zone), location=None) if change.was is not None else None
    now = shape(change.now, zone) if change.now is not None else None
    shift = None
    if change.was is not None and change.now is not None:
        days = [date.fromisoformat(day_of(view.start, zone)) for view in (change.was, change.now)]
        shift = (days[1] - days[0]).days
    return (was and (was.start, was.end, was.days), now and (now.start, now.end, now.days, now.location), shift)


def place(change: Difference) -> datetime:
    """Where a change stands in the series as the client knows it: by its told start, of a creation by its actual one."""
    view = change.was if change.was is not None else change.now
    if view is None:
        raise AssertionError("a difference without a view")
    return view.start


def last_run(members: list[Member], changes: list[Member], known: Mapping[str, Entry], now: datetime) -> list[Member]:
    """The members ahead with which the series ends: no other occurrence that the client knows of stands between or after them.

    With a creation the client comes to know all that are created in the same closing.
    """
    first = members[0][0]
    id_, own = series_id(first), {change.appointment for change, _ in members}
    others = [
        entry.told.start
        for name, entry in known.items()
        if name not in own and entry.told is not None and entry.told.series == id_
    ]
    if first.kind == "created":
        others += [
            place(change)
            for change, _ in changes
            if change.kind == "created" and change.appointment not in own and series_id(change) == id_
        ]
    border = max((start for start in others if start > now), default=now)
    run = (member for member in members if place(member[0]) > border)
    return sorted(run, key=lambda member: (place(member[0]), member[0].appointment))
