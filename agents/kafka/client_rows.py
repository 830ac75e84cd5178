"""Read what the workers keep of one client, or employee: their changelogs and the delivery log.

It takes nothing over and writes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from schemas.channels import CHANNELS
from schemas.deliveries import LogRecord, read_log_record
from schemas.keys import ClientKey, RecipientKey
from schemas.topics import CLIENT_EVENTS, DELIVERY_LOG, EMPLOYEE_EVENTS, Topic, changelog
from streams.explain import employee
from streams.explain.client import ClientSnapshot, is_wanted, snapshot_of
from streams.explain.employee import EmployeeSnapshot

from ..engine.state.changelog import Partition
from ..engine.state.outbox import FENCE_KEY, offset_key, topic_key
from ..engine.topic_ids import is_other
from ..engine.transport.partitioner import partition_for
from .junk import Junk
from .reader import Reader, earlier

STORES = ("notices", *CHANNELS)
MARGIN = timedelta(hours=1)
"""A record's `at` is by its worker's clock, Kafka's timestamp perhaps by another. Reading begins so much earlier."""


class ClientState(NamedTuple):
    """A client, and how many events of its partition are not taken in yet (of all its clients)."""

    known: ClientSnapshot
    behind: int


class EmployeeState(NamedTuple):
    """An employee, and how many events of the partition are not taken in yet."""

    known: EmployeeSnapshot
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
    wanted = partial(is_wanted, client=client)
    rows, behind = await _rows(reader, application, client.encoded, STORES, CLIENT_EVENTS, wanted)
    return ClientState(snapshot_of(rows, await _log(reader, client.encoded, since, junk or Junk()), client), behind)


async def look_at_employee(
    reader: Reader, application: str, whose: RecipientKey, since: datetime | None = None, junk: Junk | None = None
) -> EmployeeState:
    """Return all that is kept of an employee, as `look` does."""
    wanted = partial(employee.is_wanted, employee=whose)
    rows, behind = await _rows(reader, application, whose.encoded, ("employees", *STORES), EMPLOYEE_EVENTS, wanted)
    return EmployeeState(employee.snapshot_of(rows, await _log(reader, whose.encoded, since, junk or Junk()), whose), behind)


async def _rows(
    reader: Reader, application: str, key: bytes, names: Iterable[str], events: Topic, wanted: Callable[[bytes], bool]
) -> tuple[dict[str, dict[bytes, bytes]], int]:
    """Return the rows of the partition that a key is in, by store, and how far the first of these is behind its events."""
    own = (FENCE_KEY, offset_key(events.name), topic_key(events.name))
    rows: dict[str, dict[bytes, bytes]] = {}
    behind = 0
    for number, store in enumerate(names):
        part = Partition({})
        async with aclosing(_of(reader, changelog(application, store).name, key)) as stream:
            async for _, record in stream:
                if record.key in own or wanted(record.key or b""):
                    part.read([record])
        rows[store] = dict(part.rows)
        if number == 0:
            tp = TopicPartition(events.name, partition_for(key, await reader.partitions(events.name)))
            end, first = (await reader.ends([tp]))[tp], (await reader.beginnings([tp]))[tp]
            now = (await reader.ids([events.name])).get(events.name)
            kept = None if is_other(part.topic_id(events.name), now) else part.offset(events.name)
            behind = max(0, end - max(kept or 0, first))
    return rows, behind


async def _log(reader: Reader, key: bytes, since: datetime | None, junk: Junk) -> list[LogRecord]:
    async with aclosing(_of(reader, DELIVERY_LOG.name, key, earlier(since, MARGIN))) as records:
        read = [junk.read(read_log_record, tp, one) async for tp, one in records if one.key == key]
    return [one for one in read if one is not None]


async def _of(reader: Reader, topic: str, key: bytes, since: datetime | None = None) -> AsyncGenerator[tuple[Any, Any], None]:
    """Yield partition and record of the one partition of a topic that holds a key."""
    partition = partition_for(key, await reader.partitions(topic))
    async with aclosing(reader.records([TopicPartition(topic, partition)], since)) as stream:
        async for tp, record in stream:
            yield tp, record
