"""The closing of a window: what is said is the difference between what the client knows and what is so (streams/README.md).

`(agenda, organisation, way, now) -> (agenda, messages)`: pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.deliveries import NOT_SAID, SAME_ADDRESS
from schemas.inputs import Organisation
from schemas.keys import RecipientKey
from schemas.known import Item, Rule
from schemas.state import Agenda, AgendaEntry

from .agenda import Decided, zone_of
from .clarity import clear
from .flights import takeoff
from .gates import Eligibility
from .gathering import Statement, group_changes
from .grouping import grouped
from .holds import Difference, Held, held_back
from .known import Known, holders_of, kept, known_of, leave, overheard, read
from .matching import Change, Scene, changes, scene_of
from .notify import awaiting
from .quiet_hours import quiet_until, soon_days
from .rules import after, holds
from .silence import absent, is_free, same
from .words import is_ahead
from .writer import Writer


class Closing(NamedTuple):
    """What a closing decided: the agenda in which what goes out flies, and its messages, suppressed and expired ones too.

    `held`: what waits in a hold of the organisation.
    """

    agenda: Agenda
    messages: list[list[Decided]]
    held: Held | None = None


Unsaid = Callable[[Change, Scene], str | None]
"""Why a change is not to be said: a `detail` of `suppressed`; None: it is."""


class ClosingPlan(NamedTuple):
    """What is said, and what of that waits; what is not to be said, and why; what is over; what an earlier series notice covers.

    `held`: quiet hours hold some of it back.
    """

    said: list[Statement]
    waits: list[Statement]
    not_said: list[tuple[Statement, str]]
    over: list[Statement]
    covered: list[Change]
    held: bool


def hold_back(key: RecipientKey, agenda: Agenda, organisation: Organisation | None, now: datetime) -> Held | None:
    """Return what would be said, or known, of a client whose organisation holds that; None where that is nothing."""
    zone = zone_of(organisation)
    scene = scene_of(agenda, known_of(agenda, zone, now), zone, now)
    writer = Writer(key, scene)
    plan = planned(scene, None, writer)
    if not plan.said and not plan.covered:
        return None
    return held_back(agenda, scene, writer, plan.said, plan.covered)


def close(
    key: RecipientKey, agenda: Agenda, organisation: Organisation | None, eligibility: Eligibility, now: datetime,
    unsaid: Unsaid | None = None, *, hold: bool = False, elsewhere: Collection[str] = (), by_day: bool = True,
) -> Closing:  # fmt: skip
    """Close the window. In quiet hours, or a hold, only what belongs to a day that is soon is decided; the rest is held.

    `unsaid`: of what nothing is said. `elsewhere`: appointments of which somebody else is told at the same address.
    `by_day`: each day is a message of its own.
    """
    zone, until = zone_of(organisation), quiet_until(organisation, now)
    before = known_of(agenda, zone, now)
    scene = scene_of(agenda, before, zone, now)
    soon = _soon(scene, hold or until is not None)
    writer = Writer(key, scene)
    plan = planned(scene, soon, writer, unsaid, hold=hold)
    held = held_back(agenda, scene, writer, plan.waits, ()) if hold and plan.waits else None
    withheld = eligibility.closed_gate
    decided = [
        *[writer.decided(said, "expired") for said in plan.over],
        *[writer.decided(Statement((change,)), "series") for change in plan.covered],
        *[writer.decided(said, why) for said, why in plan.not_said],
        *[writer.decided(said, withheld or _is_told(said, elsewhere)) for said in plan.said],
    ]
    item_of = before.item_of
    away, away_held = absent(writer, item_of, None if hold else soon)
    silent = same(writer, item_of, decided)
    held_until = until if plan.held or away_held else None
    messages = [_cleared(message, scene) for message in grouped([*away, *decided, *silent], by_day=by_day)]
    known = _covering(scene, plan.covered, decided)
    if plan.over:
        known = read(known, [one.notice for one in decided if one.withheld == "expired"], now, rules=False)
    overheard_now = [one.notice for one in decided if one.withheld not in (None, "expired", "series")]
    if overheard_now:
        known = overheard(known, overheard_now, now)
    if plan.over or overheard_now:
        known = scene_of(agenda, known, zone, now).known  # who is in the same words has its record by now, and one is enough
    appointments = awaiting(_noticed(agenda.appointments, decided, away, silent), scene.quiet, zone, now)
    waiting = held.waiting if held is not None else None
    agenda = replace(agenda, window=None, held_until=held_until, waiting=waiting, appointments=appointments)
    return Closing(takeoff(kept(agenda, before, known, zone), messages, eligibility.channel, now), messages, held)


def _is_told(said: Statement, elsewhere: Collection[str]) -> str | None:
    """Return why it is not said once more, where somebody else is told all of it at the same address."""
    return SAME_ADDRESS if elsewhere and all(member.id in elsewhere for member in said.members) else None


def _cleared(message: list[Decided], scene: Scene) -> list[Decided]:
    """Return a message in words that are clear, if it goes out."""
    if message[0].withheld is not None:
        return message
    notices = clear([one.notice for one in message], scene)
    return [replace(one, notice=notice) for one, notice in zip(message, notices, strict=True)]


def planned(
    scene: Scene, soon: set[str] | None, writer: Writer, unsaid: Unsaid | None = None, *, hold: bool = False
) -> ClosingPlan:  # fmt: skip
    """Decide what one closing says. `soon`: in quiet hours, or a hold, the days that are not held; `unsaid`: what is not said."""
    went, made = changes(scene)
    past = dict.fromkeys(change for change in (*went, *made) if scene.is_past(change.member))
    over = [Statement((change,)) for change in past]
    if past:
        went, made = ([change for change in some if change not in past] for some in (went, made))
    not_said: list[tuple[Statement, str]] = []
    if unsaid is not None:
        reasons = {change: why for change in (*went, *made) if (why := unsaid(change, scene)) is not None}
        for why in dict.fromkeys(reasons.values()):
            for some in (went, made):
                group = group_changes((change for change in some if reasons.get(change) == why), scene)
                not_said += [(one, why) for one in group]
        went, made = ([change for change in some if change not in reasons] for some in (went, made))
    moved = _grouped_beside(went, made, scene, writer)
    said = [one for one in moved if is_free(one, soon)]
    covered: list[Change] = []
    rest: list[Change] = []
    if not scene.known.rules:
        rest = made
    elif made:
        later = read(scene.known, [writer.notice(one) for one in said], scene.now) if said else scene.known
        now = Known(dict(scene.known.items), scene.known.rules)
        later = Known(dict(later.items), later.rules)
        for change in made:
            if _covers(now, change, scene) and _covers(later, change, scene):
                covered.append(change)
                for known in (now, later):
                    known.items[change.first] = writer.item(change)
            else:
                rest.append(change)
        scene = scene._replace(known=now)
    fresh = group_changes(rest, scene)
    said += [one for one in fresh if is_free(one, soon)]
    waits = [one for one in (*moved, *fresh) if not is_free(one, soon)]
    if hold:
        return ClosingPlan(said, waits, not_said, over, covered, held=False)
    free = [one for one in over if is_free(one, soon)]
    return ClosingPlan(said, waits, not_said, free, covered, held=bool(waits) or len(free) < len(over))


def _grouped_beside(went: list[Change], made: list[Change], scene: Scene, writer: Writer) -> list[Statement]:
    """Group what goes or moves, in sentences that are as clear to who reads first of the series that come beside it."""
    moved = group_changes(went, scene)
    if not any(one.is_series for one in moved):
        return moved
    series = [one for one in (*moved, *group_changes(made, scene)) if one.is_series and one.changes[0].member.now is not None]
    coming = [rule for one in series for rule in after((), writer.notice(one))]
    return group_changes(went, scene, coming) if coming else moved


def not_these(differences: Collection[Difference]) -> Unsaid | None:
    """Have nothing said of these any more."""
    if not differences:
        return None
    return lambda change, _: NOT_SAID if (change.member.was, change.member.now) in differences else None


def _soon(scene: Scene, is_quiet: bool) -> set[str] | None:
    """Return the days that quiet hours do not hold; None where it is not quiet."""
    if not is_quiet:
        return None
    return soon_days(scene.agenda.appointments.values(), scene.zone, scene.now, scene.known.items)


def _covers(known: Known, change: Change, scene: Scene) -> bool:
    """Tell whether a series that was told says it: on its rhythm, within it, not off, with an occurrence of it still ahead."""
    name = change.member.series

    def is_ahead_of(rule: Rule) -> bool:
        return any(
            item.series == name and item.heard and other in scene.want and holds(rule, other)
            and is_ahead(other, scene.now, scene.zone)
            for other, item in known.items.items()
        )  # fmt: skip

    return any(is_ahead_of(rule) for rule in _rules_of(known, change))


def _rules_of(known: Known, change: Change) -> Iterator[Rule]:
    """Yield the series that were told of which something is a regular occurrence, at their place and of their kind."""
    words, name = change.first, change.member.series
    for rule in known.rules:
        if name is not None and rule.series == name and (rule.kind, rule.place) == words.where and holds(rule, words):
            yield rule


def _covering(scene: Scene, covered: list[Change], decided: list[Decided]) -> Known:
    """Return what is known with what an earlier series notice says of it."""
    if not covered:
        return scene.known
    notices = {one.notice.appointment: one.notice.id for one in decided if one.withheld == "series"}
    items = dict(scene.known.items)
    holders = holders_of(items)
    for change in covered:
        ids = scene.want[change.first]
        for id_ in ids:
            for words in holders.pop(id_, ()):
                leave(items, words, id_)
        items[change.first] = Item(
            words=change.first,
            ids=ids,
            series=change.member.series,
            since=scene.now,
            notice=notices[change.member.id],
            covered=next((rule.notice for rule in _rules_of(scene.known, change)), None),
        )
    return Known(items, scene.known.rules)


def _noticed(
    appointments: Mapping[str, AgendaEntry], decided: Iterable[Decided], absent: Iterable[Decided], same: Iterable[Decided]
) -> dict[str, AgendaEntry]:
    """Return the appointments, each with the last notice decided for it, where that need not go out first to be used."""
    entries = dict(appointments)
    for one in decided:
        for id_ in one.notice.appointments:
            if (entry := entries.get(id_)) is not None:
                noticed = entry.revision if one.withheld is not None else entry.noticed
                entries[id_] = replace(entry, notice=one.notice.id, noticed=noticed)
    for one in same:
        for id_ in one.notice.appointments:
            if entries[id_].notice is None:
                entries[id_] = replace(entries[id_], notice=one.notice.id)
    for one in absent:
        for id_ in one.notice.appointments:
            entries[id_] = replace(entries[id_], silent=entries[id_].revision)
    return entries
