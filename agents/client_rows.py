"""What the workers keep of one client, read from their changelogs and the delivery log; nothing is taken over or written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from schemas.deliveries import read_log_record
from schemas.topics import CLIENT_EVENTS, DELIVERY_LOG, changelog
from streams.why import Known, is_wanted, known_of

from .archive import Archive
from .engine import partition_for
from .engine.changelog import Partition
from .engine.outbox import FENCE_KEY, offset_key

STORES = ("notices", "sms", "email")
EARLIER_MS = 3_600_000
"""A record's `at` is its worker's clock; Kafka's timestamp may be of another. Reading begins so much earlier."""


class Seen(NamedTuple):
    """A client, and how many events of its partition are not taken in yet (of all its clients)."""

    known: Known
    behind: int


async def look(archive: Archive, application: str, organisation: str, client: str, since: datetime | None = None) -> Seen:
    """All that is kept of a client. `since`: no older log records. Raises MissingError where a topic is missing."""
    key = f"{organisation}/{client}".encode()
    rows: dict[str, dict[bytes, bytes]] = {}
    behind = 0
    for store in STORES:
        part = Partition({})
        async for record in _of(archive, changelog(application, store).name, key):
            if record.key in (FENCE_KEY, offset_key(CLIENT_EVENTS.name)) or is_wanted(record.key or b"", organisation, client):
                part.read([record])
        rows[store] = dict(part.rows)
        if store == "notices":
            events = TopicPartition(CLIENT_EVENTS.name, partition_for(key, await archive.partitions(CLIENT_EVENTS.name)))
            end, first = (await archive.ends([events]))[events], (await archive.beginnings([events]))[events]
            behind = max(0, end - max(part.offset(CLIENT_EVENTS.name) or 0, first))
    since_ms = max(0, int(since.timestamp() * 1000) - EARLIER_MS) if since is not None else None
    of_client = [one.value async for one in _of(archive, DELIVERY_LOG.name, key, since_ms) if one.key == key and one.value]
    log = [read_log_record(value) for value in of_client]
    return Seen(known_of(rows, log, organisation, client), behind)


async def _of(archive: Archive, topic: str, key: bytes, since_ms: int | None = None) -> AsyncIterator[Any]:
    """The records of the one partition of a topic that holds a key."""
    partition = partition_for(key, await archive.partitions(topic))
    async for record in archive.read([TopicPartition(topic, partition)], since_ms):
        yield record
