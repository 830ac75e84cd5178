"""Employees: one writer of all that is known of an employee's agenda; it decides what to tell, and when (`streams/README.md`)."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any, assert_never

from msgspec.structs import replace

from schemas.employees import (
    EmployeeAgenda,
    EmployeeChange,
    EmployeeErased,
    EmployeeEvent,
    ForgetEmployee,
    KnownEmployee,
    Look,
)
from schemas.events import Bounce, Landed
from schemas.inputs import OptOut, Organisation
from schemas.keys import RecipientKey
from schemas.state import Agenda, Flying, OptOuts, SettingsRow
from schemas.topics import DELIVERIES, EMPLOYEE_AGENDAS, EMPLOYEES, EMPLOYEES_TABLE, Table
from schemas.wire import encode

from ..notices.agenda import pruned, seconds_since, without
from ..notices.client_turn import as_set
from ..notices.closing import close
from ..notices.contacts import is_stale, opted, refused, remembering_address
from ..notices.flights import landed, message_of, overdue, overdue_at
from ..notices.gates import ClientFacts
from ..notices.holds import not_before
from ..notices.messages import emit_again, emit_given_up, emit_message
from ..notices.notices import Notices
from ..notices.undoing import undone
from ..processing.caps import LARGE, capped_appointment, set_aside_capped
from ..processing.dead_letters import take_records
from ..processing.local_time import EPOCH
from ..processing.own_records import employee_event
from ..processing.rows import Rows
from ..processing.timers import Timers
from ..processing.turn import Decision, Output, Processor, Record, Turn
from .digest import at_once, closes_at, taken, told, untold, with_end
from .employee_turn import EmployeeTurn
from .levels import facts_of, unsaid

WINDOW, FLIGHT, PRUNE = 0, 1, 2
KINDS = ("digest", "flight", "prune")
"""Kinds of moments, in the order in which they are handled at one instant."""


class Employees:
    """The processor of one partition of `employee-events`. It reads the settings of the notices processor of its partition."""

    def __init__(self, partition: int, rows: MutableMapping[bytes, bytes], notices: Notices) -> None:
        self.partition, self.notices = partition, notices
        self.rows = Rows(rows)
        self.timers = Timers()

    # -- what the driver asks ------------------------------------------------------------------------------------------

    def loaded(self) -> None:
        """Find the next moment of every employee."""
        self.rows.verify("employees", EMPLOYEE_AGENDAS)
        self.rows.each(EMPLOYEE_AGENDAS, lambda key, row: self._schedule(RecipientKey.of(key), row, EPOCH))

    def decide(self, turn: Turn) -> Decision:
        """Handle due moments first, then events, in order."""
        decision = Decision()
        for name in self.timers.due(turn.due, turn.limit):
            self._fire(decision, RecipientKey.of(name), turn.now)
            if decision.full:
                break
        take_records(decision, turn, self._handle)
        decision.more = self.timers.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Do nothing: moments are kept as they are decided."""

    def next_due(self) -> datetime | None:
        """Return the earliest moment of any employee."""
        return self.timers.next()

    # -- what senders ask ----------------------------------------------------------------------------------------------

    def facts(self, key: RecipientKey) -> ClientFacts:
        """Look up what the gates look at, as it is durable."""
        known = self.rows.get(None, EMPLOYEES_TABLE, EMPLOYEES_TABLE.row(key))
        return facts_of(known, key.organisation, self._organisation(key))

    def agenda(self, key: RecipientKey) -> Agenda:
        """Read what is so for an employee and what was told, as it is durable."""
        row = self.rows.get(None, EMPLOYEE_AGENDAS, EMPLOYEE_AGENDAS.row(key))
        return as_set(row.agenda, self._organisation(key)) if row is not None else Agenda()

    def _organisation(self, key: RecipientKey) -> Organisation | None:
        settings = self.notices.settings.get(key.organisation)
        return settings.organisation if settings is not None else None

    # -- events --------------------------------------------------------------------------------------------------------

    def _handle(self, decision: Decision, record: Record, turn: Turn) -> None:
        event, body = employee_event(record)
        if isinstance(body, Look):
            self._look(decision, event.organisation, turn.now)
            return
        employee = self._turn(decision, event.key, turn.now)
        match body:
            case EmployeeChange():
                self._change(employee, record, event, body)
            case KnownEmployee():
                self._know(employee, body)
            case ForgetEmployee():
                known = KnownEmployee(off=employee.known.off)
                self._keep_known(employee, known if known.off else None)
            case OptOut():
                self._keep_known(employee, replace(employee.known, off=opted(OptOuts(employee.known.off), body).off))
            case Bounce():
                contact = refused(employee.known.contact(event.organisation), body)
                if contact is not None:
                    decision.count("refused_addresses", body.channel)
                    self._keep_known(employee, replace(employee.known, sms=contact.sms, email=contact.email))
            case Landed():
                self._land(employee, body)
            case EmployeeErased():
                self._erase(employee, body)
            case _:
                assert_never(body)

    def _turn(self, decision: Decision, key: RecipientKey, now: datetime) -> EmployeeTurn:
        known = self.rows.get(decision, EMPLOYEES_TABLE, EMPLOYEES_TABLE.row(key)) or KnownEmployee()
        return EmployeeTurn(decision, self.partition, key, known, self.notices.settings.get(key.organisation), now)

    def _row(self, employee: EmployeeTurn) -> EmployeeAgenda:
        row = self.rows.get(employee.decision, EMPLOYEE_AGENDAS, EMPLOYEE_AGENDAS.row(employee.whose)) or EmployeeAgenda()
        return replace(row, agenda=as_set(row.agenda, employee.organisation))

    def _change(self, employee: EmployeeTurn, record: Record, event: EmployeeEvent, change: EmployeeChange) -> None:
        """Take in a revision of an appointment; what is one too many is set aside."""
        row, now = self._row(employee), employee.now
        if capped_appointment(row.agenda, change.appointment, now, "employee") is not None:
            row = replace(row, agenda=pruned(row.agenda, employee.zone, now))
        if (cap := capped_appointment(row.agenda, change.appointment, now, "employee")) is not None:
            set_aside_capped(employee.decision, record, cap)
            return
        late = seconds_since(event.written, now)
        new = taken(row, change, employee.known.notifications, employee.organisation, now, late)
        if new is not row:
            self._keep(employee, new)

    def _know(self, employee: EmployeeTurn, said: KnownEmployee) -> None:
        """Take in upstream's word on an employee; what was learnt of an address stays until upstream took it back."""
        old = employee.known
        if is_stale(old.revision, said.revision):
            employee.decision.count("stale", EMPLOYEES.name)
            return
        self._keep_known(employee, replace(
            said, off=old.off, sms=remembering_address(old.sms, said.sms), email=remembering_address(old.email, said.email)
        ))  # fmt: skip

    def _keep_known(self, employee: EmployeeTurn, known: KnownEmployee | None) -> None:
        employee.decision.put(EMPLOYEES_TABLE.row(employee.whose), encode(known) if known is not None else None)

    def _land(self, employee: EmployeeTurn, outcome: Landed) -> None:
        """Take in what a sender says became of a digest. One that does not fly, or was erased, changes nothing."""
        old = self._row(employee)
        row, agenda, flying = old, old.agenda, old.agenda.flight.get(outcome.message)
        given_up: Flying | None = None
        if flying is not None:
            agenda, given_up = landed(employee.whose, agenda, outcome, employee.zone, employee.now)
            row = replace(row, agenda=agenda)
            lost = [one for one in flying.notices if outcome.became != "out" or one.id in outcome.wordless]
            row = untold(row, lost) if lost and given_up is None else row
            row = replace(row, last=employee.now) if outcome.became == "out" else row
        elif outcome.became == "back" and outcome.notices:
            agenda, given_up = undone(agenda, outcome, employee.zone, employee.now)
            ids = tuple(entry for entry, one in agenda.appointments.items() if one.notice in outcome.notices)
            row = replace(row, agenda=agenda, others=tuple(dict.fromkeys((*row.others, *ids))))
        if outcome.became == "back":
            row = at_once(row, employee.organisation, employee.now)
        if given_up is not None:
            emit_given_up(employee, outcome.message, "direct", given_up.channel, given_up.notices)
        employee.decision.count("landed", outcome.became if agenda is not old.agenda else "ignored")
        if agenda is not old.agenda:
            self._keep(employee, with_end(row, employee.organisation))

    def _erase(self, employee: EmployeeTurn, erased: EmployeeErased) -> None:
        """Forget the employee, or appointments that another partition kept. The senders are told by a null value."""
        decision, key = employee.decision, employee.whose
        row = EMPLOYEE_AGENDAS.row(key)
        if erased.appointments is not None:
            old = self._row(employee)
            agenda = without(old.agenda, frozenset(erased.appointments))
            if len(agenda.appointments) < len(old.agenda.appointments):
                decision.scrub.add(row)
                self._keep(employee, replace(old, agenda=agenda))
            return
        tables: tuple[Table[Any], ...] = (EMPLOYEES_TABLE, EMPLOYEE_AGENDAS)
        for table in tables:
            if self.rows.get(decision, table, table.row(key)) is not None:
                decision.erase(table.row(key))
        self.timers.put(str(key), None)
        for topic in DELIVERIES.values():
            decision.emit(Output(topic.name, key.encoded, None, self.partition))

    def _look(self, decision: Decision, organisation: str, now: datetime) -> None:
        """Find the next moment of each employee of an organisation anew."""
        for key, row in list(self.rows.current(decision, EMPLOYEE_AGENDAS, f"{organisation}//")):
            self._schedule(RecipientKey.of(key), row, now)

    # -- moments -------------------------------------------------------------------------------------------------------

    def _fire(self, decision: Decision, key: RecipientKey, now: datetime) -> None:
        """Handle the moment that was taken off the index; which one it is follows from the row."""
        employee = self._turn(decision, key, now)
        row = self._row(employee)
        when, kind = self._moment(row, employee.settings) or (now, PRUNE)
        if when > now:  # there is none that is due (any more)
            self._schedule(key, row, now)
            return
        since = not_before(employee.settings, when)
        decision.measure("moments", KINDS[kind], time=now - since)
        if kind == WINDOW:
            row = self._close(employee, row, since)
        elif kind == FLIGHT:
            agenda, late = overdue(row.agenda, now)
            for id_, flying in late.items():
                decision.count("flights_asked")
                emit_again(employee, id_, flying)
            row = replace(row, agenda=agenda)
        else:
            row = replace(row, agenda=pruned(row.agenda, employee.zone, now))
        self._keep(employee, row)

    def _close(self, employee: EmployeeTurn, row: EmployeeAgenda, due: datetime) -> EmployeeAgenda:
        """Decide the digest; it was to be decided at `due`."""
        if row.agenda.window is not None:
            due -= timedelta(seconds=row.agenda.window.late)
        level = employee.known.notifications
        agenda, messages, _ = close(
            employee.whose, pruned(row.agenda, employee.zone, employee.now), employee.organisation, employee.eligibility,
            employee.now, unsaid(level, row.others), by_day=False,
        )  # fmt: skip
        for one in messages:
            emit_message(employee, "direct", message_of(agenda, one), one, employee.eligibility, due)
        goes = [one.notice for message in messages for one in message if one.withheld is None]
        row = replace(row, agenda=agenda, urgent=None)
        return told(row, goes, employee.zone) if goes else row

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _keep(self, employee: EmployeeTurn, row: EmployeeAgenda) -> None:
        """Put an employee's new row, or none where nothing is left to remember, and note when to look at it next."""
        others = tuple(id_ for id_ in row.others if id_ in row.agenda.appointments)
        row = row if others == row.others else replace(row, others=others)
        bare = not row.agenda.appointments and not row.agenda.known and not row.agenda.flight
        value = b"" if bare else encode(row)
        if len(value) > LARGE:
            employee.decision.count("large_rows")
        employee.decision.put(EMPLOYEE_AGENDAS.row(employee.whose), value or None)
        self._schedule(employee.whose, row, employee.now)

    def _schedule(self, key: RecipientKey, row: EmployeeAgenda, now: datetime) -> None:
        """Set the employee's next moment."""
        settings, name = self.notices.settings.get(key.organisation), str(key)
        if (found := self._moment(row, settings)) is not None:
            self.timers.put(name, (*found, name))
        elif keep := [entry.keep_until for entry in row.agenda.appointments.values()]:
            self.timers.put_by(name, (max(keep), PRUNE, name))
        else:
            self.timers.put(name, None)

    def _moment(self, row: EmployeeAgenda, settings: SettingsRow | None) -> tuple[datetime, int] | None:
        """Return the employee's next moment and its kind. While a message flies no digest is decided."""
        if row.agenda.flight:
            return overdue_at(row.agenda), FLIGHT
        row = with_end(row, settings.organisation if settings is not None else None)
        when = closes_at(row, settings)
        return (when, WINDOW) if when is not None else None


def employees(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Employees:
    """Return the employees processor of a partition."""
    notices = peers["notices"]
    if not isinstance(notices, Notices):
        raise TypeError("employees reads the notices processor of its partition")
    return Employees(partition, rows, notices)
