"""What the projection makes of records: pure. A record counts once, by (message, attempt, status)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.deliveries import LogRecord
from schemas.inputs import Request
from schemas.keys import EMPLOYEE
from schemas.wire import to_json
from streams.sending.report_rules import corrected

from .causes import cause_of, outcome_of
from .days import local_day
from .forgetting import client_hash
from .requests import fingerprint, message_of
from .tables import moment

Row = dict[str, Any]

Identity = tuple[str, int, str]

FINAL = frozenset({"delivered"})
"""After this a message's state does not change: reports come in any order."""


def identity(record: LogRecord) -> Identity:
    """Return what makes it one record."""
    return record.message, record.attempt, record.status


def once(records: Iterable[LogRecord], known: set[Identity]) -> list[LogRecord]:
    """Return those that are not known yet, each once, in order."""
    fresh: dict[Identity, LogRecord] = {}
    for record in records:
        if identity(record) not in known:
            fresh.setdefault(identity(record), record)
    return list(fresh.values())


def record_row(record: LogRecord) -> Row:
    """Return a record as its row."""
    return {
        "message": record.message, "attempt": record.attempt, "status": record.status, "detail": record.detail,
        "channel": record.channel, "at": moment(record.at), "address": record.address, "parts": record.parts,
    }  # fmt: skip


def message_row(old: Mapping[str, Any] | None, record: LogRecord) -> Row:
    """Return a message's row after one more of its records."""
    at, cost = moment(record.at), micros(record)
    row: Row = dict(old) if old is not None else {
        "organisation": record.organisation, "message": record.message, "client": record.client,
        "recipient": record.recipient or "", "channel": record.channel, "reason": record.reason,
        "kinds": ",".join(dict.fromkeys(notice.kind for notice in record.notices)),
        "status": record.status, "detail": record.detail, "first": at, "at": at, "attempt": record.attempt,
        "text": None, "parts": None, "micros": None, "currency": None, "address": None,
        "outcome": outcome_of(record), "cause": cause_of(record), "start": None, "notices": "[]",
    }  # fmt: skip
    if row["status"] not in FINAL:
        row |= {
            "status": record.status, "detail": record.detail, "at": at, "attempt": record.attempt,
            "outcome": outcome_of(record), "cause": cause_of(record),
        }  # fmt: skip
    if record.start is not None:
        row["start"] = moment(record.start)
    if record.notices:
        row["notices"] = to_json(record.notices).decode()
    row["channel"] = record.channel or row["channel"]
    row["text"] = (record.text or "").replace("\0", "") or row["text"]  # PostgreSQL holds no NUL
    row["address"] = record.address or row["address"]
    if record.parts is not None:  # one that was sent twice costs twice, and so do pieces of one that comes back
        row["parts"] = (row["parts"] or 0) + record.parts
    if cost is not None and record.cost is not None:
        row["micros"], row["currency"] = (row["micros"] or 0) + cost, record.cost.currency
    return row


def counted_as(channel: str | None, client: str) -> str:
    """Return under which channel a message counts: employees' stand apart, as `e:sms`."""
    return channel or "" if client else f"{EMPLOYEE}{channel or ''}"


def day_rows(records: Iterable[LogRecord]) -> list[Row]:
    """Return what these records add to the days, each key once."""
    found: dict[tuple[str, ...], Row] = {}
    for record in records:
        key = (
            record.organisation, local_day(record.at), counted_as(record.channel, record.client), record.status,
            record.cost.currency if record.cost is not None else "",
        )  # fmt: skip
        row = found.setdefault(
            key,
            dict(zip(("organisation", "day", "channel", "status", "currency"), key, strict=True))
            | {"records": 0, "parts": 0, "micros": 0},
        )
        row["records"] += 1
        row["parts"] += record.parts or 0
        row["micros"] += micros(record) or 0
    return list(found.values())


def correction(row: Row, record: LogRecord, sent: str | None) -> Row | None:
    """Put what the provider bills for a message after all (`streams/history/bill.py`) into its row; return what the day of
    sending gets by it. `sent`: when it was sent; None: it was not.
    """
    found = corrected(record.detail) if record.status in ("delivered", "failed") else None
    if found is None or sent is None or not row["parts"] or found[0] == row["parts"]:
        return None
    parts = found[0]
    amount = row["micros"] * parts // row["parts"] if row["micros"] is not None else None
    day: Row = {
        "organisation": record.organisation, "day": local_day(datetime.fromisoformat(sent)),
        "channel": counted_as(row["channel"], row["client"]),
        "status": "sent", "currency": row["currency"] or "", "records": 0, "parts": parts - row["parts"],
        "micros": (amount or 0) - (row["micros"] or 0),
    }  # fmt: skip
    row |= {"parts": parts, "micros": amount}
    return day


def request_row(request: Request, at: datetime) -> Row:
    """Return a third party's request as its row, without its text."""
    return {
        "organisation": request.organisation, "party": request.party, "request": request.request,
        "message": message_of(request), "fingerprint": fingerprint(request), "at": moment(at),
        "client": client_hash(request.organisation, request.client),
    }  # fmt: skip


def micros(record: LogRecord) -> int | None:
    """Return a cost in millionths; None where there is none, or none that is a number."""
    if record.cost is None:
        return None
    try:
        return int((Decimal(str(record.cost.amount)) * 1_000_000).to_integral_value())
    except (InvalidOperation, ValueError):
        return None
