"""Whole record batches to one partition, by an idempotent producer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, NoReturn

from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.transport.drivers import aiokafka as driver

from ..refusals import NotOursError
from .names import use_prefix
from .pipeline import BatchEntry, PartitionSender
from .sizes import SMALL, TooLargeError
from .zero_copy import KafkaProducer

log = logging.getLogger("engine")

MAX_APPEND = (16 << 20) - (64 << 10)
"""Bytes of one atomic append: below the changelogs' max.message.bytes of 16 MiB."""

BATCH = SMALL
"""Bytes of a batch of outputs."""

MAX_IN_FLIGHT = 64 << 20
"""Bytes that are on their way at one time: a request holds a batch of each partition of a broker, which takes 100 MiB."""


class RecordBatch(BatchBuilder):  # type: ignore[misc]
    """A record batch that is filled at a quarter of the cost of aiokafka's `append`."""

    def fill(self, entries: Iterable[BatchEntry]) -> BatchEntry | None:
        """Put in what fits. Returns the first that does not, or None.

        The first record of a batch does, whatever its size (aiokafka/record/default_records.py:504).
        """
        append, now = self._builder.append, int(time.time() * 1000)
        for key, value, headers in entries:
            if append(self._relative_offset, now, key, value, [*headers]) is None:  # the compiled one takes a list only
                return key, value, headers
            self._relative_offset += 1
        return None


@contextmanager
def refusal_named(topic: str, partition: int, size: int) -> Iterator[None]:
    """Raise TooLargeError for a batch of `size` bytes that the broker refuses: the topic is not set up as it should be."""
    try:
        yield
    except MessageSizeTooLargeError:
        raise TooLargeError(f"the broker refuses {size} bytes to {topic}/{partition}: raise its max.message.bytes") from None


class Producer(driver.Producer):  # type: ignore[misc]
    """Faust's producer that also takes batches. Faust's own `send` is not used."""

    _in_flight = 0
    _landed: asyncio.Event | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._senders: dict[tuple[str, int], PartitionSender] = {}

    def _settings_extra(self) -> Mapping[str, Any]:
        # faust/transport/drivers/aiokafka.py:1323: stock Faust sets these for transactions only
        return {"acks": "all", "enable_idempotence": True}

    @property
    def _producer_type(self) -> type[KafkaProducer]:
        return KafkaProducer

    def _new_producer(self, transactional_id: str | None = None) -> KafkaProducer:
        producer: KafkaProducer = super()._new_producer(transactional_id)
        use_prefix(producer.client, self.app.topic_prefix)
        return producer

    async def send(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse what topics and tables of Faust's send: it would be no part of any turn, and go out twice or never."""
        raise NotOursError("topic.send")

    send_and_wait = send

    def send_soon(self, *args: Any) -> NoReturn:
        """Refuse it, too."""
        raise NotOursError("topic.send_soon")

    async def append(self, topic: str, partition: int, entries: Iterable[BatchEntry]) -> tuple[asyncio.Future[Any], int]:
        """Send one record batch, so that it is in the log as a whole or not at all.

        Returns the future of its metadata, and the count.
        """
        batch = self._builder(MAX_APPEND)
        if batch.fill(entries) is not None or batch.size() > MAX_APPEND + 1024:
            raise TooLargeError(f"what is to be appended to {topic}/{partition} at once exceeds {MAX_APPEND} bytes")
        return await self._ship(batch, topic, partition), batch.record_count()

    def put(self, topic: str, partition: int, entries: Iterable[BatchEntry]) -> asyncio.Future[None]:
        """Send outputs behind what is on its way to that partition. Done when they are acknowledged; not to be cancelled."""
        sender = self._senders.get((topic, partition))
        if sender is None:
            sender = self._senders[topic, partition] = PartitionSender(partial(self._send_all, topic, partition))
        return sender.put(entries)

    async def _send_all(self, topic: str, partition: int, entries: list[BatchEntry]) -> None:
        """Send as many batches as it takes, in order; a record larger than a batch gets one of its own."""
        sent: list[tuple[asyncio.Future[Any], int]] = []
        left = iter(entries)
        entry = next(left, None)
        while entry is not None:
            batch = self._builder(BATCH)
            entry = batch.fill(chain((entry,), left))
            sent.append((await self._ship(batch, topic, partition), batch.size()))
        for future, size in sent:
            with refusal_named(topic, partition, size):
                await future

    def _builder(self, size: int) -> RecordBatch:
        return RecordBatch(size, self._ensure_producer()._message_accumulator._compression_type)

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
                log.warning("the broker is slow: a batch waits", extra={"topic": topic, "partition": partition})
        future.add_done_callback(lambda landed: self._land(size, landed))
        return future  # type: ignore[no-any-return]

    def _land(self, size: int, landed: asyncio.Future[Any]) -> None:
        self._in_flight -= size
        if not landed.cancelled() and landed.exception() is None:
            self.app.heard = time.monotonic()
        if self._landed is not None:
            self._landed.set()
