"""Reads what counts of a topic that workers keep in a table: of each key the last record that can be used, as intake does it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TypeVar

from schemas.wire import BadRecordError

from .reader import Reader

T = TypeVar("T")


async def last_good(reader: Reader, topic: str, decode: Callable[[bytes], T]) -> dict[str, T]:
    """Return the last good record of each key; a null value takes it back. What `decode` refuses changes nothing.

    Raises KafkaError and MissingError. `decode` raises BadRecordError.
    """
    found: dict[str, T] = {}
    async with aclosing(reader.records(await reader.topic(topic))) as stream:
        async for _, record in stream:
            key = (record.key or b"").decode(errors="replace")
            if record.value is None:
                found.pop(key, None)
                continue
            try:
                found[key] = decode(record.value)
            except BadRecordError:
                continue  # it was set aside, and what counted before it still does
    return found
