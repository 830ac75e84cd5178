"""The projection of the delivery log, and of which requests there were: exactly once, by offsets kept in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import structlog
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from schemas.access import AccessRecord
from schemas.deliveries import NewerSchemaError
from schemas.erasures import Erasure
from schemas.keys import CLIENT
from schemas.topics import ERASURES, HOLDS, ORGANISATIONS, OVERRIDES
from schemas.wire import BadRecordError

from ..engine.topic_ids import is_other
from . import access, forgetting, organisations, reduce, states, taking
from .forgetting import ErasedCounts
from .page_tables import STATES
from .tables import MESSAGES, POSITIONS, SETTINGS, TOPIC_IDS, check_layout, inserts, prepare

log = structlog.get_logger(__name__)

SETTINGS_TOPICS = (ORGANISATIONS.name, OVERRIDES.name, HOLDS.name)


class TopicEntry(msgspec.Struct, frozen=True):
    """One record of a topic, as it was read. `at`: when it was written; None where it has no time that can be. `epoch`: of a
    changelog, the fence under which it was written.
    """

    offset: int
    value: bytes | None
    at: datetime | None
    key: bytes | None = None
    epoch: bytes | None = None


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

        Settings go by them too, so every record is newer than what is there. Rows of a changelog that is another one are gone.
        """
        connection.execute(delete(POSITIONS).where(POSITIONS.c.topic == topic))
        if states.is_states(topic):
            connection.execute(delete(STATES))
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
        bad: taking.Bad = []
        now = datetime.now(UTC)
        with self.engine.begin() as connection:
            check_layout(connection)
            self._advance(connection, topic, partition, expected, entries[-1].offset + 1)
            if states.is_states(topic):
                bad = self._take_states(connection, topic, partition, entries, now)
            elif topic in SETTINGS_TOPICS:
                for entry in entries:
                    at = entry.at or now
                    self._put(connection, organisations.row(topic, partition, entry.offset, entry.key, entry.value, at))
            else:
                bad = taking.TAKERS[topic](connection, self._insert, entries, now)
        if topic == ERASURES.name:
            forgetting.settle(self.engine)
        for entry, error in bad:
            _told(topic, partition, entry, error)
        return len(bad)

    def _take_states(
        self, connection: Connection, topic: str, partition: int, entries: Sequence[TopicEntry], now: datetime
    ) -> taking.Bad:
        """Take in the workers' rows, and keep the last fence for those that follow."""
        here = (POSITIONS.c.topic == topic) & (POSITIONS.c.partition == partition)
        fence = connection.execute(select(POSITIONS.c.fence).where(here)).scalar()
        bad, last = taking.take_states(connection, self._insert, entries, now, fence)
        if last != fence:
            connection.execute(update(POSITIONS).where(here).values(fence=last))
        return bad

    def erase(self, erasure: Erasure) -> ErasedCounts:
        """Forget a client now, without waiting for the topic."""
        with self.engine.begin() as connection:
            forgotten = forgetting.erase(connection, self._insert, erasure)
        forgetting.settle(self.engine)
        return forgotten

    def messages_of(self, organisation: str, client: str, recipient: str = CLIENT) -> int:
        """Count the messages that name a client; `recipient`: of one who acts for the client those alone."""
        mine = (MESSAGES.c.organisation == organisation) & (MESSAGES.c.client == client)
        if recipient:
            mine &= MESSAGES.c.recipient == recipient
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(MESSAGES).where(mine)).scalar() or 0)

    def expire(self, texts_before: datetime, facts_before: datetime) -> ErasedCounts:
        """Forget what is old."""
        with self.engine.begin() as connection:
            forgotten = forgetting.expire(connection, self._insert, texts_before, facts_before)
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


def is_of_record(error: Exception) -> bool:
    """Tell whether a record is at fault, so that trying again is no cure; else the database is, or who else writes into it."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError)
    return isinstance(error, StatementError) or not isinstance(error, (SQLAlchemyError, OSError, MemoryError))


def _told(topic: str, partition: int, entry: TopicEntry, error: Exception) -> None:
    """Name only the kind of an error: a database's words hold the values."""
    why = str(error) if isinstance(error, BadRecordError) else type(error).__name__
    log.error("set aside by the projection", topic=topic, partition=partition, offset=entry.offset, error=why)
