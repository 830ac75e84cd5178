"""Reminders (`streams/README.md`, "Reminders"): one per client and local day, ever, of what is actual at its due moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.deliveries import NOTIFY
from schemas.inputs import Organisation
from schemas.keys import ClientKey
from schemas.known import Words
from schemas.notices import Notice, reminder_id
from schemas.state import Agenda, AgendaEntry, SettingsRow

from ..processing.local_time import day_of, instant_of
from .holds import days_waiting
from .known import known_of
from .labels import label_in
from .quiet_hours import quiet_until, soon_days
from .words import kind_between, said, words_of


def due_at(agenda: Agenda, organisation: Organisation, day: str) -> datetime | None:
    """Return when the reminder of a local day falls due: at its wall time, or at the end of the quiet hours that hold it back."""
    if organisation.reminder is None:
        return None
    due = instant_of(day, organisation.reminder.at, organisation.time_zone, organisation.reminder.days_before)
    until = quiet_until(organisation, due)
    if until is None or day in soon_days(agenda.appointments.values(), organisation.time_zone, due):
        return due
    return until


def upcoming(agenda: Agenda, settings: SettingsRow | None, now: datetime) -> tuple[datetime, str] | None:
    """Return the next reminder of a client: its due moment and its day.

    A due moment in the past counts only where an appointment was told on that day before it, and the setting is older than it:
    then it is late (an outage), not newly made.
    """
    if settings is None or settings.organisation.reminder is None:
        return None
    organisation, zone = settings.organisation, settings.organisation.time_zone
    found: list[tuple[datetime, str]] = []
    days: dict[str, list[AgendaEntry]] = {}
    for entry in agenda.appointments.values():
        if entry.booked and entry.outcome is None:
            days.setdefault(day_of(entry.actual.start, zone), []).append(entry)
    for day, on in days.items():
        if day in agenda.reminded or day in days_waiting(agenda):
            continue
        due = due_at(agenda, organisation, day)
        if due is not None and due > settings.since and (due > now or any(was_told_before(entry, due, zone) for entry in on)):
            found.append((due, day))
    return min(found, default=None)


def was_told_before(entry: AgendaEntry, due: datetime, zone: str) -> bool:
    """Tell whether an appointment was told to be on its actual local day before the due moment of that day's reminder.

    Of one that its reminder alone may tell of: whether it was on that day before.
    """
    if entry.notify == "reminder" and entry.awaits is not None and entry.awaits[1] < due:
        return entry.awaits[0] == day_of(entry.actual.start, zone)
    if entry.told is None or entry.told_on_day_since is None or entry.told_on_day_since >= due:
        return False
    return day_of(entry.told.start, zone) == day_of(entry.actual.start, zone)


class Reminder(NamedTuple):
    """What a due reminder comes to: its notice and, where it does not go out, why."""

    notice: Notice
    withheld: str | None


def remind(key: ClientKey, agenda: Agenda, organisation: Organisation, day: str, due: datetime, now: datetime) -> Reminder | None:
    """Return the reminder of a day, after its due moment closed the open window; None where there is none.

    It speaks of what is on the day and has not begun: `expired` if nothing; `absent` if the client is present on none,
    `notify` if those where the client is are not to be reminded of. There is
    one if some of that was told to be on the day before the due moment.
    """
    zone = organisation.time_zone
    on, expected = booked_on(agenda, day, zone), expected_on(agenda, day, zone)
    withheld = None if expected else why_not(on)
    speaks_of = expected or on
    ahead = [(id_, entry) for id_, entry in speaks_of if entry.actual.start > now]
    if not any(was_told_before(entry, due, zone) for _, entry in ahead or speaks_of):
        return None
    if not ahead:
        withheld, ahead = "expired", speaks_of
    first, entry = ahead[0]
    notice = Notice(
        id=reminder_id(*key, day), kind="reminder", day=day, appointment=first,
        others=tuple(id_ for id_, _ in ahead[1:]), now=said(entry.actual), label=label_in(entry for _, entry in ahead),
    )  # fmt: skip
    return Reminder(notice, withheld)


def just_told(agenda: Agenda, organisation: Organisation, appointments: Iterable[str], at: datetime) -> bool:
    """Tell whether one message that went out shortly before `at` told all of these as they are: a reminder says nothing new.

    Several of which each told some of it do not count: the reminder is the first to tell the day as a whole.
    """
    if organisation.reminder is None:
        return False
    zone = organisation.time_zone
    known = known_of(agenda, zone, at)
    words_by_id = known.item_of
    told = set()
    for id_ in appointments:
        words, so = words_by_id.get(id_), words_of(agenda.appointments[id_].actual, zone)
        told.add(known.items[words].told if words is not None and kind_between(words, so) is None else None)
    when = told.pop() if len(told) == 1 else None
    # `abs`: a clock may have been set back.
    return when is not None and abs(at - when) < timedelta(hours=organisation.reminder.not_within_hours)


def booked_on(agenda: Agenda, day: str | None, zone: str) -> list[tuple[str, AgendaEntry]]:
    """Return the appointments of a local day of which nobody knows yet what became, in order of their start."""
    on = (pair for pair in agenda.appointments.items() if pair[1].booked and pair[1].outcome is None)
    on = (pair for pair in on if day_of(pair[1].actual.start, zone) == day)
    return sorted(on, key=lambda pair: (pair[1].actual.start, pair[0]))


def is_expected(entry: AgendaEntry) -> bool:
    """Tell whether a reminder speaks of an appointment."""
    return entry.present and entry.notify != "none"


def why_not(on: Iterable[tuple[str, AgendaEntry]]) -> str:
    """Return why there is no reminder of what is on, where it is to speak of none of it."""
    return NOTIFY if any(entry.present for _, entry in on) else "absent"


def expected_on(agenda: Agenda, day: str | None, zone: str) -> list[tuple[str, AgendaEntry]]:
    """Return one of each that a client knows apart: two at the same times and place, or without one, are one thing to go to."""
    on = [(id_, entry, words_of(entry.actual, zone)) for id_, entry in booked_on(agenda, day, zone) if is_expected(entry)]
    placed = {words.slot for _, _, words in on if words.place is not None}
    found: list[tuple[str, AgendaEntry]] = []
    seen: set[Words] = set()
    for id_, entry, words in on:
        if words not in seen and (words.where != (None, None) or words.slot not in placed):
            found.append((id_, entry))
        seen.add(words)
    return found


def at_sending(agenda: Agenda, notice: Notice, zone: str, decided: datetime, now: datetime) -> Reminder:
    """Check a reminder at its sending, without what has begun; `superseded` when it is no longer what would be decided."""
    on = [(id_, entry) for id_, entry in expected_on(agenda, notice.day, zone) if entry.actual.start > decided]
    if not on or notice.now is None or {id_ for id_, _ in on} != set(notice.appointments):
        return Reminder(notice, "superseded")
    first, entry = on[0]
    if first != notice.appointment or kind_between(words_of(notice.now, zone), words_of(entry.actual, zone)) is not None:
        return Reminder(notice, "superseded")
    ahead = [(id_, entry) for id_, entry in on if entry.actual.start > now]
    if not ahead:
        return Reminder(notice, "expired")
    # What it was decided of stays as it was then: a location that was dropped since is not in it.
    now_first = notice.now if ahead[0][0] == first else said(ahead[0][1].actual)
    others = tuple(id_ for id_, _ in ahead[1:])
    details = ahead[0][1].details if not others else None
    return Reminder(replace(notice, appointment=ahead[0][0], others=others, now=now_first, details=details), None)
