"""Whole record batches to one partition, by an idempotent producer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder
from faust.transport.drivers import aiokafka as driver

Entry = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers of a record."""

MAX_APPEND = 15 << 20
"""Bytes of one atomic append: below the changelogs' max.message.bytes of 16 MiB."""

BATCH = 512 << 10
"""Bytes of a batch of outputs: below a topic's default max.message.bytes of 1 MiB."""

MAX_IN_FLIGHT = 64 << 20
"""Bytes that are on their way at one time: a request holds a batch of each partition of a broker, which takes 100 MiB."""


class TooLargeError(Exception):
    """Records that must be appended together do not fit into one append."""


class Producer(driver.Producer):  # type: ignore[misc]
    """Faust's producer that also takes batches. Faust's own `send` is not used."""

    _in_flight = 0
    _landed: asyncio.Event | None = None

    def _settings_extra(self) -> Mapping[str, Any]:
        # faust/transport/drivers/aiokafka.py:1323: stock Faust sets these for transactions only
        return {"acks": "all", "enable_idempotence": True}

    async def append(self, topic: str, partition: int, entries: Iterable[Entry]) -> tuple[asyncio.Future[Any], int]:
        """One record batch, so that it is in the log as a whole or not at all. The future gives its metadata; and the count.

        `BatchBuilder.append` gives None when the batch is full and lets the first record through whatever its size
        (aiokafka/record/default_records.py:504), hence the check of the size.
        """
        batch = self._builder(MAX_APPEND)
        for key, value, headers in entries:
            if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                raise TooLargeError(f"rows and outputs of one decision exceed {MAX_APPEND} bytes")
        if batch.size() > MAX_APPEND + 1024:
            raise TooLargeError(f"a row of {batch.size()} bytes exceeds {MAX_APPEND}")
        return await self._ship(batch, topic, partition), batch.record_count()

    async def send_all(self, topic: str, partition: int, entries: Iterable[Entry]) -> list[asyncio.Future[Any]]:
        """As many batches as it takes, in order; a record larger than a batch gets one of its own."""
        sent: list[asyncio.Future[Any]] = []
        batch = self._builder(BATCH)
        for key, value, headers in entries:
            if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                sent.append(await self._ship(batch, topic, partition))
                batch = self._builder(BATCH)
                batch.append(key=key, value=value, timestamp=None, headers=list(headers))
        if batch.record_count():
            sent.append(await self._ship(batch, topic, partition))
        return sent

    def _builder(self, size: int) -> Any:
        return BatchBuilder(size, self._ensure_producer()._message_accumulator._compression_type)

    async def _ship(self, batch: Any, topic: str, partition: int) -> asyncio.Future[Any]:
        # an open builder would take in what a plain send() brings (aiokafka/producer/message_accumulator.py:414)
        batch.close()
        size = batch.size()
        while self._in_flight and self._in_flight + size > MAX_IN_FLIGHT:
            self._landed = asyncio.Event()
            await self._landed.wait()
        self._in_flight += size
        future = await self._ensure_producer().send_batch(batch, topic, partition=partition)
        future.add_done_callback(lambda _: self._land(size))
        return future  # type: ignore[no-any-return]

    def _land(self, size: int) -> None:
        self._in_flight -= size
        if self._landed is not None:
            self._landed.set()
