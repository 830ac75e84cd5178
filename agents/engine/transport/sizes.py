"""Bound what is written at once by what its topic takes."""

from __future__ import annotations

SMALL = 512 << 10
"""Bytes of an output that every topic takes: half of Kafka's default `max.message.bytes`."""


class TooLargeError(Exception):
    """What must be written together, or one record, is larger than its topic takes. The text names the topic and sizes."""
