"""Report values on a topic that are no records, each with its place, and go on reading."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Self, TypeVar

from schemas.wire import BadRecordError

from ..visible import visible

T = TypeVar("T")


class NotARecordError(ValueError):
    """A value on a topic that is no record; the text says where and why."""

    @classmethod
    def at(cls, tp: Any, offset: int, error: Exception) -> Self:
        """Say it of the value at an offset of a partition."""
        return cls(f"{tp.topic}/{tp.partition}, offset {offset}: not a record: {error}")


class Junk:
    """Counts what a command found on a topic that is no record. It names the first ones on stderr, and goes on without them."""

    NAMED = 20

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: NotARecordError) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= self.NAMED:
            sys.stderr.write(visible(str(error)) + "\n")

    def read(self, decode: Callable[[bytes | None], T], tp: Any, record: Any) -> T | None:
        """Return the record's value, decoded; None where `decode` raises BadRecordError."""
        try:
            return decode(record.value)
        except BadRecordError as error:
            self(NotARecordError.at(tp, record.offset, error))
            return None

    def ended(self) -> bool:
        """Say how many there were, where not each was named, and return whether there was any."""
        if self.count > self.NAMED:
            sys.stderr.write(f"{self.count} values are no records: they are left out\n")
        return self.count > 0
