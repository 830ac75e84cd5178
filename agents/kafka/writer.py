"""Write events to the input topics as an upstream service does: in order, acknowledged by all replicas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson

from ..engine.transport.names import Producer


class Event(NamedTuple):
    """One event; a value of None deletes, bytes are written as they are, anything else as JSON."""

    topic: str
    key: str | None
    value: Any


class Feeder:
    """A producer for events. `async with Feeder(bootstrap) as feeder: await feeder.feed(events)`.

    `security`: of `agents/kafka/security.py`.
    """

    def __init__(self, bootstrap: str, security: Mapping[str, Any] | None = None) -> None:
        self.producer = Producer(
            bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, **(security or {})
        )

    async def feed(self, events: Iterable[Event]) -> int:
        """Write the events and wait until Kafka has them; return their number."""
        sent = []
        for event in events:
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

    async def __aenter__(self) -> Self:
        await self.producer.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.producer.stop()
