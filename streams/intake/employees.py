"""Take in employees: what is known of each, and whose agenda an appointment stands in. Part by part; in doubt nothing is said.

An employee is told nothing of a client: what goes to one has the appointment's times and its place as that is said, no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from msgspec.structs import replace

from schemas.appointments import Appointment, AttendingEmployee
from schemas.employees import EmployeeChange, EmployeeEvent, KnownEmployee, Level
from schemas.events import AppointmentEvent, View
from schemas.inputs import Contact, Phone
from schemas.state import Snapshot
from schemas.wire import MOST_EMPLOYEES, BadRecordError, EmployeeId, Id, Int64, check

from ..processing.places import said_place
from ..processing.record_checks import key_parts
from ..processing.turn import Record
from .contacts import known_contact
from .partial import LanguageTag, channels_part, email_part, part, placed


class Doubts(NamedTuple):
    """What of an appointment's employees cannot be used, and whether it cannot be said who else is among them."""

    faults: list[str]
    unclear: bool = False


CLEAR = Doubts([])


def with_usable_employees(plain: Any) -> Doubts:
    """Leave only those employees of an appointment that can be used, and its author if that can be; say what cannot.

    Of whom it is not clear whether the employee attends, that one does not: so nothing is said.
    """
    if not isinstance(plain, dict) or (plain.get("employees") is None and plain.get("author") is None):
        return CLEAR
    faults: list[str] = []
    try:
        if plain.get("author") is not None:
            check(EmployeeId, plain["author"])
    except BadRecordError as error:
        faults.append(placed(str(error), "author"))
        plain["author"] = None
    listed = plain.get("employees")
    if listed is None:
        return Doubts(faults)
    if not isinstance(listed, list) or len(listed) > MOST_EMPLOYEES:
        why = f"more than {MOST_EMPLOYEES} employees" if isinstance(listed, list) else "Expected `array`"
        plain["employees"] = []
        return Doubts([*faults, f"{why} - at `$.employees`"], unclear=True)
    found: dict[str, bool] = {}
    unclear = False
    for number, one in enumerate(listed):
        try:
            id_, attends = check(EmployeeId, one.get("employee") if isinstance(one, dict) else None), False
        except BadRecordError as error:
            faults.append(placed(str(error), f"employees[{number}].employee"))
            unclear = True
            continue
        try:
            attends = check(AttendingEmployee, one).attending
            if found.get(id_, attends) != attends:
                attends = False
                raise BadRecordError("an employee is listed twice, attending and not")
        except BadRecordError as error:
            faults.append(placed(str(error), f"employees[{number}]"))
        found[id_] = attends and found.get(id_, True)
    plain["employees"] = [{"employee": id_, "attending": attends} for id_, attends in found.items()]
    return Doubts(faults, unclear)


def employees_of(event: Appointment, last: Snapshot | None) -> dict[str, bool]:
    """Employee -> attending, of an appointment that is checked; what one that is not on leaves out is as it was."""
    if isinstance(event.employees, list):
        return {one.employee: one.attending for one in event.employees}
    return dict(last.employees) if last is not None and event.status != "booked" else {}


def in_doubt(new: Snapshot, last: Snapshot | None) -> Snapshot:
    """Return an appointment of which it is not clear who else is on it: who was stays, and is told nothing."""
    if last is None:
        return new
    return replace(new, employees={**dict.fromkeys(last.employees, False), **new.employees})


def employee_changes(
    organisation: str, appointment: str, old: Snapshot | None, new: Snapshot, author: object, written: int
) -> Iterator[EmployeeEvent]:
    """Yield each revision for everybody in whose agenda it stands; who is taken off has the appointment cancelled.

    Each revision, whether it changes anything or not: who made it decides what is left out.
    """
    view = _said(new.view)

    def event(employee: str, said: AppointmentEvent) -> EmployeeEvent:
        change = EmployeeChange(appointment=said, own=author == employee)
        return EmployeeEvent(organisation=organisation, employee=employee, change=change, written=written)

    for employee, attends in new.employees.items():
        yield event(employee, AppointmentEvent(
            appointment=appointment, revision=new.revision, deleted=new.deleted, order=new.order, booked=new.booked,
            present=attends, view=view, replaces=new.replaces,
        ))  # fmt: skip
    for employee, attended in old.employees.items() if old is not None else ():
        if employee not in new.employees and old is not None and (old.booked or not attended):
            yield event(employee, AppointmentEvent(
                appointment=appointment, revision=new.revision, deleted=new.deleted, order=new.order, booked=False,
                present=True, view=_said(old.view),
            ))  # fmt: skip


def _said(view: View) -> View:
    """Return a view with its place as it is said: no address, and none of what is at a client's home."""
    return replace(view, location=said_place(view.location, view.kind))


def employee_key_of(record: Record) -> tuple[str, str]:
    """Return organisation and employee of a key `organisation//employee`. Raises BadRecordError."""
    parts = (record.key or b"").split(b"/")
    if len(parts) != 3 or parts[1]:
        raise BadRecordError("the key is not two ids joined by '//'")
    organisation, employee = key_parts(replace(record, key=b"/".join((parts[0], parts[2]))), 2)
    return organisation, employee


def known_employee(plain: Any) -> tuple[EmployeeEvent, list[str]]:
    """Read an employee, and what of it cannot be used. Raises BadRecordError where its ids are missing or wrong."""
    if not isinstance(plain, dict):
        raise BadRecordError("Expected `object`")
    faults: list[str] = []
    organisation = part(Id, plain, "organisation", "", faults)
    employee = part(EmployeeId, plain, "employee", "", faults)
    if faults:
        raise BadRecordError(faults[0])
    channels = channels_part(plain, faults)
    level: Level = part(Level, plain, "notifications", get_args(Level)[-1], faults)
    contact = known_contact(Contact(
        organisation=organisation, client="", sms=part(Phone | None, plain, "sms", None, faults),
        email=email_part(plain, faults),
    ))  # fmt: skip
    known = KnownEmployee(
        notifications=level, channels=channels,
        sms=contact.sms, email=contact.email, language=part(LanguageTag | None, plain, "language", None, faults),
        revision=part(Int64 | None, plain, "revision", None, faults),
    )  # fmt: skip
    return EmployeeEvent(organisation=organisation, employee=employee, known=known), faults
