"""A record of a topic, as the projection takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Entry(Protocol):
    """One record of a topic, as it was read."""

    @property
    def offset(self) -> int:
        """Where it is."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def at(self) -> datetime | None:
        """When it was written; None where it has no time that can be."""

    @property
    def epoch(self) -> bytes | None:
        """Of a changelog: the fence under which it was written."""
