"""What the stores and the log keep of one client or employee, as it is read to be explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from schemas.deliveries import LogRecord
from schemas.inputs import Channel
from schemas.keys import ClientKey, RecipientKey
from schemas.ledger import LedgerRow
from schemas.state import SettingsRow
from schemas.topics import HOLDS_TABLE, LEDGERS, ORGANISATIONS_TABLE, OVERRIDES_TABLE, Table

from ..notices.settings import apply_override
from ..processing.rows import DECODERS

T = TypeVar("T")

OF_ORGANISATIONS: tuple[Table[Any], ...] = (ORGANISATIONS_TABLE, OVERRIDES_TABLE, HOLDS_TABLE)


def is_about(key: bytes, whose: ClientKey | RecipientKey, tables: Iterable[Table[Any]]) -> bool:
    """Tell whether a row of any store is theirs, in one of these tables or a ledger, or holds the organisation's settings."""
    exact = {table.row(whose) for table in tables} | {table.row(whose.organisation) for table in OF_ORGANISATIONS}
    return key in exact or any(key.startswith(table.row(f"{whose}/")) for table in LEDGERS.values())


class Kept:
    """The rows of the stores: store -> its rows. Those of others are passed over."""

    def __init__(self, rows: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._rows = rows

    def row(self, table: Table[T], key: str | ClientKey | RecipientKey) -> T | None:
        """Return a row, None where there is none."""
        value = self._rows.get(table.store, {}).get(table.row(key))
        record: T | None = None if value is None else DECODERS[table.store, table.name](value)
        return record

    def settings(self, organisation: str) -> SettingsRow | None:
        """Return an organisation's settings with what lies over them, and its hold."""
        settings = self.row(ORGANISATIONS_TABLE, organisation)
        if settings is None:
            return None
        effective = apply_override(settings.organisation, self.row(OVERRIDES_TABLE, organisation))
        return replace(settings, organisation=effective, hold=self.row(HOLDS_TABLE, organisation))

    def ledgers(self, whose: ClientKey | RecipientKey) -> dict[Channel, dict[str, LedgerRow]]:
        """Return the messages of a client or employee: channel -> message -> row; none of those who act for the client."""
        found: dict[Channel, dict[str, LedgerRow]] = {}
        for channel, table in LEDGERS.items():
            prefix = table.row(f"{whose}/")
            found[channel] = {
                key[len(prefix) :].decode(): DECODERS[table.store, table.name](value)
                for key, value in self._rows.get(table.store, {}).items()
                if key.startswith(prefix) and b"/" not in key[len(prefix) :]
            }
        return found


def once(log: Iterable[LogRecord]) -> list[LogRecord]:
    """Return each record once, in the order in which they happened."""
    return sorted({(one.message, one.attempt, one.status): one for one in log}.values(), key=lambda one: one.at)
