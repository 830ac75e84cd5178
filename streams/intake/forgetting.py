"""The part of intake that forgets a client, one who acts for a client, or an employee."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import msgspec
from msgspec import UNSET

from schemas.employees import EmployeeErased, EmployeeEvent
from schemas.erasures import Erasure
from schemas.events import ClientEvent, Erased
from schemas.keys import ClientKey
from schemas.topics import ERASURES
from schemas.wire import BadRecordError, encode, read

from ..processing.record_checks import instant, present
from ..processing.rows import Rows
from ..processing.turn import Decision, Output, Record
from .agendas import Agendas
from .checks import AHEAD, match_key
from .erasure import strip_employee, strip_person, strip_snapshots


class Forgetting:
    """Erasures, in one partition. `partitions`: of every topic; an erasure goes to each of them."""

    def __init__(self, partitions: int, rows: Rows, agendas: Agendas) -> None:
        self.partitions, self.rows, self.agendas = partitions, rows, agendas

    def erasure(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent | EmployeeEvent]:
        """Forget a client: here, and in every other partition, where appointments of the client may lie too.

        Another partition tells of those alone that it kept: what came for the client after the erasure is not touched by it.
        """
        event = check_erasure(read(Erasure, present(record)), now)
        if bool(event.client) is isinstance(event.employee, str):
            raise BadRecordError("it is of a client or of an employee - at `$.client`")
        match_key(record, *str(event.whose).split("/"))
        if event.stage == "done":
            return
        if isinstance(event.employee, str):
            yield from self._erase_employee(decision, record, event, event.employee)
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

    def _erase_employee(self, decision: Decision, record: Record, event: Erasure, employee: str) -> Iterator[EmployeeEvent]:
        """Forget an employee, here and in every other partition."""
        kept, done = strip_employee(self.rows, decision, event.organisation, employee)
        if not done:
            decision.comes_again()
        erased = partial(EmployeeEvent, organisation=event.organisation, employee=employee)
        if event.stage == "copied":
            if kept:
                yield erased(erased=EmployeeErased(kept))
        elif done:
            yield erased(erased=EmployeeErased())
            self._copy(decision, record, event)

    def _copy(self, decision: Decision, record: Record, event: Erasure) -> None:
        """Tell every other partition."""
        copy = encode(msgspec.structs.replace(event, stage="copied"))
        for partition in range(self.partitions):
            if partition != record.partition:
                decision.emit(Output(ERASURES.name, record.key, copy, partition))


def check_erasure(event: Erasure, now: datetime) -> Erasure:
    """Return an erasure, its instant in UTC. One from the future would have everything forgotten that is still to come."""
    at = instant(event.at, "at")
    if at > now + AHEAD:
        raise BadRecordError("more than a day ahead - at `$.at`")
    return msgspec.structs.replace(event, at=at)
