"""Check every input, set aside what is bad, put what is good on `client-events` and `employee-events` (`streams/README.md`).

Of an appointment it keeps the last revision and tells each client whose own view of it changed, with that client's data only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from schemas.employees import EmployeeEvent
from schemas.events import ClientEvent
from schemas.inputs import OptOut
from schemas.keys import CLIENT, ClientKey, RecipientKey, employee_of, is_employee
from schemas.state import Snapshot
from schemas.topics import (
    AGENDA_SNAPSHOTS,
    APPOINTMENTS,
    CLIENT_EVENTS,
    CONSENTS,
    CONTACTS,
    DOUBTS,
    EMPLOYEE_EVENTS,
    EMPLOYEES,
    ERASURES,
    HOLDS,
    OPT_OUTS,
    ORGANISATIONS,
    OUTCOMES,
    OVERRIDES,
    POLLS,
    REPRESENTATIVES,
    REQUESTS,
    SNAPSHOTS,
)
from schemas.wire import BadRecordError, encode, loads, read, to_json

from ..processing.dead_letters import dead_letter, take_records, where
from ..processing.local_time import KEPT
from ..processing.places import sign_of_address
from ..processing.record_checks import key_parts, present
from ..processing.rows import Rows
from ..processing.timers import Timers
from ..processing.turn import EVERY, Decision, Output, ProcessorFactory, Record, Turn
from ..translate.envelopes import opened
from .agendas import Agendas
from .checks import (
    NAMES,
    appointment_of,
    contradicts,
    forgotten,
    hold_of,
    match_key,
    override_of,
    request_of,
    settings_of,
    snapshot_of,
)
from .contacts import known_contact
from .employees import CLEAR, employee_changes, employee_key_of, in_doubt, known_employee
from .fan_out import became, changes
from .forgetting import Forgetting
from .partial import consent_of, contact_of
from .polls import PATIENCE
from .representatives import people_of
from .tidying import is_tombstone, tidied

Event = ClientEvent | EmployeeEvent


class Intake(Forgetting):
    """Take in one partition of the input topics. `partitions`: of every topic; an erasure goes to each of them.

    `patience`: how long what a snapshot of an agenda misses is doubted before another one makes it cancelled.
    """

    def __init__(self, partitions: int, rows: MutableMapping[bytes, bytes], patience: timedelta = PATIENCE) -> None:
        self.timers = Timers()
        own = Rows(rows)
        super().__init__(partitions, own, Agendas(own, self.timers, patience))

    def loaded(self) -> None:
        """Find the appointments whose time to be forgotten will come."""
        self.rows.verify("intake", SNAPSHOTS, POLLS, DOUBTS)
        for key, snapshot in self.rows.scan(SNAPSHOTS):
            name = SNAPSHOTS.row(key).decode()
            self.timers.put(name, (snapshot.keep_until, 0, name))
        self.agendas.loaded()

    def decide(self, turn: Turn) -> Decision:
        """Take in the turn's records; forget what has been kept long enough."""
        decision = Decision()
        for name in self.timers.due(turn.due, turn.limit):
            self._forget(decision, name, turn.now)
        take_records(decision, turn, self._take, refuse)
        decision.more = self.timers.is_due(turn.due)
        return decision

    def _forget(self, decision: Decision, name: str, now: datetime) -> None:
        """Let a row go that has been kept long enough; a later event may have it kept for longer."""
        if self.agendas.keeps(name):
            self.agendas.forget(decision, name, now)
            return
        snapshot = self.rows.get(decision, SNAPSHOTS, name.encode())
        if snapshot is not None and snapshot.keep_until <= now:
            decision.put(name.encode(), None)
        elif snapshot is not None:
            self.timers.put(name, (snapshot.keep_until, 0, name))

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Do nothing: only the moments are derived from rows, and they are set as they are decided."""

    def next_due(self) -> datetime | None:
        """Return when the next appointment may be forgotten."""
        return self.timers.next()

    def _take(self, decision: Decision, record: Record, turn: Turn) -> None:
        decision.count("events", record.topic)
        handle = HANDLERS.get(record.topic)
        if handle is None:
            raise BadRecordError(f"unknown topic {record.topic}")
        inner = opened(record, NAMES[record.topic])
        if inner is None:
            decision.count("ignored", record.topic, "operation")
            return
        record = inner
        for event in handle(self, decision, record, turn.now):
            self._emit(decision, event)

    def _emit(self, decision: Decision, event: Event) -> None:
        value = encode(event)
        if isinstance(event, EmployeeEvent):
            decision.emit(Output(EMPLOYEE_EVENTS.name, event.key.encoded, value))
            return
        if event.client:
            decision.emit(Output(CLIENT_EVENTS.name, ClientKey(event.organisation, event.client).encoded, value))
            return
        decision.emit(Output(CLIENT_EVENTS.name, event.organisation.encode(), value, EVERY))

    def appointment(self, decision: Decision, record: Record, now: datetime) -> Iterator[Event]:
        """Yield the events for the clients whose view of the appointment changed, and for the employees on it."""
        event, doubts = (None, CLEAR) if is_tombstone(record.value) else appointment_of(record)
        organisation, appointment = (event.organisation, event.appointment) if event is not None else key_parts(record, 2)
        row = SNAPSHOTS.row(f"{organisation}/{appointment}")
        old: Snapshot | None = self.rows.get(decision, SNAPSHOTS, row)
        if event is not None:
            new = snapshot_of(event, now, old)
            if doubts.unclear:
                new = in_doubt(new, old)
        elif old is not None:
            new = msgspec.structs.replace(
                old, deleted=True, booked=False, outcomes={}, keep_until=max(old.keep_until, now + KEPT)
            )
        else:
            return  # a deletion of what was never seen
        if old is not None and new.position <= old.position:
            if new.position == old.position and contradicts(new, old):
                decision.count("contradictions")
                raise BadRecordError("same revision, other content")
            return  # stale or repeated
        decision.put(row, encode(new))
        if (sign := sign_of_address(new.view.location, new.view.kind)) is not None:
            decision.count("addresses_left_out", sign)
        name = row.decode()
        self.timers.put_by(name, (new.keep_until, 0, name))
        for one in became(organisation, appointment, old, new, now):
            whose = ClientKey(one.organisation, one.client).encoded
            decision.emit(Output(OUTCOMES.name, whose, to_json(one), headers=OUTCOMES.headers))
        for client, view in changes(appointment, old, new):
            yield ClientEvent(organisation=organisation, client=client, appointment=view, written=record.written)
        if new.employees or (old is not None and old.employees):
            author = event.author if event is not None else None
            yield from employee_changes(organisation, appointment, old, new, author, record.written)
        if doubts.faults:
            raise BadRecordError("; ".join(doubts.faults))

    def agenda(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in a snapshot of a client's agenda as one change of it; a null value forgets what snapshots said."""
        yield from self.agendas.take(decision, record, now)

    def consent(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in a consent as it stands, part by part; a null value deletes it."""
        if record.value is None or is_tombstone(record.value):
            yield forgotten(record, "consent")
            return
        event, faults, unknown = consent_of(loads(record.value))
        match_key(record, event.organisation, event.client)
        if unknown:
            decision.count("unknown_channels", times=unknown)
            decision.remarks.append(f"{where(record)}: {unknown} unknown channels are skipped")
        yield ClientEvent(organisation=event.organisation, client=event.client, consent=event)
        if faults:
            raise BadRecordError("; ".join(faults))

    def contact(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in a client's number and address as they stand, each by itself; a null value deletes them."""
        if record.value is None or is_tombstone(record.value):
            yield forgotten(record, "contact")
            return
        event, faults, _ = contact_of(tidied(record.topic, loads(record.value)))
        match_key(record, event.organisation, event.client)
        contact = known_contact(event)
        if contact.sms is not None and contact.sms.problem is not None:
            decision.count("unusable_numbers", contact.sms.problem)
        yield ClientEvent(organisation=event.organisation, client=event.client, contact=contact)
        if faults:
            raise BadRecordError("; ".join(faults))

    def representatives(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in who acts for a client, part by part; a null value deletes them."""
        if record.value is None or is_tombstone(record.value):
            yield forgotten(record, "people")
            return
        event, faults = people_of(tidied(record.topic, loads(record.value)))
        match_key(record, event.organisation, event.client)
        yield ClientEvent(organisation=event.organisation, client=event.client, people=event)
        if faults:
            raise BadRecordError("; ".join(faults))

    def employee(self, decision: Decision, record: Record, now: datetime) -> Iterator[EmployeeEvent]:
        """Take in whether and how an employee hears of the own agenda, part by part; a null value: it is unknown."""
        if is_tombstone(record.value):
            organisation, employee = employee_key_of(record)
            yield EmployeeEvent(organisation=organisation, employee=employee, forget=True)
            return
        event, faults = known_employee(tidied(record.topic, loads(present(record))))
        match_key(record, event.organisation, "", event.employee)
        yield event
        if faults:
            raise BadRecordError("; ".join(faults))

    def opt_out(self, decision: Decision, record: Record, now: datetime) -> Iterator[Event]:
        """Take in a channel turned off, or on again."""
        event = read(OptOut, present(record))
        whose = RecipientKey(event.organisation, event.client, event.recipient or CLIENT)
        if bool(event.client) is is_employee(whose.recipient):
            raise BadRecordError("an employee has no client, and everybody else has - at `$.client`")
        match_key(record, *whose.of_topics.split("/"))
        if event.client:
            yield ClientEvent(organisation=event.organisation, client=event.client, opt_out=event)
        else:
            yield EmployeeEvent(organisation=event.organisation, employee=employee_of(whose.recipient), opt_out=event)

    def organisation(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in an organisation's settings, whole or not at all."""
        if is_tombstone(record.value):
            (organisation,) = key_parts(record, 1)
            yield ClientEvent(organisation=organisation, forget="settings")
            return
        event = settings_of(record)
        yield ClientEvent(organisation=event.organisation, settings=event)

    def override(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in what an organisation laid over upstream's settings; a null value takes it all back."""
        if record.value is None:
            (organisation,) = key_parts(record, 1)
            yield ClientEvent(organisation=organisation, forget="override")
            return
        event = override_of(record)
        yield ClientEvent(organisation=event.organisation, override=event)

    def hold(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in what an organisation holds, whole or not at all; a null value ends it."""
        if is_tombstone(record.value):
            (organisation,) = key_parts(record, 1)
            yield ClientEvent(organisation=organisation, forget="hold")
            return
        event = hold_of(record, now)
        yield ClientEvent(organisation=event.organisation, hold=event)

    def request(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in a third party's message."""
        event = request_of(loads(present(record)))
        match_key(record, event.organisation, event.client)
        yield ClientEvent(organisation=event.organisation, client=event.client, request=event, written=record.written)


Handler = Callable[[Intake, Decision, Record, datetime], Iterator[Any]]

HANDLERS: dict[str, Handler] = {
    APPOINTMENTS.name: Intake.appointment,
    AGENDA_SNAPSHOTS.name: Intake.agenda,
    CONSENTS.name: Intake.consent,
    CONTACTS.name: Intake.contact,
    REPRESENTATIVES.name: Intake.representatives,
    EMPLOYEES.name: Intake.employee,
    OPT_OUTS.name: Intake.opt_out,
    ORGANISATIONS.name: Intake.organisation,
    OVERRIDES.name: Intake.override,
    HOLDS.name: Intake.hold,
    REQUESTS.name: Intake.request,
    ERASURES.name: Intake.erasure,
}


def intake(partitions: int, patience: timedelta = PATIENCE) -> ProcessorFactory:
    """Return the factory of intake's processors."""
    return lambda partition, rows, peers: Intake(partitions, rows, patience)


def refuse(decision: Decision, record: Record, reason: str) -> None:
    """Set aside what upstream sent."""
    decision.count("refused", record.topic)
    decision.emit(dead_letter(record, reason))
