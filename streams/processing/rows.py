"""Rows as records: what a decision has already changed lies over what is durable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeVar

import msgspec

from schemas.topics import TABLES, Table
from schemas.wire import BadRecordError, own

from .turn import BadRowError, Decision

T = TypeVar("T")

DECODERS: dict[tuple[str, str], Any] = {(table.store, table.name): msgspec.json.Decoder(table.record).decode for table in TABLES}
_DECODERS = {id(table): DECODERS[table.store, table.name] for table in TABLES}
"""The same, found without a hash of the whole table: a row is read several times for each event."""

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Rows:
    """The rows of one processor. `base`: the durable ones, kept by the driver. All of it raises BadRowError."""

    def __init__(self, base: MutableMapping[bytes, bytes]) -> None:
        self.base = base

    def get(self, decision: Decision | None, table: Table[T], key: bytes) -> T | None:
        """Return the row of that key, one of the table's, as its record; None where there is none."""
        value = self.base.get(key) if decision is None or key not in decision.rows else decision.rows[key]
        if value is None:
            return None
        try:
            record: T = _DECODERS[id(table)](value)
        except _UNREADABLE:
            raise _unreadable(table, key, value) from None
        return record

    def scan(self, table: Table[T], start: str = "") -> Iterator[tuple[str, T]]:
        """Yield the durable rows of a table whose keys begin like this: key and record, in no order."""
        prefix, decode = table.row(""), _DECODERS[id(table)]
        for key, value in self._items(prefix + start.encode()):
            try:
                yield key[len(prefix) :].decode(), decode(value)
            except _UNREADABLE:
                raise _unreadable(table, key, value) from None

    def each(self, table: Table[T], load: Callable[[str, T], None]) -> None:
        """Hand each durable row of a table to `load`; one that it cannot take is bad, such as an instant that no zone has."""
        for key, record in self.scan(table):
            try:
                load(key, record)
            except (ArithmeticError, ValueError) as error:
                raise bad_row(table.row(key), type(error).__name__) from None

    def current(self, decision: Decision, table: Table[T], start: str = "") -> Iterator[tuple[str, T]]:
        """Yield as `scan` does, of the rows as they are in this decision."""
        prefix = table.row("")
        for key, record in self.scan(table, start):
            if prefix + key.encode() not in decision.rows:
                yield key, record
        for name, value in decision.rows.items():
            if value is not None and name.startswith(prefix + start.encode()):
                yield name[len(prefix) :].decode(), _DECODERS[id(table)](value)

    def verify(self, store: str, *scanned: Table[Any]) -> None:
        """See that every row is one of this store's, and can be read; `scanned`: tables whose rows the caller reads itself."""
        tables = {table.name.encode(): table for table in TABLES if table.store == store}
        shapes = {name: table.shapes for name, table in tables.items()}
        unread = {name: table for name, table in tables.items() if table not in scanned}
        for key, value in self._items(b""):
            name, _, rest = key.partition(b"/")
            if name not in tables:
                raise bad_row(key, "it is of no table of this version")
            if tuple(map(bool, rest.split(b"/"))) not in shapes[name]:
                raise bad_row(key, f"its key is not {tables[name].key}")
            try:
                if not rest.isascii():
                    rest.decode()
                if name in unread:
                    _DECODERS[id(unread[name])](value)
            except _UNREADABLE:
                raise _unreadable(tables[name], key, value) from None

    def _items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield rows by their prefix. A store on disk has a `scan(prefix)` that finds them; of a dict all are looked at."""
        if (found := getattr(self.base, "scan", None)) is not None:
            yield from found(prefix)
            return
        for key, value in self.base.items():
            if key.startswith(prefix):
                yield key, value


def bad_row(key: bytes, why: str) -> BadRowError:
    """Refuse a row. Its key names a client, so it is told by a hash of it."""
    name = key.partition(b"/")[0].decode(errors="replace")
    table = name if name in {table.name for table in TABLES} else "an unknown table"
    return BadRowError(key, f"the row of {table} whose key has the SHA-256 {hashlib.sha256(key).hexdigest()[:16]}…: {why}")


def _unreadable(table: Table[Any], key: bytes, value: bytes) -> BadRowError:
    """Refuse a row that could not be decoded: once more, for the reason."""
    try:
        key.decode()
        own(_DECODERS[id(table)], value)
    except BadRecordError as error:
        return bad_row(key, str(error))
    except UnicodeDecodeError:
        pass
    return bad_row(key, "its key is not UTF-8")
