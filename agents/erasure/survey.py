"""Reads every topic from its start to its end, and finds what names a client. It belongs to no group and moves no offset."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.topics import APPOINTMENTS, DAY

from ..reading import MissingError

Slot = tuple[int, bytes]
"""A partition, and a key in it: compaction keeps the last record of each."""


class Subject:
    """Whom to look for. A record names a client by its key, or by a value that has both ids as JSON writes them."""

    def __init__(self, organisation: str, client: str) -> None:
        self.organisation, self.client = organisation, client
        self.key = f"{organisation}/{client}".encode()
        self._key = re.compile(rb"(?:^|/)" + re.escape(self.key) + rb"(?:/|$)")
        self._client, self._organisation = _quoted(client), _quoted(organisation)
        self._of_organisation = re.compile(rb"(?:^|/)" + re.escape(organisation.encode()) + rb"/")
        self._raw = re.compile(re.escape(self.key) + rb"(?![A-Za-z0-9._-])")

    def in_key(self, key: bytes | None) -> bool:
        """Whether a key names the client, alone or before or behind other ids."""
        return key is not None and self._key.search(key) is not None

    def in_value(self, key: bytes | None, value: bytes | None) -> bool:
        """Whether a value does."""
        if value is None:
            return False
        if any(word in value for word in self._client):
            return (key is not None and self._of_organisation.search(key) is not None) or any(
                word in value for word in self._organisation
            )
        return self._raw.search(value) is not None


def _quoted(text: str) -> set[bytes]:
    """A string as JSON writes it, with and without escapes."""
    return {orjson.dumps(text), json.dumps(text).encode()}


@dataclass
class Found:
    """What a topic holds of a client.

    Attributes:
        records: values that name the client, of compacted topics those that compaction will remove included.
        live: of a compacted topic: keys whose last value names the client.
        tombstones: null values under keys that name the client; they go with the second compaction after theirs.
        last_ms: when the newest of all these was written, in milliseconds of Unix time.
        settings: the topic's configuration at the broker.
    """

    settings: Mapping[str, str]
    records: int = 0
    tombstones: int = 0
    last_ms: int = 0
    live: set[Slot] = field(default_factory=set)

    @property
    def compacted(self) -> bool:
        """Whether keys are kept, not times."""
        return "compact" in self.settings.get("cleanup.policy", "")

    def gone_ms(self) -> int | None:
        """The moment by which all of it is gone by itself; None: never, as the topic is configured.

        A record goes with its segment: at most `segment.ms` later. A day covers the broker's own pauses. An older value waits
        for a compaction, and its tombstone for `delete.retention.ms` and another one.
        """
        number = {name: int(value) for name, value in self.settings.items() if re.fullmatch(r"-?\d+", value)}
        if self.compacted:
            lag = number.get("max.compaction.lag.ms", 1 << 62)
            return None if lag > 3650 * DAY else self.last_ms + 2 * lag + number.get("delete.retention.ms", DAY) + DAY
        kept = number.get("retention.ms", -1)
        return None if kept < 0 else self.last_ms + kept + number.get("segment.ms", 7 * DAY) + DAY


class Survey:
    """Looks through topics for one client. `security`: of `agents/kafka_security.py`."""

    def __init__(self, bootstrap: str, security: Mapping[str, Any] | None = None) -> None:
        self.bootstrap, self.security = bootstrap, dict(security or {})

    async def look(self, subject: Subject, topics: Iterable[str]) -> dict[str, Found]:
        """What each topic holds. Raises MissingError where one does not exist."""
        wanted = list(topics)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_bytes=64 << 20,
            max_partition_fetch_bytes=4 << 20, **self.security,
        )  # fmt: skip
        admin_client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, **self.security)
        async with running(consumer, "stop"), running(admin_client, "close") as admin:
            partitions = await partitions_of(admin, wanted)
            found = {name: Found(settings) for name, settings in (await _settings(admin, wanted)).items()}
            for name, tps in partitions.items():
                await _read(consumer, tps, subject, found[name])
            return found


@asynccontextmanager
async def running(client: Any, end: str) -> AsyncIterator[Any]:
    """A client of aiokafka for the length of a `with`; `end` names the method that stops it."""
    try:
        await client.start()
        yield client
    finally:
        await getattr(client, end)()


async def partitions_of(admin: Any, topics: Iterable[str]) -> dict[str, list[TopicPartition]]:
    """The partitions of these topics. All topics are asked for: a broker with auto-creation would create those that are named."""
    there = {row["topic"]: [part["partition"] for part in row["partitions"]] for row in await admin.describe_topics()}
    found = {}
    for name in topics:
        if name not in there:
            raise MissingError.topic(name)
        found[name] = [TopicPartition(name, number) for number in sorted(there[name])]
    return found


async def _settings(admin: Any, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    return {
        name: {entry[0]: entry[1] or "" for entry in entries} for answer in answers for _, _, _, name, entries in answer.resources
    }


async def _read(consumer: AIOKafkaConsumer, tps: list[TopicPartition], subject: Subject, found: Found) -> None:
    consumer.assign(tps)
    ends = await consumer.end_offsets(tps)
    await consumer.seek_to_beginning(*tps)
    by_key = tps[0].topic != APPOINTMENTS.name and not tps[0].topic.endswith("-intake-changelog")
    left = [tp for tp in tps if await consumer.position(tp) < ends[tp]]
    while left:
        for tp, records in (await consumer.getmany(*left, timeout_ms=500)).items():
            for record in records:
                _count(found, subject, tp.partition, record, by_key)
        left = [tp for tp in left if await consumer.position(tp) < ends[tp]]


def _count(found: Found, subject: Subject, partition: int, record: Any, by_key: bool) -> None:
    """`by_key`: whether an id behind the organisation's in a key is a client's; else it is an appointment's."""
    keyed = by_key and subject.in_key(record.key)
    named = record.value is not None and (keyed or subject.in_value(record.key, record.value))
    slot = (partition, record.key or b"")
    if named:
        found.records += 1
        found.live.add(slot)
    else:
        found.live.discard(slot)
        if not (keyed and record.value is None):
            return
        found.tombstones += 1
    found.last_ms = max(found.last_ms, record.timestamp)
