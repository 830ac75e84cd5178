"""Rows as records: what a decision has already changed lies over what is durable."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import msgspec

from schemas.topics import TABLES, Table

from .turn import Decision

DECODERS: dict[tuple[str, str], Any] = {(table.store, table.name): msgspec.json.Decoder(table.record).decode for table in TABLES}
_DECODERS = {id(table): DECODERS[table.store, table.name] for table in TABLES}
"""The same, found without a hash of the whole table: a row is read several times for each event."""


class Rows:
    """The rows of one shard. `base`: the durable ones, kept by the driver."""

    def __init__(self, base: MutableMapping[bytes, bytes]) -> None:
        self.base = base

    def get(self, decision: Decision | None, table: Table, key: bytes) -> Any:
        """The row of that key, one of the table's, as its record; None where there is none."""
        value = self.base.get(key) if decision is None or key not in decision.rows else decision.rows[key]
        return None if value is None else _DECODERS[id(table)](value)

    def scan(self, table: Table, start: str = "") -> Iterator[tuple[str, Any]]:
        """The durable rows of a table whose keys begin like this: key and record, in no order."""
        prefix = table.row("")
        for key, value in self._items(prefix + start.encode()):
            yield key[len(prefix) :].decode(), _DECODERS[id(table)](value)

    def current(self, decision: Decision, table: Table, start: str = "") -> Iterator[tuple[str, Any]]:
        """As `scan`, of the rows as they are in this decision."""
        prefix = table.row("")
        for key, record in self.scan(table, start):
            if prefix + key.encode() not in decision.rows:
                yield key, record
        for name, value in decision.rows.items():
            if value is not None and name.startswith(prefix + start.encode()):
                yield name[len(prefix) :].decode(), _DECODERS[id(table)](value)

    def _items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """A store on disk has a `scan(prefix)` that finds them; of a dict all are looked at."""
        if (found := getattr(self.base, "scan", None)) is not None:
            yield from found(prefix)
            return
        for key, value in self.base.items():
            if key.startswith(prefix):
                yield key, value
