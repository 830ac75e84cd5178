"""The agenda of one client: what is actual, what was told, and what the difference is when a window closes.

`(agenda, event, now) -> agenda` and `(agenda, standing, now) -> (agenda, decided)`: pure (DESIGN.md "Rules").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from schemas.events import AppointmentEvent, View
from schemas.inputs import Organisation, WindowSettings
from schemas.notices import Kind, Notice, change_id
from schemas.state import Agenda, Entry, Window

from . import series
from .quiet import quiet_until, soon_days
from .zones import DEFAULT_ZONE, day_of

KEPT = timedelta(days=30)
MOST_MESSAGES = 5
"""More days than this in one closing, and one message has them all."""


class Difference(NamedTuple):
    """One appointment whose told and actual differ in a way that is worth a notice."""

    appointment: str
    kind: Kind
    was: View | None
    now: View | None

    @property
    def placed_by(self) -> View:
        """The view whose start puts it on its day: of a move the earlier one."""
        if self.was is None or (self.now is not None and self.now.start < self.was.start):
            if self.now is None:
                raise AssertionError("a difference without a view")
            return self.now
        return self.was


class Decided(msgspec.Struct, frozen=True, gc=False):
    """A notice, and why it does not go out: a `detail` of `suppressed`, or `expired`; None: it does."""

    notice: Notice
    fate: str | None
    start: datetime

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """Cancellations first, then by the start that put it on this day, then by appointment id."""
        return (not self.notice.kind.endswith("cancelled"), self.start, self.notice.appointment or "")


def zone_of(organisation: Organisation | None) -> str:
    """The organisation's zone."""
    return organisation.time_zone if organisation is not None else DEFAULT_ZONE


def take_in(agenda: Agenda, event: AppointmentEvent, settings: WindowSettings, now: datetime, late: float = 0.0) -> Agenda:
    """The agenda after an event; a change opens or extends the window, a stale or repeated event does nothing at all.

    `late`: the seconds that the event took to get here.
    """
    old = agenda.appointments.get(event.appointment)
    if old is not None and (event.revision, event.deleted) <= (old.revision, old.deleted):
        return agenda
    if old is None:
        if not event.booked:
            return agenda
        entry = Entry(
            revision=event.revision, deleted=event.deleted, booked=True, present=event.present, actual=event.view,
            keep_until=max(event.view.end, now) + KEPT,
        )  # fmt: skip
        changed = True
    else:
        entry = replace(
            old, revision=event.revision, deleted=event.deleted, booked=event.booked, present=event.present, actual=event.view,
            keep_until=max(old.keep_until, max(event.view.end, now) + KEPT),
        )  # fmt: skip
        changed = compared(old) != compared(entry)
    appointments = {**agenda.appointments, event.appointment: entry}
    window = extended(agenda.window, settings, now, late) if changed else agenda.window
    return replace(agenda, appointments=appointments, window=window)


def compared(entry: Entry) -> tuple[object, ...]:
    """What counts as a change (DESIGN.md "Change")."""
    return (entry.actual.start, entry.actual.end, entry.actual.location, entry.booked, entry.present)


def extended(window: Window | None, settings: WindowSettings, now: datetime, late: float) -> Window:
    """The window after a change at `now`."""
    opened, longest_way = (window.opened, max(window.late, late)) if window is not None else (now, late)
    if settings.quiet_seconds == 0:
        return Window(opened, now, longest_way)
    longest = opened + timedelta(seconds=settings.max_seconds)
    return Window(opened, max(now, min(now + timedelta(seconds=settings.quiet_seconds), longest)), longest_way)


def difference(appointment: str, entry: Entry) -> Difference | None:
    """What the client would have to be told. A location that is dropped is not told, so it stays as told."""
    told, actual = entry.told, entry.actual
    if told is None:
        return Difference(appointment, "created", None, actual) if entry.booked else None
    if not entry.booked:
        return Difference(appointment, "cancelled", told, None)
    if (told.start, told.end) != (actual.start, actual.end):
        return Difference(appointment, "moved", told, actual)
    if actual.location is not None and told.location != actual.location:
        return Difference(appointment, "relocated", told, actual)
    return None


class Closing(NamedTuple):
    """What a closing decided: the agenda after it, and the notices, suppressed and expired ones included."""

    agenda: Agenda
    decided: list[Decided]


def close(organisation_id: str, client: str, agenda: Agenda, organisation: Organisation | None, now: datetime) -> Closing:
    """Close the window: decide what differs. In quiet hours only what belongs to a day that is soon; the rest is held.

    The gates that are not about one appointment are checked by the caller: they are the same for all notices of a client.
    """
    zone = zone_of(organisation)
    changes = [
        (change, entry)
        for id_, entry in agenda.appointments.items()
        if (change := difference(id_, entry)) is not None and (entry.present or entry.silent != entry.revision)
    ]
    absent = [series.Told([pair], covered="absent") for pair in changes if not pair[1].present]
    groups = absent + series.gather(
        [pair for pair in changes if pair[1].present], agenda.appointments, agenda.series, zone, now
    )  # fmt: skip
    until = quiet_until(organisation, now)
    held = False
    if until is not None:
        soon = soon_days(agenda.appointments.values(), zone, now)
        free = [group for group in groups if not soon.isdisjoint(days(group.members[0][0], zone))]
        held, groups = len(free) < len(groups), free
    held_until = until if held else None
    if not groups:
        return Closing(replace(agenda, window=None, held_until=held_until), [])

    entries = dict(agenda.appointments)
    decided = []
    for group in groups:
        one = _decide(organisation_id, client, group, zone, now)
        decided.append(one)
        for change, entry in group.members:
            if entry.present:
                entries[change.appointment] = tell(entry, one.notice.id, zone, now)
            else:  # `told` is held back, so that the difference is told when the client is present again
                entries[change.appointment] = replace(entry, silent=entry.revision)
    told = [group for group in groups if group.members[0][1].present]
    remembered = series.remember(told, agenda.appointments, agenda.series, zone, now)
    return Closing(replace(agenda, window=None, held_until=held_until, appointments=entries, series=remembered), decided)


def days(change: Difference, zone: str) -> set[str]:
    """The local days that a change touches: of a move both."""
    return {day_of(view.start, zone) for view in (change.was, change.now) if view is not None}


def _decide(organisation: str, client: str, group: series.Told, zone: str, now: datetime) -> Decided:
    """The notice of a group; `expired` when neither the told nor the actual start of any of it is still ahead."""
    change, entry = group.members[0]
    kind: Kind = f"series_{change.kind}" if group.is_series else change.kind  # type: ignore[assignment]
    start = change.placed_by.start
    notice = Notice(
        id=change_id(organisation, client, change.appointment, kind, entry.revision), kind=kind, day=day_of(start, zone),
        appointment=change.appointment, others=tuple([other.appointment for other, _ in group.members[1:]]),
        was=change.was, now=change.now,
    )  # fmt: skip
    past = all(entry.actual.start <= now and (change.was is None or change.was.start <= now) for change, entry in group.members)
    return Decided(notice, "expired" if past else group.covered, start)


def tell(entry: Entry, notice: str, zone: str, now: datetime) -> Entry:
    """`told` moves to what is actual; `told_since` stays where its local day stays."""
    if not entry.booked:
        return replace(entry, told=None, told_since=None, notice=notice)
    same_day = entry.told is not None and day_of(entry.told.start, zone) == day_of(entry.actual.start, zone)
    return replace(entry, told=entry.actual, told_since=entry.told_since if same_day else now, notice=notice)


def grouped(decided: list[Decided]) -> list[list[Decided]]:
    """The messages: notices of one fate and one local day each; all of one fate in one where that would be more than 5."""
    if len(decided) < 2:
        return [decided] if decided else []
    by_fate: dict[str | None, dict[str, list[Decided]]] = {}
    for one in sorted(decided, key=lambda one: one.order):
        by_fate.setdefault(one.fate, {}).setdefault(one.notice.day or "", []).append(one)
    messages = []
    for by_day in by_fate.values():
        if len(by_day) > MOST_MESSAGES:
            messages.append(sorted((one for day in by_day.values() for one in day), key=lambda one: one.order))
        else:
            messages.extend(by_day.values())
    return sorted(messages, key=lambda message: (min(one.notice.day or "" for one in message), message[0].order))


def pruned(agenda: Agenda, now: datetime) -> Agenda:
    """Without what has been kept long enough: 30 days after the later end, or after it was last taken in."""
    for entry in agenda.appointments.values():
        if entry.keep_until <= now:
            break
    else:
        if not agenda.seen or min(agenda.seen.values()) > now:
            return agenda
    oldest = (now - KEPT - timedelta(days=2)).date().isoformat()
    appointments = {id_: entry for id_, entry in agenda.appointments.items() if entry.keep_until > now}
    known = {entry.actual.series for entry in appointments.values()}
    return replace(
        agenda,
        appointments=appointments,
        series={id_: told for id_, told in agenda.series.items() if id_ in known},
        reminded=tuple(day for day in agenda.reminded if day > oldest),
        seen={id_: until for id_, until in agenda.seen.items() if until > now},
    )
