"""Check every input, set aside what is bad, put what is good on `client-events` (`streams/README.md`, "The way of an event").

Of an appointment it keeps the last revision and tells each client whose own view of it changed, with that client's data only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET

from schemas.erasures import Erasure
from schemas.events import ClientEvent, Erased
from schemas.inputs import OptOut
from schemas.keys import ClientKey
from schemas.state import Snapshot
from schemas.topics import (
    AGENDA_SNAPSHOTS,
    APPOINTMENTS,
    CLIENT_EVENTS,
    CONSENTS,
    CONTACTS,
    DOUBTS,
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
    check_erasure,
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
from .erasure import strip_person, strip_snapshots
from .fan_out import became, changes
from .partial import consent_of, contact_of
from .polls import PATIENCE
from .representatives import people_of
from .tidying import is_tombstone, tidied


class Intake:
    """Take in one partition of the input topics. `partitions`: of every topic; an erasure goes to each of them.

    `patience`: how long what a snapshot of an agenda misses is doubted before another one makes it cancelled.
    """

    def __init__(self, partitions: int, rows: MutableMapping[bytes, bytes], patience: timedelta = PATIENCE) -> None:
        self.partitions = partitions
        self.rows = Rows(rows)
        self.timers = Timers()
        self.agendas = Agendas(self.rows, self.timers, patience)

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

    def _emit(self, decision: Decision, event: ClientEvent) -> None:
        value = encode(event)
        if event.client:
            decision.emit(Output(CLIENT_EVENTS.name, ClientKey(event.organisation, event.client).encoded, value))
            return
        decision.emit(Output(CLIENT_EVENTS.name, event.organisation.encode(), value, EVERY))

    def appointment(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Yield the events for the clients whose view of the appointment changed."""
        event, faults = (None, list[str]()) if is_tombstone(record.value) else appointment_of(record)
        organisation, appointment = (event.organisation, event.appointment) if event is not None else key_parts(record, 2)
        row = SNAPSHOTS.row(f"{organisation}/{appointment}")
        old: Snapshot | None = self.rows.get(decision, SNAPSHOTS, row)
        if event is not None:
            new = snapshot_of(event, now, old)
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
            decision.emit(Output(OUTCOMES.name, ClientKey(one.organisation, one.client).encoded, to_json(one)))
        for client, view in changes(appointment, old, new):
            yield ClientEvent(organisation=organisation, client=client, appointment=view, written=record.written)
        if faults:
            raise BadRecordError("; ".join(faults))

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

    def opt_out(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in a channel turned off, or on again."""
        event = read(OptOut, present(record))
        match_key(record, event.organisation, event.client)
        yield ClientEvent(organisation=event.organisation, client=event.client, opt_out=event)

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

    def erasure(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Forget a client: here, and in every other partition, where appointments of the client may lie too.

        Another partition tells of those alone that it kept: what came for the client after the erasure is not touched by it.
        """
        event = check_erasure(read(Erasure, present(record)), now)
        match_key(record, event.organisation, event.client)
        if event.stage == "done":
            return
        if event.person is not UNSET:
            yield from self._erase_person(decision, record, event, event.person)
            return
        kept, done = strip_snapshots(self.rows, decision, event.organisation, event.client)
        kept += self.agendas.drop(decision, ClientKey(event.organisation, event.client), now)
        if not done:
            decision.comes_again()
        if event.stage == "copied":
            if kept:
                yield ClientEvent(organisation=event.organisation, client=event.client, erased=Erased(kept))
            return
        if not done:
            return
        yield ClientEvent(organisation=event.organisation, client=event.client, erased=Erased())
        self._copy(decision, record, event)

    def _erase_person(self, decision: Decision, record: Record, event: Erasure, person: str) -> Iterator[ClientEvent]:
        """Forget one who acts for a client, here and in every other partition."""
        if not strip_person(self.rows, decision, ClientKey(event.organisation, event.client), person):
            decision.comes_again()
            return
        self.agendas.strip(decision, ClientKey(event.organisation, event.client), person)
        if event.stage == "asked":
            yield ClientEvent(organisation=event.organisation, client=event.client, erased=Erased(person=person))
            self._copy(decision, record, event)

    def _copy(self, decision: Decision, record: Record, event: Erasure) -> None:
        """Tell every other partition."""
        copy = encode(msgspec.structs.replace(event, stage="copied"))
        for partition in range(self.partitions):
            if partition != record.partition:
                decision.emit(Output(ERASURES.name, record.key, copy, partition))


Handler = Callable[[Intake, Decision, Record, datetime], Iterator[ClientEvent]]

HANDLERS: dict[str, Handler] = {
    APPOINTMENTS.name: Intake.appointment,
    AGENDA_SNAPSHOTS.name: Intake.agenda,
    CONSENTS.name: Intake.consent,
    CONTACTS.name: Intake.contact,
    REPRESENTATIVES.name: Intake.representatives,
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
