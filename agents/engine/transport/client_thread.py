"""The thread of the Kafka client: what is asked of it from the worker's loop, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from .light_records import use_light_records
from .membership import uneven
from .names import use_prefix

log = logging.getLogger("engine")

STOP = 5.0
"""Seconds in which the Kafka client has left the group and closed its connections."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread of the Kafka client."""

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Pause the changelogs: this client does not read them.

        Faust's own pause is a filter on what is handed out: without this one the client would prefetch every changelog. And
        it would ask where each begins, for ever where a leader has moved: on an error it does not ask who leads now
        (aiokafka/consumer/fetcher.py:986), and reads nothing else from that broker meanwhile.
        """
        if why := uneven(assigned, self.app.subscribed()):
            self.app.die(f"the group's workers do not all read the same topics: by what it was given this one would {why}")
        changelogs, consumer = self.app.tables.changelog_topics, self._ensure_consumer()
        mine = [TopicPartition(*tp) for tp in assigned if tp.topic in changelogs]
        consumer.pause(*mine)
        for tp in mine:
            consumer.seek(tp, 0)
        await super().on_partitions_assigned(assigned, generation_id)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # 1500 is hard-coded (faust/transport/drivers/aiokafka.py:615): the first fetch after a seek waits behind the open one
        consumer._fetch_max_wait_ms = 200
        use_prefix(consumer._client, self.app.topic_prefix)
        # records of aborted transactions are not delivered
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(self, consumer: Any, active_partitions: Any, timeout: Any = None, max_records: Any = None) -> Any:
        use_light_records(consumer)
        return await super()._fetch_records(consumer, active_partitions, timeout, max_records)

    async def on_thread_stop(self) -> None:
        """Stop the client, and let it be where it does not.

        Without a broker its fetcher awaits a fetch that it cancelled in its back-off, and so raises CancelledError itself
        (aiokafka/consumer/fetcher.py:457): the thread died of it, and the main one waited out a minute.
        """
        try:
            async with asyncio.timeout(STOP):
                await super().on_thread_stop()
        except (asyncio.CancelledError, TimeoutError, KafkaError) as error:
            if (running := asyncio.current_task()) is not None and running.cancelling():
                raise
            log.warning("the Kafka client did not stop as it should", extra={"error": type(error).__name__})

    _known: tuple[object, frozenset[TP]] = (None, frozenset())

    def assignment(self) -> frozenset[TP]:
        """Return the partitions that we were given.

        Faust would make the set anew at each call, and a commit asks for each partition.
        """
        given = self._ensure_consumer().assignment()
        known, tps = self._known
        if given is not known:
            tps = frozenset(TP(*tp) for tp in given)
            self._known = (given, tps)
        return tps

    async def ask(self, question: Any) -> Any:
        """Run a coroutine in the client's thread, past Faust's queue of two workers, one of which is always fetching."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self.thread_loop))

    def delivered_to(self, tp: Any) -> int | None:
        """Return the offset up to which everything was handed out. It passes over transaction markers, which are no records."""
        assignment = self._ensure_consumer()._subscription.subscription
        state = assignment and assignment.assignment and assignment.assignment.state_value(TopicPartition(*tp))
        return int(state.position) if state is not None and state.has_valid_position else None

    def end_of(self, tp: Any) -> int | None:
        """Return the end of a partition as the last fetch told it; None before the first. It costs nothing."""
        assignment = self._ensure_consumer()._subscription.subscription
        state = assignment and assignment.assignment and assignment.assignment.state_value(TopicPartition(*tp))
        return state.highwater if state is not None else None
