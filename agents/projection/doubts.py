"""What the projection keeps of `doubted`: whose snapshots are not believed, as the last record of each partition says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import Connection, delete

from schemas import topics
from schemas.doubts import DoubtedRecord
from schemas.wire import BadRecordError
from streams.processing import own_records
from streams.processing.record_checks import key_parts
from streams.processing.turn import Record

from .tables import DOUBTS, moment
from .waiting import Entry

E = TypeVar("E", bound=Entry)


def take(connection: Connection, insert: Any, entries: Iterable[E]) -> list[tuple[E, BadRecordError]]:
    """Write what records say; return those that are none. `insert`: of the database's own words."""
    bad = []
    for entry in entries:
        record = Record(topics.DOUBTED.name, 0, 0, entry.key, entry.value)
        try:
            organisation, partition = key_parts(record, 2)
            said = own_records.doubted(record) if record.value is not None else None
        except BadRecordError as error:
            bad.append((entry, error))
            continue
        here = (DOUBTS.c.organisation == organisation) & (DOUBTS.c.partition == partition)
        connection.execute(delete(DOUBTS).where(here))
        if said is not None:
            connection.execute(insert(DOUBTS), _row(said))
    return bad


def _row(said: DoubtedRecord) -> dict[str, Any]:
    return {
        "organisation": said.organisation, "partition": str(said.partition), "since": moment(said.since), "at": moment(said.at),
        "clients": said.clients, "known": said.known, "until": moment(said.until),
    }  # fmt: skip
