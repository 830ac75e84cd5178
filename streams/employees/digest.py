"""The digest: the window of an employee (`streams/README.md`, "Employees"). `(row, change, now) -> row`: pure.

What changed is told at the organisation's hour, or once nothing more of today and tomorrow comes in for a while.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.employees import EmployeeAgenda, EmployeeChange, Level
from schemas.inputs import Organisation, WindowSettings
from schemas.known import Words
from schemas.notices import Notice
from schemas.state import AgendaEntry, SettingsRow, Window

from ..notices.agenda import extended, renamed_at, take_in, zone_of
from ..notices.holds import is_on
from ..notices.unsaid_places import says_places
from ..notices.words import words_of
from ..processing.local_time import day_of, instant_of

APART = timedelta(minutes=15)
"""No digest goes so soon after the last one that went out."""

USUAL = WindowSettings()


def taken(
    row: EmployeeAgenda, change: EmployeeChange, level: Level, organisation: Organisation | None, now: datetime, late: float
) -> EmployeeAgenda:
    """Return what is known of an employee after a revision; a stale or repeated one does nothing."""
    event, window = change.appointment, organisation.window if organisation is not None else USUAL
    old = row.agenda.appointments.get(event.appointment)
    agenda = take_in(row.agenda, event, window, now, late, says_places=says_places(organisation))
    if agenda is row.agenda:
        return row
    others = row.others
    if not change.own and event.appointment not in others:
        others = (*others, event.appointment)
    row, before = replace(row, agenda=replace(agenda, window=row.agenda.window), others=others), row.agenda.window
    if agenda.window is before:  # nothing of it is news
        return row
    opened, longest = (before.opened, max(before.late, late)) if before is not None else (now, late)
    row = replace(row, agenda=replace(row.agenda, window=Window(opened, opened, longest)))
    heard = level == "all" or level == "soon" or (level == "others" and event.appointment in others)
    if heard and _is_soon(old, agenda.appointments[event.appointment], zone_of(organisation), now):
        row = replace(row, urgent=extended(row.urgent, window, now, late))
    return with_end(row, organisation)


def _is_soon(old: AgendaEntry | None, new: AgendaEntry, zone: str, now: datetime) -> bool:
    """Tell whether a change is of today or tomorrow, as it was or as it is, for one who attends or did so."""
    starts = [new.actual.start] if new.present else []
    if old is not None and old.present:
        starts.append(old.actual.start)
    if old is not None and old.told is not None:
        starts.append(old.told.start)
    return not soon_days(zone, now).isdisjoint(day_of(start, zone) for start in starts)


def soon_days(zone: str, now: datetime) -> frozenset[str]:
    """Return today and tomorrow."""
    today = day_of(now, zone)
    return frozenset((today, day_of(instant_of(today, "12:00", zone, -1), zone)))


def at_once(row: EmployeeAgenda, organisation: Organisation | None, now: datetime) -> EmployeeAgenda:
    """Return it after a message came back: what it said is decided anew at once."""
    return with_end(replace(row, urgent=Window(now, now)), organisation) if row.agenda.window is not None else row


def with_end(row: EmployeeAgenda, organisation: Organisation | None) -> EmployeeAgenda:
    """Return it with the moment at which its window closes, as the settings now are."""
    window = row.agenda.window
    if window is None:
        return row
    zone, at = zone_of(organisation), organisation.digest_at if organisation is not None else "16:00"
    today = day_of(window.opened, zone)
    closes = next(moment for days in (0, -1) if (moment := instant_of(today, at, zone, days)) > window.opened)
    if row.urgent is not None:
        closes = min(closes, row.urgent.closes)
    return replace(row, agenda=replace(row.agenda, window=replace(window, closes=apart(row, closes))))


def apart(row: EmployeeAgenda, at: datetime) -> datetime:
    """Return a moment, or a later one where the last digest was too short a time before."""
    return at if row.last is None else max(at, row.last + APART)


def closes_at(row: EmployeeAgenda, settings: SettingsRow | None) -> datetime | None:
    """Return when the next digest is decided: at the window's end, after quiet hours, or since days have other names.

    None: nothing waits, or it waits for the end of a hold.
    """
    agenda = row.agenda
    window = agenda.window.closes if agenda.window is not None else None
    found = [one for one in (window, agenda.held_until, renamed_at(agenda, settings)) if one is not None]
    return apart(row, min(found)) if found and not is_on(settings) else None


def told(row: EmployeeAgenda, notices: list[Notice], zone: str) -> EmployeeAgenda:
    """Return it after these were decided to be told: from now on it counts anew who makes a revision."""
    named = {id_ for notice in notices for id_ in notice.appointments}
    said: set[Words | None] = {words for notice in notices for one in notice.members for words in (one.was, one.now)}
    entries = row.agenda.appointments

    def is_told(id_: str) -> bool:
        entry = entries.get(id_)
        return id_ in named or entry is None or words_of(entry.actual, zone) in said

    return replace(row, others=tuple(id_ for id_ in row.others if not is_told(id_)))


def untold(row: EmployeeAgenda, notices: list[Notice]) -> EmployeeAgenda:
    """Return it after these were not told after all: whoever made these revisions, they have to be."""
    named = [id_ for notice in notices for id_ in notice.appointments]
    return replace(row, others=tuple(dict.fromkeys((*row.others, *named))))
