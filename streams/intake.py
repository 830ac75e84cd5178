"""Intake: checks every input, sets aside what is bad, puts what is good on `client-events` (DESIGN.md "The way of an event").

Of an appointment it keeps the last revision and tells each client whose own view of it changed, with that client's data only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime

import msgspec

from schemas.events import AppointmentEvent, ClientEvent, Erased
from schemas.inputs import Appointment, Consent, Contact, Erasure, OptOut, Request
from schemas.state import Snapshot
from schemas.topics import (
    APPOINTMENTS,
    CLIENT_EVENTS,
    CONSENTS,
    CONTACTS,
    DEAD_LETTERS,
    ERASURES,
    OPT_OUTS,
    ORGANISATIONS,
    OVERRIDES,
    REQUESTS,
    SNAPSHOTS,
)
from schemas.wire import BadRecordError, encode, read

from .checks import KEPT, check_request, forgotten, key_parts, match_key, override_of, present, settings_of, snapshot_of
from .contacts import known_contact
from .erasure import strip_snapshots
from .moments import Moments
from .rows import Rows
from .turn import Decision, Output, Record, ShardFactory, Turn


class Intake:
    """The intake shard of one partition of the input topics. `partitions`: of every topic; settings go to each of them."""

    def __init__(self, partitions: int, rows: MutableMapping[bytes, bytes]) -> None:
        self.partitions = partitions
        self.rows = Rows(rows)
        self.moments = Moments()

    def loaded(self) -> None:
        """Find the appointments whose time to be forgotten will come."""
        for key, snapshot in self.rows.scan(SNAPSHOTS):
            name = SNAPSHOTS.row(key).decode()
            self.moments.put(name, (snapshot.keep_until, 0, name))

    def decide(self, turn: Turn) -> Decision:
        """Take in the turn's records; forget what has been kept long enough."""
        decision = Decision()
        for name in self.moments.due(turn.due, turn.limit):
            snapshot = self.rows.get(decision, SNAPSHOTS, name.encode())
            if snapshot is not None and snapshot.keep_until <= turn.now:
                decision.put(name.encode(), None)
            elif snapshot is not None:  # a later event has it kept for longer
                self.moments.put(name, (snapshot.keep_until, 0, name))
        for record in turn.records:
            if decision.full:
                break
            decision.taken += 1
            decision.count("events", record.topic)
            try:
                handle = HANDLERS.get(record.topic)
                if handle is None:
                    raise BadRecordError(f"unknown topic {record.topic}")
                for event in handle(self, decision, record, turn.now):
                    self._emit(decision, event)
            except BadRecordError as error:
                decision.count("refused", record.topic)
                decision.emit(dead_letter(record, str(error)))
        decision.more = self.moments.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Nothing is derived from rows but the moments, which are set as they are decided."""

    def next_due(self) -> datetime | None:
        """When the next appointment may be forgotten."""
        return self.moments.next()

    def _emit(self, decision: Decision, event: ClientEvent) -> None:
        value = encode(event)
        if event.client:
            decision.emit(Output(CLIENT_EVENTS.name, f"{event.organisation}/{event.client}".encode(), value))
            return
        for partition in range(self.partitions):
            decision.emit(Output(CLIENT_EVENTS.name, event.organisation.encode(), value, partition))

    def appointment(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """The events for the clients whose view of the appointment changed."""
        if record.value is None:
            organisation, appointment = key_parts(record, 2)
        else:
            event = read(Appointment, record.value)
            organisation, appointment = event.organisation, event.appointment
            match_key(record, organisation, appointment)
        row = SNAPSHOTS.row(f"{organisation}/{appointment}")
        old = self.rows.get(decision, SNAPSHOTS, row)
        if record.value is not None:
            new = snapshot_of(event, now)
        elif old is not None:
            new = msgspec.structs.replace(old, deleted=True, booked=False, keep_until=max(old.keep_until, now + KEPT))
        else:
            return  # a deletion of what was never seen
        if old is not None and (new.revision, new.deleted) <= (old.revision, old.deleted):
            return  # stale or repeated
        decision.put(row, encode(new))
        name = row.decode()
        self.moments.put_by(name, (new.keep_until, 0, name))
        for client, view in changes(appointment, old, new):
            yield ClientEvent(organisation=organisation, client=client, appointment=view, written=record.written)

    def consent(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """A consent as it stands; a null value deletes it."""
        if record.value is None:
            yield forgotten(record, "consent")
        else:
            event = read(Consent, record.value)
            match_key(record, event.organisation, event.client)
            yield ClientEvent(organisation=event.organisation, client=event.client, consent=event)

    def contact(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """A client's number and address as they stand; a null value deletes them."""
        if record.value is None:
            yield forgotten(record, "contact")
        else:
            event = read(Contact, record.value)
            match_key(record, event.organisation, event.client)
            contact = known_contact(event)
            if contact.sms is not None and contact.sms.problem is not None:
                decision.count("unusable_numbers", contact.sms.problem)
            yield ClientEvent(organisation=event.organisation, client=event.client, contact=contact)

    def opt_out(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """A channel turned off or on again."""
        event = read(OptOut, present(record))
        match_key(record, event.organisation, event.client)
        yield ClientEvent(organisation=event.organisation, client=event.client, opt_out=event)

    def organisation(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """An organisation's settings, whole or not at all."""
        if record.value is None:
            (organisation,) = key_parts(record, 1)
            yield ClientEvent(organisation=organisation, forget="settings")
            return
        event = settings_of(record)
        yield ClientEvent(organisation=event.organisation, settings=event)

    def override(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """What an organisation laid over upstream's settings; a null value takes it all back."""
        if record.value is None:
            (organisation,) = key_parts(record, 1)
            yield ClientEvent(organisation=organisation, forget="override")
            return
        event = override_of(record)
        yield ClientEvent(organisation=event.organisation, override=event)

    def request(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """A third party's message."""
        event = read(Request, present(record))
        match_key(record, event.organisation, event.client)
        yield ClientEvent(
            organisation=event.organisation, client=event.client, request=check_request(event), written=record.written
        )

    def erasure(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """A client is forgotten: here, and in every other partition, where appointments of the client may lie too.

        Another partition tells of those alone that it kept: what came for the client after the erasure is not touched by it.
        """
        event = read(Erasure, present(record))
        match_key(record, event.organisation, event.client)
        if event.stage == "done":
            return
        kept = strip_snapshots(self.rows, decision, event.organisation, event.client)
        if event.stage == "copied":
            if kept:
                yield ClientEvent(organisation=event.organisation, client=event.client, erased=Erased(kept))
            return
        yield ClientEvent(organisation=event.organisation, client=event.client, erased=Erased())
        copy = encode(msgspec.structs.replace(event, stage="copied"))
        for partition in range(self.partitions):
            if partition != record.partition:
                decision.emit(Output(ERASURES.name, record.key, copy, partition))


Handler = Callable[[Intake, Decision, Record, datetime], Iterator[ClientEvent]]

HANDLERS: dict[str, Handler] = {
    APPOINTMENTS.name: Intake.appointment,
    CONSENTS.name: Intake.consent,
    CONTACTS.name: Intake.contact,
    OPT_OUTS.name: Intake.opt_out,
    ORGANISATIONS.name: Intake.organisation,
    OVERRIDES.name: Intake.override,
    REQUESTS.name: Intake.request,
    ERASURES.name: Intake.erasure,
}


def intake(partitions: int) -> ShardFactory:
    """The factory of intake's shards."""
    return lambda partition, rows, peers: Intake(partitions, rows)


def dead_letter(record: Record, reason: str) -> Output:
    """The bytes of an event that cannot be used, with where it came from and why (DESIGN.md "Records")."""
    headers = (
        ("topic", record.topic.encode()),
        ("partition", str(record.partition).encode()),
        ("offset", str(record.offset).encode()),
        ("reason", reason.encode()),
    )
    return Output(DEAD_LETTERS.name, record.key, record.value, headers=headers)


def changes(appointment: str, old: Snapshot | None, new: Snapshot) -> Iterator[tuple[str, AppointmentEvent]]:
    """What changed for whom: `(client, event)`. A client taken off the list has the appointment cancelled."""
    before = old.clients if old is not None else {}
    same = old is not None and (old.booked, old.view) == (new.booked, new.view)
    for client, is_present in new.clients.items():
        if same and before.get(client) == is_present:
            continue
        yield (
            client,
            AppointmentEvent(
                appointment=appointment,
                revision=new.revision,
                deleted=new.deleted,
                booked=new.booked,
                present=is_present,
                view=new.view,
            ),
        )
    if old is None:
        return
    for client, was_present in before.items():
        if client not in new.clients and (old.booked or not was_present):  # who was absent has not been told that it is cancelled
            yield (
                client,
                AppointmentEvent(
                    appointment=appointment,
                    revision=new.revision,
                    deleted=new.deleted,
                    booked=False,
                    present=True,
                    view=old.view,
                ),
            )
