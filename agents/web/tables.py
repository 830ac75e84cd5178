"""The projection's tables, in SQLite or PostgreSQL. All of them can be made again from the topics.

Instants are texts of one width in UTC (`moment`), so that they sort and compare the same in both; money is in millionths.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
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
)

METADATA = MetaData()

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
    Column("client", String(200), nullable=False), Column("channel", String(8)), Column("reason", String(16), nullable=False),
    Column("kinds", Text, nullable=False), Column("status", String(16), nullable=False), Column("detail", Text),
    Column("first", String(27), nullable=False), Column("at", String(27), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("text", Text), Column("parts", Integer), Column("micros", BigInteger), Column("currency", String(3)),
    Column("address", Text),
    PrimaryKeyConstraint("organisation", "message"),
    Index("messages_time", "organisation", "first", "message"),
    Index("messages_client", "organisation", "client", "first", "message"),
    Index("messages_status", "organisation", "status", "first", "message"),
    Index("messages_both", "organisation", "channel", "status", "first", "message"),
    Index("messages_channel", "organisation", "channel", "first", "message"),
)  # fmt: skip
"""What became of each message: the state after its last record."""

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
    Column("at", String(27), nullable=False),
    PrimaryKeyConstraint("organisation", "party", "request"),
)  # fmt: skip
"""Third parties' requests: which message each became. Not their texts."""

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

POSITIONS = Table(
    "positions", METADATA,
    Column("topic", String(249)), Column("partition", Integer), Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic", "partition"),
)  # fmt: skip
"""The offset after the last record taken in, written in the transaction that takes it in."""


def moment(at: datetime) -> str:
    """An instant as the tables hold it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def open_database(url: str | None, folder: Path) -> Engine:
    """The database, with its tables; by default a file in `folder`."""
    if url is None:
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / DEFAULT_FILE}"
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    METADATA.create_all(engine)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """Readers do not wait for the writer, nor it for them; a lost last second comes again from the topic. What is deleted is
    overwritten: an erased client is not to be found in the file.
    """
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "cache_size=-65536", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
