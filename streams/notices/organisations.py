"""The part of notices that takes in what is of a whole organisation: its settings, and what it holds."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from schemas.employees import EmployeeEvent
from schemas.events import ClientEvent, Forget
from schemas.holds import Hold, Urgent
from schemas.inputs import Organisation, OrganisationOverride
from schemas.keys import ClientKey
from schemas.state import SettingsRow
from schemas.topics import AGENDAS, CLIENT_EVENTS, EMPLOYEE_EVENTS, HOLDS_TABLE, PEOPLE_TABLE
from schemas.wire import encode

from ..processing.turn import Decision, Output
from .holds import granted, taken_in
from .listing import what_became
from .windows import Windows


class Organisations(Windows):
    """What is of a whole organisation, in the partition of a processor."""

    def _set(
        self, decision: Decision, organisation: str, said: Organisation | OrganisationOverride | Forget, now: datetime
    ) -> None:
        """Take in settings, or what lies over them. Where other due moments follow, every client gets its next moment anew."""
        old = self.settings.get(organisation)
        if self.settings.take_in(self.rows, decision, organisation, said, now):
            self._schedule_all(decision, organisation, now)
        self._tell_employees(decision, organisation, old)

    def _hold(self, decision: Decision, organisation: str, said: Hold | Forget, now: datetime) -> None:
        """Take in what an organisation holds. Every client gets its next moment anew."""
        old = self.rows.get(decision, HOLDS_TABLE, HOLDS_TABLE.row(organisation))
        new = taken_in(old, said, now)
        if new is None or new == old:
            return
        self.settings.hold(decision, organisation, new)
        decision.count("holds", what_became(old, new))
        self._schedule_all(decision, organisation, now)
        self._tell_employees(decision, organisation, None)

    def _tell_employees(self, decision: Decision, organisation: str, old: SettingsRow | None) -> None:
        """Have the digests of employees follow what changed, where the organisation has any."""
        settings = self.settings.get(organisation)
        same = old is not None and settings is not None and old.organisation == settings.organisation
        if not same and any(one is not None and one.organisation.employees for one in (old, settings)):
            look = EmployeeEvent(organisation=organisation, look=True)
            decision.emit(Output(EMPLOYEE_EVENTS.name, organisation.encode(), encode(look), self.partition))

    def _answer(self, decision: Decision, organisation: str, asked: Urgent) -> None:
        """Count, for the whole organisation, messages of days that are near, and tell the client's partition if they may go."""
        old = self.rows.get(decision, HOLDS_TABLE, HOLDS_TABLE.row(organisation))
        new, may = granted(old, self.settings[organisation].organisation if organisation in self.settings else None, asked)
        self.settings.hold(decision, organisation, new)
        decision.count("holds_urgent", "granted" if may else "refused")
        answer = ClientEvent(
            organisation=organisation, client=asked.client, recipient=asked.recipient, urgent=replace(asked, granted=may)
        )  # fmt: skip
        decision.emit(Output(CLIENT_EVENTS.name, ClientKey(organisation, asked.client).encoded, encode(answer)))

    def _schedule_all(self, decision: Decision, organisation: str, now: datetime) -> None:
        """Find the next moment of each client of an organisation anew."""
        start = f"{organisation}/"
        prefix = AGENDAS.row(start)
        changed = {f"{start}{key[len(prefix) :].decode()}" for key in decision.rows if key.startswith(prefix)}
        for key in sorted(changed | {key for key, _ in self.rows.scan(AGENDAS, start)}):
            if (agenda := self.rows.get(decision, AGENDAS, AGENDAS.row(key))) is not None:
                self.load(key, agenda, now)
        acting = PEOPLE_TABLE.row(start)
        changed = {f"{start}{key[len(acting) :].decode()}" for key in decision.rows if key.startswith(acting)}
        for key in sorted(changed | {key for key, _ in self.rows.scan(PEOPLE_TABLE, start)}):
            self.schedule_people(decision, ClientKey.of(key), now)
