"""The catalogue: every topic and table with its key, record, and how long it is kept. Read this first.

All topics and tables have the same number of partitions, fixed for life: partition p of each belongs to the same worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from . import (
    access,
    agenda_snapshots,
    appointments,
    deliveries,
    doubts,
    employees,
    erasures,
    events,
    held,
    holds,
    inputs,
    ledger,
    outcomes,
    representatives,
    state,
)
from .channels import CHANNELS
from .keys import ClientKey, RecipientKey

T = TypeVar("T")

DAY = 24 * 3600 * 1000  # in milliseconds, as Kafka counts

MAX_BYTES = (1 << 20) + 12
"""Kafka's default of `max.message.bytes`."""


@dataclass(frozen=True)
class Topic:
    """One topic. `retention_ms` None: compacted, the last record of each key is kept for ever.

    Roles: upstream services write an `input`, or what is `foreign`, in the words of another standard; a node of the graph an
    `internal` and an `output`; our own web process what a provider `reported`; the web process and our commands who had `access`.
    `headers`: those of each of its records, for who reads it by other means than ours.
    """

    name: str
    key: str
    record: type | None
    role: Literal["input", "foreign", "internal", "reported", "output", "access", "changelog"]
    retention_ms: int | None = None
    config: dict[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def largest(self) -> int:
        """Bytes of the largest record that the topic takes, with all that Kafka puts around it."""
        return int(self.config.get("max.message.bytes", MAX_BYTES))

    @property
    def settings(self) -> dict[str, str]:
        """The topic's configuration in Kafka's words."""
        kept = (
            {
                "cleanup.policy": "compact",
                "min.compaction.lag.ms": "3600000",
                "max.compaction.lag.ms": str(7 * DAY),
                "delete.retention.ms": str(7 * DAY),
            }
            if self.retention_ms is None
            else {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        )
        return {**kept, **self.config}


TEXT_DAYS, OPT_OUT_DAYS, AUDIT_DAYS = 400, 1827, 1827
"""Defaults of the settings of these names. `outcomes` and `erasures` stay as long as the delivery log: what is made anew from
the log must know whom to leave out."""

LARGE = {"max.message.bytes": str(4 << 20)}
"""A record that carries another one, and more, must fit where that one did."""

JSON = (("content-type", b"application/json"),)

APPOINTMENTS = Topic("appointments", "organisation/appointment", appointments.Appointment, "input", 30 * DAY)
AGENDA_SNAPSHOTS = Topic("agenda-snapshots", "organisation/client", agenda_snapshots.AgendaSnapshot, "input")
CONSENTS = Topic("consents", "organisation/client", inputs.Consent, "input")
CONTACTS = Topic("contacts", "organisation/client", inputs.Contact, "input")
REPRESENTATIVES = Topic("representatives", "organisation/client", representatives.Representatives, "input")
EMPLOYEES = Topic("employees", "organisation//employee", employees.Employee, "input")
OPT_OUTS = Topic("opt-outs", "organisation/client", inputs.OptOut, "input", OPT_OUT_DAYS * DAY)
ORGANISATIONS = Topic("organisations", "organisation", inputs.Organisation, "input")
OVERRIDES = Topic("organisation-overrides", "organisation", inputs.OrganisationOverride, "input")
HOLDS = Topic("holds", "organisation", holds.Hold, "input")
REQUESTS = Topic("requests", "organisation/client", inputs.Request, "input", 30 * DAY)
ERASURES = Topic("erasures", "organisation/client", erasures.Erasure, "input", TEXT_DAYS * DAY)

FHIR = Topic("fhir", "organisation/any", None, "foreign", 30 * DAY)
HL7V2 = Topic("hl7v2", "organisation/any", None, "foreign", 30 * DAY)

CLIENT_EVENTS = Topic("client-events", "organisation/client", events.ClientEvent, "internal", 30 * DAY, LARGE)
EMPLOYEE_EVENTS = Topic("employee-events", "organisation//employee", employees.EmployeeEvent, "internal", 30 * DAY, LARGE)
DELIVERIES = {
    channel: Topic(f"deliveries-{channel}", "organisation/client", deliveries.Delivery, "internal", 30 * DAY, LARGE)
    for channel in CHANNELS
}
DELIVERY_REPORTS = Topic("delivery-reports", "organisation/client", deliveries.DeliveryReport, "reported", 30 * DAY)

DELIVERY_LOG = Topic(
    "delivery-log", "organisation/client", deliveries.LogRecord, "output", TEXT_DAYS * DAY, LARGE,
    (*JSON, ("schema", b"%d" % deliveries.SCHEMA)),
)  # fmt: skip
AUDIT_LOG = Topic("audit-log", "organisation/client/message/attempt/status", deliveries.AuditRecord, "output", headers=JSON)
OUTCOMES = Topic("outcomes", "organisation/client", outcomes.OutcomeRecord, "output", TEXT_DAYS * DAY, headers=JSON)
HELD = Topic("held", "organisation/client", held.HeldRecord, "output", None, LARGE, JSON)
DOUBTED = Topic("doubted", "organisation/partition", doubts.DoubtedRecord, "output", headers=JSON)
ACCESS_LOG = Topic("access-log", "organisation", access.AccessRecord, "access", AUDIT_DAYS * DAY)
DEAD_LETTERS = Topic("dead-letters", "as it came", None, "output", 90 * DAY, LARGE)

TOPICS = (
    APPOINTMENTS, AGENDA_SNAPSHOTS, CONSENTS, CONTACTS, REPRESENTATIVES, EMPLOYEES, OPT_OUTS, ORGANISATIONS, OVERRIDES, HOLDS,
    REQUESTS, ERASURES,
    FHIR, HL7V2,
    CLIENT_EVENTS, EMPLOYEE_EVENTS, *DELIVERIES.values(), DELIVERY_REPORTS, DELIVERY_LOG, AUDIT_LOG, OUTCOMES, HELD, DOUBTED,
    ACCESS_LOG, DEAD_LETTERS,
)  # fmt: skip

INPUTS = tuple(topic for topic in TOPICS if topic.role == "input")
"""What upstream services write: intake reads all of these, and has a handler for each."""

FOREIGN = tuple(topic for topic in TOPICS if topic.role == "foreign")
"""What others write in their own standards: it is translated into inputs."""

BOOTSTRAP_TOPICS = (ORGANISATIONS, OVERRIDES, HOLDS, CONSENTS, CONTACTS, REPRESENTATIVES, EMPLOYEES, OPT_OUTS)
"""At a first start these are taken in before any appointment or request."""

DEPENDENT_TOPICS = (APPOINTMENTS, AGENDA_SNAPSHOTS, REQUESTS)

STORES = ("translate", "intake", "notices", "employees", *CHANNELS)
"""Nodes, each with a changelog: of its rows, and of what it has taken in."""

ROWS = 1
"""The format of all rows, kept in each changelog: a worker that knows a lower one does not start on it. One more where a worker
of before would lose or misread what a row says (it leaves out fields that it does not know). Then there is no way back, and all
workers stop before the first new one starts: CHANGELOG.md must say so."""


@dataclass(frozen=True)
class Table(Generic[T]):
    """The rows of one kind, each a `T`.

    Rows of one node stand in one changelog, so that a decision that changes several is one append.
    """

    name: str
    key: str
    record: type[T]
    store: str

    @property
    def shapes(self) -> frozenset[tuple[bool, ...]]:
        """Which parts its keys have, and which of them are empty: what stands in brackets may be missing.

        Where a client's key stands an employee's may, too, if others than clients have such rows.
        """
        whole = tuple(bool(part) for part in self.key.split("/"))
        if "[" not in self.key:
            return frozenset([whole])
        return frozenset([whole, whole[:-1], (True, False, *whole[2:])])

    def row(self, key: str | ClientKey | RecipientKey) -> bytes:
        """Return the key of a row in its store."""
        return f"{self.name}/{key}".encode()


SNAPSHOTS = Table("appointments", "organisation/appointment", state.Snapshot, "intake")
POLLS = Table("polls", "organisation/client", state.Poll, "intake")
DOUBTS = Table("doubts", "organisation", doubts.DoubtedRecord, "intake")
CONSENTS_TABLE = Table("consents", "organisation/client", inputs.Consent, "notices")
CONTACTS_TABLE = Table("contacts", "organisation/client", events.KnownContact, "notices")
PEOPLE_TABLE = Table("people", "organisation/client", state.PeopleRow, "notices")
OPT_OUTS_TABLE = Table("opt-outs", "organisation/client", state.OptOuts, "notices")
AGENDAS = Table("agendas", "organisation/client", state.Agenda, "notices")
ORGANISATIONS_TABLE = Table("organisations", "organisation", state.SettingsRow, "notices")
OVERRIDES_TABLE = Table("overrides", "organisation", inputs.OrganisationOverride, "notices")
HOLDS_TABLE = Table("holds", "organisation", holds.HoldRow, "notices")
EMPLOYEES_TABLE = Table("employees", "organisation//employee", employees.KnownEmployee, "employees")
EMPLOYEE_AGENDAS = Table("agendas", "organisation//employee", employees.EmployeeAgenda, "employees")
LEDGERS = {channel: Table("ledger", "organisation/client[/recipient]/message", ledger.LedgerRow, channel) for channel in CHANNELS}

TABLES: tuple[Table[Any], ...] = (
    SNAPSHOTS, POLLS, DOUBTS, CONSENTS_TABLE, CONTACTS_TABLE, PEOPLE_TABLE, OPT_OUTS_TABLE, AGENDAS, ORGANISATIONS_TABLE,
    OVERRIDES_TABLE,
    HOLDS_TABLE, EMPLOYEES_TABLE, EMPLOYEE_AGENDAS, *LEDGERS.values(),
)  # fmt: skip


def catalogue(text_days: int = TEXT_DAYS, opt_out_days: int = OPT_OUT_DAYS, audit_days: int = AUDIT_DAYS) -> tuple[Topic, ...]:
    """Return the topics, kept as long as the settings say."""
    texts = dict.fromkeys((DELIVERY_LOG.name, OUTCOMES.name, ERASURES.name), text_days)
    days = texts | {OPT_OUTS.name: opt_out_days, ACCESS_LOG.name: audit_days}
    return tuple(replace(topic, retention_ms=days[topic.name] * DAY) if topic.name in days else topic for topic in TOPICS)


def named(topics: Iterable[Topic], prefix: str) -> tuple[Topic, ...]:
    """Return the topics by the names that they have on Kafka, for what is read by others than our own clients."""
    return tuple(replace(topic, name=prefix + topic.name) for topic in topics)


def changelog(application: str, store: str, max_bytes: int = 16 << 20) -> Topic:
    """Return the changelog of one node's rows. A batch of rows is one append, so it must fit into one message set."""
    return Topic(f"{application}-{store}-changelog", "row", None, "changelog", None, {"max.message.bytes": str(max_bytes)})
