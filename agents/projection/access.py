"""What the projection keeps of `access-log`: who looked at which client, once a day, who changed
which settings, and which sessions were ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, case, delete

from schemas.access import END_SESSIONS, SIGN_OUT, AccessRecord
from schemas.wire import encode

from .days import ZONE
from .tables import CHANGES, ENDED, LOOKS, moment

BROKE_OFF = timedelta(minutes=2)
"""So long after the record of a change its record of breaking off can come."""

ENDS = (SIGN_OUT, END_SESSIONS)


def session_hash(nonce: str) -> str:
    """Return by what a session is known in records and tables."""
    return hashlib.sha256(f"session/{nonce}".encode()).hexdigest()


def user_hash(organisation: str, user: str) -> str:
    """Return by what all sessions of a user are known there."""
    return hashlib.sha256(f"user/{organisation}/{user}".encode(errors="surrogatepass")).hexdigest()


def take(connection: Connection, insert: Any, records: Iterable[AccessRecord]) -> None:
    """Take records in; one that comes twice changes nothing. `insert`: of the database's own words."""
    looks: dict[tuple[str, ...], dict[str, Any]] = {}
    ended: dict[str, str] = {}
    changed: dict[tuple[str, str], dict[str, Any]] = {}
    undone: list[AccessRecord] = []
    for record in records:
        at = moment(record.at)
        if record.action in ENDS and record.session is not None:
            ended[record.session] = max(at, ended.get(record.session, at))
        for client in record.clients if record.outcome == "shown" else ():
            key = record.organisation, client, record.at.astimezone(ZONE).date().isoformat(), record.user
            row = looks.setdefault(key, dict(zip(("organisation", "client", "day", "user"), key, strict=True)))
            row |= {
                "user_name": record.user_name, "role": record.role,
                "first": min(at, row.get("first", at)), "last": max(at, row.get("last", at)),
            }  # fmt: skip
        if record.changes and record.outcome == "done":
            changed[record.organisation, record.id] = {
                "organisation": record.organisation, "id": record.id, "at": at, "user": record.user,
                "user_name": record.user_name, "changes": encode(record.changes).decode(),
            }  # fmt: skip
        elif record.changes:  # it broke off: what was about to be changed was not
            undone.append(record)
    if changed:
        connection.execute(insert(CHANGES).on_conflict_do_nothing(), list(changed.values()))
    for record in undone:
        mine = (CHANGES.c.organisation == record.organisation) & (CHANGES.c.user == record.user)
        same = mine & (CHANGES.c.changes == encode(record.changes).decode())
        connection.execute(delete(CHANGES).where(same & (CHANGES.c.at >= moment(record.at - BROKE_OFF))))
    if looks:
        put = insert(LOOKS)
        new = put.excluded
        later = {
            "first": case((new.first < LOOKS.c.first, new.first), else_=LOOKS.c.first),
            "last": case((new.last > LOOKS.c.last, new.last), else_=LOOKS.c.last),
            "user_name": new.user_name, "role": new.role,
        }  # fmt: skip
        connection.execute(put.on_conflict_do_update(index_elements=list(LOOKS.primary_key), set_=later), list(looks.values()))
    if ended:
        put = insert(ENDED)
        put = put.on_conflict_do_update(
            index_elements=list(ENDED.primary_key), set_={"at": put.excluded.at}, where=put.excluded.at > ENDED.c.at
        )
        connection.execute(put, [{"session": session, "at": at} for session, at in ended.items()])
