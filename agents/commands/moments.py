"""A moment on the command line: an instant, or a local time."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime

from schemas.wire import BadRecordError, Instant, check, utc
from streams.processing.local_time import DEFAULT_ZONE

from ..export.periods import period

EXPECTED = "an instant (2020-01-17T13:15:00+01:00), or a local time (2020-01-17T13:15)"


def instant(text: str) -> datetime:
    """Read an instant, or a local time, from the command line."""
    try:
        return utc(check(Instant, text))
    except BadRecordError:
        pass
    try:
        begin, end = period(text, DEFAULT_ZONE)
    except ValueError:
        begin = end = None
    if begin is None or begin != end:
        raise ArgumentTypeError(f"{text!r} is no time: expected {EXPECTED}")
    return begin
