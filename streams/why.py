"""What was decided for one client, and why: rows and log records to facts, each with a sentence for a person.

`(known, now) -> explanation`. It decides nothing: what is closed, due or different is asked of the code that decides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.deliveries import LogRecord
from schemas.inputs import Channel
from schemas.state import Agenda, Entry, LedgerRow, OptOuts, Settings
from schemas.topics import (
    AGENDAS,
    CONSENTS_TABLE,
    CONTACTS_TABLE,
    LEDGER_EMAIL,
    LEDGER_SMS,
    OPT_OUTS_TABLE,
    ORGANISATIONS_TABLE,
    OVERRIDES_TABLE,
    Table,
)

from .agenda import difference, zone_of
from .gates import Standing, known, masked
from .overrides import laid_over
from .rows import DECODERS
from .why_gates import gates
from .why_pending import Fact, pending
from .why_words import at_sender, became, kinds, moment, period, sentence

LEDGERS: dict[Channel, Table] = {"sms": LEDGER_SMS, "email": LEDGER_EMAIL}
CLIENT_TABLES = (CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE, AGENDAS)


class Known(NamedTuple):
    """All that is kept of a client. `ledgers`: channel -> message -> row. `log`: in the order of `at`, each record once."""

    organisation: str
    client: str
    standing: Standing
    settings: Settings | None
    agenda: Agenda
    ledgers: dict[Channel, dict[str, LedgerRow]]
    log: list[LogRecord]

    @property
    def is_nobody(self) -> bool:
        """Nothing at all is kept under these ids."""
        standing = self.standing[:3] == (None, None, None)
        return standing and self.agenda == Agenda() and not any(self.ledgers.values()) and not self.log


class Explanation(NamedTuple):
    """The sections of the screen, in their order: title -> facts."""

    organisation: str
    client: str
    now: datetime
    zone: str
    sections: dict[str, list[Fact]]


def is_wanted(key: bytes, organisation: str, client: str) -> bool:
    """Whether a row of any store is about this client, or holds the organisation's settings."""
    name = f"{organisation}/{client}"
    settings = {table.row(organisation) for table in (ORGANISATIONS_TABLE, OVERRIDES_TABLE)}
    exact = {table.row(name) for table in CLIENT_TABLES} | settings
    return key in exact or key.startswith(LEDGER_SMS.row(f"{name}/"))


def known_of(
    rows: Mapping[str, Mapping[bytes, bytes]], log: Iterable[LogRecord], organisation: str, client: str
) -> Known:  # fmt: skip
    """A client as the stores and the log have it. `rows`: store -> its rows; those of others are passed over."""
    name = f"{organisation}/{client}"

    def row(table: Table, key: str) -> Any:
        value = rows.get(table.store, {}).get(table.row(key))
        return None if value is None else DECODERS[table.store, table.name](value)

    settings: Settings | None = row(ORGANISATIONS_TABLE, organisation)
    if settings is not None:
        settings = replace(settings, organisation=laid_over(settings.organisation, row(OVERRIDES_TABLE, organisation)))
    ledgers: dict[Channel, dict[str, LedgerRow]] = {}
    for channel, table in LEDGERS.items():
        prefix = table.row(f"{name}/")
        ledgers[channel] = {
            key[len(prefix) :].decode(): DECODERS[table.store, table.name](value)
            for key, value in rows.get(table.store, {}).items()
            if key.startswith(prefix)
        }
    once = {
        (one.message, one.attempt, one.status): one for one in log if (one.organisation, one.client) == (organisation, client)
    }
    return Known(
        organisation, client,
        Standing(
            row(CONSENTS_TABLE, name), row(CONTACTS_TABLE, name), row(OPT_OUTS_TABLE, name),
            settings.organisation if settings is not None else None,
        ),
        settings, row(AGENDAS, name) or Agenda(), ledgers, sorted(once.values(), key=lambda one: one.at),
    )  # fmt: skip


def explain(
    client: Known, now: datetime, appointment: str | None = None, since: datetime | None = None
) -> Explanation:  # fmt: skip
    """Everything on one screen. `appointment`: of this one only; `since`: no history before this."""
    zone = zone_of(client.standing.organisation)
    return Explanation(
        client.organisation, client.client, now, zone,
        {
            "Known now": [*_person(client), *_organisation(client.settings, zone)],
            "Gates, in their order, as they are now": gates(client.standing, client.agenda, appointment),
            "Appointments": [
                _appointment(client, id_, entry, zone)
                for id_, entry in sorted(client.agenda.appointments.items(), key=lambda pair: (pair[1].actual.start, pair[0]))
                if appointment in (None, id_)
            ],
            "Still to come": pending(
                client.standing, client.settings, client.agenda, client.ledgers, client.log, zone, now, appointment,
                f"{client.organisation}/{client.client}",
            ),
            "History, from the delivery log": [
                _happened(one, zone)
                for one in client.log
                if (since is None or one.at >= since)
                and (appointment is None or any(appointment in (note.appointment, *note.others) for note in one.notices))
            ],
        },
    )  # fmt: skip


# -- what is known -----------------------------------------------------------------------------------------------------


def _person(client: Known) -> list[Fact]:
    consent, contact, opt_outs, _ = client.standing
    if consent is None:
        said = "not known, and what is unknown is off"
    elif not consent.notifications:
        said = "no notifications" + (f"; channels listed: {', '.join(consent.channels)}" if consent.channels else "")
    else:
        said = (
            f"notifications by {', then '.join(consent.channels)}"
            if consent.channels
            else "notifications, but no channel is listed"
        )
    source = f" (says {consent.source})" if consent is not None and consent.source else ""
    facts = [Fact(f"consent: {said}{source}", {
        "what": "consent", "notifications": consent is not None and consent.notifications,
        "channels": list(consent.channels) if consent is not None else [],
    })]  # fmt: skip
    for channel in ("sms", "email"):
        found = known(contact, channel)
        if found is None:
            facts.append(Fact(f"{channel}: not known", {"what": "contact", "channel": channel, "address": None}))
            continue
        notes = ["confirmed" if found.confirmed else "not confirmed"]
        notes += [f"can get no message ({found.problem})"] if found.problem is not None else []
        notes += ["a provider said that it takes no messages"] if found.refused else []
        facts.append(Fact(f"{channel}: {masked(found.address)}, {', '.join(notes)}", {
            "what": "contact", "channel": channel, "address": masked(found.address), "confirmed": found.confirmed,
            "problem": found.problem, "refused": found.refused, "usable": found.usable,
        }))  # fmt: skip
    off = (opt_outs or OptOuts()).off
    facts += [
        Fact(
            f"opted out of {channel}, by {SOURCES.get(source, source)}", {"what": "opt-out", "channel": channel, "source": source}
        )
        for channel, source in sorted(off.items())
    ]
    return facts


SOURCES = {
    "link": "the unsubscribe link of an e-mail", "provider": "the provider (the client answered STOP)",
    "client": "the client's own word",
}  # fmt: skip


def _organisation(settings: Settings | None, zone: str) -> list[Fact]:
    if settings is None:
        return [Fact("organisation: its settings are not known, and what is unknown is off", {"what": "organisation"})]
    it, window = settings.organisation, settings.organisation.window
    reminder = f"{it.reminder.days_before} days before, at {it.reminder.at}" if it.reminder is not None else "none"
    quiet = f"{it.quiet_hours.from_} to {it.quiet_hours.until}" if it.quiet_hours is not None else "none"
    gathered = (
        "told at once"
        if 0 in (window.quiet_seconds, window.max_seconds)
        else f"gathered until {window.quiet_seconds} s without another one, at most {window.max_seconds} s"
    )
    data = {
        "what": "organisation", "notifications": it.notifications, "time_zone": it.time_zone,
        "window": {"quiet_seconds": window.quiet_seconds, "max_seconds": window.max_seconds},
        "reminder": {"days_before": it.reminder.days_before, "at": it.reminder.at} if it.reminder is not None else None,
        "quiet_hours": {"from": it.quiet_hours.from_, "until": it.quiet_hours.until} if it.quiet_hours is not None else None,
        "timing_since": settings.since,
    }  # fmt: skip
    return [
        Fact(f"organisation: notifications {'on' if it.notifications else 'off'}; changes are {gathered}", data),
        Fact(
            f"reminder: {reminder}; quiet hours: {quiet} (both so since {moment(settings.since, zone)})", {"what": "timing"}
        ),
    ]  # fmt: skip


# -- appointments ------------------------------------------------------------------------------------------------------


def _appointment(client: Known, id_: str, entry: Entry, zone: str) -> Fact:
    """As it is, as it was told, and what became of the telling: `told` moves when it is decided, whatever comes of it."""
    change = difference(id_, entry)
    is_so = (
        f"{period(entry.actual, zone)}{'' if entry.booked else ', cancelled'}{'' if entry.present else ', client not present'}"
    )
    lines = [f"{id_}: {is_so} (revision {entry.revision})"]
    how = _telling(client, entry, zone)
    if entry.told is not None:
        lines.append(f"counts as told: {period(entry.told, zone)}{how}")
    elif entry.notice is not None:
        lines.append(f"counts as told: nothing that is still so{how}")
    else:
        lines.append("told: nothing yet")
    if change is not None:
        ahead = "" if entry.present else ", held back until the client is present"
        lines.append(f"not told yet: {change.kind}{ahead}")
    return Fact("\n  ".join(lines), {
        "appointment": id_, "revision": entry.revision, "booked": entry.booked, "present": entry.present,
        "actual": entry.actual, "told": entry.told, "told_since": entry.told_since, "notice": entry.notice,
        "not_told": change.kind if change is not None else None,
    })  # fmt: skip


def _telling(client: Known, entry: Entry, zone: str) -> str:
    """What became of the last notice of an appointment."""
    found = [one for one in client.log if any(note.id == entry.notice for note in one.notices)]
    if found:
        return f"; {became(found[-1], zone)}"
    for channel, rows in client.ledgers.items():
        for row in rows.values():
            if row.delivery is not None and any(note.id == entry.notice for note in row.delivery.notices):
                return f"; {at_sender(channel, row, zone)}"
    return "; what became of that is not in the log that was read"


# -- history -----------------------------------------------------------------------------------------------------------


NOT_CALLED = ("suppressed", "superseded", "expired")


def _happened(one: LogRecord, zone: str) -> Fact:
    way = f" by {one.channel}" if one.channel is not None and one.status not in NOT_CALLED else ""
    to = f" to {one.address}" if one.address is not None else ""
    lines = [f"{moment(one.at, zone)} {one.status}{way}{to}: {kinds(one)}", sentence(one)]
    if one.text is not None:
        lines.append(f"“{' '.join(one.text.split())}”")
    return Fact("\n  ".join(lines), {
        "at": one.at, "message": one.message, "status": one.status, "detail": one.detail, "channel": one.channel,
        "reason": one.reason, "attempt": one.attempt, "address": one.address, "sent": one.text,
        "notices": list(one.notices),
    })  # fmt: skip
