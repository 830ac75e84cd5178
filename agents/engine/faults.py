"""Describe an exception that ends the worker: what it was, and at which records; nothing of a client."""

from __future__ import annotations

import traceback
from collections.abc import Iterable

from streams.processing.turn import Record


class FaultError(Exception):
    """A decision raised what it should not: a fault in its code, or a row that contradicts itself.

    Its text says what was raised, where, and at which record, but not the exception's message, which may quote an id or a text.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__("; ".join((type(error).__name__, *notes(error))))
        self.trace = trace(error)


def told(error: BaseException) -> str:
    """Say in a line what was raised, with what was noted on its way."""
    first = str(error) if isinstance(error, FaultError) else f"{type(error).__name__}: {error}"
    return "; ".join((first, *notes(error)))


def notes(error: BaseException) -> list[str]:
    """Return the notes of an exception (PEP 678)."""
    return list(getattr(error, "__notes__", ()))


def trace(error: BaseException) -> str:
    """Say what was raised and where, without its message."""
    return f"{type(error).__name__} in\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()


def stretches(records: Iterable[Record]) -> str:
    """Name records by topic, partition and offsets: `client-events/3, offsets 17 to 42`."""
    found: dict[tuple[str, int], list[int]] = {}
    for record in records:
        found.setdefault((record.topic, record.partition), []).append(record.offset)
    return " and ".join(f"{topic}/{p}, {_span(min(offsets), max(offsets))}" for (topic, p), offsets in found.items())


def _span(first: int, last: int) -> str:
    return f"offset {first}" if first == last else f"offsets {first} to {last}"
