"""The projection of the delivery log, and of which requests there were: exactly once, by offsets kept in the same transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from schemas.deliveries import LogRecord, NewerSchemaError, read_log_record
from schemas.inputs import Erasure, Request
from schemas.topics import DELIVERY_LOG, ERASURES, ORGANISATIONS, OVERRIDES
from schemas.topics import REQUESTS as REQUESTS_TOPIC
from schemas.wire import BadRecordError, read
from streams.checks import check_request

from ..reading import MissingError
from . import folding, forgetting, organisations
from .forgetting import Forgotten, Known
from .tables import DAYS, MESSAGES, METADATA, POSITIONS, RECORDS, REQUESTS, SETTINGS, moment

log = structlog.get_logger(__name__)

SETTINGS_TOPICS = (ORGANISATIONS.name, OVERRIDES.name)
TOPICS = (DELIVERY_LOG.name, REQUESTS_TOPIC.name, ERASURES.name, *SETTINGS_TOPICS)
BATCH = 500
AGAIN_SECONDS = 5.0


class Entry(msgspec.Struct, frozen=True):
    """One record of a topic, as it was read."""

    offset: int
    value: bytes | None
    at: datetime
    key: bytes | None = None


class OvertakenError(Exception):
    """Another process took these records in: look again where to go on."""


class Projection:
    """The tables' one writer in this process. Several processes may write: each record is taken in by one of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def positions(self) -> dict[tuple[str, int], int]:
        """Where to go on, for each partition that was read before."""
        with self.engine.connect() as connection:
            return {(row.topic, row.partition): row.next for row in connection.execute(select(POSITIONS))}

    def take(self, topic: str, partition: int, expected: int, entries: Sequence[Entry]) -> None:
        """Take in records of a partition that follow on `expected`, all or none. Raises OvertakenError."""
        with self.engine.begin() as connection:
            self._advance(connection, topic, partition, expected, entries[-1].offset + 1)
            if topic == DELIVERY_LOG.name:
                self._take_log(connection, [record for entry in entries if (record := _log_record(entry)) is not None])
            elif topic == ERASURES.name:
                for erasure in filter(None, map(_erasure, entries)):
                    forgetting.erase(connection, erasure)
            elif topic in SETTINGS_TOPICS:
                for entry in entries:
                    self._put(connection, organisations.row(topic, partition, entry.offset, entry.key, entry.value, entry.at))
            else:
                self._take_requests(connection, [(one, entry.at) for entry in entries if (one := _request(entry)) is not None])
        if topic == ERASURES.name:
            forgetting.settle(self.engine)

    def erase(self, erasure: Erasure) -> Forgotten:
        """Forget a client now, without waiting for the topic."""
        with self.engine.begin() as connection:
            forgotten = forgetting.erase(connection, erasure)
        forgetting.settle(self.engine)
        return forgotten

    def messages_of(self, organisation: str, client: str) -> int:
        """How many messages name a client."""
        mine = (MESSAGES.c.organisation == organisation) & (MESSAGES.c.client == client)
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(MESSAGES).where(mine)).scalar() or 0)

    def expire(self, texts_before: datetime, facts_before: datetime) -> Forgotten:
        """Forget what is old."""
        with self.engine.begin() as connection:
            forgotten = forgetting.expire(connection, texts_before, facts_before)
        forgetting.settle(self.engine)
        return forgotten

    def note(self, row: folding.Row | None) -> None:
        """What this process itself wrote to a settings topic, before it comes back from there: its writer sees it at once."""
        with self.engine.begin() as connection:
            self._put(connection, row)

    def _put(self, connection: Connection, row: folding.Row | None) -> None:
        """The newest record of a partition counts, whoever brings it; a refused one leaves the last good value."""
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
        """Forget everything, to build it anew."""
        with self.engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(delete(table))

    def _advance(self, connection: Connection, topic: str, partition: int, expected: int, next_: int) -> None:
        """First of all: it locks the partition's row, and fails where another process was here."""
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

    def _take_requests(self, connection: Connection, asked: Sequence[tuple[Request, datetime]]) -> None:
        known = Known(connection, {(request.organisation, request.client) for request, _ in asked})
        rows = [folding.request_row(request, at) for request, at in asked if not known.forgets_request(request, at)]
        if rows:
            connection.execute(self._insert(REQUESTS).on_conflict_do_nothing(), rows)

    def _take_log(self, connection: Connection, records: Sequence[LogRecord]) -> None:
        messages = list({record.message for record in records})
        seen = connection.execute(
            select(RECORDS.c.message, RECORDS.c.attempt, RECORDS.c.status, RECORDS.c.at).where(RECORDS.c.message.in_(messages))
        ).all()
        fresh = folding.once(records, {(row.message, row.attempt, row.status) for row in seen})
        sent = {(row.message, row.attempt): row.at for row in seen if row.status == "sent"}
        if not fresh:
            return
        states: dict[tuple[str, str], dict[str, Any]] = {
            (row["organisation"], row["message"]): dict(row)
            for row in connection.execute(select(MESSAGES).where(MESSAGES.c.message.in_(messages))).mappings()
        }
        known = Known(connection, {(record.organisation, record.client) for record in fresh})
        changed, corrections, rows = {}, [], []
        for record in fresh:
            if known.forgets(record):  # it counts, and nobody is told whose it was
                rows.append(folding.record_row(record) | {"address": None})
                forgetting.forget_messages(connection, record.organisation, [record.message])
                continue
            rows.append(folding.record_row(record))
            key = record.organisation, record.message
            row = changed[key] = states[key] = folding.message_row(states.get(key), record)
            if record.status == "sent":
                sent[record.message, record.attempt] = moment(record.at)
            elif (day := folding.correction(row, record, sent.get((record.message, record.attempt)))) is not None:
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
        connection.execute(add, folding.day_rows(fresh))
        for day in corrections:
            connection.execute(add, day)

    def _insert(self, table: Any) -> Any:
        """An INSERT that may say what a conflict does, in the database's own words."""
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)


class Follower:
    """Reads the topics on from the projection's positions, without a consumer group."""

    def __init__(self, projection: Projection, bootstrap: str, security: Mapping[str, Any] | None = None) -> None:
        self.projection, self.bootstrap, self.security = projection, bootstrap, dict(security or {})

    async def run(self) -> None:
        """Follow for ever; where Kafka or the database is away, try again."""
        while True:
            try:
                await self.read(follow=True)
            except (KafkaError, SQLAlchemyError, MissingError, OSError) as error:
                log.warning("the projection waits", error=type(error).__name__)
            except NewerSchemaError as error:
                log.error("the projection waits", error=str(error))
            except OvertakenError:
                continue
            await asyncio.sleep(AGAIN_SECONDS)

    async def read(self, *, follow: bool = False) -> int:
        """Up to the topics' ends at the time of the call, or for ever; gives how many records. MissingError: no such topics."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed", max_poll_records=BATCH, **self.security,
        )  # fmt: skip
        try:
            await consumer.start()
            return await self._read(consumer, follow)
        finally:
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer, follow: bool) -> int:
        there = await consumer.topics()
        if missing := [topic for topic in TOPICS if topic not in there]:
            raise MissingError.topic(missing[0])
        consumer.subscribe(list(TOPICS))  # without a group: all partitions, as soon as their leaders are known
        while {tp.topic for tp in consumer.assignment()} != set(TOPICS):
            await asyncio.sleep(0.02)
        partitions = sorted(consumer.assignment())
        kept = await asyncio.to_thread(self.projection.positions)
        expected = {tp: kept.get((tp.topic, tp.partition), 0) for tp in partitions}
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for tp in partitions:
            consumer.seek(tp, min(max(expected[tp], first[tp]), ends[tp]))
        count = 0
        left = {tp for tp in partitions if await consumer.position(tp) < ends[tp]}
        while follow or left:
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                entries = [
                    Entry(one.offset, one.value, datetime.fromtimestamp(one.timestamp / 1000, UTC), one.key) for one in records
                ]
                await asyncio.to_thread(self.projection.take, tp.topic, tp.partition, expected[tp], entries)
                expected[tp] = entries[-1].offset + 1
                count += len(entries)
            if not follow:
                left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
        return count


def _log_record(entry: Entry) -> LogRecord | None:
    """None for what is no record of the log: it is told, and the rest goes on. NewerSchemaError: nothing is taken in."""
    try:
        return read_log_record(entry.value or b"")
    except (msgspec.ValidationError, msgspec.DecodeError):
        log.error("not a record of the delivery log", offset=entry.offset)
        return None


def _request(entry: Entry) -> Request | None:
    """None for what intake refuses, too."""
    try:
        return check_request(read(Request, entry.value or b""))
    except BadRecordError:
        return None


def _erasure(entry: Entry) -> Erasure | None:
    """None for what intake refuses, too."""
    try:
        return read(Erasure, entry.value or b"")
    except BadRecordError:
        return None
