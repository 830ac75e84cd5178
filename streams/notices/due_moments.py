"""When reminders fall due (`streams/README.md`, "Reminders"): of each local day, by the organisation's list of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from schemas.inputs import NOT_WITHIN_HOURS, Organisation, ReminderSettings
from schemas.notices import reminder_name
from schemas.reminded import Due, Reminded
from schemas.state import Agenda, AgendaEntry, SettingsRow

from ..processing.local_time import day_of, instant_of, local
from ..processing.working_days import working_day_before
from .holds import days_waiting
from .quiet_hours import quiet_until, soon_days
from .rules import moved_by


class DueMoment(NamedTuple):
    """A reminder, and when it falls due: at its wall time, or at the end of the quiet hours that hold it back."""

    at: datetime
    due: Due


def reminders_of(organisation: Organisation) -> Sequence[ReminderSettings]:
    """Return the reminders of a day: the list of them, or else the one."""
    if organisation.reminders is not None and organisation.reminders is not UNSET:
        return organisation.reminders
    return (organisation.reminder,) if organisation.reminder is not None else ()


def due_moments(agenda: Agenda, organisation: Organisation, day: str) -> list[DueMoment]:
    """Return the reminders of a local day in the order in which they fall due, those of one wall time as one."""
    found = [_set_for(day, one, organisation) for one in reminders_of(organisation)]
    if organisation.quiet_hours is not None:
        found = [_after_quiet_hours(agenda, organisation, moment) for moment in found]
    if len(found) < 2:
        return found
    ordered = sorted({moment.due.wall: moment for moment in reversed(found)}.values(), key=_order)
    return [DueMoment(at, replace(due, place=place)) for place, (at, due) in enumerate(ordered, 1)]


def _order(moment: DueMoment) -> tuple[datetime, str]:
    return moment.at, moment.due.wall


def _set_for(day: str, one: ReminderSettings, organisation: Organisation) -> DueMoment:
    free = tuple(organisation.free_days or ()) if one.days == "working" else None
    return _moment(day, one.days_before, one.at, free, one.not_within_hours, organisation.time_zone)


@lru_cache(maxsize=65_536)
def _moment(day: str, days_before: int, at: str, free: tuple[date, ...] | None, hours: int, zone: str) -> DueMoment:
    """Return a reminder as it is set; `free`: the free days where working days are counted."""
    on = moved_by(day, -days_before) if free is None else working_day_before(day, days_before, free)
    return DueMoment(instant_of(on, at, zone), Due(day, f"{on}T{at}", hours))


def _after_quiet_hours(agenda: Agenda, organisation: Organisation, moment: DueMoment) -> DueMoment:
    until = quiet_until(organisation, moment.at)
    if until is None or moment.due.day in soon_days(agenda.appointments.values(), organisation.time_zone, moment.at):
        return moment
    return moment._replace(at=until)


def free_number(agenda: Agenda, day: str) -> int:
    """Return which one of its day the next reminder is: the first number that none has, as one that came back leaves its own."""
    number = 1
    while reminder_name(day, number) in agenda.reminded:
        number += 1
    return number


def handled_of(agenda: Agenda, day: str) -> list[Reminded]:
    """Return what is known of a day's reminders that were decided."""
    return [one for name, one in agenda.handled.items() if name.startswith(day) and name in agenda.reminded]


def decided_as(agenda: Agenda, due: Due, most: int) -> str | None:
    """Return the name under which a reminder was decided, None where it was not; `most`: how many its day has.

    Of a worker of before, which knew one a day, it is not known for which wall time its reminder was.
    """
    if most == 1 and due.day in agenda.reminded:
        return due.day
    names = (name for name, one in agenda.handled.items() if name.startswith(due.day) and one.wall == due.wall)
    return next((name for name in names if name in agenda.reminded), None)


def remembered(agenda: Agenda, due: Due, went: datetime | None) -> Agenda:
    """Return the agenda in which a reminder is decided; `went`: when it went out."""
    name = reminder_name(due.day, free_number(agenda, due.day))
    return replace(
        agenda, reminded=(*agenda.reminded, name), handled={**agenda.handled, name: Reminded(due.wall, went)}
    )  # fmt: skip


def still_due(agenda: Agenda, settings: SettingsRow | None, now: datetime) -> list[DueMoment]:
    """Return the reminders of a client that are still to be decided.

    The i-th of a day is so while fewer than i were decided, and none for its wall time. A due moment in the past counts only
    where an appointment was told on that day before it, and the setting is older than it: then it is late (an outage), not
    newly made.
    """
    found: list[DueMoment] = []
    if settings is None or not (most := len(reminders_of(settings.organisation))):
        return found
    organisation, zone, waiting = settings.organisation, settings.organisation.time_zone, days_waiting(agenda)
    on = [entry for entry in agenda.appointments.values() if entry.booked and entry.outcome is None]
    for day in {day_of(entry.actual.start, zone) for entry in on}:
        number = free_number(agenda, day) if agenda.reminded else 1
        if number > most or day in waiting:
            continue
        walls = [one.wall for one in handled_of(agenda, day)] if agenda.handled else ()
        for moment in due_moments(agenda, organisation, day):
            at, due = moment
            if number > due.place or due.wall in walls or at <= settings.since:
                continue
            if at > now or any(was_told_before(entry, at, zone) for entry in on if day_of(entry.actual.start, zone) == day):
                found.append(moment)
    return found


def upcoming(agenda: Agenda, settings: SettingsRow | None, now: datetime) -> tuple[datetime, str] | None:
    """Return when a client's next reminder falls due, and of which day it is."""
    found = still_due(agenda, settings, now)
    return min([(at, due.day) for at, due in found]) if found else None


def due_together(agenda: Agenda, settings: SettingsRow, day: str, at: datetime, now: datetime) -> tuple[Due, ...]:
    """Return what falls due at a moment at which a reminder of that day does, by day; of one day the one that was set first."""
    organisation = settings.organisation
    if len(reminders_of(organisation)) == 1 and organisation.quiet_hours is None and not counts_working_days(organisation):
        return (due_moments(agenda, organisation, day)[0].due,)
    found: dict[str, Due] = {}
    for when, due in still_due(agenda, settings, now):
        if when == at:
            found[due.day] = min(found.get(due.day, due), due, key=lambda one: one.wall)
    return tuple(found[day] for day in sorted(found))


def counts_working_days(organisation: Organisation) -> bool:
    """Tell whether its free days say when a reminder falls due."""
    return any(one.days == "working" for one in reminders_of(organisation))


def due_of_before(organisation: Organisation, day: str, at: datetime) -> Due:
    """Return the reminder that waits in a row of a worker of before, which says its day and moment."""
    hours = next((one.not_within_hours for one in reminders_of(organisation)), NOT_WITHIN_HOURS)
    return Due(day, f"{local(at, organisation.time_zone):%Y-%m-%dT%H:%M}", hours)


def was_told_before(entry: AgendaEntry, due: datetime, zone: str) -> bool:
    """Tell whether an appointment was told to be on its actual local day before the due moment of that day's reminder.

    Of one that its reminder alone may tell of: whether it was on that day before.
    """
    if entry.notify == "reminder" and entry.awaits is not None and entry.awaits[1] < due:
        return entry.awaits[0] == day_of(entry.actual.start, zone)
    if entry.told is None or entry.told_on_day_since is None or entry.told_on_day_since >= due:
        return False
    return day_of(entry.told.start, zone) == day_of(entry.actual.start, zone)


def is_within(hours: int, since: datetime, now: datetime) -> bool:
    """Tell whether something was so many hours before, or after where a clock was set back."""
    return abs(now - since) < timedelta(hours=hours)
