"""What the projection keeps of `held`: what of each client waits in a hold, as its last record says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, tuple_

from schemas.held import HeldRecord
from schemas.keys import ClientKey
from schemas.wire import BadRecordError, encode, own

from .tables import HELD, moment

CHUNK = 200

_held = msgspec.json.Decoder(HeldRecord).decode


class Changes:
    """The last record of each client of some that follow on one another; None: nothing waits any more."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], HeldRecord | None] = {}

    def add(self, key: bytes | None, value: bytes | None) -> None:
        """Add a record. Raises BadRecordError for one that is none."""
        try:
            client = ClientKey.of((key or b"").decode())
        except ValueError:
            raise BadRecordError("the key does not have 2 ids joined by '/'") from None
        record = own(_held, value) if value is not None else None
        if record is not None and (record.organisation, record.client) != client:
            raise BadRecordError("the key does not match the value: expected organisation/client")
        self.of[client] = record

    def keys(self) -> Collection[tuple[str, str]]:
        """Return whose records they are."""
        return self.of.keys()

    def without(self, forgets: Callable[[HeldRecord], bool]) -> Changes:
        """Return the same with nothing of those that are forgotten."""
        kept = Changes()
        kept.of = {key: None if one is not None and forgets(one) else one for key, one in self.of.items()}
        return kept


def take(connection: Connection, insert: Any, changes: Changes) -> None:
    """Write what waits now. `insert`: of the database's own words."""
    gone = [key for key, record in changes.of.items() if record is None]
    for start in range(0, len(gone), CHUNK):
        whose = tuple_(HELD.c.organisation, HELD.c.client).in_(gone[start : start + CHUNK])
        connection.execute(delete(HELD).where(whose))
    rows = [_row(record) for record in changes.of.values() if record is not None]
    if rows:
        put = insert(HELD)
        columns = {column.name: put.excluded[column.name] for column in HELD.c if not column.primary_key}
        connection.execute(put.on_conflict_do_update(index_elements=list(HELD.primary_key), set_=columns), rows)


def read(row: dict[str, Any]) -> HeldRecord:
    """Return the record that a row keeps."""
    return own(_held, row["value"].encode())


def _row(record: HeldRecord) -> dict[str, Any]:
    return {
        "organisation": record.organisation, "client": record.client, "at": moment(record.at), "messages": len(record.messages),
        "near": record.near, "until": moment(record.until), "value": encode(record).decode(),
    }  # fmt: skip
