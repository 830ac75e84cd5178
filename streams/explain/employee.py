"""What was decided for one employee, and why: rows and log records to facts, each with a sentence for a person.

It decides nothing: what is closed, due or different is asked of the code that decides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.deliveries import LogRecord
from schemas.employees import EmployeeAgenda, KnownEmployee
from schemas.inputs import Channel
from schemas.keys import RecipientKey, employee_of
from schemas.ledger import LedgerRow
from schemas.state import SettingsRow
from schemas.topics import (
    EMPLOYEE_AGENDAS,
    EMPLOYEES_TABLE,
)

from ..employees.digest import closes_at, with_end
from ..employees.levels import facts_of
from ..notices.agenda import zone_of
from ..notices.client_turn import as_set
from ..notices.difference import untold
from ..notices.gates import address_of, eligibility_of, masked
from ..notices.holds import is_on
from .client import Explanation, history
from .kept import Kept, is_about, once
from .knowledge import knowledge
from .pending import Fact, at_sender_now
from .words import moment, period


class EmployeeSnapshot(NamedTuple):
    """All that is kept of an employee. `known` None: upstream said nothing. `ledgers`: channel -> message -> row."""

    key: RecipientKey
    known: KnownEmployee | None
    settings: SettingsRow | None
    row: EmployeeAgenda
    ledgers: dict[Channel, dict[str, LedgerRow]]
    log: list[LogRecord]

    @property
    def is_nobody(self) -> bool:
        """Nothing at all is kept under these ids."""
        return self.known is None and self.row == EmployeeAgenda() and not any(self.ledgers.values()) and not self.log


def is_wanted(key: bytes, employee: RecipientKey) -> bool:
    """Tell whether a row of any store is about this employee, or holds the organisation's settings."""
    return is_about(key, employee, (EMPLOYEES_TABLE, EMPLOYEE_AGENDAS))


def snapshot_of(
    rows: Mapping[str, Mapping[bytes, bytes]], log: Iterable[LogRecord], employee: RecipientKey
) -> EmployeeSnapshot:  # fmt: skip
    """Return an employee as the stores and the log have it. `rows`: store -> its rows; those of others are passed over."""
    kept = Kept(rows)
    settings = kept.settings(employee.organisation)
    organisation = settings.organisation if settings is not None else None
    row = kept.row(EMPLOYEE_AGENDAS, employee) or EmployeeAgenda()
    return EmployeeSnapshot(
        employee, kept.row(EMPLOYEES_TABLE, employee), settings, replace(row, agenda=as_set(row.agenda, organisation)),
        kept.ledgers(employee), once(one for one in log if one.whose == employee),
    )  # fmt: skip


def explain(
    employee: EmployeeSnapshot, now: datetime, appointment: str | None = None, since: datetime | None = None
) -> Explanation:  # fmt: skip
    """Explain everything on one screen. `appointment`: of this one only; `since`: no history before this."""
    zone = zone_of(employee.settings.organisation if employee.settings is not None else None)
    return Explanation(
        employee.key, now, zone,
        {
            "Known now": _known(employee, zone),
            "Gates, in their order, as they are now": _gates(employee),
            "Appointments": _appointments(employee, zone, now, appointment),
            "What the employee knows to be ahead": knowledge(employee.row.agenda, zone, now, appointment),
            "The digest, and what is under way": _pending(employee, zone, now, appointment),
            "History, from the delivery log": history(employee.log, zone, since, appointment),
        },
    )  # fmt: skip


def _known(employee: EmployeeSnapshot, zone: str) -> list[Fact]:
    known, settings = employee.known or KnownEmployee(), employee.settings
    level = known.notifications if employee.known is not None else "not known, and what is unknown is off"
    data: dict[str, Any] = {"what": "level", "level": known.notifications, "channels": list(known.channels)}
    facts = [Fact(f"level: {level}; channels: {', '.join(known.channels) or 'none'}", data)]
    for channel in CHANNELS:
        found = address_of(known.contact(employee.key.organisation), channel)
        said = masked(found.address) + (", usable" if found.usable else ", not usable") if found is not None else "not known"
        facts.append(Fact(f"{channel}: {said}", {
            "what": "contact", "channel": channel, "address": masked(found.address) if found is not None else None,
            "usable": found is not None and found.usable,
        }))  # fmt: skip
    facts += [
        Fact(f"{channel} is off, by {source}", {"what": "opt-out", "channel": channel, "source": source})
        for channel, source in sorted(known.off.items())
    ]
    if settings is None:
        return [*facts, Fact("organisation: its settings are not known, and what is unknown is off", {"what": "organisation"})]
    tells, at = settings.organisation.tells_employees, settings.organisation.digest_at
    held = "; it holds its notices" if is_on(settings) else ""
    words = f"organisation: messages to employees {'on' if tells else 'off'}; the digest is at {at} ({zone}){held}"
    return [*facts, Fact(words, {"what": "organisation", "notifications": tells, "digest_at": at, "held": is_on(settings)})]


def _gates(employee: EmployeeSnapshot) -> list[Fact]:
    """Tell where the employee is absent, and the first gate that is closed to all."""
    away = sorted(id_ for id_, one in employee.row.agenda.appointments.items() if one.booked and not one.present)
    absent = f"closed of {', '.join(away)}; others pass" if away else "open: the employee attends all that is booked"
    settings = employee.settings.organisation if employee.settings is not None else None
    found = eligibility_of(facts_of(employee.known, employee.key.organisation, settings))
    result = (
        f"a message decided now would go by {found.channel}" if found.closed_gate is None
        else f"a message decided now would be suppressed: {found.closed_gate}"
    )  # fmt: skip
    return [
        Fact(f"absent: {absent}", {"gate": "absent", "appointments": away}),
        Fact(f"so {result}", {"channel": found.channel, "closed": found.closed_gate}),
    ]


def _appointments(employee: EmployeeSnapshot, zone: str, now: datetime, appointment: str | None) -> list[Fact]:
    """Tell each appointment as it is, and whether all since it was told was by the employee's own hand."""
    agenda, facts = employee.row.agenda, list[Fact]()
    changed = untold(agenda, zone, now)
    for id_, entry in sorted(agenda.appointments.items(), key=lambda pair: (pair[1].actual.start, pair[0])):
        if appointment not in (None, id_):
            continue
        state = ("" if entry.booked else ", cancelled") + ("" if entry.present else ", not attending")
        lines = [f"{id_}: {period(entry.actual, zone)}{state} (revision {entry.revision})"]
        lines.append(
            f"counts as told: {period(entry.told, zone)}" if entry.told is not None else "told: nothing that is still so"
        )
        by_others = id_ in employee.row.others
        if id_ in changed:
            lines.append(f"not told yet: {changed[id_]}, revised by {'others' if by_others else 'the employee alone'}")
        facts.append(Fact("\n  ".join(lines), {
            "appointment": id_, "revision": entry.revision, "booked": entry.booked, "attending": entry.present,
            "actual": entry.actual, "told": entry.told, "not_told": changed.get(id_), "by_others": by_others,
        }))  # fmt: skip
    return facts


def _pending(employee: EmployeeSnapshot, zone: str, now: datetime, appointment: str | None) -> list[Fact]:
    """Tell when the next digest is decided, and what is at a sender."""
    settings, facts = employee.settings, list[Fact]()
    row = with_end(employee.row, settings.organisation if settings is not None else None)
    when = closes_at(row, settings)
    waits = row.agenda.window is not None or row.agenda.held_until is not None
    if waits and is_on(settings):
        facts.append(Fact("the digest waits until the organisation ends its hold", {"what": "hold"}))
    elif when is not None:
        why = ", since something is of today or tomorrow" if row.urgent is not None else ""
        facts.append(Fact(f"the next digest is decided at {moment(when, zone)}{why}", {"what": "digest", "at": when}))
    for channel, rows in employee.ledgers.items():
        facts += at_sender_now(channel, rows, zone, now, appointment, employee.key)
    return facts


def name_of(key: RecipientKey) -> dict[str, str]:
    """Return the ids of an employee by their names."""
    return {"organisation": key.organisation, "employee": employee_of(key.recipient)}
