"""Write events to the input topics as an upstream service does: in order, acknowledged by all replicas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson

from ..engine.transport.names import Producer
from .reader import MissingError, running


class Event(NamedTuple):
    """One event; a value of None deletes, bytes are written as they are, anything else as JSON."""

    topic: str
    key: str | None
    value: Any


class Feeder:
    """A producer for events. `async with Feeder(bootstrap) as feeder: await feeder.feed(events)`.

    `security`: of `agents/kafka/security.py`; `choices`: others of the producer.
    """

    def __init__(self, bootstrap: str, security: Mapping[str, Any] | None = None, **choices: Any) -> None:
        self.producer = Producer(
            bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, **(security or {}), **choices
        )
        self.there: set[str] = set()

    async def feed(self, events: Iterable[Event]) -> int:
        """Write the events and wait until Kafka has them; return their number. MissingError: none of them is written."""
        batch = list(events)
        await self.require({event.topic for event in batch})
        sent = []
        for event in batch:
            key = event.key.encode() if event.key is not None else None
            value = event.value if event.value is None or isinstance(event.value, bytes) else orjson.dumps(event.value)
            sent.append(await self.producer.send(event.topic, value, key))
        for future in sent:
            await future
        return len(sent)

    async def repeat(self, records: Iterable[tuple[str, bytes | None, bytes, list[tuple[str, bytes]]]]) -> None:
        """Write records as they were, topic, key, value and headers, and wait until Kafka has them."""
        for future in [await self.producer.send(topic, value, key, headers=headers) for topic, key, value, headers in records]:
            await future

    async def require(self, topics: set[str]) -> None:
        """Raise MissingError for a topic that is not there. aiokafka would wait for it, and a broker may make it its own way.

        All topics are asked for: a broker that makes topics by itself would make those that are named.
        """
        if topics <= self.there:
            return
        cluster = await self.producer.client.fetch_all_metadata()
        self.there |= cluster.topics(exclude_internal_topics=False)
        for name in sorted(topics - self.there):
            raise MissingError.topic(name)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(running(self.producer, "stop"))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()
