"""What a replay reads: every event that Kafka still has of the inputs, and the delivery log. It only reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.deliveries import LogRecord, read_log_record
from schemas.topics import CLIENT_EVENTS, DELIVERY_LOG, ERASURES
from streams.graph import INPUTS
from streams.replay import Kept

from .archive import Archive

MARGIN = timedelta(days=1)
"""The log is read from so much before the period: what one side decided before its edge, the other may have after it."""


def is_of(key: bytes | None, organisation: str | None) -> bool:
    """Whether a key is one of this organisation's; None: of any."""
    return organisation is None or (key or b"").split(b"/")[0] == organisation.encode()


async def inputs(archive: Archive, organisation: str | None = None) -> list[Kept]:
    """The events of the input topics, and what providers said of addresses; of one organisation or of all."""
    found: list[Kept] = []
    for topic in (*INPUTS, CLIENT_EVENTS):
        expected: dict[int, int] = {}
        gaps: set[int] = set()
        async for record in archive.read(await archive.topic(topic.name)):
            if record.offset > expected.get(record.partition, 0):
                gaps.add(record.partition)
            expected[record.partition] = record.offset + 1
            if topic is CLIENT_EVENTS and b'"bounce":{' not in (record.value or b""):
                continue  # the replay makes these anew
            if topic is ERASURES and b'"copied":true' in (record.value or b""):
                continue  # intake's own, for its other partitions: a replay has one
            if is_of(record.key, organisation):
                at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
                gap = record.partition in gaps
                found.append(Kept(at, topic.name, record.partition, record.offset, record.key, record.value, gap))
    return found


async def began(archive: Archive) -> datetime | None:
    """When the worker first took in an event, as far as all it wrote since is still there; None where that is not known."""
    tps = await archive.topic(CLIENT_EVENTS.name)
    if any((await archive.beginnings(tps)).values()):
        return None
    moments = [record.timestamp async for record in archive.read(tps)]
    return datetime.fromtimestamp(min(moments) / 1000, UTC) if moments else None


async def log(archive: Archive, organisation: str | None = None, since: datetime | None = None) -> list[LogRecord]:
    """The delivery log, from somewhat before `since` on."""
    start = max(0, int((since - MARGIN).timestamp() * 1000)) if since is not None else None
    tps = await archive.topic(DELIVERY_LOG.name)
    return [read_log_record(one.value) async for one in archive.read(tps, start) if one.value and is_of(one.key, organisation)]
