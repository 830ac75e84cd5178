"""What the projection keeps of the workers' rows: what `why` knows of a client, for the page of a client.

It comes from the changelog of the node `notices`, so it is what the workers decide by. Kept of an address is its mask; of an
appointment neither what only its reminder says nor a place that no message names; of a request not its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, delete, tuple_

from schemas.events import Details, KnownAddress, KnownContact, View
from schemas.notices import Notice
from schemas.state import Agenda, AgendaEntry, Flying, Pending, Sent
from schemas.topics import (
    AGENDAS,
    CONSENTS_TABLE,
    CONTACTS_TABLE,
    OPT_OUTS_TABLE,
    Table,
    changelog,
)
from schemas.wire import BadRecordError, encode, own
from streams.explain.kept import OF_ORGANISATIONS
from streams.notices.gates import masked
from streams.processing.places import said_place
from streams.processing.rows import DECODERS

from ..engine.state.changelog import encode_epoch
from ..engine.state.outbox import FENCE_KEY, RESERVED
from .entries import Entry
from .page_tables import STATES

CHUNK = 200

STORE = "notices"

SUFFIX = changelog("", STORE).name

OF_CLIENTS: tuple[Table[Any], ...] = (CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE, AGENDAS)
_TABLES = {table.name: table for table in (*OF_CLIENTS, *OF_ORGANISATIONS)}


class Whose(NamedTuple):
    """Where a row is kept; of an organisation's own rows `client` is empty."""

    organisation: str
    client: str
    name: str


E = TypeVar("E", bound=Entry)

Changes = dict[Whose, tuple[bytes | None, Any]]
"""The last value of each row, and the entry that has it."""


def is_states(topic: str) -> bool:
    """Tell whether a topic is the changelog of the rows, whatever the application is called."""
    return topic.endswith(SUFFIX)


def read_all(entries: Iterable[E], fence: int | None) -> tuple[Changes, int | None, list[tuple[E, BadRecordError]]]:
    """Return the last value of each row, the last fence, and the entries that are no rows.

    A record under an older fence than the last one before it was written by a worker that had lost the partition.
    """
    changes: Changes = {}
    bad: list[tuple[E, BadRecordError]] = []
    for entry in entries:
        if entry.key == FENCE_KEY:
            fence = entry.offset
        elif entry.key is None or entry.key[:1] == RESERVED or (fence is not None and _is_stale(entry, fence)):
            continue
        elif (whose := _whose(entry.key)) is not None:
            try:
                changes[whose] = (_cleaned(whose.name, entry.value), entry)
            except BadRecordError as error:
                bad.append((entry, error))
    return changes, fence, bad


class Row(NamedTuple):
    """A row's value, None where it is deleted, and when that was written, as the tables have it."""

    value: bytes | None
    at: str


def write(connection: Connection, insert: Any, changes: Mapping[Whose, Row]) -> None:
    """Write rows as they now are. `insert`: of the database's own words."""
    gone = [whose for whose, row in changes.items() if row.value is None]
    for start in range(0, len(gone), CHUNK):
        place = tuple_(STATES.c.organisation, STATES.c.client, STATES.c.name)
        connection.execute(delete(STATES).where(place.in_(gone[start : start + CHUNK])))
    rows = [
        {**whose._asdict(), "value": row.value.decode(), "at": row.at}
        for whose, row in sorted(changes.items())
        if row.value is not None
    ]
    if rows:
        put = insert(STATES)
        columns = {name: put.excluded[name] for name in ("value", "at")}
        put = put.on_conflict_do_update(index_elements=list(STATES.primary_key), set_=columns)
        connection.execute(put, rows)


def rows_of(found: Iterable[Mapping[str, Any]]) -> dict[bytes, bytes]:
    """Return rows under their keys, as the workers have them."""
    rows = {}
    for one in found:
        key = f"{one['organisation']}/{one['client']}" if one["client"] else one["organisation"]
        rows[_TABLES[one["name"]].row(key)] = one["value"].encode()
    return rows


def _is_stale(entry: Entry, fence: int) -> bool:
    return entry.epoch is not None and entry.epoch < encode_epoch(fence)


def _whose(key: bytes) -> Whose | None:
    """Return whose a row is; None for one of a table that no page shows."""
    try:
        name, *ids = key.decode().split("/")
    except UnicodeDecodeError:
        return None
    table = _TABLES.get(name)
    if table is None or len(ids) != (2 if table in OF_CLIENTS else 1):
        return None
    return Whose(ids[0], ids[1] if len(ids) == 2 else "", name)


def _cleaned(name: str, value: bytes | None) -> bytes | None:
    """Return a row without what no page shows. Raises BadRecordError."""
    if value is None:
        return None
    record = own(DECODERS[STORE, name], value)
    clean = _CLEANERS.get(name)
    return encode(record if clean is None else clean(record))


def _contact(contact: KnownContact) -> KnownContact:
    def hidden(one: KnownAddress | None) -> KnownAddress | None:
        return replace(one, address=masked(one.address)) if one is not None else None

    return replace(contact, sms=hidden(contact.sms), email=hidden(contact.email))


def _agenda(agenda: Agenda) -> Agenda:
    return replace(
        agenda,
        appointments={id_: _entry(entry) for id_, entry in agenda.appointments.items()},
        requests={name: _pending(one) for name, one in agenda.requests.items()},
        flight={message: _flying(one) for message, one in agenda.flight.items()},
        sent={notice: _sent(one) for notice, one in agenda.sent.items()},
        people={},
    )


def _entry(entry: AgendaEntry) -> AgendaEntry:
    return replace(
        entry, actual=_view(entry.actual), told=_view(entry.told) if entry.told is not None else None,
        details=_details(entry.details), unsaid_place=said_place(entry.unsaid_place, entry.actual.kind),
    )  # fmt: skip


def _view(view: View) -> View:
    return replace(view, location=said_place(view.location, view.kind))


def _details(details: Details | None) -> Details | None:
    return Details(label=details.label) if details is not None and details.label is not None else None


def _pending(one: Pending) -> Pending:
    return replace(one, request=replace(one.request, text="-", subject=None))


def _flying(one: Flying) -> Flying:
    return replace(one, notices=tuple(_notice(notice) for notice in one.notices))


def _notice(notice: Notice) -> Notice:
    return replace(
        notice, details=None, was=_view(notice.was) if notice.was is not None else None,
        now=_view(notice.now) if notice.now is not None else None,
    )  # fmt: skip


def _sent(one: Sent) -> Sent:
    return replace(one, said=_flying(one.said)) if one.said is not None else one


_CLEANERS: dict[str, Callable[[Any], msgspec.Struct]] = {CONTACTS_TABLE.name: _contact, AGENDAS.name: _agenda}
