"""What the projection keeps of `outcomes`: who came and who did not, each appointment of a client once, by hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection

from schemas.outcomes import OutcomeRecord

from .days import local_day
from .forgetting import client_hash
from .tables import VISITS, moment

decode = msgspec.json.Decoder(OutcomeRecord).decode


def take(connection: Connection, insert: Any, records: Iterable[OutcomeRecord]) -> None:
    """Write what became of appointments: the highest revision of each counts, of one revision the last."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in records:
        row = _row(one)
        key = row["organisation"], row["visit"]
        if key not in rows or rows[key]["revision"] <= one.revision:
            rows[key] = row
    if rows:
        put = insert(VISITS)
        columns = {column.name: put.excluded[column.name] for column in VISITS.c if not column.primary_key}
        newer = VISITS.c.revision <= put.excluded.revision
        put = put.on_conflict_do_update(index_elements=list(VISITS.primary_key), set_=columns, where=newer)
        connection.execute(put, list(rows.values()))


def _row(one: OutcomeRecord) -> dict[str, Any]:
    visit = hashlib.sha256(f"{one.organisation}/{one.client}/{one.appointment}".encode()).hexdigest()
    return {
        "organisation": one.organisation, "visit": visit, "client": client_hash(one.organisation, one.client),
        "day": local_day(one.start), "outcome": one.outcome, "revision": one.revision, "at": moment(one.at),
    }  # fmt: skip
