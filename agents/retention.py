"""Expire audit facts that are old enough: a tombstone for each, so that compaction removes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas.deliveries import AuditRecord
from schemas.topics import AUDIT_LOG
from schemas.wire import BadRecordError, own
from streams.processing.record_checks import instant

from .engine.transport.names import Producer
from .kafka.junk import Junk
from .kafka.reader import Reader, running
from .terminal import Progress, silent

DISORDER = timedelta(days=1)
"""Facts are written in the order of their times, give or take this."""

AHEAD = timedelta(days=1)
"""How far another clock may be ahead of ours. A fact beyond it is no record: it would end the reading too early."""

_fact = msgspec.json.Decoder(AuditRecord).decode


async def expire_facts(
    bootstrap: str,
    before: datetime,
    security: Mapping[str, Any] | None = None,
    junk: Junk | None = None,
    *,
    dry_run: bool,
    progress: Progress = silent,
) -> int:
    """Tombstone every fact of before that moment; return how many. It reads no further than where younger ones begin.

    `junk` is told of values that are no facts: they stay. Raises MissingError where the topic does not exist.
    """
    writes = {"bootstrap_servers": bootstrap, "acks": "all", "enable_idempotence": True, **(security or {})}
    told, count = junk or Junk(), 0
    async with Reader(bootstrap, security, progress=progress) as reader, running(Producer(**writes), "stop") as producer:
        for tp in await reader.topic(AUDIT_LOG.name):
            keys = await _old(reader, tp, before, told)
            count += len(keys)
            if not dry_run:
                for future in [await producer.send(tp.topic, None, key, tp.partition) for key in keys]:
                    await future
    return count


async def _old(reader: Reader, tp: Any, before: datetime, junk: Junk) -> list[bytes]:
    """Return the keys of a partition whose last fact is of before that moment."""
    old: dict[bytes, bool] = {}
    span = await reader.span([tp])
    async with reader.ranges(span.starts, span.stops) as ranges:
        with reader.progress(span.total, "record") as more:
            async for _, records in ranges.batches():
                more(len(records))
                for record in records:
                    if record.key is None:  # nothing of ours, and no tombstone reaches it
                        continue
                    at = junk.read(_moment, tp, record) if record.value is not None else None
                    old[record.key] = at is not None and at < before
                    if at is not None and at > before + DISORDER:
                        ranges.drop(tp)
    return [key for key, is_old in old.items() if is_old]


def _moment(value: bytes | None) -> datetime:
    """Read when a fact was. Raises BadRecordError."""
    at = instant(own(_fact, value).at, "at")
    if at > datetime.now(UTC) + AHEAD:
        raise BadRecordError("more than a day ahead - at `$.at`")
    return at
