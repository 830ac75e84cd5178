"""The catalogue: every topic and table with its key, record, and how long it is kept. Read this first.

All topics and tables have the same number of partitions, fixed for life: partition p of each belongs to the same worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from . import deliveries, events, inputs, state

DAY = 24 * 3600 * 1000  # in milliseconds, as Kafka counts


@dataclass(frozen=True)
class Topic:
    """One topic. `retention_ms` None: compacted, the last record of each key is kept for ever.

    Roles: upstream services write an `input`; a node of the graph an `internal` and an `output`; our own web process what a
    provider `reported`.
    """

    name: str
    key: str
    record: type | None
    role: Literal["input", "internal", "reported", "output", "changelog"]
    retention_ms: int | None = None
    config: dict[str, str] = field(default_factory=dict)

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


TEXT_DAYS, OPT_OUT_DAYS = 400, 1827
"""Defaults of the settings of these names. `erasures` stays as long as the delivery log, so that what is made anew from the log
knows whom to leave out."""

LARGE = {"max.message.bytes": str(4 << 20)}
"""A record that carries another one, and more, must fit where that one did."""

APPOINTMENTS = Topic("appointments", "organisation/appointment", inputs.Appointment, "input", 30 * DAY)
CONSENTS = Topic("consents", "organisation/client", inputs.Consent, "input")
CONTACTS = Topic("contacts", "organisation/client", inputs.Contact, "input")
OPT_OUTS = Topic("opt-outs", "organisation/client", inputs.OptOut, "input", OPT_OUT_DAYS * DAY)
ORGANISATIONS = Topic("organisations", "organisation", inputs.Organisation, "input")
OVERRIDES = Topic("organisation-overrides", "organisation", inputs.OrganisationOverride, "input")
REQUESTS = Topic("requests", "organisation/client", inputs.Request, "input", 30 * DAY)
ERASURES = Topic("erasures", "organisation/client", inputs.Erasure, "input", TEXT_DAYS * DAY)

CLIENT_EVENTS = Topic("client-events", "organisation/client", events.ClientEvent, "internal", 30 * DAY, LARGE)
DELIVERIES_SMS = Topic("deliveries-sms", "organisation/client", deliveries.Delivery, "internal", 30 * DAY)
DELIVERIES_EMAIL = Topic("deliveries-email", "organisation/client", deliveries.Delivery, "internal", 30 * DAY)
DELIVERY_REPORTS = Topic("delivery-reports", "organisation/client", deliveries.DeliveryReport, "reported", 30 * DAY)

DELIVERY_LOG = Topic("delivery-log", "organisation/client", deliveries.LogRecord, "output", TEXT_DAYS * DAY)
AUDIT_LOG = Topic("audit-log", "organisation/client/message/attempt/status", deliveries.AuditRecord, "output")
DEAD_LETTERS = Topic("dead-letters", "as it came", None, "output", 90 * DAY, LARGE)

TOPICS = (
    APPOINTMENTS, CONSENTS, CONTACTS, OPT_OUTS, ORGANISATIONS, OVERRIDES, REQUESTS, ERASURES,
    CLIENT_EVENTS, DELIVERIES_SMS, DELIVERIES_EMAIL, DELIVERY_REPORTS, DELIVERY_LOG, AUDIT_LOG, DEAD_LETTERS,
)  # fmt: skip

EARLY = (ORGANISATIONS, OVERRIDES, CONSENTS, CONTACTS, OPT_OUTS)
"""At a first start these are taken in before any appointment or request."""

LATE = (APPOINTMENTS, REQUESTS)


@dataclass(frozen=True)
class Table:
    """The rows of one kind. Rows of one node stand in one changelog, so that a decision that changes several is one append."""

    name: str
    key: str
    record: type
    store: str

    def row(self, key: str) -> bytes:
        """The key of a row in its store."""
        return f"{self.name}/{key}".encode()


SNAPSHOTS = Table("appointments", "organisation/appointment", state.Snapshot, "intake")
CONSENTS_TABLE = Table("consents", "organisation/client", inputs.Consent, "notices")
CONTACTS_TABLE = Table("contacts", "organisation/client", events.KnownContact, "notices")
OPT_OUTS_TABLE = Table("opt-outs", "organisation/client", state.OptOuts, "notices")
AGENDAS = Table("agendas", "organisation/client", state.Agenda, "notices")
ORGANISATIONS_TABLE = Table("organisations", "organisation", state.Settings, "notices")
OVERRIDES_TABLE = Table("overrides", "organisation", inputs.OrganisationOverride, "notices")
LEDGER_SMS = Table("ledger", "organisation/client/message", state.LedgerRow, "sms")
LEDGER_EMAIL = Table("ledger", "organisation/client/message", state.LedgerRow, "email")

TABLES = (
    SNAPSHOTS, CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE, AGENDAS, ORGANISATIONS_TABLE, OVERRIDES_TABLE, LEDGER_SMS,
    LEDGER_EMAIL,
)  # fmt: skip


def catalogue(text_days: int = TEXT_DAYS, opt_out_days: int = OPT_OUT_DAYS) -> tuple[Topic, ...]:
    """The topics, kept as long as the settings say."""
    days = {DELIVERY_LOG.name: text_days, ERASURES.name: text_days, OPT_OUTS.name: opt_out_days}
    return tuple(replace(topic, retention_ms=days[topic.name] * DAY) if topic.name in days else topic for topic in TOPICS)


def changelog(application: str, store: str, max_bytes: int = 16 << 20) -> Topic:
    """The changelog of one node's rows. A batch of rows is one append, so it must fit into one message set."""
    return Topic(f"{application}-{store}-changelog", "row", None, "changelog", None, {"max.message.bytes": str(max_bytes)})
