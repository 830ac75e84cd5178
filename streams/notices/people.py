"""Those who act for a client (`streams/README.md`, "Persons"): what of the client's agenda each of them may be told.

`person_view` is the one place that says so. What is decided for a person is decided of that view alone, by the same functions as
for the client, so that nothing else can be said. In doubt a person is told nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from schemas.events import KnownPerson, View
from schemas.inputs import WindowSettings
from schemas.known import Item, Rule, Words
from schemas.state import Agenda, AgendaEntry, PersonAgenda, PersonEntry, Sent

from ..processing.local_time import instant_of
from ..processing.places import said_place
from .agenda import afresh, compared, extended
from .known import Known, as_known, kept, known_of
from .words import words_of

NOBODY = PersonAgenda(away=True)
"""What is kept of who is not listed."""

BARE = PersonAgenda()


def ends_at(person: KnownPerson, zone: str) -> datetime | None:
    """Return the moment (UTC) from which on a person is told nothing; None: it does not end."""
    return instant_of(person.until.isoformat(), "00:00", zone) if person.until is not None else None


def has_ended(person: KnownPerson, zone: str, now: datetime) -> bool:
    """Tell whether a person is told nothing any more."""
    end = ends_at(person, zone)
    return end is not None and end <= now


def may_be_told(person: KnownPerson, entry: AgendaEntry) -> bool:
    """Tell whether a person may hear of an appointment, in any words."""
    return person.id in entry.tell if entry.tell is not None else person.all


SHARED = tuple(name for name in PersonAgenda.__struct_fields__ if name in Agenda.__struct_fields__)
"""What a person's own row and an agenda have alike, by name."""


# -- the view, and what is kept of it ------------------------------------------------------------------------------------------


def person_view(agenda: Agenda, person: KnownPerson, zone: str, *, places: bool) -> Agenda:
    """Return the client's agenda as it is for a person: what the person may be told of it, and what the person knows.

    `zone`: of what was never said; `places`: whether places are said to others than the client.
    """
    own = agenda.people.get(person.id, NOBODY)
    zone = own.zone or zone
    entries = {
        id_: _entry(entry, own.entries.get(id_, PersonEntry()), places=places)
        for id_, entry in agenda.appointments.items()
        if not own.away and may_be_told(person, entry)
    }
    items = [
        _item(id_, agenda.appointments[id_], one, zone)
        for id_, one in own.entries.items()
        if one.since is not None and id_ in entries
    ]  # fmt: skip
    items += _own(own.known, entries)
    if not places:
        items = _placeless(items)
    for item in items:
        for id_ in item.ids:
            if not item.stale and id_ in entries:
                entries[id_] = as_known(entries[id_], item, zone)
    rules = own.rules if places else tuple(map(_of_no_place, own.rules))
    return Agenda(**(_shared(own) | {"appointments": entries, "known": tuple(items), "rules": rules}))


def kept_of(view: Agenda, agenda: Agenda, zone: str) -> PersonAgenda:
    """Return what is kept of a person's view beside the client's agenda; what is not of the view goes."""
    zone = view.zone or zone
    entries: dict[str, PersonEntry] = {}
    for id_, entry in view.appointments.items():
        one = PersonEntry(notice=entry.notice, noticed=entry.noticed, silent=entry.silent, awaits=entry.awaits)
        if one != PersonEntry():
            entries[id_] = one
    known: list[Item] = []
    for item in _own(view.known or (), view.appointments):
        if (short := _shortened(item, view, agenda, zone)) is not None:
            entries[item.ids[0]] = short
        else:
            known.append(item)
    return PersonAgenda(**(_shared(view) | {"entries": entries, "known": tuple(known)}))


def with_view(agenda: Agenda, person: str, view: Agenda, zone: str) -> Agenda:
    """Return the client's agenda with what a person's view now is."""
    own = agenda.people.get(person, NOBODY)
    kept_ = (
        replace(own, flight=view.flight, unsaid=view.unsaid, reminded=view.reminded, handled=view.handled)
        if own.away
        else kept_of(view, agenda, zone)
    )
    return replace(agenda, people={**agenda.people, person: kept_})


def _shared(one: PersonAgenda | Agenda) -> dict[str, Any]:
    return {name: getattr(one, name) for name in SHARED}


def _entry(entry: AgendaEntry, own: PersonEntry, *, places: bool) -> AgendaEntry:
    """Return an appointment as a person may hear of it: without its place unless that is said, and never with its details."""
    actual = entry.actual if places or entry.actual.location is None else replace(entry.actual, location=None)
    return replace(
        entry, actual=actual, unsaid_place=None, details=None, own_notify=None, told=None, told_on_day_since=None, tell=None,
        notice=own.notice, noticed=own.noticed, silent=own.silent, awaits=own.awaits,
    )  # fmt: skip


def _own(items: Iterable[Item], entries: Collection[str]) -> Iterator[Item]:
    """Yield what is known of these appointments, as theirs alone."""
    for item in items:
        ids = tuple([id_ for id_ in item.ids if id_ in entries])
        if ids or (not item.ids and item.first in entries):
            yield item if ids == item.ids else replace(item, ids=ids)


def _placeless(items: list[Item]) -> list[Item]:
    """Return what is known without places, once these are not said (any more); what is then alike is one."""
    if all(item.words.place is None for item in items):
        return items
    found: dict[Words, Item] = {}
    for item in sorted(items, key=lambda one: one.stale):
        words = replace(item.words, place=None)
        there = found.get(words)
        ids = tuple(sorted({*item.ids, *there.ids})) if there is not None else item.ids
        found[words] = replace(there or item, words=words, ids=ids, first="" if ids else item.first)
    return list(found.values())


def _of_no_place(rule: Rule) -> Rule:
    return replace(rule, place=None) if rule.place is not None else rule


def _item(id_: str, entry: AgendaEntry, one: PersonEntry, zone: str) -> Item:
    """Return what is known of an appointment that is known as it is."""
    return Item(
        words=_words(entry, zone, placed=one.placed), ids=(id_,), series=entry.actual.series, since=one.since or entry.keep_until,
        notice=one.notice, told=one.told, heard=not one.unheard,
    )  # fmt: skip


def _shortened(item: Item, view: Agenda, agenda: Agenda, zone: str) -> PersonEntry | None:
    """Return an item as its appointment's own, where it follows from that."""
    id_ = item.ids[0] if len(item.ids) == 1 else ""
    if id_ not in agenda.appointments:
        return None
    entry = view.appointments[id_]
    one = PersonEntry(
        notice=entry.notice, noticed=entry.noticed, silent=entry.silent, awaits=entry.awaits, since=item.since, told=item.told,
        unheard=not item.heard, placed=item.words.place is not None,
    )  # fmt: skip
    return one if _item(id_, agenda.appointments[id_], one, zone) == item else None


def _words(entry: AgendaEntry, zone: str, *, placed: bool) -> Words:
    actual = entry.actual
    place = said_place(actual.location or entry.unsaid_place, actual.kind) if placed else None
    return words_of(View(actual.start, actual.end, place, None, actual.kind, actual.arrival), zone)


# -- what changes it -----------------------------------------------------------------------------------------------------------


def followed(
    before: Agenda, old: Agenda, agenda: Agenda, person: KnownPerson, zone: str, now: datetime, settings: WindowSettings,
    late: float, *, places: bool,
) -> Agenda:  # fmt: skip
    """Return a person's view after the client's agenda changed from `old` to `agenda`, or what the person may be told did.

    What the person may hear of from now on, and was there before, counts as known from elsewhere. What the person may not hear of
    any more is not known; a message about it that has not gone out comes back.
    """
    now_told = person_view(replace(agenda, people={person.id: BARE}), person, zone, places=places).appointments
    entries = {id_: _as_before(entry, before.appointments.get(id_)) for id_, entry in now_told.items()}
    view = without_others(replace(before, appointments=entries))
    came = [id_ for id_ in entries if id_ not in before.appointments]
    changed = any(
        compared(was) != compared(entries[id_]) or (was.outcome is not None and entries[id_].outcome is None)
        for id_, was in before.appointments.items()
        if id_ in entries
    ) or any(entries[id_].booked and id_ not in old.appointments for id_ in came)
    view = known_elsewhere(view, [id_ for id_ in came if id_ in old.appointments], zone, now)
    return replace(afresh(view), window=extended(view.window, settings, now, late)) if changed else view


def newcomer(view: Agenda, zone: str, now: datetime) -> Agenda:
    """Return the view of who is new, or back: all that is ahead is known from elsewhere, and no series is; reminders go."""
    fresh = replace(
        view, known=(), rules=(), zone=zone, window=None, held_until=None, waiting=None, reminding=None, due=(),
        appointments={id_: replace(entry, told=None, told_on_day_since=None) for id_, entry in view.appointments.items()},
    )  # fmt: skip
    return known_elsewhere(fresh, fresh.appointments, zone, now)


def known_elsewhere(view: Agenda, ids: Iterable[str], zone: str, now: datetime) -> Agenda:
    """Return the view in which what is on of these is known, and not by a message of ours."""
    zone = view.zone or zone
    before = known_of(view, zone, now)
    items = dict(before.items)
    for id_ in ids:
        entry = view.appointments[id_]
        if not (entry.booked and entry.present):
            continue
        words = words_of(entry.actual, zone)
        if (there := items.get(words)) is not None:
            items[words] = replace(there, ids=tuple(sorted({*there.ids, id_})), first="")
        else:
            items[words] = Item(
                words=words, ids=(id_,), series=entry.actual.series, since=now, notice=entry.notice, heard=False
            )  # fmt: skip
    return kept(view, before, Known(items, before.rules), zone) if items != before.items else view


def unlisted(own: PersonAgenda) -> PersonAgenda:
    """Return what is kept of who acts for the client no more: only what keeps ids and reminders from being used twice."""
    noticed = {
        id_: PersonEntry(notice=one.notice, noticed=one.noticed, silent=one.silent)
        for id_, one in own.entries.items()
        if one.notice is not None or one.silent is not None
    }
    return PersonAgenda(
        away=True, entries=noticed, flight=own.flight, unsaid=own.unsaid, reminded=own.reminded, handled=own.handled
    )  # fmt: skip


def without_others(view: Agenda) -> Agenda:
    """Return a view in which nothing is known, now or by what came back, but of its own appointments.

    Its flights stay: they come back by the gate `tell`.
    """
    known = tuple(_own(view.known or (), view.appointments))
    return replace(view, known=known, sent=_sent_of_own(view.sent, view.appointments))


def _sent_of_own(sent: Mapping[str, Sent], entries: Collection[str]) -> dict[str, Sent]:
    found = {}
    for id_, one in sent.items():
        gone = tuple(_own(one.gone, entries))
        found[id_] = one if gone == one.gone else replace(one, gone=gone, said=None)
    return found


def _as_before(entry: AgendaEntry, was: AgendaEntry | None) -> AgendaEntry:
    """Return an appointment as it now is, with what was decided and told of it before."""
    if was is None:
        return entry
    return replace(
        entry, told=was.told, told_on_day_since=was.told_on_day_since, notice=was.notice, noticed=was.noticed, silent=was.silent,
        awaits=was.awaits,
    )  # fmt: skip


def is_bare(own: PersonAgenda) -> bool:
    """Tell whether nothing is left to remember of a person but counters, which outlive nothing."""
    return own == replace(
        BARE, away=own.away, zone=own.zone, reminded=own.reminded, handled=own.handled, backs=own.backs, returned=own.returned,
        unsaid=own.unsaid, sent=own.sent,
    )  # fmt: skip
