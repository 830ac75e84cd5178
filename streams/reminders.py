"""Reminders (DESIGN.md "Reminders"): one per client and local day, ever, of what is actual at its due moment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.events import View
from schemas.inputs import Organisation
from schemas.notices import Notice, reminder_id
from schemas.state import Agenda, Entry, Settings

from .quiet import quiet_until, soon_days
from .zones import day_of, instant_of


def due_at(agenda: Agenda, organisation: Organisation, day: str) -> datetime | None:
    """When the reminder of a local day falls due: at its wall time, or at the end of the quiet hours that hold it back."""
    if organisation.reminder is None:
        return None
    due = instant_of(day, organisation.reminder.at, organisation.time_zone, organisation.reminder.days_before)
    until = quiet_until(organisation, due)
    if until is None or day in soon_days(agenda.appointments.values(), organisation.time_zone, due):
        return due
    return until


def upcoming(agenda: Agenda, settings: Settings | None, now: datetime) -> tuple[datetime, str] | None:
    """The next reminder of a client: its due moment and its day.

    A due moment in the past counts only where an appointment was told on that day before it, and the setting is older than it:
    then it is late (an outage), not newly made.
    """
    if settings is None or settings.organisation.reminder is None:
        return None
    organisation = settings.organisation
    found: list[tuple[datetime, str]] = []
    told: dict[str, list[datetime]] = {}
    for entry in agenda.appointments.values():
        if entry.booked:
            since = told.setdefault(day_of(entry.actual.start, organisation.time_zone), [])
            if entry.told_since is not None and on_day(entry, entry.told, organisation.time_zone):
                since.append(entry.told_since)
    for day, since in told.items():
        if day in agenda.reminded:
            continue
        due = due_at(agenda, organisation, day)
        if due is not None and due > settings.since and (due > now or any(moment < due for moment in since)):
            found.append((due, day))
    return min(found, default=None)


def on_day(entry: Entry, view: View | None, zone: str) -> bool:
    """Whether the view is on the entry's actual local day."""
    return view is not None and day_of(view.start, zone) == day_of(entry.actual.start, zone)


class Reminder(NamedTuple):
    """What a due reminder comes to: its notice and, where it does not go out, why."""

    notice: Notice
    fate: str | None


def remind(
    organisation_id: str, client: str, agenda: Agenda, organisation: Organisation, day: str, due: datetime, now: datetime
) -> Reminder | None:
    """The reminder of a day, after its due moment closed the open window; None where there is none.

    It speaks of what is on the day and has not begun: `expired` if nothing; `absent` if the client is present on none. There is
    one if some of that was told to be on the day before the due moment.
    """
    zone = organisation.time_zone
    on = sorted(
        ((id_, entry) for id_, entry in agenda.appointments.items() if entry.booked and day_of(entry.actual.start, zone) == day),
        key=lambda pair: (pair[1].actual.start, pair[0]),
    )
    expected = [(id_, entry) for id_, entry in on if entry.present]
    fate = None if expected else "absent"
    speaks_of = expected or on
    ahead = [(id_, entry) for id_, entry in speaks_of if entry.actual.start > now]
    if not any(
        entry.told_since is not None and entry.told_since < due and on_day(entry, entry.told, zone)
        for _, entry in ahead or speaks_of
    ):
        return None
    if not ahead:
        fate, ahead = "expired", speaks_of
    first, entry = ahead[0]
    notice = Notice(
        id=reminder_id(organisation_id, client, day), kind="reminder", day=day, appointment=first,
        others=tuple(id_ for id_, _ in ahead[1:]), now=entry.actual,
    )  # fmt: skip
    return Reminder(notice, fate)


def told_for(agenda: Agenda, day: str | None, zone: str, after: datetime) -> list[tuple[datetime, str]]:
    """What is told for a local day and begins after an instant: starts and ids, in order."""
    return sorted(
        (entry.told.start, id_)
        for id_, entry in agenda.appointments.items()
        if entry.told is not None and entry.present and day_of(entry.told.start, zone) == day and entry.told.start > after
    )


def still_so(agenda: Agenda, notice: Notice, zone: str, decided: datetime, now: datetime) -> Reminder:
    """A reminder at its sending, without what has begun; `superseded` when it is no longer what is told for the day."""
    told = told_for(agenda, notice.day, zone, decided)
    if not told or notice.now is None or told[0][0] != notice.now.start or {id_ for _, id_ in told} != set(notice.appointments):
        return Reminder(notice, "superseded")
    ahead = [id_ for start, id_ in told if start > now]
    if not ahead:
        return Reminder(notice, "expired")
    # What it was decided of stays as it was then: a location that was dropped since it was told is not in it.
    first = notice.now if ahead[0] == notice.appointment else agenda.appointments[ahead[0]].told
    return Reminder(replace(notice, appointment=ahead[0], others=tuple(ahead[1:]), now=first), None)
