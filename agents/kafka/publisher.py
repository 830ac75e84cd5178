"""Write a page's events: Kafka has acknowledged them before anybody is told that it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import orjson
import structlog
from aiokafka.errors import KafkaError

from .. import request_ids
from ..engine.transport.names import Producer
from ..engine.transport.partitioner import as_workers
from ..monitoring.web_metrics import WebMetrics
from .writer import Event

log = structlog.get_logger(__name__)

FRESH_SECONDS = 1.0
"""For how long an answer of `check` counts for others."""


class UnavailableError(Exception):
    """Kafka did not acknowledge in time. The event may or may not be there: whoever asked must ask again."""


class RecordPosition(NamedTuple):
    """Where an event is."""

    partition: int
    offset: int


class Publisher(Protocol):
    """Writes events to Kafka."""

    async def publish(self, event: Event) -> RecordPosition:
        """Write it; returns once all replicas have it. Raises UnavailableError."""

    async def check(self) -> None:
        """Raise UnavailableError where `publish` would."""

    async def close(self) -> None:
        """Let go of the connections."""


class KafkaPublisher:
    """Publishes to a Kafka that may be away for a while, at the start too: the next event finds it again.

    Events of one key keep their order: one batch of a partition is under way at a time. `security`: of `kafka_security`.
    """

    def __init__(self, bootstrap: str, timeout: float, security: Mapping[str, Any] | None = None) -> None:
        self._bootstrap, self._timeout, self._security = bootstrap, timeout, dict(security or {})
        self._producer: Producer | None = None
        self._starting: asyncio.Task[Producer] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._checked = 0.0

    async def publish(self, event: Event) -> RecordPosition:
        """Write it; returns once all replicas have it. Raises UnavailableError."""
        value = event.value if event.value is None or isinstance(event.value, bytes) else orjson.dumps(event.value)
        try:
            async with asyncio.timeout(self._timeout):
                producer = await self._started()
                key = event.key.encode() if event.key is not None else None
                sent = await (await producer.send(event.topic, value, key, headers=request_ids.headers()))
                return RecordPosition(sent.partition, sent.offset)
        except (KafkaError, TimeoutError, OSError) as error:
            log.error("kafka did not acknowledge", topic=event.topic, error=type(error).__name__)
            raise UnavailableError from error

    async def check(self) -> None:
        """Make a round trip to a broker, shared by all who ask within a second. Raises UnavailableError."""
        now = asyncio.get_running_loop().time()
        if self._checking is None or (self._checking.done() and now - self._checked > FRESH_SECONDS):
            self._checked = now
            self._checking = asyncio.create_task(self._round_trip())
        await asyncio.shield(self._checking)

    async def close(self) -> None:
        """Send what waits, and let go of the connections."""
        for task in (self._starting, self._checking):
            if task is not None and not task.done():
                task.cancel()
        if self._producer is not None:
            await self._producer.stop()

    async def _round_trip(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                answered = await (await self._started()).client.force_metadata_update()
        except (KafkaError, TimeoutError, OSError) as error:
            raise UnavailableError from error
        if not answered:
            raise UnavailableError

    async def _started(self) -> Producer:
        if self._producer is None:
            if self._starting is None or self._starting.done():
                self._starting = asyncio.create_task(self._start())
            self._producer = await asyncio.shield(self._starting)
        return self._producer

    async def _start(self) -> Producer:
        producer = Producer(
            bootstrap_servers=self._bootstrap, acks="all", linger_ms=2, partitioner=as_workers,
            request_timeout_ms=max(1000, int(self._timeout * 1000)), **self._security,
        )  # fmt: skip
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


class Measured:
    """A publisher that tells how long it takes and how often it fails."""

    def __init__(self, publisher: Publisher, metrics: WebMetrics) -> None:
        self._publisher, self._metrics = publisher, metrics
        self.check, self.close = publisher.check, publisher.close

    async def publish(self, event: Event) -> RecordPosition:
        """Write it; returns once all replicas have it. Raises UnavailableError."""
        began = perf_counter()
        try:
            place = await self._publisher.publish(event)
        except UnavailableError:
            self._metrics.unpublished.inc()
            raise
        self._metrics.published.observe(perf_counter() - began)
        return place
