"""What is still to come for one client: windows, what quiet hours hold, reminders, requests, messages at a sender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from schemas.deliveries import LogRecord
from schemas.inputs import Channel
from schemas.keys import ClientKey, RecipientKey
from schemas.ledger import LedgerRow
from schemas.notices import reminder_id
from schemas.reminded import Due
from schemas.state import Agenda, AgendaEntry, SettingsRow

from ..notices.difference import untold
from ..notices.due_moments import decided_as, due_moments, free_number, reminders_of, was_told_before
from ..notices.gates import ClientFacts, eligibility_of
from ..notices.holds import days_waiting, holds_party, is_on
from ..notices.notify import quiet_now
from ..notices.quiet_hours import quiet_until, soon_days
from ..notices.reminders import booked_on, expected_of, left_out, why_not
from ..notices.windows import is_off
from ..processing.local_time import day_of, instant_of
from ..sending.ledger import is_open, queue_key
from .words import became, moment


class Fact(NamedTuple):
    """A sentence, and the same for programs."""

    text: str
    data: dict[str, Any]


def pending(
    client_facts: ClientFacts, settings: SettingsRow | None, agenda: Agenda, ledgers: Mapping[Channel, Mapping[str, LedgerRow]],
    log: list[LogRecord], zone: str, now: datetime, appointment: str | None, key: ClientKey,
) -> list[Fact]:  # fmt: skip
    """Tell all of it, in the order in which a message goes."""
    facts = [
        *_window(client_facts, agenda, zone, now),
        *_waiting(settings, agenda, zone),
        *_reminders(client_facts, settings, agenda, log, zone, now, appointment, key),
    ]
    if appointment is None:
        facts += [
            Fact(
                f"request {name}: held by the organisation"
                if holds_party(settings, one.request.party)
                else f"request {name}: waits until {moment(one.due, zone)}",
                {"what": "request", "request": name, "at": one.due},
            )
            for name, one in sorted(agenda.requests.items(), key=lambda pair: pair[1].due)
        ]
    for channel, rows in ledgers.items():
        facts += at_sender_now(channel, rows, zone, now, appointment, key)
    return facts


def _window(client_facts: ClientFacts, agenda: Agenda, zone: str, now: datetime) -> Iterator[Fact]:
    """Tell the open window, and what quiet hours hold back."""
    quiet = quiet_now(agenda, zone, now)
    waiting = [id_ for id_ in untold(agenda, zone, now) if agenda.appointments[id_].present and id_ not in quiet]
    what = f" ({', '.join(sorted(waiting))})" if waiting else " (nothing differs from what was told)"
    if agenda.window is not None:
        closes = agenda.window.closes
        off = is_off(agenda)
        until = quiet_until(client_facts.organisation, closes) if not off else None
        text = f"an open window: what changed{what} is decided at {moment(closes, zone)}, later if another change comes"
        if off:
            text = f"an open window of when notifications were off: what changed{what} counts as known at {moment(closes, zone)}"
        if until is not None:
            soon = soon_days(agenda.appointments.values(), zone, closes)
            near = f"; days that are near ({', '.join(sorted(soon))}) are not held" if soon else ""
            text += f"; that is in quiet hours, so it is held until {moment(until, zone)}{near}"
        yield Fact(text, {"what": "window", "opened": agenda.window.opened, "at": closes, "held_until": until, "off": off})
    if agenda.held_until is not None:
        yield Fact(
            f"held by quiet hours until {moment(agenda.held_until, zone)}{what}", {"what": "held", "at": agenda.held_until}
        )


def _waiting(settings: SettingsRow | None, agenda: Agenda, zone: str) -> Iterator[Fact]:
    """Tell that the organisation holds its notices, and what of this client waits for that."""
    if agenda.waiting is None:
        if is_on(settings):
            yield Fact("the organisation holds its notices: what changes now waits until it ends that", {"what": "hold"})
        return
    days = ", ".join(agenda.waiting.days)
    until = "the organisation ends that" if is_on(settings) else "this is decided, now that it ended that"
    near = "; more messages of near days waited than may go" if agenda.waiting.refused else ""
    yield Fact(
        f"held by the organisation since {moment(agenda.waiting.since, zone)}: what changed on {days} waits until {until}{near}",
        {"what": "hold", "since": agenda.waiting.since, "days": list(agenda.waiting.days)},
    )  # fmt: skip


def _reminders(
    client_facts: ClientFacts, settings: SettingsRow | None, agenda: Agenda, log: list[LogRecord], zone: str, now: datetime,
    appointment: str | None, key: ClientKey,
) -> Iterator[Fact]:  # fmt: skip
    """Tell the reminder of each day on which something that is booked has not begun."""
    days: dict[str, list[tuple[str, AgendaEntry]]] = {}
    for id_, entry in sorted(agenda.appointments.items()):
        if entry.booked and entry.outcome is None and entry.actual.start > now:
            days.setdefault(day_of(entry.actual.start, zone), []).append((id_, entry))
    if days and settings is not None and not reminders_of(settings.organisation):
        yield Fact("no reminders: the organisation sends none", {"what": "reminder", "at": None})
        return
    for day, entries in sorted(days.items()):
        if settings is None or (appointment is not None and appointment not in [id_ for id_, _ in entries]):
            continue
        moments = due_moments(agenda, settings.organisation, day)
        for at, due in moments:
            name = decided_as(agenda, due, len(moments))
            found = [one for one in log if name and any(note.id == reminder_id(*key, name) for note in one.notices)]
            if found:
                fate = Fate("decided", became(found[-1], zone))
            elif name is not None:
                fate = Fate("decided", DECIDED)
            else:
                fate = _reminder(client_facts, settings, agenda, at, due, zone, now)
            which = f"reminder {due.place} of {len(moments)} of" if len(moments) > 1 else "reminder of"
            yield Fact(f"{which} {day}: {fate.text}", {
                "what": "reminder", "day": day, "place": due.place, "at": at, "decided": name is not None,
                "appointments": [id_ for id_, _ in entries], "state": fate.state, "closed": fate.closed,
                "message": found[-1].message if found else None,
            })  # fmt: skip


DECIDED = "decided; no record of it was read: nothing of the day had been told before it fell due, or the record is older"


class Fate(NamedTuple):
    """What becomes of a reminder: a word, and its sentence. `closed`: what would keep it back as things are now.

    `due`: it is to come; `closed`: it would be kept back; `decided`: it was; `late`: it is overdue; `hold`: it waits for the end
    of one. There is none: `as_many` were decided already, the `settings` changed after its moment, nothing was told before it
    (`untold`).
    """

    state: Literal["due", "closed", "decided", "late", "hold", "as_many", "settings", "untold"]
    text: str
    closed: str | None = None


def _reminder(
    client_facts: ClientFacts, settings: SettingsRow, agenda: Agenda, at: datetime, due: Due, zone: str, now: datetime
) -> Fate:  # fmt: skip
    """Say the state of one that was not decided, by the questions of `due_moments.still_due` and `remind` in their order."""
    if free_number(agenda, due.day) > due.place:
        return Fate("as_many", "none: as many were decided for that day before the organisation's reminders changed")
    if due.day in days_waiting(agenda):
        return Fate("hold", "waits for the end of the organisation's hold, which holds back what changed on that day")
    if at <= settings.since:
        changed = moment(settings.since, zone)
        return Fate("settings", f"none: {moment(at, zone)} is not after the last change of the settings ({changed})")
    # All of the day counts, what has begun too: an outage is no reason for silence.
    on = booked_on(agenda, due.day, zone)
    expected = [id_ for id_, _ in expected_of(on, zone)]
    if at <= now:
        if any(was_told_before(entry, at, zone) for _, entry in on):
            return Fate("late", f"was due at {moment(at, zone)} and is not decided yet: the worker is behind or stopped")
        return Fate("untold", f"none: nothing of the day had been told when it fell due, at {moment(at, zone)}")
    day, time = due.wall.split("T")
    wall = instant_of(day, time, zone)
    held = f" (quiet hours hold it back from {moment(wall, zone)})" if at > wall else ""
    closed: str | None = why_not(on) if not expected else eligibility_of(client_facts).closed_gate
    closed = closed or left_out(agenda, due, zone, expected, at)
    gate = f"; as things are now it would be suppressed: {closed}" if closed is not None else ""
    return Fate("due" if closed is None else "closed", f"due at {moment(at, zone)}{held}{gate}", closed)


def at_sender_now(
    channel: Channel,
    rows: Mapping[str, LedgerRow],
    zone: str,
    now: datetime,
    appointment: str | None,
    key: ClientKey | RecipientKey,
) -> Iterator[Fact]:
    """Tell messages of which something is still to come, in the order in which they go out."""
    still = {message: row for message, row in rows.items() if row.delivery is not None and is_open(row)}
    queue = sorted(still, key=lambda message: queue_key(f"ledger/{key}/{message}", still[message]))
    holder = next((one for one in queue if still[one].status in ("claimed", "unknown")), None)
    waiting = [one for one in queue if one != holder]
    whose = "client" if isinstance(key, ClientKey) else "employee"
    for message in queue:
        row, delivery = still[message], still[message].delivery
        if delivery is None or (appointment is not None and not any(appointment in one.appointments for one in delivery.notices)):
            continue
        what = ", ".join(f"{one.kind} {one.appointment or ''}".rstrip() for one in delivery.notices)
        text = _standing_at(row, message == holder, holder is not None or waiting[:1] != [message], zone, now, whose)
        yield Fact(f"{channel} message ({what}, attempt {row.attempt}): {text}", {
            "what": "message", "channel": channel, "message": message, "status": row.status, "attempt": row.attempt,
            "since": row.at, "at": row.next_at,
        })  # fmt: skip


def _standing_at(row: LedgerRow, holds: bool, behind: bool, zone: str, now: datetime, whose: str) -> str:
    since, until = moment(row.at, zone), moment(row.next_at, zone) if row.next_at is not None else None
    if row.status == "claimed":
        return f"being sent since {since}; if nothing is heard it counts as unknown from {until} on"
    if row.status == "unknown":
        return f"perhaps sent at {since}; it waits for the provider's report until {until}, then goes once more"
    if row.settling:
        return f"the provider has it (a report says so, {since}); the record of it is being written"
    if behind:
        return f"{row.status} since {since}, behind an earlier message of this {whose}"
    if row.next_at is not None and row.next_at > now:
        return f"the last attempt did not succeed ({since}); tried again at {until}"
    return (
        f"{row.status} since {since}; next to go. If that lasts, the channel is paused or at its rate: see the worker's metrics"
    )
