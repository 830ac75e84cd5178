"""What the projection forgets: erased clients at once, texts and addresses with their time, facts with theirs.

Whom it was told to forget it knows by a hash, so that records which it reads later, or again in a rebuild, stay out too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from msgspec import UNSET
from sqlalchemy import Connection, Delete, Engine, delete, exists, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from schemas.deliveries import ERASED as ERASED_DETAIL
from schemas.deliveries import LogRecord
from schemas.erasures import Erasure
from schemas.held import HeldRecord
from schemas.inputs import Request
from schemas.keys import CLIENT, RecipientKey, recipient_of

from . import tallies
from .page_tables import CLIENTS, OPT_OUTS, STATES, VISITS
from .tables import CHANGES, DOUBTS, ENDED, ERASED, HELD, LOOKS, MESSAGES, RECORDS, REQUESTS, moment

log = structlog.get_logger(__name__)

CHUNK = 500
PAUSE = timedelta(hours=6)
"""Between two looks at what is old."""


class ErasedCounts(NamedTuple):
    """How many rows: `messages` deleted or blanked, `records` blanked or deleted, `requests` deleted."""

    messages: int = 0
    records: int = 0
    requests: int = 0

    def __add__(self, other: Any) -> ErasedCounts:
        return ErasedCounts(*(mine + its for mine, its in zip(self, other, strict=True)))


def client_hash(organisation: str, client: str, recipient: str = CLIENT) -> str:
    """Return by what an erased client is known: SHA-256 of `organisation/client`, of one who acts for it with the recipient.

    It tells nothing to whoever does not know the id.
    """
    return hashlib.sha256(RecipientKey(organisation, client, recipient).encoded).hexdigest()


def erase(connection: Connection, put: Any, event: Erasure) -> ErasedCounts:
    """Forget what was told to a client, or to one who acts for it, up to the event's moment, and what the workers keep.

    Records stay as counted once, without their address. `put`: what makes an INSERT of the database's own words.
    """
    if event.person is not UNSET:
        return _erase_person(connection, put, event, recipient_of(event.person))
    if event.employee is not UNSET:
        return _erase_person(connection, put, event, event.whose.recipient)
    hash_, at = client_hash(event.organisation, event.client), moment(event.at)
    _note(connection, hash_, at)
    mine = (MESSAGES.c.organisation == event.organisation) & (MESSAGES.c.client == event.client) & (MESSAGES.c.first <= at)
    messages = list(connection.execute(select(MESSAGES.c.message).where(mine)).scalars())
    forgotten = forget_messages(connection, event.organisation, messages)
    waits = (HELD.c.organisation == event.organisation) & (HELD.c.client == event.client) & (HELD.c.at <= at)
    connection.execute(delete(HELD).where(waits))
    asked = (REQUESTS.c.organisation == event.organisation) & (REQUESTS.c.client == hash_) & (REQUESTS.c.at <= at)
    forgotten += ErasedCounts(requests=connection.execute(delete(REQUESTS).where(asked)).rowcount)
    for table, whose in ((STATES, event.client), (OPT_OUTS, hash_), (VISITS, hash_)):
        old = (table.c.organisation == event.organisation) & (table.c.client == whose) & (table.c.at <= at)
        connection.execute(delete(table).where(old))
    tallies.forget(connection, put, mine)
    forgotten = forgotten._replace(messages=connection.execute(delete(MESSAGES).where(mine)).rowcount)
    connection.execute(_unknown().where(CLIENTS.c.organisation == event.organisation, CLIENTS.c.client == event.client))
    return forgotten


def _unknown() -> Delete:
    """Return what deletes clients of whom nothing is kept: a search finds them no more."""
    of_client = [
        exists().where(table.c.organisation == CLIENTS.c.organisation, table.c.client == CLIENTS.c.client)
        for table in (MESSAGES, STATES)
    ]
    return delete(CLIENTS).where(*(~there for there in of_client))


def _erase_person(connection: Connection, put: Any, event: Erasure, recipient: str) -> ErasedCounts:
    hash_, at = client_hash(event.organisation, event.client, recipient), moment(event.at)
    _note(connection, hash_, at)
    mine = (MESSAGES.c.organisation == event.organisation) & (MESSAGES.c.client == event.client)
    mine &= (MESSAGES.c.recipient == recipient) & (MESSAGES.c.first <= at)
    messages = list(connection.execute(select(MESSAGES.c.message).where(mine)).scalars())
    forgotten = forget_messages(connection, event.organisation, messages)
    waits = (HELD.c.organisation == event.organisation) & (HELD.c.client == event.client) & (HELD.c.recipient == recipient)
    connection.execute(delete(HELD).where(waits & (HELD.c.at <= at)))
    tallies.forget(connection, put, mine)
    return forgotten._replace(messages=connection.execute(delete(MESSAGES).where(mine)).rowcount)


def _note(connection: Connection, hash_: str, at: str) -> None:
    """Remember up to when one is forgotten."""
    known = connection.execute(select(ERASED.c.at).where(ERASED.c.client == hash_)).scalar()
    if known is None:
        connection.execute(insert(ERASED).values(client=hash_, at=at))
    elif known < at:
        connection.execute(update(ERASED).where(ERASED.c.client == hash_).values(at=at))


def forget_messages(connection: Connection, organisation: str, messages: Sequence[str]) -> ErasedCounts:
    """Blank the records of these messages, and forget the requests that they came from."""
    found = ErasedCounts()
    for start in range(0, len(messages), CHUNK):
        some = messages[start : start + CHUNK]
        blank = update(RECORDS).where(RECORDS.c.message.in_(some), RECORDS.c.address.is_not(None)).values(address=None)
        asked = delete(REQUESTS).where(REQUESTS.c.organisation == organisation, REQUESTS.c.message.in_(some))
        found += ErasedCounts(0, connection.execute(blank).rowcount, connection.execute(asked).rowcount)
    return found


class ErasedClients:
    """The erased among these recipients, or their clients, with the moment up to which they are forgotten."""

    def __init__(self, connection: Connection, recipients: Iterable[tuple[str, ...]]) -> None:
        hashes: dict[tuple[str, ...], str] = {}
        for organisation, client, *recipient in recipients:
            hashes[organisation, client] = client_hash(organisation, client)
            if recipient and recipient[0]:
                hashes[organisation, client, recipient[0]] = client_hash(organisation, client, recipient[0])
        rows = connection.execute(select(ERASED).where(ERASED.c.client.in_(list(hashes.values()))))
        found = {row.client: row.at for row in rows}
        self._until = {whose: found[hash_] for whose, hash_ in hashes.items() if hash_ in found}

    def _until_of(self, whose: RecipientKey) -> str | None:
        """Return up to when a recipient is forgotten, by an erasure of its own or of the client."""
        moments = (self._until.get(tuple(whose.of_client)), self._until.get(tuple(whose)))
        return max((moment_ for moment_ in moments if moment_ is not None), default=None)

    def forgets(self, record: LogRecord) -> bool:
        """Tell whether a record is of an erased client's time."""
        until = self._until_of(record.whose)
        return record.detail == ERASED_DETAIL or (until is not None and moment(record.at) <= until)

    def forgets_at(self, organisation: str, client: str, at: datetime) -> bool:
        """Tell whether what was written then is of an erased client's time."""
        until = self._until.get((organisation, client))
        return until is not None and moment(at) <= until

    def forgets_held(self, record: HeldRecord) -> bool:
        """Tell whether what waits is of an erased client's time."""
        until = self._until_of(record.whose)
        return until is not None and moment(record.at) <= until

    def forgets_request(self, request: Request, at: datetime | None) -> bool:
        """Tell whether a request is; one whose time nobody knows (None) may be."""
        until = self._until.get((request.organisation, request.client))
        return until is not None and (at is None or moment(at) <= until)


def expire(connection: Connection, put: Any, texts_before: datetime, facts_before: datetime) -> ErasedCounts:
    """Blank texts and addresses of messages that began before the first moment; delete what ended before the second."""
    texts, facts = moment(texts_before), moment(facts_before)
    said = or_(MESSAGES.c.text.is_not(None), MESSAGES.c.address.is_not(None))
    blanked = connection.execute(update(MESSAGES).where(MESSAGES.c.first < texts, said).values(text=None, address=None)).rowcount
    old = (RECORDS.c.at < texts) & RECORDS.c.address.is_not(None)
    records = connection.execute(update(RECORDS).where(old).values(address=None)).rowcount
    tallies.forget(connection, put, MESSAGES.c.at < facts)
    gone = connection.execute(delete(MESSAGES).where(MESSAGES.c.at < facts)).rowcount
    records += connection.execute(delete(RECORDS).where(RECORDS.c.at < facts)).rowcount
    requests = connection.execute(delete(REQUESTS).where(REQUESTS.c.at < facts)).rowcount
    connection.execute(delete(LOOKS).where(LOOKS.c.last < facts))
    connection.execute(delete(CHANGES).where(CHANGES.c.at < facts))
    connection.execute(delete(HELD).where(HELD.c.until < texts))
    connection.execute(delete(DOUBTS).where(DOUBTS.c.until < texts))
    connection.execute(delete(ENDED).where(ENDED.c.at < texts))  # no session lasts that long
    tallies.expire(connection, facts_before)
    for table in (OPT_OUTS, VISITS):
        connection.execute(delete(table).where(table.c.at < facts))
    connection.execute(_unknown())
    return ErasedCounts(blanked + gone, records, requests)


def settle(engine: Engine) -> None:
    """End SQLite's write-ahead log, which has pages as they were. Freed pages are overwritten by themselves (`secure_delete`)."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


async def expire_forever(
    expire_once: Callable[[datetime, datetime], ErasedCounts], text_days: int, audit_days: int, clock: Callable[[], datetime]
) -> None:
    """Look again and again at what is old. `expire_once`: `Projection.expire`."""
    while True:
        now = clock()
        try:
            found = await asyncio.to_thread(expire_once, now - timedelta(days=text_days), now - timedelta(days=audit_days))
            if any(found):
                log.info("the projection forgot what is old", messages=found.messages, records=found.records)
        except SQLAlchemyError as error:
            log.warning("the projection could not forget what is old", error=type(error).__name__)
        await asyncio.sleep(PAUSE.total_seconds())
