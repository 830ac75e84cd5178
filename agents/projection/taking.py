"""How the records of each topic are taken into the tables, within one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select

from schemas.access import AccessRecord
from schemas.deliveries import LogRecord, read_log_record
from schemas.erasures import Erasure
from schemas.inputs import OptOut
from schemas.topics import ACCESS_LOG, DELIVERY_LOG, DOUBTED, ERASURES, HELD, OPT_OUTS, OUTCOMES, REQUESTS
from schemas.wire import BadRecordError, loads, own, read
from streams.intake.checks import request_of
from streams.intake.forgetting import check_erasure

from . import access, doubts, forgetting, opting, reduce, states, tallies, visits, volumes, waiting
from .entries import Entry
from .forgetting import ErasedClients
from .page_tables import CLIENTS
from .tables import DAYS, MESSAGES, RECORDS, moment
from .tables import REQUESTS as REQUESTS_TABLE

T = TypeVar("T")


Bad = list[tuple[Any, BadRecordError]]
"""Entries that are no records, with the reason."""

Taker = Callable[[Connection, Any, Sequence[Entry], datetime], Bad]
"""Takes entries in; `Any`: what makes an INSERT of the database's own words; the moment is that of the taking."""


def take_log(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    """Take in records of the delivery log, each once. Raises NewerSchemaError."""
    records, bad = _each(entries, lambda one: read_log_record(one.value))
    _take_records(connection, put, records)
    return bad


def _take_records(connection: Connection, put: Any, records: Sequence[LogRecord]) -> None:
    messages = list({record.message for record in records})
    seen = connection.execute(
        select(RECORDS.c.message, RECORDS.c.attempt, RECORDS.c.status, RECORDS.c.at).where(RECORDS.c.message.in_(messages))
    ).all()
    fresh = reduce.once(records, {(row.message, row.attempt, row.status) for row in seen})
    sent = {(row.message, row.attempt): row.at for row in seen if row.status == "sent"}
    if not fresh:
        return
    before = {
        (row["organisation"], row["message"]): dict(row)
        for row in connection.execute(select(MESSAGES).where(MESSAGES.c.message.in_(messages))).mappings()
    }
    states_ = dict(before)
    known = ErasedClients(connection, {record.whose for record in fresh})
    changed, corrections, rows, counted = {}, [], [], Counter[tallies.Key]()
    for record in fresh:
        went = sent.get((record.message, record.attempt))
        if record.client and (bucket := tallies.bucket_of(record, went)) is not None:
            counted[bucket] += 1
        if record.status == "sent":
            sent[record.message, record.attempt] = moment(record.at)
        if known.forgets(record):  # it counts, and nobody is told whose it was
            rows.append(reduce.record_row(record) | {"address": None})
            forgetting.forget_messages(connection, record.organisation, [record.message])
            continue
        rows.append(reduce.record_row(record))
        key = record.organisation, record.message
        row = changed[key] = states_[key] = reduce.message_row(states_.get(key), record)
        if record.status != "sent" and (day := reduce.correction(row, record, went)) is not None:
            corrections.append(day)
    connection.execute(insert(RECORDS), rows)
    _put_messages(connection, put, list(changed.values()))
    moved = Counter[tallies.Key]()
    for key, row in changed.items():
        if row["client"]:  # figures are of clients; of employees days alone count
            tallies.move(moved, before.get(key), row)
    tallies.write(connection, put, moved, counted)
    add = put(DAYS)
    sums = {name: DAYS.c[name] + add.excluded[name] for name in ("records", "parts", "micros")}
    add = add.on_conflict_do_update(index_elements=list(DAYS.primary_key), set_=sums)
    connection.execute(add, reduce.day_rows(fresh))
    for day in corrections:
        connection.execute(add, day)
    volumes.take(connection, put, fresh)


def _put_messages(connection: Connection, put: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        made = put(MESSAGES)
        columns = {c.name: made.excluded[c.name] for c in MESSAGES.c if not c.primary_key}
        connection.execute(made.on_conflict_do_update(index_elements=list(MESSAGES.primary_key), set_=columns), rows)
        know(connection, put, {(row["organisation"], row["client"]) for row in rows if row["client"]})


def know(connection: Connection, put: Any, clients: Iterable[tuple[str, str]]) -> None:
    """Have a search find these clients."""
    rows = [{"organisation": one, "client": client, "folded": client.casefold()} for one, client in sorted(clients)]
    if rows:
        connection.execute(put(CLIENTS).on_conflict_do_nothing(), rows)


def take_states(
    connection: Connection, put: Any, entries: Sequence[Entry], now: datetime, fence: int | None
) -> tuple[Bad, int | None]:  # fmt: skip
    """Take in the workers' rows; return what are none, and the last fence. What was written before an erasure is left out."""
    found, last, bad = states.read_all(entries, fence)
    clients = {(whose.organisation, whose.client) for whose in found if whose.client}
    known = ErasedClients(connection, clients)
    changes = {}
    for whose, (value, entry) in found.items():
        at = entry.at or now
        forgotten = known.forgets_at(whose.organisation, whose.client, at)
        changes[whose] = states.Row(None if forgotten else value, moment(at))
    states.write(connection, put, changes)
    there = {(one.organisation, one.client) for one, row in changes.items() if one.client and row.value is not None}
    know(connection, put, there)
    return bad, last


def _take_erasures(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    """Erase; what intake refuses is passed over, too."""
    erasures, _ = _each(entries, lambda one: check_erasure(read(Erasure, one.value or b""), one.at or now))
    for erasure in erasures:
        forgetting.erase(connection, put, erasure)
    return []


def _take_looks(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    records, bad = _each(entries, lambda one: read(AccessRecord, one.value or b""))
    access.take(connection, put, records)
    return bad


def _take_held(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    changes, bad = waiting.read_all(entries)
    known = ErasedClients(connection, changes)
    waiting.take(connection, put, changes, known.forgets_held)
    return [*bad]


def _take_doubts(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    return [*doubts.take(connection, put, entries)]


def _take_requests(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    """Note which requests there were; what intake refuses is left out, too: it is in dead-letters."""
    asked, _ = _each(entries, lambda one: (request_of(loads(one.value or b"")), one.at))
    known = ErasedClients(connection, {(request.organisation, request.client) for request, _ in asked})
    rows = [reduce.request_row(request, at or now) for request, at in asked if not known.forgets_request(request, at)]
    if rows:
        connection.execute(put(REQUESTS_TABLE).on_conflict_do_nothing(), rows)
    return []


def _take_opt_outs(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    """Note what clients themselves turned off and on; what intake refuses is left out, too: it is in dead-letters."""
    read_, _ = _each(entries, lambda one: (read(OptOut, one.value or b""), one.at or now))
    records = [(one, at) for one, at in read_ if one.client and not one.recipient]
    known = ErasedClients(connection, {(one.organisation, one.client) for one, _ in records})
    opting.take(
        connection, put, [(one, at) for one, at in records if not known.forgets_at(one.organisation, one.client, at)]
    )  # fmt: skip
    return []


def _take_outcomes(connection: Connection, put: Any, entries: Sequence[Entry], now: datetime) -> Bad:
    """Take in who came; a null value of an erasure says nothing."""
    records, bad = _each([entry for entry in entries if entry.value is not None], lambda one: own(visits.decode, one.value))
    known = ErasedClients(connection, {(one.organisation, one.client) for one in records})
    visits.take(connection, put, [one for one in records if not known.forgets_at(one.organisation, one.client, one.at)])
    return bad


TAKERS: dict[str, Taker] = {
    DELIVERY_LOG.name: take_log,
    ERASURES.name: _take_erasures,
    ACCESS_LOG.name: _take_looks,
    HELD.name: _take_held,
    DOUBTED.name: _take_doubts,
    REQUESTS.name: _take_requests,
    OPT_OUTS.name: _take_opt_outs,
    OUTCOMES.name: _take_outcomes,
}
"""By topic; settings and changelogs are taken by `projection.py`."""


def _each(entries: Iterable[Entry], read_one: Callable[[Entry], T]) -> tuple[list[T], Bad]:
    """Return the records, and the entries that are none."""
    records: list[T] = []
    bad: Bad = []
    for entry in entries:
        try:
            records.append(read_one(entry))
        except BadRecordError as error:
            bad.append((entry, error))
    return records, bad
