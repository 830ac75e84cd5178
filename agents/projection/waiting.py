"""What the projection keeps of `held`: what of each client waits in a hold, as its last record says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, delete, tuple_

from schemas import topics
from schemas.held import HeldRecord
from schemas.keys import RecipientKey
from schemas.wire import BadRecordError, encode
from streams.processing import own_records
from streams.processing.turn import Record

from .tables import HELD, moment

CHUNK = 200


Changes = dict[RecipientKey, HeldRecord | None]
"""The last record of each recipient of some that follow on one another; None: nothing waits any more."""


class Entry(Protocol):
    """A record as it was read."""

    @property
    def key(self) -> bytes | None:
        """Whose it is."""

    @property
    def value(self) -> bytes | None:
        """What it says."""


E = TypeVar("E", bound=Entry)


def read_all(entries: Iterable[E]) -> tuple[Changes, list[tuple[E, BadRecordError]]]:
    """Return what records say, and those that are none."""
    changes: Changes = {}
    bad = []
    for entry in entries:
        try:
            whose, record = _read(Record(topics.HELD.name, 0, 0, entry.key, entry.value))
            changes[whose] = record
        except BadRecordError as error:
            bad.append((entry, error))
    return changes, bad


def take(connection: Connection, insert: Any, changes: Changes, forgets: Callable[[HeldRecord], bool]) -> None:
    """Write what waits now, of those that are not to be forgotten. `insert`: of the database's own words."""
    there = [record for record in changes.values() if record is not None and not forgets(record)]
    gone = list(changes.keys() - {record.whose for record in there})
    for start in range(0, len(gone), CHUNK):
        whose = tuple_(HELD.c.organisation, HELD.c.client, HELD.c.recipient).in_(gone[start : start + CHUNK])
        connection.execute(delete(HELD).where(whose))
    if there:
        put = insert(HELD)
        columns = {column.name: put.excluded[column.name] for column in HELD.c if not column.primary_key}
        put = put.on_conflict_do_update(index_elements=list(HELD.primary_key), set_=columns)
        connection.execute(put, [_row(record) for record in there])


def read(row: dict[str, Any]) -> HeldRecord:
    """Return the record that a row keeps."""
    return own_records.held_value(row["value"].encode())


def _read(record: Record) -> tuple[RecipientKey, HeldRecord | None]:
    if record.value is None:
        return own_records.recipient_key(record), None
    found = own_records.held(record)
    return found.whose, found


def _row(record: HeldRecord) -> dict[str, Any]:
    return {
        "organisation": record.organisation, "client": record.client, "recipient": record.recipient, "at": moment(record.at),
        "messages": len(record.messages), "near": record.near, "until": moment(record.until), "value": encode(record).decode(),
    }  # fmt: skip
