"""Read what a replay needs: every event that Kafka still has of the inputs, and the delivery log."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime, timedelta

from schemas.deliveries import LogRecord, read_log_record
from schemas.topics import CLIENT_EVENTS, DELIVERY_LOG, EMPLOYEE_EVENTS, ERASURES, HOLDS, INPUTS
from streams.history.replay import Kept

from .junk import Junk
from .reader import EARLIEST, Reader, earlier, written

MARGIN = timedelta(days=1)
"""The log is read from so much before the period: what one side decided just before it, the other may have decided within it."""


def is_of(key: bytes | None, organisation: str | None) -> bool:
    """Tell whether a key is one of this organisation's; None: of any."""
    return organisation is None or (key or b"").split(b"/")[0] == organisation.encode()


def is_copy(value: bytes | None) -> bool:
    """Tell whether a record of `erasures` is intake's own, for its other partitions."""
    return b'"stage":"copied"' in (value or b"")


def is_providers(value: bytes | None) -> bool:
    """Tell whether an event is what a provider said: that an address takes nothing, or that a message surely did not arrive."""
    return b'"bounce":{' in (value or b"") or b'"notices":{' in (value or b"")


async def inputs(reader: Reader, organisation: str | None = None) -> list[Kept]:
    """Read the events of the input topics, and what providers said of addresses; of one organisation or of all."""
    found: list[Kept] = []
    for topic in (*INPUTS, CLIENT_EVENTS, EMPLOYEE_EVENTS):
        if topic is HOLDS:
            continue  # what was decided by hand is none of the rules
        expected: dict[int, int] = {}
        gaps: set[int] = set()
        last: dict[int, datetime] = {}  # an event of no possible time counts with the one before it
        async with aclosing(reader.records(await reader.topic(topic.name))) as stream:
            async for tp, record in stream:
                if record.offset > expected.get(tp.partition, 0):
                    gaps.add(tp.partition)
                expected[tp.partition] = record.offset + 1
                if topic in (CLIENT_EVENTS, EMPLOYEE_EVENTS) and not is_providers(record.value):
                    continue  # the replay makes these anew
                if topic is ERASURES and is_copy(record.value):
                    continue  # a replay has one partition
                at = last[tp.partition] = written(record.timestamp) or last.get(tp.partition, EARLIEST)
                if is_of(record.key, organisation):
                    gap = tp.partition in gaps
                    found.append(Kept(at, topic.name, tp.partition, record.offset, record.key, record.value, gap))
    return found


async def began(reader: Reader) -> datetime | None:
    """Return when the worker first took in an event; None where what it wrote then is gone."""
    tps = await reader.topic(CLIENT_EVENTS.name)
    if any((await reader.beginnings(tps)).values()):
        return None
    async with aclosing(reader.records(tps)) as stream:
        moments = [at async for _, record in stream if (at := written(record.timestamp)) is not None]
    return min(moments, default=None)


async def log(reader: Reader, junk: Junk, organisation: str | None = None, since: datetime | None = None) -> list[LogRecord]:
    """Read the delivery log, from somewhat before `since` on; `junk` is told of what is no record. Raises NewerSchemaError."""
    tps = await reader.topic(DELIVERY_LOG.name)
    async with aclosing(reader.records(tps, earlier(since, MARGIN))) as records:
        read = [junk.read(read_log_record, tp, one) async for tp, one in records if is_of(one.key, organisation)]
    return [one for one in read if one is not None]
