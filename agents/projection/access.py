"""What the projection keeps of `access-log`: who looked at which client, once a day, and which sessions were ended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, case

from schemas.access import END_SESSIONS, SIGN_OUT, AccessRecord

from .days import ZONE
from .tables import ENDED, LOOKS, moment

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
