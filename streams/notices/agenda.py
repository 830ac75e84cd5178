"""The agenda of one client: what is actual, and the window in which changes of it are gathered.

`(agenda, event, now) -> agenda`: pure (`streams/README.md`). What is told when the window closes is decided in `closing.py`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from schemas.events import AppointmentEvent
from schemas.inputs import Organisation, WindowSettings
from schemas.known import Item
from schemas.notices import Notice
from schemas.state import Agenda, AgendaEntry, Flying, SettingsRow, Window
from schemas.texts import Labels

from ..processing.local_time import DEFAULT_ZONE, KEPT
from ..processing.places import said_place
from .known import known_of
from .labels import hushed_by
from .rules import holds
from .undoing import recent
from .unsaid_places import placed
from .words import is_ahead

NO_LABELS: Labels = {}


class Decided(msgspec.Struct, frozen=True, gc=False):
    """A notice, and why it does not go out: a `detail` of `suppressed`, or `expired`; None: it does."""

    notice: Notice
    withheld: str | None
    start: datetime

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """Cancellations first, then by the start that put it on this day, then by appointment id."""
        return (not self.notice.kind.endswith("cancelled"), self.start, self.notice.appointment or "")


def zone_of(organisation: Organisation | None) -> str:
    """Return the organisation's zone."""
    return organisation.time_zone if organisation is not None else DEFAULT_ZONE


def take_in(
    agenda: Agenda, event: AppointmentEvent, settings: WindowSettings, now: datetime, late: float = 0.0,
    labels: Labels = NO_LABELS, *, says_places: bool = True,
) -> Agenda:  # fmt: skip
    """Return the agenda after an event; a change opens or extends the window, a stale or repeated event does nothing.

    `late`: the seconds that the event took to get here. `labels`: what the organisation says of appointments by their label;
    `says_places`: whether it has places said.
    """
    old = agenda.appointments.get(event.appointment)
    if old is not None and event.position <= old.position:
        return agenda
    details = event.details
    own = event.notify if details is not None and details.label is not None else None
    hushed = hushed_by(event.notify, details, labels)
    view, unsaid = placed(event.view, None, says=says_places)
    if old is None:
        if not event.booked and not event.replaces:  # one that replaces others may be a link between those
            return agenda
        entry = AgendaEntry(
            revision=event.revision, deleted=event.deleted, order=event.order, booked=event.booked, present=event.present,
            actual=view, unsaid_place=unsaid, replaces=event.replaces, outcome=event.outcome, notify=hushed, own_notify=own,
            details=details, tell=event.tell, keep_until=max(event.view.end, now) + KEPT,
        )  # fmt: skip
        changed = event.booked
    else:
        entry = replace(
            old, revision=event.revision, deleted=event.deleted, order=event.order, booked=event.booked, present=event.present,
            actual=view, unsaid_place=unsaid, replaces=event.replaces, outcome=event.outcome, notify=hushed, own_notify=own,
            details=details, tell=event.tell, keep_until=max(old.keep_until, max(event.view.end, now) + KEPT),
        )  # fmt: skip
        changed = compared(old) != compared(entry) or (old.outcome is not None and entry.outcome is None)
    appointments = {**agenda.appointments, event.appointment: entry}
    window = extended(agenda.window, settings, now, late) if changed else agenda.window
    return replace(afresh(agenda) if changed else agenda, appointments=appointments, window=window)


def afresh(agenda: Agenda) -> Agenda:
    """Forget what came back so far."""
    if agenda.backs == 0 and not agenda.returned and not any(one.said is not None for one in agenda.sent.values()):
        return agenda
    return replace(
        agenda, backs=0, returned={}, flight={id_: replace(flying, backs=0) for id_, flying in agenda.flight.items()},
        sent={id_: replace(one, said=None) for id_, one in agenda.sent.items()},
    )  # fmt: skip


def seconds_since(written: int, now: datetime) -> float:
    """Return the seconds that a record was on its way, by two clocks; 0 where nobody says when it was written."""
    return max(0.0, round(now.timestamp() - written / 1000, 1)) if written > 0 else 0.0


def compared(entry: AgendaEntry) -> tuple[object, ...]:
    """Return what counts as a change (`streams/README.md`, "Changes and windows"): it opens the window, whatever comes of it."""
    actual = entry.actual
    so = (actual.start, actual.end, said_place(actual.location, actual.kind), actual.kind)
    return (*so, entry.booked, entry.present, entry.notify)


def renamed_at(agenda: Agenda, settings: SettingsRow | None) -> datetime | None:
    """Return when a window closes because the organisation's time zone has changed, and days and times have other names."""
    if settings is None or agenda.zone in (None, settings.organisation.time_zone):
        return None
    if agenda.waiting is not None and agenda.waiting.zone == settings.organisation.time_zone:
        return None  # a hold has looked at it
    return settings.since + timedelta(seconds=settings.organisation.window.quiet_seconds)


def extended(window: Window | None, settings: WindowSettings, now: datetime, late: float) -> Window:
    """Return the window after a change at `now`."""
    opened, longest_way = (window.opened, max(window.late, late)) if window is not None else (now, late)
    if settings.quiet_seconds == 0:
        return Window(opened, now, longest_way)
    longest = opened + timedelta(seconds=settings.max_seconds)
    return Window(opened, max(now, min(now + timedelta(seconds=settings.quiet_seconds), longest)), longest_way)


def pruned(agenda: Agenda, zone: str, now: datetime) -> Agenda:
    """Return it without what has been kept long enough: 30 days after the later end, or after it was last taken in.

    What is known of what is over goes with the last appointment that it was told of, and a series with the last occurrence of it.
    """
    for entry in agenda.appointments.values():
        if entry.keep_until <= now:
            break
    else:
        if not agenda.seen or min(agenda.seen.values()) > now:
            return agenda
    oldest = (now - KEPT - timedelta(days=2)).date().isoformat()
    known = known_of(agenda, zone, now)
    appointments = {id_: entry for id_, entry in agenda.appointments.items() if entry.keep_until > now}
    items = {
        words: item
        for words, item in known.items.items()
        if any(id_ in appointments for id_ in item.ids) or is_ahead(words, now, zone)
    }
    bare = not appointments and not items and not agenda.flight
    return replace(
        agenda,
        appointments=appointments,
        known=None if bare else tuple(items.values()),
        zone=None if bare else zone,
        rules=tuple(rule for rule in known.rules if any(holds(rule, words) for words in items)),
        series={} if bare else agenda.series,
        backs=0 if bare else agenda.backs,
        unsaid=0 if bare else agenda.unsaid,
        sent=recent(agenda.sent, now),
        returned={},
        reminded=tuple(name for name in agenda.reminded if name > oldest),
        handled={name: one for name, one in agenda.handled.items() if name > oldest},
        seen={id_: until for id_, until in agenda.seen.items() if until > now},
    )


def without(agenda: Agenda, appointments: Container[str]) -> Agenda:
    """Return the agenda as if it had never had these appointments."""
    left = {id_: entry for id_, entry in agenda.appointments.items() if id_ not in appointments}
    agenda = replace(agenda, flight=speaking_of_others(agenda.flight, appointments), sent={
        id_: replace(one, gone=tuple(_of_others(one.gone, appointments)), said=None) for id_, one in agenda.sent.items()
    })  # fmt: skip
    items = list(_of_others(agenda.known or (), appointments))
    if not left and not items:
        return replace(agenda, appointments=left, known=None, rules=(), series={}, zone=None, sent={})
    return replace(agenda, appointments=left, known=tuple(items) if agenda.known is not None else None)


def _of_others(items: Iterable[Item], appointments: Container[str]) -> Iterator[Item]:
    """Yield what is known of other appointments than these."""
    for item in items:
        ids = tuple(id_ for id_ in item.ids if id_ not in appointments)
        if ids or (not item.ids and item.first not in appointments):
            yield replace(item, ids=ids)


def speaking_of_others(flight: Mapping[str, Flying], appointments: Container[str]) -> dict[str, Flying]:
    """Take what they say of these appointments out of messages that fly."""
    found = {}
    for id_, flying in flight.items():
        notices = []
        for notice in flying.notices:
            if members := tuple(member for member in notice.members if member.id not in appointments):
                others = tuple(member.id for member in members[1:])
                notices.append(replace(notice, members=members, appointment=members[0].id, others=others))
        if notices:
            found[id_] = replace(flying, notices=tuple(notices))
    return found
