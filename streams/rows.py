"""Rows as records: what a decision has already changed lies over what is durable."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import msgspec

from schemas.topics import TABLES, Table

from .turn import Decision

DECODERS: dict[tuple[str, str], Any] = {(table.store, table.name): msgspec.json.Decoder(table.record).decode for table in TABLES}
PREFIXES = {(table.store, table.name): f"{table.name}/".encode() for table in TABLES}


class Rows:
    """The rows of one shard. `base`: the durable ones, kept by the driver."""

    def __init__(self, base: MutableMapping[bytes, bytes]) -> None:
        self.base = base

    def get(self, decision: Decision | None, table: Table, key: bytes) -> Any:
        """The row of that key as the table's record; None where there is none, or where it is another table's."""
        value = decision.rows.get(key, b"") if decision is not None else b""
        if value == b"":
            value = self.base.get(key)
        if value is None or not key.startswith(PREFIXES[table.store, table.name]):
            return None
        return DECODERS[table.store, table.name](value)
