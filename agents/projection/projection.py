"""The projection of the delivery log, and of which requests there were: exactly once, by offsets kept in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from schemas.access import AccessRecord
from schemas.deliveries import LogRecord, NewerSchemaError, read_log_record
from schemas.erasures import Erasure
from schemas.inputs import Request
from schemas.topics import ACCESS_LOG, DELIVERY_LOG, DOUBTED, ERASURES, HELD, HOLDS, ORGANISATIONS, OVERRIDES
from schemas.wire import BadRecordError, loads, read
from streams.intake.checks import check_erasure, request_of

from ..engine.topic_ids import is_other
from . import access, doubts, forgetting, organisations, reduce, volumes, waiting
from .forgetting import ErasedClients, ErasedCounts
from .tables import (
    DAYS,
    MESSAGES,
    POSITIONS,
    RECORDS,
    REQUESTS,
    SETTINGS,
    TOPIC_IDS,
    check_layout,
    inserts,
    moment,
    prepare,
)

log = structlog.get_logger(__name__)

SETTINGS_TOPICS = (ORGANISATIONS.name, OVERRIDES.name, HOLDS.name)


class TopicEntry(msgspec.Struct, frozen=True):
    """One record of a topic, as it was read. `at`: when it was written; None where it has no time that can be."""

    offset: int
    value: bytes | None
    at: datetime | None
    key: bytes | None = None


class OvertakenError(Exception):
    """Another process took these records in: look again where to go on."""


class Projection:
    """The tables' one writer in this process. Several processes may write: each record is taken in by one of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self._insert = engine, inserts(engine)

    def positions(self) -> dict[tuple[str, int], int]:
        """Return where to go on, for each partition that was read before."""
        with self.engine.connect() as connection:
            return {(row.topic, row.partition): row.next for row in connection.execute(select(POSITIONS))}

    def recognise(self, ids: Mapping[str, bytes]) -> list[str]:
        """Note the topics' ids, those that are known; return the topics that are not those that were read: they are restarted."""
        with self.engine.begin() as connection:
            kept = {row.topic: bytes.fromhex(row.id) for row in connection.execute(select(TOPIC_IDS))}
            others = sorted(topic for topic, id_ in ids.items() if is_other(kept.get(topic), id_))
            for topic in others:
                self._restart(connection, topic)
            changed = [{"topic": topic, "id": id_.hex()} for topic, id_ in ids.items() if kept.get(topic) != id_]
            if changed:
                put = self._insert(TOPIC_IDS)
                connection.execute(
                    put.on_conflict_do_update(index_elements=list(TOPIC_IDS.primary_key), set_={"id": put.excluded["id"]}),
                    changed,
                )
        return others

    def restart(self, topic: str) -> None:
        """Read a topic from its beginning: what is known of it already changes nothing."""
        with self.engine.begin() as connection:
            self._restart(connection, topic)

    def _restart(self, connection: Connection, topic: str) -> None:
        """Forget the offsets of a topic, which mean nothing any more.

        Settings go by them too, so every record is newer than what is there.
        """
        connection.execute(delete(POSITIONS).where(POSITIONS.c.topic == topic))
        connection.execute(update(SETTINGS).where(SETTINGS.c.topic == topic).values(version=-1))

    def take(self, topic: str, partition: int, expected: int, entries: Sequence[TopicEntry]) -> int:
        """Take in records of a partition that follow on `expected`; return how many of them were set aside.

        All are taken in at once. Where that fails for a record, each half is taken in by itself, so that in the end the bad one
        stands alone: it is named, and passed over.

        Raises:
            OvertakenError: another process did it.
            NewerSchemaError: the next record is one of a later program; those before it are taken in.
        """
        try:
            return self._take(topic, partition, expected, entries)
        except OvertakenError:
            raise
        except Exception as error:
            if not is_of_record(error) or (len(entries) == 1 and isinstance(error, NewerSchemaError)):
                raise
            if len(entries) == 1:
                with self.engine.begin() as connection:
                    self._advance(connection, topic, partition, expected, entries[0].offset + 1)
                _told(topic, partition, entries[0], error)
                return 1
        half = len(entries) // 2
        skipped = self.take(topic, partition, expected, entries[:half])
        return skipped + self.take(topic, partition, entries[half - 1].offset + 1, entries[half:])

    def _take(self, topic: str, partition: int, expected: int, entries: Sequence[TopicEntry]) -> int:
        """Take all or none; return how many are no records at all."""
        bad: list[tuple[TopicEntry, BadRecordError]] = []
        now = datetime.now(UTC)
        with self.engine.begin() as connection:
            check_layout(connection)
            self._advance(connection, topic, partition, expected, entries[-1].offset + 1)
            if topic == DELIVERY_LOG.name:
                records, bad = _log_records(entries)
                self._take_log(connection, records)
            elif topic == ERASURES.name:
                for erasure in filter(None, (_erasure(entry, now) for entry in entries)):
                    forgetting.erase(connection, erasure)
            elif topic == ACCESS_LOG.name:
                looked, bad = _access_records(entries)
                access.take(connection, self._insert, looked)
            elif topic == HELD.name:
                bad = self._take_held(connection, entries)
            elif topic == DOUBTED.name:
                bad = doubts.take(connection, self._insert, entries)
            elif topic in SETTINGS_TOPICS:
                for entry in entries:
                    at = entry.at or now
                    self._put(connection, organisations.row(topic, partition, entry.offset, entry.key, entry.value, at))
            else:
                self._take_requests(
                    connection, [(one, entry.at) for entry in entries if (one := _request(entry)) is not None], now
                )
        if topic == ERASURES.name:
            forgetting.settle(self.engine)
        for entry, error in bad:
            _told(topic, partition, entry, error)
        return len(bad)

    def erase(self, erasure: Erasure) -> ErasedCounts:
        """Forget a client now, without waiting for the topic."""
        with self.engine.begin() as connection:
            forgotten = forgetting.erase(connection, erasure)
        forgetting.settle(self.engine)
        return forgotten

    def messages_of(self, organisation: str, client: str) -> int:
        """Count the messages that name a client."""
        mine = (MESSAGES.c.organisation == organisation) & (MESSAGES.c.client == client)
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(MESSAGES).where(mine)).scalar() or 0)

    def expire(self, texts_before: datetime, facts_before: datetime) -> ErasedCounts:
        """Forget what is old."""
        with self.engine.begin() as connection:
            forgotten = forgetting.expire(connection, texts_before, facts_before)
        forgetting.settle(self.engine)
        return forgotten

    def note(self, row: reduce.Row | None) -> None:
        """Take in what this process wrote to a settings topic before it comes back from there: its writer sees it at once."""
        with self.engine.begin() as connection:
            self._put(connection, row)

    def note_access(self, record: AccessRecord) -> None:
        """Take in a record of `access-log` that this process wrote: a session that was ended here is over here."""
        with self.engine.begin() as connection:
            access.take(connection, self._insert, [record])

    def _put(self, connection: Connection, row: reduce.Row | None) -> None:
        """Write a row if it is the newest of its partition, whoever brings it; a refused record leaves the last good value."""
        if row is None:
            return
        put = self._insert(SETTINGS)
        changed = ("partition", "version", "at", "refused") + (() if row["refused"] is not None else ("value",))
        newer = (SETTINGS.c.partition != put.excluded["partition"]) | (SETTINGS.c.version < put.excluded["version"])
        put = put.on_conflict_do_update(
            index_elements=list(SETTINGS.primary_key), set_={name: put.excluded[name] for name in changed}, where=newer
        )
        connection.execute(put, row)

    def clear(self) -> None:
        """Forget everything and drop the tables, to build them anew."""
        prepare(self.engine, anew=True)

    def _advance(self, connection: Connection, topic: str, partition: int, expected: int, next_: int) -> None:
        """Move the position, before anything else: it locks the partition's row, and fails where another process was here."""
        here = (POSITIONS.c.topic == topic) & (POSITIONS.c.partition == partition)
        moved = connection.execute(update(POSITIONS).where(here & (POSITIONS.c.next == expected)).values(next=next_))
        if moved.rowcount == 1:
            return
        if expected != 0:
            raise OvertakenError
        try:
            connection.execute(insert(POSITIONS).values(topic=topic, partition=partition, next=next_))
        except IntegrityError:
            raise OvertakenError from None

    def _take_held(self, connection: Connection, entries: Sequence[TopicEntry]) -> list[tuple[TopicEntry, BadRecordError]]:
        """Take in what waits of clients; return the entries that are no records."""
        changes, bad = waiting.read_all(entries)
        known = ErasedClients(connection, changes)
        waiting.take(connection, self._insert, changes, known.forgets_held)
        return bad

    def _take_requests(self, connection: Connection, asked: Sequence[tuple[Request, datetime | None]], now: datetime) -> None:
        known = ErasedClients(connection, {(request.organisation, request.client) for request, _ in asked})
        rows = [reduce.request_row(request, at or now) for request, at in asked if not known.forgets_request(request, at)]
        if rows:
            connection.execute(self._insert(REQUESTS).on_conflict_do_nothing(), rows)

    def _take_log(self, connection: Connection, records: Sequence[LogRecord]) -> None:
        messages = list({record.message for record in records})
        seen = connection.execute(
            select(RECORDS.c.message, RECORDS.c.attempt, RECORDS.c.status, RECORDS.c.at).where(RECORDS.c.message.in_(messages))
        ).all()
        fresh = reduce.once(records, {(row.message, row.attempt, row.status) for row in seen})
        sent = {(row.message, row.attempt): row.at for row in seen if row.status == "sent"}
        if not fresh:
            return
        states: dict[tuple[str, str], dict[str, Any]] = {
            (row["organisation"], row["message"]): dict(row)
            for row in connection.execute(select(MESSAGES).where(MESSAGES.c.message.in_(messages))).mappings()
        }
        known = ErasedClients(connection, {record.whose for record in fresh})
        changed, corrections, rows = {}, [], []
        for record in fresh:
            if known.forgets(record):  # it counts, and nobody is told whose it was
                rows.append(reduce.record_row(record) | {"address": None})
                forgetting.forget_messages(connection, record.organisation, [record.message])
                continue
            rows.append(reduce.record_row(record))
            key = record.organisation, record.message
            row = changed[key] = states[key] = reduce.message_row(states.get(key), record)
            if record.status == "sent":
                sent[record.message, record.attempt] = moment(record.at)
            elif (day := reduce.correction(row, record, sent.get((record.message, record.attempt)))) is not None:
                corrections.append(day)
        connection.execute(insert(RECORDS), rows)
        put = self._insert(MESSAGES)
        columns = {c.name: put.excluded[c.name] for c in MESSAGES.c if not c.primary_key}
        put = put.on_conflict_do_update(index_elements=list(MESSAGES.primary_key), set_=columns)
        if changed:
            connection.execute(put, list(changed.values()))
        add = self._insert(DAYS)
        sums = {name: DAYS.c[name] + add.excluded[name] for name in ("records", "parts", "micros")}
        add = add.on_conflict_do_update(index_elements=list(DAYS.primary_key), set_=sums)
        connection.execute(add, reduce.day_rows(fresh))
        for day in corrections:
            connection.execute(add, day)
        volumes.take(connection, self._insert, fresh)


def is_of_record(error: Exception) -> bool:
    """Tell whether a record is at fault, so that trying again is no cure; else the database is, or who else writes into it."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError)
    return isinstance(error, StatementError) or not isinstance(error, (SQLAlchemyError, OSError, MemoryError))


def _log_records(entries: Sequence[TopicEntry]) -> tuple[list[LogRecord], list[tuple[TopicEntry, BadRecordError]]]:
    """Return the records, and the entries that are none. Raises NewerSchemaError."""
    records, bad = [], []
    for entry in entries:
        try:
            records.append(read_log_record(entry.value))
        except BadRecordError as error:
            bad.append((entry, error))
    return records, bad


def _access_records(entries: Sequence[TopicEntry]) -> tuple[list[AccessRecord], list[tuple[TopicEntry, BadRecordError]]]:
    """Return the records, and the entries that are none."""
    records, bad = [], []
    for entry in entries:
        try:
            records.append(read(AccessRecord, entry.value or b""))
        except BadRecordError as error:
            bad.append((entry, error))
    return records, bad


def _told(topic: str, partition: int, entry: TopicEntry, error: Exception) -> None:
    """Name only the kind of an error: a database's words hold the values."""
    why = str(error) if isinstance(error, BadRecordError) else type(error).__name__
    log.error("set aside by the projection", topic=topic, partition=partition, offset=entry.offset, error=why)


def _request(entry: TopicEntry) -> Request | None:
    """Read a request; None for what intake refuses, too: it is in dead-letters."""
    try:
        return request_of(loads(entry.value or b""))
    except BadRecordError:
        return None


def _erasure(entry: TopicEntry, now: datetime) -> Erasure | None:
    """Read an erasure; None for what intake refuses, too."""
    try:
        return check_erasure(read(Erasure, entry.value or b""), entry.at or now)
    except BadRecordError:
        return None
