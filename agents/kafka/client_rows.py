"""Read what the workers keep of one client: their changelogs and the delivery log. It takes nothing over and writes nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from schemas.channels import CHANNELS
from schemas.deliveries import read_log_record
from schemas.keys import ClientKey
from schemas.topics import CLIENT_EVENTS, DELIVERY_LOG, changelog
from streams.explain.client import ClientSnapshot, is_wanted, snapshot_of

from ..engine.state.changelog import Partition
from ..engine.state.outbox import FENCE_KEY, offset_key, topic_key
from ..engine.topic_ids import is_other
from ..engine.transport.partitioner import partition_for
from .junk import Junk
from .reader import Reader, earlier

OWN = (FENCE_KEY, offset_key(CLIENT_EVENTS.name), topic_key(CLIENT_EVENTS.name))
STORES = ("notices", *CHANNELS)
MARGIN = timedelta(hours=1)
"""A record's `at` is by its worker's clock, Kafka's timestamp perhaps by another. Reading begins so much earlier."""


class ClientState(NamedTuple):
    """A client, and how many events of its partition are not taken in yet (of all its clients)."""

    known: ClientSnapshot
    behind: int


async def look(
    reader: Reader, application: str, client: ClientKey, since: datetime | None = None, junk: Junk | None = None
) -> ClientState:
    """Return all that is kept of a client. `since`: no older log records. `junk` is told of values that are no records.

    Raises:
        MissingError: a topic is missing.
        NewerSchemaError: the log is of a later program.
        BadRecordError: a row is none.
    """
    junk = junk or Junk()
    key = client.encoded
    rows: dict[str, dict[bytes, bytes]] = {}
    behind = 0
    for store in STORES:
        part = Partition({})
        async with aclosing(_of(reader, changelog(application, store).name, key)) as stream:
            async for _, record in stream:
                if record.key in OWN or is_wanted(record.key or b"", client):
                    part.read([record])
        rows[store] = dict(part.rows)
        if store == "notices":
            events = TopicPartition(CLIENT_EVENTS.name, partition_for(key, await reader.partitions(CLIENT_EVENTS.name)))
            end, first = (await reader.ends([events]))[events], (await reader.beginnings([events]))[events]
            now = (await reader.ids([CLIENT_EVENTS.name])).get(CLIENT_EVENTS.name)
            kept = None if is_other(part.topic_id(CLIENT_EVENTS.name), now) else part.offset(CLIENT_EVENTS.name)
            behind = max(0, end - max(kept or 0, first))
    async with aclosing(_of(reader, DELIVERY_LOG.name, key, earlier(since, MARGIN))) as records:
        read = [junk.read(read_log_record, tp, one) async for tp, one in records if one.key == key]
    log = [one for one in read if one is not None]
    return ClientState(snapshot_of(rows, log, client), behind)


async def _of(reader: Reader, topic: str, key: bytes, since: datetime | None = None) -> AsyncGenerator[tuple[Any, Any], None]:
    """Yield partition and record of the one partition of a topic that holds a key."""
    partition = partition_for(key, await reader.partitions(topic))
    async with aclosing(reader.records([TopicPartition(topic, partition)], since)) as stream:
        async for tp, record in stream:
            yield tp, record
