"""What is known, set beside what is so: ids follow words, and what is left over is what has to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.known import Item, Member, Rule, Words
from schemas.notices import Kind
from schemas.state import Agenda, AgendaEntry

from .known import Known
from .lived import lived_through
from .notify import hushed
from .rules import holds
from .words import is_ahead, kind_between, words_of

MOST_STEPS = 10
"""So far a chain of `replaces` is followed."""

Wanted = dict[Words, tuple[str, ...]]


class Change(NamedTuple):
    """One thing that has to be told."""

    kind: Kind
    member: Member

    @property
    def first(self) -> Words:
        """Where it stands in a series as the client knows it: as it was, of a creation as it is."""
        words = self.member.was or self.member.now
        if words is None:
            raise AssertionError("a change of nothing")
        return words

    @property
    def days(self) -> set[str]:
        """The local days that it touches: of a move both."""
        return {words.day for words in (self.member.was, self.member.now) if words is not None}


class Scene(NamedTuple):
    """One client at one moment: what is known, and what is so as it would be said: its words -> the ids of which they are so.

    `quiet`: of which nothing may be said first (`notify`): in `agenda` they stand as if the client were absent.
    """

    known: Known
    want: Wanted
    agenda: Agenda
    zone: str
    now: datetime
    quiet: frozenset[str] = frozenset()

    def is_past(self, member: Member) -> bool:
        """Tell whether neither what was nor what is of it is still ahead; what is, to the second."""
        entry = self.agenda.appointments.get(member.id)
        if member.now is not None and entry is not None and words_of(entry.actual, self.zone).slot == member.now.slot:
            begins = entry.actual.start > self.now
        else:
            begins = member.now is not None and is_ahead(member.now, self.now, self.zone)
        return not begins and (member.was is None or not is_ahead(member.was, self.now, self.zone))


def scene_of(agenda: Agenda, known: Known, zone: str, now: datetime) -> Scene:
    """Set what is known beside what is so: whoever is where something is known, is that, and nothing needs to be said."""
    agenda, quiet = hushed(agenda, known, zone)
    want = wanted(known, agenda.appointments, zone)
    known = lived_through(known, want, agenda.appointments, now)
    return Scene(_beside(known, want, agenda.appointments), want, agenda, zone, now, quiet)


def followed(known: Known, agenda: Agenda, zone: str) -> Known:
    """Return what is known, each with the appointments that are there now; nothing is learnt of what became of them."""
    agenda, _ = hushed(agenda, known, zone)
    return _beside(known, wanted(known, agenda.appointments, zone), agenda.appointments)


def _beside(known: Known, want: Wanted, appointments: Mapping[str, AgendaEntry]) -> Known:
    items = _joined(known, want, appointments)
    return Known(items, _following(known.rules, items, want))


def wanted(known: Known, appointments: Mapping[str, AgendaEntry], zone: str) -> Wanted:
    """Return what the client has to know. One without a place has the one it is known with, else that of another at that time."""
    on = [(id_, words_of(entry.actual, zone)) for id_, entry in sorted(appointments.items()) if entry.booked and entry.present]
    want: dict[Words, list[str]] = {}
    item_of: Mapping[str, Words] = {}
    so: dict[tuple[object, ...], set[str]] = {}
    told: dict[tuple[object, ...], set[str]] = {}
    if any(words.place is None and words.kind is None for _, words in on):
        item_of = known.item_of
        for _, words in on:
            if words.place is not None:
                so.setdefault(words.slot, set()).add(words.place)
        for words in known.items:
            if words.place is not None:
                told.setdefault(words.slot, set()).add(words.place)
    for id_, words in on:
        if words.place is None and words.kind is None:
            own, slot, outcome = item_of.get(id_), words.slot, appointments[id_].outcome
            if own is not None and own.slot == slot and own.place is not None:
                words = own
            elif outcome is not None and own == words:
                pass  # it is known as it then was, whatever is told at that time since
            elif places := (so.get(slot) if outcome is None else None) or told.get(slot):
                words = replace(words, place=min(places))
        want.setdefault(words, []).append(id_)
    return {words: tuple(ids) for words, ids in want.items()}


def _joined(known: Known, want: Wanted, appointments: Mapping[str, AgendaEntry]) -> dict[Words, Item]:
    """Return the items, each with the appointments that are now where it is, and those that are not known to be elsewhere."""
    items = dict(known.items)
    other = {
        words: item for words, item in items.items()
        if item.stale or want.get(words, ()) != item.ids or _series(item, item.ids, appointments) != item.series
    }  # fmt: skip
    theirs = {id_ for item in other.values() for id_ in item.ids}
    at = {id_: words for words, ids in want.items() for id_ in ids if id_ in theirs and words in items}
    heard = {id_ for item in other.values() if item.stale for id_ in item.ids}
    back = {id_ for words, item in other.items() if item.stale for id_ in want.get(words, ()) if id_ in item.ids}
    for words, item in other.items():
        here = want.get(words, ())
        if item.stale and not here:
            continue
        stay = () if item.stale else tuple(id_ for id_ in item.ids if _stays(id_, words, at, here, appointments))
        if not here and not item.heard:  # what is said of who goes on from here is said of the others; first of who was heard of
            stay = tuple(id_ for id_ in stay if _is_on(id_, appointments)) or stay
            stay = tuple(id_ for id_ in stay if id_ in heard) or stay
        ids = tuple(sorted({*stay, *here}))
        if not ids and item.ids and not item.heard and back.issuperset(item.ids):
            del items[words]  # it went back to what we said last, and nobody ever said this one
            continue
        joined = replace(
            item, ids=ids, first="" if ids else item.first or item.ids[0], stale=False, series=_series(item, ids, appointments)
        )
        if joined != item:  # the same one where nothing changed: that is how changes are found
            items[words] = joined
    return items


def _stays(
    id_: str, words: Words, at: Mapping[str, Words], here: tuple[str, ...], appointments: Mapping[str, AgendaEntry]
) -> bool:  # fmt: skip
    """Tell whether an appointment still stands for what it was told as: one that is off does as long as nobody else is there."""
    if at.get(id_, words) != words:
        return False
    entry = appointments.get(id_)
    return not here or id_ in here or (entry is not None and entry.booked)


def _is_on(id_: str, appointments: Mapping[str, AgendaEntry]) -> bool:
    entry = appointments.get(id_)
    return entry is not None and entry.booked and entry.present


def _series(item: Item, ids: tuple[str, ...], appointments: Mapping[str, AgendaEntry]) -> str | None:
    """Return its series, which follows that of its appointments."""
    live: set[str | None] = set()
    for id_ in ids:
        if _is_on(id_, appointments):
            if (name := appointments[id_].actual.series) == item.series:
                return item.series
            live.add(name)
    return min(live, key=str) if live else item.series


def _following(rules: tuple[Rule, ...], items: Mapping[Words, Item], want: Wanted) -> tuple[Rule, ...]:
    """Return the rules; one follows its occurrences to the series under which upstream wrote them anew."""
    if not rules:
        return ()
    at_times: dict[tuple[str, str], list[Item]] = {(rule.at, rule.until): [] for rule in rules}
    for words, item in items.items():
        if (at_time := at_times.get((words.at, words.until))) is not None and words in want:
            at_time.append(item)
    result = []
    for rule in rules:
        alike = at_times[rule.at, rule.until]
        if any(item.series == rule.series and holds(rule, item.words) for item in alike):
            result.append(rule)
            continue
        live = {item.series for item in alike if holds(rule, item.words)}
        result.append(rule if len(live) != 1 or None in live else replace(rule, series=live.pop()))
    return tuple(result)


def gone(scene: Scene) -> list[Words]:
    """Return what is known and not so. What only appointments stand for on which the client is absent is not compared."""
    appointments = scene.agenda.appointments
    found = [
        words
        for words, item in scene.known.items.items()
        if words not in scene.want and not item.stale and not is_absent(item, appointments)
    ]
    return sorted(found, key=lambda words: words.order)


def is_absent(item: Item, appointments: Mapping[str, AgendaEntry]) -> bool:
    """Tell whether it stands only for appointments on which the client is absent."""
    entries = [appointments.get(id_) for id_ in item.ids]
    return bool(entries) and all(entry is not None and not entry.present for entry in entries)


def changes(scene: Scene) -> tuple[list[Change], list[Change]]:
    """Return what goes or moves, and what is made.

    What is new starts from what its appointment was known as, else from what that replaces, else from what went at its times.
    """
    items, want = scene.known.items, scene.want
    off = dict.fromkeys(gone(scene))
    comes = sorted((words for words in want if words not in items), key=lambda words: words.order)
    went: list[Change] = []
    rest: list[Words] = []
    origins, known = (_origins(scene, off), scene.known.item_of) if comes else ({}, {})
    used: set[str] = set()
    for now in comes:
        found = next(((was, id_) for id_ in want[now] if (was := _origin(scene, id_, origins, known)) is not None), None)
        if found is None:
            rest.append(now)
            continue
        was, id_ = found
        went.append(_pair(scene, was, now, id_))
        used.update(items[was].ids)
        off.pop(was, None)
        for other in [one for one in origins if origins[one] == was]:
            del origins[other]
    made: list[Change] = []
    for now in rest:
        there = [was for was in off if was.slot == now.slot]
        was_there = min(there, key=lambda was: was.kind != now.kind, default=None)
        if was_there is not None:
            del off[was_there]
            went.append(_pair(scene, was_there, now, want[now][0]))
        else:
            id_ = want[now][0]
            made.append(Change("created", Member(id_, None, now, scene.agenda.appointments[id_].actual.series)))
    went.extend(_cancelled(scene, off, used))
    return went, made


def _origins(scene: Scene, off: Mapping[Words, None]) -> dict[str, Words]:
    """Return by appointment what a notice of it starts from: what was heard and then changed unheard stands before the rest."""
    return {id_: words for words in off for id_ in scene.known.items[words].ids} | _heard_before(scene)


def _heard_before(scene: Scene) -> dict[str, Words]:
    """Return by appointment what was heard of it, then changed unheard, and is still ahead: what is over is no news."""
    return {
        id_: words
        for words, item in scene.known.items.items()
        if item.stale and is_ahead(words, scene.now, scene.zone)
        for id_ in item.ids
    }


def _origin(scene: Scene, id_: str, origins: Mapping[str, Words], known: Mapping[str, Words]) -> Words | None:
    """Return what an appointment in its new place was until now: itself, or if unknown the first it replaces that is off."""
    appointments = scene.agenda.appointments
    if id_ in origins or id_ in known:
        return origins.get(id_)
    seen, line = {id_}, list(appointments[id_].replaces)
    while line and len(seen) <= MOST_STEPS:
        one = line.pop(0)
        entry = appointments.get(one)
        if one in seen or (entry is not None and entry.booked and entry.present):
            continue
        seen.add(one)
        if one in origins:
            return origins[one]
        line = [*(entry.replaces if entry is not None else ()), *line]
    return None


def _pair(scene: Scene, was: Words, now: Words, id_: str) -> Change:
    return Change(kind_between(was, now) or "relocated", Member(id_, was, now, scene.known.items[was].series))


def _cancelled(scene: Scene, off: Mapping[Words, None], used: set[str]) -> Iterator[Change]:
    """Yield what is known and not so, with nothing in its place; of what was heard and then changed unheard, what was heard."""
    items, stale = scene.known.items, _heard_before(scene)
    said: set[Words] = set()
    for words in off:
        item = items[words]
        ids = item.ids or (item.first,)  # who left it for where something else is known stood for it last
        if not item.heard and used.issuperset(ids):
            continue  # the notice of what was heard says it
        before = {stale[id_]: id_ for id_ in reversed(ids) if id_ in stale} if not item.heard else {}
        for was, id_ in (before or {words: min(ids)}).items():
            if was not in said:
                said.add(was)
                yield Change("cancelled", Member(id_, was, None, item.series))
