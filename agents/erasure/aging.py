"""Audit facts that are old enough go: a tombstone for each, so that compaction removes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.deliveries import AuditRecord
from schemas.topics import AUDIT_LOG
from schemas.wire import utc

from .survey import partitions_of, running

LATE = timedelta(days=1)
"""Facts are written in the order of their moments, but for this."""

_fact = msgspec.json.Decoder(AuditRecord).decode


async def expire_facts(bootstrap: str, before: datetime, security: Mapping[str, Any] | None = None, *, dry_run: bool) -> int:
    """Tombstone every fact of before that moment; gives how many. Reads no further than where younger ones begin.

    Raises MissingError where the topic does not exist.
    """
    given = {"bootstrap_servers": bootstrap, **(security or {})}
    async with (
        running(AIOKafkaAdminClient(**given), "close") as admin,
        running(AIOKafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **given), "stop") as consumer,
        running(AIOKafkaProducer(acks="all", enable_idempotence=True, **given), "stop") as producer,
    ):
        tps = (await partitions_of(admin, [AUDIT_LOG.name]))[AUDIT_LOG.name]
        return sum([await _partition(consumer, producer, tp, before, dry_run) for tp in tps])


async def _partition(consumer: Any, producer: Any, tp: TopicPartition, before: datetime, dry_run: bool) -> int:
    consumer.assign([tp])
    end = (await consumer.end_offsets([tp]))[tp]
    await consumer.seek_to_beginning(tp)
    old: dict[bytes, bool] = {}
    young = False
    while not young and await consumer.position(tp) < end:
        for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, []):
            at = utc(_fact(record.value).at) if record.value is not None else None
            old[record.key] = at is not None and at < before
            young = young or (at is not None and at > before + LATE)
    keys = [key for key, is_old in old.items() if is_old]
    if not dry_run:
        for future in [await producer.send(tp.topic, None, key, tp.partition) for key in keys]:
            await future
    return len(keys)
