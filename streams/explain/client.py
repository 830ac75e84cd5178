"""What was decided for one client, and why: rows and log records to facts, each with a sentence for a person.

`(known, now) -> explanation`. It decides nothing: what is closed, due or different is asked of the code that decides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from schemas.appointments import Outcome
from schemas.channels import CHANNELS
from schemas.deliveries import LogRecord
from schemas.inputs import Channel
from schemas.keys import ClientKey, RecipientKey
from schemas.ledger import LedgerRow
from schemas.notices import Kind
from schemas.state import Agenda, AgendaEntry, OptOuts, PeopleRow, SettingsRow
from schemas.topics import (
    AGENDAS,
    CONSENTS_TABLE,
    CONTACTS_TABLE,
    OPT_OUTS_TABLE,
    PEOPLE_TABLE,
    Table,
)

from ..notices.agenda import zone_of
from ..notices.client_turn import as_set
from ..notices.difference import untold
from ..notices.gates import ClientFacts, address_of, masked
from ..notices.notify import quiet_now
from .gates import gates
from .kept import Kept, is_about, once
from .knowledge import knowledge
from .organisation import organisation_facts
from .others import others
from .pending import Fact, pending
from .words import at_sender, became, kinds, moment, period, sentence

CLIENT_TABLES: tuple[Table[Any], ...] = (CONSENTS_TABLE, CONTACTS_TABLE, PEOPLE_TABLE, OPT_OUTS_TABLE, AGENDAS)


class ClientSnapshot(NamedTuple):
    """All that is kept of a client. `ledgers`: channel -> message -> row, of the client's own. `log`: by `at`, each record once.

    `people`: who acts for the client; their records are in `log`, too.
    """

    key: ClientKey
    client_facts: ClientFacts
    settings: SettingsRow | None
    agenda: Agenda
    ledgers: dict[Channel, dict[str, LedgerRow]]
    log: list[LogRecord]
    people: PeopleRow = PeopleRow()

    @property
    def is_nobody(self) -> bool:
        """Nothing at all is kept under these ids."""
        is_unknown = self.client_facts[:3] == (None, None, None)
        return is_unknown and self.agenda == Agenda() and not any(self.ledgers.values()) and not self.log


class Explanation(NamedTuple):
    """The sections of the screen, in their order: title -> facts."""

    key: ClientKey | RecipientKey
    now: datetime
    zone: str
    sections: dict[str, list[Fact]]


def is_wanted(key: bytes, client: ClientKey) -> bool:
    """Tell whether a row of any store is about this client, or holds the organisation's settings."""
    return is_about(key, client, CLIENT_TABLES)


def snapshot_of(
    rows: Mapping[str, Mapping[bytes, bytes]], log: Iterable[LogRecord], client: ClientKey
) -> ClientSnapshot:  # fmt: skip
    """Return a client as the stores and the log have it. `rows`: store -> its rows; those of others are passed over."""
    kept = Kept(rows)
    settings = kept.settings(client.organisation)
    organisation = settings.organisation if settings is not None else None
    facts = ClientFacts(
        kept.row(CONSENTS_TABLE, client), kept.row(CONTACTS_TABLE, client), kept.row(OPT_OUTS_TABLE, client), organisation
    )
    return ClientSnapshot(
        client, facts, settings, as_set(kept.row(AGENDAS, client) or Agenda(), organisation), kept.ledgers(client),
        once(one for one in log if (one.organisation, one.client) == client), kept.row(PEOPLE_TABLE, client) or PeopleRow(),
    )  # fmt: skip


def explain(
    client: ClientSnapshot, now: datetime, appointment: str | None = None, since: datetime | None = None
) -> Explanation:  # fmt: skip
    """Explain everything on one screen. `appointment`: of this one only; `since`: no history before this."""
    zone = zone_of(client.client_facts.organisation)
    changed = untold(client.agenda, zone, now)
    quiet = quiet_now(client.agenda, zone, now)
    return Explanation(
        client.key, now, zone,
        {
            "Known now": [*_person(client), *organisation_facts(client.settings, zone)],
            "Gates, in their order, as they are now": gates(client.client_facts, client.agenda, appointment),
            **({"Who acts for the client": [*others(
                client.key, client.people, client.agenda, client.client_facts, now
            )]} if client.people.people else {}),
            "Appointments": [
                _appointment(client, id_, entry, changed.get(id_), zone, is_quiet=id_ in quiet)
                for id_, entry in sorted(client.agenda.appointments.items(), key=lambda pair: (pair[1].actual.start, pair[0]))
                if appointment in (None, id_)
            ],
            "What the client knows to be ahead": knowledge(client.agenda, zone, now, appointment),
            "Reminders, and what is still to come": pending(
                client.client_facts, client.settings, client.agenda, client.ledgers, client.log, zone, now, appointment,
                client.key,
            ),
            "History, from the delivery log": history(client.log, zone, since, appointment),
        },
    )  # fmt: skip


# -- what is known -----------------------------------------------------------------------------------------------------


def _person(client: ClientSnapshot) -> list[Fact]:
    consent, contact, opt_outs, *_ = client.client_facts
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
    source += f", language {consent.language}" if consent is not None and consent.language else ""
    facts = [Fact(f"consent: {said}{source}", {
        "what": "consent", "notifications": consent is not None and consent.notifications,
        "channels": list(consent.channels) if consent is not None else [],
    })]  # fmt: skip
    for channel in CHANNELS:
        found = address_of(contact, channel)
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


# -- appointments ------------------------------------------------------------------------------------------------------


BECAME: dict[Outcome, str] = {
    "arrived": "the client is there: nothing more is said or reminded", "fulfilled": "it took place",
    "noshow": "the client did not come",
}  # fmt: skip


def _appointment(client: ClientSnapshot, id_: str, entry: AgendaEntry, change: Kind | None, zone: str, *, is_quiet: bool) -> Fact:
    """Tell an appointment as it is, as it was told, and what became of the telling.

    `change`: what has to be told of it. `is_quiet`: its `notify` keeps that back.
    """
    became = f", {BECAME[entry.outcome]}" if entry.outcome is not None else ""
    state = became if entry.booked else ", cancelled"
    is_so = f"{period(entry.actual, zone)}{state}{'' if entry.present else ', client not present'}"
    label = entry.details.label if entry.details is not None else None
    is_so += f", label {label}" if label is not None else ""
    is_so += f", notify {entry.notify}{_by_label(entry)}" if entry.notify is not None else ""
    lines = [f"{id_}: {is_so} (revision {entry.revision})"]
    how = _telling(client, entry, zone)
    if any(note.id == entry.notice for flying in client.agenda.flight.values() for note in flying.notices):
        lines.append(f"told: {period(entry.told, zone) if entry.told is not None else 'nothing yet'}")
        lines.append(f"under way, and not known yet{how}")
    elif entry.told is not None:
        lines.append(f"counts as told: {period(entry.told, zone)}{how}")
    elif entry.notice is not None:
        lines.append(f"counts as told: nothing that is still so{how}")
    else:
        lines.append("told: nothing yet")
    if change is not None:
        lines.append(f"not told yet: {change}{_held_back(entry, is_quiet=is_quiet)}")
    return Fact("\n  ".join(lines), {
        "appointment": id_, "revision": entry.revision, "booked": entry.booked, "present": entry.present,
        "notify": entry.notify or "all", "label": label,
        "outcome": entry.outcome,
        "actual": entry.actual, "told": entry.told, "told_since": entry.told_on_day_since, "notice": entry.notice,
        "not_told": change,
    })  # fmt: skip


def _by_label(entry: AgendaEntry) -> str:
    return " by its label" if entry.own_notify is None and entry.details is not None and entry.details.label is not None else ""


def _held_back(entry: AgendaEntry, *, is_quiet: bool) -> str:
    """Say why something that is not told yet is not about to be."""
    if not entry.present:
        return ", held back until the client is present"
    if not is_quiet:
        return ""
    return ", which its reminder is the first to tell" if entry.notify == "reminder" else ", and is not to be"


def _telling(client: ClientSnapshot, entry: AgendaEntry, zone: str) -> str:
    """Say what became of the last notice of an appointment."""
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


def history(log: Iterable[LogRecord], zone: str, since: datetime | None, appointment: str | None) -> list[Fact]:
    """Tell what became of all messages; of those of one appointment only, or not of what was before."""
    return [
        happened(one, zone)
        for one in log
        if (since is None or one.at >= since)
        and (appointment is None or any(appointment in (note.appointment, *note.others) for note in one.notices))
    ]


def happened(one: LogRecord, zone: str) -> Fact:
    """Tell what became of a message."""
    way = f" by {one.channel}" if one.channel is not None and one.status not in NOT_CALLED else ""
    whom = f" ({one.recipient})" if one.recipient and one.client else ""
    to = (f" to {one.address}" if one.address is not None else "") + whom
    lines = [f"{moment(one.at, zone)} {one.status}{way}{to}: {kinds(one)}", sentence(one)]
    if one.text is not None:
        lines.append(f"“{' '.join(one.text.split())}”")
    return Fact("\n  ".join(lines), {
        "at": one.at, "message": one.message, "status": one.status, "detail": one.detail, "channel": one.channel,
        "reason": one.reason, "attempt": one.attempt, "address": one.address, "sent": one.text,
        "notices": list(one.notices),
    })  # fmt: skip
