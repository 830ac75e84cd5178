"""What nothing may be said of first (`streams/README.md`, "Notify"), until a message of ours made it known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from schemas.known import Member, Words
from schemas.notices import Notice
from schemas.state import Agenda, AgendaEntry

from ..processing.local_time import day_of
from .known import Known, holders_of, kept, known_of, read
from .words import words_of


def hushed(agenda: Agenda, known: Known, zone: str) -> tuple[Agenda, frozenset[str]]:
    """Return the agenda in which the client is as if absent on what nothing may be said of, and those appointments."""
    quiet = kept_quiet(agenda, known, zone)
    if not quiet:
        return agenda, quiet
    entries = {
        id_: replace(entry, present=False) if id_ in quiet else entry for id_, entry in agenda.appointments.items()
    }  # fmt: skip
    return replace(agenda, appointments=entries), quiet


def quiet_now(agenda: Agenda, zone: str, now: datetime) -> frozenset[str]:
    """Return the appointments of which nothing may be said at this moment."""
    return kept_quiet(agenda, known_of(agenda, zone, now), zone)


def kept_quiet(agenda: Agenda, known: Known, zone: str) -> frozenset[str]:
    """Return the appointments of which nothing may be said.

    What our messages made known is kept right: whatever stands where something was said is that, and where that has to go or
    to move, so does one of those that stood there; one of which anything may be said stands before the others.
    """
    wishes = {id_ for id_, entry in agenda.appointments.items() if entry.notify is not None and entry.present}
    if not wishes:
        return frozenset()
    on = {
        id_: words_of(entry.actual, zone) for id_, entry in agenda.appointments.items() if entry.booked and entry.present
    }  # fmt: skip
    said = {words: item for words, item in known.items.items() if item.heard}
    there = {id_: _where(on[id_], [words for words, item in said.items() if not item.stale]) for id_ in wishes if id_ in on}
    free = on.keys() - wishes
    taken = {on[id_] for id_ in free} | {words for words, item in said.items() if not free.isdisjoint(item.ids)}
    taken.update(*there.values())
    holders, quiet = holders_of(said), set[str]()
    for id_ in sorted(wishes, key=lambda id_: (id_ not in on, id_)):
        if there.get(id_):
            continue
        stood = set(holders.get(id_, ()))
        if stood <= taken:
            quiet.add(id_)
        taken |= stood
    return frozenset(quiet)


def _where(words: Words, said: Collection[Words]) -> set[Words]:
    """Return what was said that is this: one without a place is at the place that was said of its times."""
    if words.where != (None, None):
        return {words} & set(said)
    return {one for one in said if one == words or (one.slot == words.slot and one.place is not None)}


def awaiting(
    appointments: dict[str, AgendaEntry], quiet: Collection[str], zone: str, now: datetime
) -> dict[str, AgendaEntry]:  # fmt: skip
    """Return the appointments; of those that a reminder alone may tell of it is noted since when they are on their day."""
    if not quiet:
        return appointments
    entries = dict(appointments)
    for id_ in quiet:
        entry = entries[id_]
        day = day_of(entry.actual.start, zone) if entry.booked and entry.notify == "reminder" else None
        if (entry.awaits[0] if entry.awaits is not None else None) != day:
            entries[id_] = replace(entry, awaits=(day, now) if day is not None else None)
    return entries


def made_known(agenda: Agenda, reminder: Notice, zone: str, now: datetime) -> Agenda:
    """Return the agenda in which what a reminder is the first to tell is known."""
    if all(agenda.appointments[id_].notify is None for id_ in reminder.appointments):
        return agenda
    before = known_of(agenda, zone, now)
    quiet = kept_quiet(agenda, before, zone)
    entries = {id_: agenda.appointments[id_] for id_ in reminder.appointments if id_ in quiet}
    if not entries:
        return agenda
    members = tuple(
        Member(id_, None, words_of(entry.actual, zone), entry.actual.series) for id_, entry in entries.items()
    )  # fmt: skip
    notice = Notice(id=reminder.id, kind="created", members=members)
    return kept(agenda, before, read(before, [notice], now, rules=False), zone)


def forgotten(agenda: Agenda, reminder: str, zone: str, now: datetime) -> Agenda:
    """Return the agenda without what a reminder that came back would have been the first to tell."""
    before = known_of(agenda, zone, now)
    items = {words: item for words, item in before.items.items() if item.notice != reminder}
    return kept(agenda, before, Known(items, before.rules), zone) if len(items) < len(before.items) else agenda
