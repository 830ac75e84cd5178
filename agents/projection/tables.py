"""The projection's tables, in SQLite or PostgreSQL. All of them can be made again from the topics.

Instants are texts of one width in UTC (`moment`), so that they sort and compare the same in both; money is in millionths.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from schemas.deliveries import NewerSchemaError

from ..settings.settings import SettingsError, variable
from . import page_tables

log = structlog.get_logger(__name__)

METADATA = page_tables.METADATA

DEFAULT_FILE = "overview.db"

RECORDS = Table(
    "records", METADATA,
    Column("message", String(64)), Column("attempt", Integer), Column("status", String(16)),
    Column("detail", Text), Column("channel", String(8)), Column("at", String(27), nullable=False),
    Column("address", Text), Column("parts", Integer),
    PrimaryKeyConstraint("message", "attempt", "status"),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Each record of the delivery log once, by its identity."""

MESSAGES = Table(
    "messages", METADATA,
    Column("organisation", String(200), nullable=False), Column("message", String(64), nullable=False),
    Column("client", String(200), nullable=False), Column("recipient", String(102), nullable=False),
    Column("channel", String(8)), Column("reason", String(16), nullable=False),
    Column("kinds", Text, nullable=False), Column("status", String(16), nullable=False), Column("detail", Text),
    Column("first", String(27), nullable=False), Column("at", String(27), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("text", Text), Column("parts", Integer), Column("micros", BigInteger), Column("currency", String(3)),
    Column("address", Text), Column("outcome", String(16), nullable=False), Column("cause", String(32)),
    Column("start", String(27)), Column("notices", Text, nullable=False),
    PrimaryKeyConstraint("organisation", "message"),
    Index("messages_time", "organisation", "first", "message"),
    Index("messages_client", "organisation", "client", "first", "message"),
    Index("messages_outcome", "organisation", "outcome", "first", "message"),
    Index("messages_both", "organisation", "channel", "outcome", "first", "message"),
    Index("messages_channel", "organisation", "channel", "first", "message"),
    Index(
        "messages_cause", "organisation", "cause", "first", "message",
        sqlite_where=text("cause IS NOT NULL"), postgresql_where=text("cause IS NOT NULL"),
    ),
)  # fmt: skip
"""What became of each message: the state after its last record.

`outcome` and `cause`: what pages filter by (`causes.py`). `start`: of the first appointment that it speaks of. `notices`: what it
says, as the log has it, without words.
"""

DAYS = Table(
    "days", METADATA,
    Column("organisation", String(200)), Column("day", String(10)), Column("channel", String(8)), Column("status", String(16)),
    Column("currency", String(3)),
    Column("records", Integer, nullable=False), Column("parts", Integer, nullable=False),
    Column("micros", BigInteger, nullable=False),
    PrimaryKeyConstraint("organisation", "day", "channel", "status", "currency"),
)  # fmt: skip
"""Records counted by local day, so that totals cost the same however many messages there are."""

REQUESTS = Table(
    "requests", METADATA,
    Column("organisation", String(200)), Column("party", String(200)), Column("request", String(200)),
    Column("message", String(64), nullable=False), Column("fingerprint", String(32), nullable=False),
    Column("at", String(27), nullable=False), Column("client", String(64), nullable=False),
    PrimaryKeyConstraint("organisation", "party", "request"),
    Index("requests_client", "organisation", "client"),
)  # fmt: skip
"""Third parties' requests: which message each became. Not their texts, and of the client a hash only (`forgetting.py`)."""

ERASED = Table(
    "erased", METADATA,
    Column("client", String(64), primary_key=True), Column("at", String(27), nullable=False),
)  # fmt: skip
"""Hashes of clients that were erased, and up to when: what is read of them later stays out (`forgetting.py`)."""

SETTINGS = Table(
    "settings", METADATA,
    Column("organisation", String(200)), Column("topic", String(249)),
    Column("partition", Integer, nullable=False), Column("version", BigInteger, nullable=False),
    Column("at", String(27), nullable=False), Column("value", Text), Column("refused", Text),
    PrimaryKeyConstraint("organisation", "topic"),
)  # fmt: skip
"""An organisation's settings, upstream's and its own: the last good record of each, and why a later one was refused.

`version` is the offset of the last record, `at` its time, `value` the settings as JSON; NULL: deleted, or none was good.
"""

LOOKS = Table(
    "looks", METADATA,
    Column("organisation", String(200)), Column("client", String(200)), Column("day", String(10)), Column("user", Text),
    Column("user_name", Text), Column("role", Text, nullable=False),
    Column("first", String(27), nullable=False), Column("last", String(27), nullable=False),
    PrimaryKeyConstraint("organisation", "client", "day", "user"),
)  # fmt: skip
"""Who looked at which client, once a local day. An erasure leaves it: the law keeps it."""

CHANGES = Table(
    "changes", METADATA,
    Column("organisation", String(200)), Column("id", String(64)), Column("at", String(27), nullable=False),
    Column("user", Text, nullable=False), Column("user_name", Text), Column("changes", Text, nullable=False),
    PrimaryKeyConstraint("organisation", "id"),
    Index("changes_time", "organisation", "at"),
)  # fmt: skip
"""Who changed what of an organisation's settings, `changes` as JSON (`schemas.access.Change`)."""

HELD = Table(
    "held", METADATA,
    Column("organisation", String(200)), Column("client", String(200)), Column("recipient", String(102)),
    Column("at", String(27), nullable=False), Column("messages", Integer, nullable=False),
    Column("near", Integer, nullable=False), Column("until", String(27), nullable=False), Column("value", Text, nullable=False),
    PrimaryKeyConstraint("organisation", "client", "recipient"),
)  # fmt: skip
"""What of each client, and of those who act for it, waits in a hold, `value` as its record; `until`: when all of it is over."""

DOUBTS = Table(
    "doubts", METADATA,
    Column("organisation", String(200)), Column("partition", String(10)),
    Column("since", String(27), nullable=False), Column("at", String(27), nullable=False),
    Column("clients", Integer, nullable=False), Column("known", Integer, nullable=False),
    Column("until", String(27), nullable=False),
    PrimaryKeyConstraint("organisation", "partition"),
)  # fmt: skip
"""Of whom snapshots of agendas miss so much that it is not believed, as `schemas.doubts.DoubtedRecord` has it."""

VOLUMES = Table(
    "volumes", METADATA,
    Column("organisation", String(200)), Column("reason", String(16)), Column("ten_minutes", BigInteger),
    Column("messages", Integer, nullable=False),
    PrimaryKeyConstraint("organisation", "reason", "ten_minutes"),
    Index("volumes_time", "ten_minutes"),
)  # fmt: skip
"""Messages that went out, by ten minutes since 1970 (`streams/history/volume.py`); of reminders none."""

WARNED = Table(
    "warned", METADATA,
    Column("organisation", String(200)), Column("reason", String(16)), Column("at", String(27), nullable=False),
    PrimaryKeyConstraint("organisation", "reason"),
)  # fmt: skip
"""When an organisation was last told by e-mail that much goes out; or when a process began to."""

ENDED = Table(
    "ended", METADATA,
    Column("session", String(64), primary_key=True), Column("at", String(27), nullable=False),
)  # fmt: skip
"""Hashes of sessions that were ended, and of users whose sessions of before `at` were (`access.py`)."""

POSITIONS = Table(
    "positions", METADATA,
    Column("topic", String(249)), Column("partition", Integer), Column("next", BigInteger, nullable=False),
    Column("fence", BigInteger),
    PrimaryKeyConstraint("topic", "partition"),
)  # fmt: skip
"""The offset after the last record taken in, written in the transaction that takes it in. `fence`: of a changelog, the offset of
the last fence before it (`states.py`)."""

LAYOUT = 7
"""The number of the tables' layout: whoever changes a table raises it, and the first process that finds a lower one makes all of
them anew from the topics."""

LOCK = 0x61667370
"""PostgreSQL's advisory lock under which that is done."""

_OWN = MetaData()
_LAYOUT = Table("layout", _OWN, Column("number", Integer, primary_key=True))
TOPIC_IDS = Table("topics", _OWN, Column("topic", String(249), primary_key=True), Column("id", String(32), nullable=False))
"""Of which topics the positions are (`agents/engine/topic_ids.py`). Not of the layout: tables of before get it beside them."""


class NewerTablesError(NewerSchemaError):
    """The tables are of another layout, which this program must not change; its text says what to do."""

    def __init__(self, number: int) -> None:
        Exception.__init__(
            self,
            f"the projection's tables have layout {number}, and this program's have {LAYOUT}: update it, or go back to its own "
            "with `afspraakbericht project --rebuild`",
        )


def inserts(engine: Engine) -> Callable[[Table], Any]:
    """Return what makes an INSERT that may say what a conflict does, in the database's own words."""
    return postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert


def moment(at: datetime) -> str:
    """Return an instant as the tables hold it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def connect(url: str | None, folder: Path) -> Engine:
    """Return the database without asking it anything; by default a file in `folder`. Raises SettingsError."""
    if url is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"{variable('data')} is {folder}, which cannot be made: {error.strerror}") from None
        url = f"sqlite:///{folder / DEFAULT_FILE}"
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    return engine


def open_database(url: str | None, folder: Path) -> Engine:
    """Open the database with its tables as they are now. Raises NewerTablesError."""
    engine = connect(url, folder)
    prepare(engine)
    return engine


def prepare(engine: Engine, *, anew: bool = False) -> bool:
    """Make the tables, after dropping them where they are of another layout, or if they are to be `anew`; return whether it did.

    One process does it, the others wait for it. Raises NewerTablesError.
    """
    with engine.connect() as connection:
        alone = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else f"SELECT pg_advisory_xact_lock({LOCK})"
        connection.exec_driver_sql(alone)
        there = inspect(connection).get_table_names()
        known = connection.execute(select(_LAYOUT.c.number)).scalar() if _LAYOUT.name in there else None
        if known is not None and known > LAYOUT and not anew:
            raise NewerTablesError(known)
        if known == LAYOUT and _as_now(connection) and not anew:
            if TOPIC_IDS.name not in there:
                TOPIC_IDS.create(connection)
                connection.commit()
            return False
        for metadata in (METADATA, _OWN):
            metadata.drop_all(connection)
            metadata.create_all(connection)
        connection.execute(insert(_LAYOUT).values(number=LAYOUT))
        connection.commit()
    if set(there) & set(METADATA.tables):
        log.warning("the projection is made anew", tables=known or 0, wanted=LAYOUT)
    return True


def check_layout(connection: Connection) -> None:
    """Raise NewerTablesError where the tables were made anew by another program since they were opened."""
    known = connection.execute(select(_LAYOUT.c.number)).scalar()
    if known != LAYOUT:
        raise NewerTablesError(known or 0)


def _as_now(connection: Connection) -> bool:
    """Tell whether each table is there with its columns, whatever the number says."""
    looked = inspect(connection)
    there = set(looked.get_table_names())
    return all(
        name in there and {column["name"] for column in looked.get_columns(name)} == set(table.c.keys())
        for name, table in METADATA.tables.items()
    )


def _prepare(connection: Any, _: object) -> None:
    """Let readers and the writer not wait for each other; a lost last second comes again from the topic. What is deleted is
    overwritten: an erased client is not to be found in the file.
    """
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "cache_size=-65536", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
