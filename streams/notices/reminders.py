"""What reminders say (`streams/README.md`, "Reminders"): of a client's local day what is actual at their due moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.deliveries import JUST_REMINDED, JUST_TOLD, NOTIFY
from schemas.inputs import Organisation
from schemas.keys import RecipientKey
from schemas.known import Words
from schemas.notices import Notice, reminder_id, reminder_name
from schemas.reminded import Due
from schemas.state import Agenda, AgendaEntry

from ..processing.local_time import day_of
from .due_moments import free_number, handled_of, is_within, was_told_before
from .known import known_of
from .labels import label_in
from .words import kind_between, said, words_of


class Reminder(NamedTuple):
    """What a due reminder comes to: its notice and, where it does not go out, why."""

    notice: Notice
    withheld: str | None


def remind(
    key: RecipientKey, agenda: Agenda, organisation: Organisation, day: str, due: datetime, now: datetime
) -> Reminder | None:  # fmt: skip
    """Return the next reminder of a day, after its due moment closed the open window; None where there is none.

    It speaks of what is on the day and has not begun: `expired` if nothing; `absent` if the client is present on none,
    `notify` if those where the client is are not to be reminded of. There is
    one if some of that was told to be on the day before the due moment.
    """
    zone = organisation.time_zone
    on = booked_on(agenda, day, zone)
    expected = expected_of(on, zone)
    withheld = None if expected else why_not(on)
    speaks_of = expected or on
    ahead = [(id_, entry) for id_, entry in speaks_of if entry.actual.start > now]
    if not any(was_told_before(entry, due, zone) for _, entry in ahead or speaks_of):
        return None
    if not ahead:
        withheld, ahead = "expired", speaks_of
    first, entry = ahead[0]
    number = free_number(agenda, day)
    notice = Notice(
        id=reminder_id(key.organisation, key.told, reminder_name(day, number)), kind="reminder", day=day, number=number,
        appointment=first,
        others=tuple(id_ for id_, _ in ahead[1:]), now=said(entry.actual), label=label_in(entry for _, entry in ahead),
    )  # fmt: skip
    return Reminder(notice, withheld)


def left_out(agenda: Agenda, due: Due, zone: str, appointments: Iterable[str], at: datetime) -> str | None:
    """Return why a reminder of these says nothing new at `at`: another one of that day, or a message, went out hours before."""
    if any(one.went is not None and is_within(due.hours, one.went, at) for one in handled_of(agenda, due.day)):
        return JUST_REMINDED
    return JUST_TOLD if just_told(agenda, due.hours, zone, appointments, at) else None


def just_told(agenda: Agenda, hours: int, zone: str, appointments: Iterable[str], at: datetime) -> bool:
    """Tell whether one message that went out so many hours before `at` told all of these as they are.

    Several of which each told some of it do not count: the reminder is the first to tell the day as a whole.
    """
    known = known_of(agenda, zone, at)
    words_by_id = known.item_of
    told = set()
    for id_ in appointments:
        words, so = words_by_id.get(id_), words_of(agenda.appointments[id_].actual, zone)
        told.add(known.items[words].told if words is not None and kind_between(words, so) is None else None)
    when = told.pop() if len(told) == 1 else None
    return when is not None and is_within(hours, when, at)


def booked_on(agenda: Agenda, day: str | None, zone: str) -> list[tuple[str, AgendaEntry]]:
    """Return the appointments of a local day of which nobody knows yet what became, in order of their start."""
    on = [
        (id_, entry)
        for id_, entry in agenda.appointments.items()
        if entry.booked and entry.outcome is None and day_of(entry.actual.start, zone) == day
    ]
    return on if len(on) < 2 else sorted(on, key=lambda pair: (pair[1].actual.start, pair[0]))


def is_expected(entry: AgendaEntry) -> bool:
    """Tell whether a reminder speaks of an appointment."""
    return entry.present and entry.notify != "none"


def why_not(on: Iterable[tuple[str, AgendaEntry]]) -> str:
    """Return why there is no reminder of what is on, where it is to speak of none of it."""
    return NOTIFY if any(entry.present for _, entry in on) else "absent"


def expected_of(booked: Iterable[tuple[str, AgendaEntry]], zone: str) -> list[tuple[str, AgendaEntry]]:
    """Return one of each that a client knows apart: two at the same times and place, or without one, are one thing to go to."""
    on = [(id_, entry, words_of(entry.actual, zone)) for id_, entry in booked if is_expected(entry)]
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
    on = [(id_, entry) for id_, entry in expected_of(booked_on(agenda, notice.day, zone), zone) if entry.actual.start > decided]
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
    if len(ahead) == len(on) and details == notice.details:
        return Reminder(notice, None)
    return Reminder(replace(notice, appointment=ahead[0][0], others=others, now=now_first, details=details), None)
