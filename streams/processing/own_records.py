"""Records of our own topics, read as strictly as upstream's.

Nothing but our own programs writes to these topics, so a record that cannot be used is a fault: of a program, a version, a
mirror, or somebody's hand. It must not stop the worker, and must change nothing: what passes here can be handled.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from schemas.deliveries import Delivery, DeliveryReport
from schemas.doubts import DoubtedRecord
from schemas.employees import EmployeeBody, EmployeeChange, EmployeeEvent, ForgetEmployee, Look
from schemas.events import AgendaChange, AppointmentEvent, Bounce, ClientEvent, EventBody, Forget, Landed
from schemas.held import HeldRecord
from schemas.holds import Hold, Urgent
from schemas.inputs import Channel, Organisation, Request
from schemas.keys import CLIENT, EMPLOYEE, PERSON, ClientKey, RecipientKey, is_employee, is_person
from schemas.wire import BadRecordError, own

from .local_time import zone
from .record_checks import FIRST_YEAR, LAST_YEAR, instant, key_parts
from .turn import Record

T = TypeVar("T")

_event = msgspec.json.Decoder(ClientEvent).decode
_employee_event = msgspec.json.Decoder(EmployeeEvent).decode
_delivery = msgspec.json.Decoder(Delivery).decode
_report = msgspec.json.Decoder(DeliveryReport).decode
_held = msgspec.json.Decoder(HeldRecord).decode
_doubted = msgspec.json.Decoder(DoubtedRecord).decode


class ReadEvent(NamedTuple):
    """An event that can be used. `client` is empty of what is of a whole organisation; the rest: see `ClientEvent`."""

    organisation: str
    client: str
    written: int
    body: EventBody
    recipient: str = CLIENT

    @property
    def key(self) -> ClientKey:
        """Return the key of its client."""
        return ClientKey(self.organisation, self.client)


def client_event(record: Record) -> ReadEvent:
    """Read a record of `client-events`. Raises BadRecordError."""
    event = own(_event, record.value)
    organisation, client = event.organisation, event.client
    _match(record, organisation, client) if client else _match(record, organisation)
    of_organisation = (
        event.settings is not None or event.override is not None or event.hold is not None
        or event.forget in ("settings", "override", "hold")
        or (event.urgent is not None and event.urgent.granted is None)
    )  # fmt: skip
    if of_organisation is bool(client):
        raise BadRecordError("it is of a client where it must be of an organisation, or the other way round")
    body = body_of(event)
    inner = body.request if isinstance(body, Landed) else body
    whose = getattr(inner, "organisation", organisation), client if of_organisation else getattr(inner, "client", client)
    if whose != (organisation, client):
        raise BadRecordError("it holds what is of another client, or of another organisation")
    match inner:
        case AppointmentEvent():
            _check_years(start=inner.view.start, end=inner.view.end)
        case AgendaChange():
            for one in inner.appointments:
                _check_years(start=one.view.start, end=one.view.end)
        case Organisation():
            _check_zone(inner.time_zone)
        case Hold():
            _check_years(at=inner.at, seen_at=inner.seen_at)
        case Request():
            _check_years(send_at=inner.send_at, expires_at=inner.expires_at)
    if event.recipient:
        _check_recipient(event.recipient)
        if not isinstance(body, Landed | Bounce | Urgent):
            raise BadRecordError("it is of the client alone - at `$.recipient`")
    return ReadEvent(organisation, client, event.written, body, event.recipient)


def body_of(event: ClientEvent) -> EventBody:
    """Return what an event says, the one member that it has. Raises BadRecordError where that is none, or several."""
    forget = Forget(event.forget) if event.forget is not None else None
    members = (
        event.appointment, event.consent, event.contact, event.opt_out, event.settings, event.override, event.request, forget,
        event.bounce, event.erased, event.outcome, event.agenda,
        event.hold, event.urgent, event.people,
    )  # fmt: skip
    return _only([member for member in members if member is not None])


def _only(found: list[T]) -> T:
    if len(found) != 1:
        raise BadRecordError("it has several kinds of event" if found else "it has no kind of event that this version knows")
    return found[0]


def employee_event(record: Record) -> tuple[EmployeeEvent, EmployeeBody]:
    """Read a record of `employee-events`, and what it says. Raises BadRecordError."""
    event = own(_employee_event, record.value)
    if event.look is bool(event.employee):
        raise BadRecordError("it is of an employee where it must be of an organisation, or the other way round")
    if event.employee:
        _match_recipient(record, event.key)
    else:
        _match(record, event.organisation)
    body = employee_body(event)
    if isinstance(body, EmployeeChange):
        _check_years(start=body.appointment.view.start, end=body.appointment.view.end)
    return event, body


def employee_body(event: EmployeeEvent) -> EmployeeBody:
    """Return what an event says, the one member that it has. Raises BadRecordError where that is none, or several."""
    members = (
        event.change, event.known, ForgetEmployee() if event.forget else None, event.opt_out, event.bounce, event.outcome,
        event.erased, Look() if event.look else None,
    )  # fmt: skip
    return _only([member for member in members if member is not None])


def delivery(record: Record, channel: Channel) -> Delivery:
    """Read a record of the topic of a channel's deliveries. Raises BadRecordError."""
    found = own(_delivery, record.value)
    _match_recipient(record, RecipientKey(found.organisation, found.client, found.recipient))
    if found.channel != channel:
        raise BadRecordError("it is of another channel - at `$.channel`")
    if not found.message or "/" in found.message:
        raise BadRecordError("not a message's id - at `$.message`")
    if not found.notices:
        raise BadRecordError("it tells nothing - at `$.notices`")
    if (found.reason == "request") is (found.request is None):
        raise BadRecordError("a request is missing, or there is one too many - at `$.request`")
    _check_years(decided=found.decided, due=found.due, useful_until=found.useful_until)
    return found


def recipient_key(record: Record) -> RecipientKey:
    """Read the key of a record without a value. Raises BadRecordError."""
    if b"//" in (record.key or b""):
        try:
            employee = RecipientKey.of((record.key or b"").decode())
        except ValueError:
            raise BadRecordError("the key is not that of an employee") from None
        _match_recipient(record, employee)
        return employee
    parts = key_parts(record, 3 if (record.key or b"").count(b"/") > 1 else 2)
    key = RecipientKey(*parts)
    if key.recipient:
        _check_recipient(key.recipient)
    return key


def _check_recipient(recipient: str) -> None:
    """See that it is one who acts for a client."""
    if not is_person(recipient) or recipient == PERSON or "/" in recipient:
        raise BadRecordError("not a recipient - at `$.recipient`")


def _match_recipient(record: Record, key: RecipientKey) -> None:
    """See that a record has the key of the client whom it is about, whoever is told, or of the employee."""
    if key.client:
        _match(record, key.organisation, key.client)
        if key.recipient:
            _check_recipient(key.recipient)
        return
    ids = (key.organisation, key.recipient.removeprefix(EMPLOYEE))
    if not is_employee(key.recipient) or record.key != str(key).encode() or any(not i or "/" in i for i in ids):
        raise BadRecordError("the key does not match the value: expected organisation//employee")


def held_value(value: bytes | None) -> HeldRecord:
    """Read what waits of a client, wherever it is kept. Raises BadRecordError."""
    return own(_held, value)


def held(record: Record) -> HeldRecord:
    """Read a record of `held` that has a value. Raises BadRecordError."""
    found = held_value(record.value)
    _match(record, found.organisation, found.client, *([found.recipient] if found.recipient else []))
    return found


def doubted_value(value: bytes | None) -> DoubtedRecord:
    """Read which snapshots are not believed, wherever it is kept. Raises BadRecordError."""
    return own(_doubted, value)


def doubted(record: Record) -> DoubtedRecord:
    """Read a record of `doubted` that has a value. Raises BadRecordError."""
    found = doubted_value(record.value)
    _match(record, found.organisation, str(found.partition))
    return found


def report(record: Record) -> DeliveryReport:
    """Read a record of `delivery-reports`. Raises BadRecordError."""
    found = own(_report, record.value)
    _match_recipient(record, RecipientKey(found.organisation, found.client, found.recipient))
    _check_years(at=found.at)
    return found


def _match(record: Record, *ids: str) -> None:
    """See that the key says what the value says: by it the record is in the partition of its client's state."""
    key = "/".join(ids)
    if record.key != key.encode() or key.count("/") != len(ids) - 1 or "" in ids:
        raise BadRecordError("the key does not match the value")


def _check_years(**instants: datetime | None) -> None:
    for field, value in instants.items():
        if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
            instant(value, field)


def _check_zone(name: str) -> None:
    """See that this machine has the zone: another one, with other time-zone data, took the settings in."""
    try:
        zone(name)
    except ValueError as error:
        raise BadRecordError(f"{error} - at `$.settings.time_zone`") from None
