"""Whole record batches to one partition, by an idempotent producer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any

from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.transport.drivers import aiokafka as driver

from .lane import Entry, Lane
from .shipping import KafkaProducer

log = logging.getLogger("engine")

MAX_APPEND = 15 << 20
"""Bytes of one atomic append: below the changelogs' max.message.bytes of 16 MiB."""

BATCH = 512 << 10
"""Bytes of a batch of outputs: below a topic's default max.message.bytes of 1 MiB."""

MAX_IN_FLIGHT = 64 << 20
"""Bytes that are on their way at one time: a request holds a batch of each partition of a broker, which takes 100 MiB."""


class TooLargeError(Exception):
    """Records that must be appended together do not fit into one append."""


class Batch(BatchBuilder):  # type: ignore[misc]
    """A record batch that is filled at a quarter of the cost of aiokafka's `append`."""

    def fill(self, entries: Iterable[Entry]) -> Entry | None:
        """Put in what fits. Gives the first that does not, or None.

        The first record of a batch does, whatever its size (aiokafka/record/default_records.py:504).
        """
        append, now = self._builder.append, int(time.time() * 1000)
        for key, value, headers in entries:
            if append(self._relative_offset, now, key, value, [*headers]) is None:  # the compiled one takes a list only
                return key, value, headers
            self._relative_offset += 1
        return None


class Producer(driver.Producer):  # type: ignore[misc]
    """Faust's producer that also takes batches. Faust's own `send` is not used."""

    _in_flight = 0
    _landed: asyncio.Event | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lanes: dict[tuple[str, int], Lane] = {}

    def _settings_extra(self) -> Mapping[str, Any]:
        # faust/transport/drivers/aiokafka.py:1323: stock Faust sets these for transactions only
        return {"acks": "all", "enable_idempotence": True}

    @property
    def _producer_type(self) -> type[KafkaProducer]:
        return KafkaProducer

    async def append(self, topic: str, partition: int, entries: Iterable[Entry]) -> tuple[asyncio.Future[Any], int]:
        """One record batch, so that it is in the log as a whole or not at all. The future gives its metadata; and the count."""
        batch = self._builder(MAX_APPEND)
        if batch.fill(entries) is not None:
            raise TooLargeError(f"rows and outputs of one decision exceed {MAX_APPEND} bytes")
        if batch.size() > MAX_APPEND + 1024:
            raise TooLargeError(f"a row of {batch.size()} bytes exceeds {MAX_APPEND}")
        return await self._ship(batch, topic, partition), batch.record_count()

    def put(self, topic: str, partition: int, entries: Iterable[Entry]) -> asyncio.Future[None]:
        """Send outputs behind what is on its way to that partition. Done when they are acknowledged; not to be cancelled."""
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = Lane(partial(self._send_all, topic, partition))
        return lane.put(entries)

    async def _send_all(self, topic: str, partition: int, entries: list[Entry]) -> None:
        """As many batches as it takes, in order; a record larger than a batch gets one of its own."""
        sent: list[asyncio.Future[Any]] = []
        left = iter(entries)
        entry = next(left, None)
        while entry is not None:
            batch = self._builder(BATCH)
            entry = batch.fill(chain((entry,), left))
            sent.append(await self._ship(batch, topic, partition))
        for future in sent:
            await future

    def _builder(self, size: int) -> Batch:
        return Batch(size, self._ensure_producer()._message_accumulator._compression_type)

    async def _ship(self, batch: Any, topic: str, partition: int) -> asyncio.Future[Any]:
        # an open builder would take in what a plain send() brings (aiokafka/producer/message_accumulator.py:414)
        batch.close()
        size = batch.size()
        while self._in_flight and self._in_flight + size > MAX_IN_FLIGHT:
            self._landed = asyncio.Event()
            await self._landed.wait()
        self._in_flight += size
        while True:
            try:
                future = await self._ensure_producer().send_batch(batch, topic, partition=partition)
                break
            except KafkaTimeoutError:
                # No room yet behind the partition's other batches: it was not taken, so it may be offered again, in its place.
                # The broker is slow; how long that may last is the commit watchdog's to say.
                log.warning("%s/%d: the broker is slow; a batch waits for its turn", topic, partition)
        future.add_done_callback(lambda _: self._land(size))
        return future  # type: ignore[no-any-return]

    def _land(self, size: int) -> None:
        self._in_flight -= size
        if self._landed is not None:
            self._landed.set()
