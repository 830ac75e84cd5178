"""What the projection keeps of volumes: how many messages went out by ten minutes, and which organisation was warned of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete

from schemas.deliveries import LogRecord
from streams.history.volume import window_of

from .tables import VOLUMES, WARNED, inserts, moment

COUNTED = ("direct", "request")
"""Reasons whose messages nobody planned: of reminders each day has its many, and of digests of employees."""


def take(connection: Connection, insert: Any, records: Iterable[LogRecord]) -> None:
    """Count records that were not counted yet. `insert`: of the database's own words."""
    found: dict[tuple[str, str, int], int] = {}
    for record in records:
        if record.client and record.status == "sent" and record.reason in COUNTED:
            key = record.organisation, record.reason, window_of(record.at)
            found[key] = found.get(key, 0) + 1
    if found:
        add = insert(VOLUMES)
        more = {"messages": VOLUMES.c.messages + add.excluded.messages}
        names = ("organisation", "reason", "ten_minutes", "messages")
        rows = [dict(zip(names, (*key, count), strict=True)) for key, count in found.items()]
        connection.execute(add.on_conflict_do_update(index_elements=list(VOLUMES.primary_key), set_=more), rows)


class Warnings:
    """Who warns whom: of several processes one."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def claim(self, organisation: str, reason: str, at: datetime, not_since: datetime) -> bool:
        """Note that this process warns an organisation; tell whether it may: nobody did since then."""
        put = inserts(self.engine)(WARNED)
        put = put.on_conflict_do_update(
            index_elements=list(WARNED.primary_key), set_={"at": put.excluded.at}, where=WARNED.c.at < moment(not_since)
        )
        with self.engine.begin() as connection:
            row = {"organisation": organisation, "reason": reason, "at": moment(at)}
            return connection.execute(put.returning(WARNED.c.at), row).first() is not None

    def unclaim(self, organisation: str, reason: str) -> None:
        """Note that the warning did not go out: it is tried again."""
        with self.engine.begin() as connection:
            connection.execute(delete(WARNED).where(WARNED.c.organisation == organisation, WARNED.c.reason == reason))

    def forget(self, before: int) -> None:
        """Forget what went out before these ten minutes."""
        with self.engine.begin() as connection:
            connection.execute(delete(VOLUMES).where(VOLUMES.c.ten_minutes < before))
