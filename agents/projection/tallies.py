"""What the projection counts: rows of `messages` by day, and records by hour and by the time they took to arrive.

A figure costs the same however many messages there are. A message that changes its outcome moves from one count to another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, select

from schemas.deliveries import LogRecord

from .days import ZONE, local_day
from .page_tables import BUCKETS, TALLIES
from .tables import MESSAGES

DELIVERY_TIMES = ((10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (86_400, "1 d"))
"""Seconds up to which a time to delivery is in a bucket, and its name; what took longer is in `LATER`."""
LATER = "later"

Key = tuple[str, ...]

_TALLY = ("organisation", "day", "channel", "kind", "outcome", "cause")
_BUCKET = ("organisation", "day", "what", "bucket")


def tally_of(row: Mapping[str, Any]) -> Key:
    """Return where a row of `messages` is counted: by its first kind."""
    kind = row["kinds"].partition(",")[0]
    day = local_day(datetime.fromisoformat(row["first"]))
    return row["organisation"], day, row["channel"] or "", kind, row["outcome"], row["cause"] or ""


def move(changes: Counter[Key], old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> None:
    """Note that a row of `messages` was one thing, None where it was not there, and is another."""
    if old is not None:
        changes[tally_of(old)] -= 1
    changes[tally_of(new)] += 1


def bucket_of(record: LogRecord, sent: str | None) -> Key | None:
    """Return where a record is counted. `sent`: of what was delivered, when it was sent, as the tables have it."""
    if record.status == "sent":
        return record.organisation, local_day(record.at), "hour", f"{record.at.astimezone(ZONE):%H}"
    if record.status != "delivered" or sent is None:
        return None
    went = datetime.fromisoformat(sent)
    seconds = (record.at - went).total_seconds()
    name = next((name for most, name in DELIVERY_TIMES if seconds <= most), LATER)
    return record.organisation, local_day(went), "delivery", name


def write(connection: Connection, insert: Any, tallies: Counter[Key], buckets: Counter[Key]) -> None:
    """Add to what is counted. `insert`: of the database's own words."""
    for table, names, count, found in ((TALLIES, _TALLY, "messages", tallies), (BUCKETS, _BUCKET, "records", buckets)):
        rows = [dict(zip((*names, count), (*key, number), strict=True)) for key, number in sorted(found.items()) if number]
        if rows:
            add = insert(table)
            more = {count: table.c[count] + add.excluded[count]}
            connection.execute(add.on_conflict_do_update(index_elements=list(table.primary_key), set_=more), rows)
    gone = [{f"of_{name}": part for name, part in zip(_TALLY, key, strict=True)} for key, number in tallies.items() if number < 0]
    if gone:
        same = and_(*(TALLIES.c[name] == bindparam(f"of_{name}") for name in _TALLY))
        connection.execute(delete(TALLIES).where(same, TALLIES.c.messages == 0), gone)


def forget(connection: Connection, insert: Any, which: ColumnElement[bool]) -> None:
    """Count rows of `messages` no more that are about to be deleted."""
    changes: Counter[Key] = Counter()
    columns = [MESSAGES.c[name] for name in ("organisation", "first", "channel", "kinds", "outcome", "cause")]
    for row in connection.execute(select(*columns).where(which, MESSAGES.c.client != "")).mappings():
        changes[tally_of({**row})] -= 1
    write(connection, insert, changes, Counter())


def expire(connection: Connection, before: datetime) -> None:
    """Forget what was counted of the days before this moment's."""
    connection.execute(delete(BUCKETS).where(BUCKETS.c.day < local_day(before)))
