"""Whether an organisation's messages are unusually many: against its largest ten minutes of 35 days. Pure.

Messages are counted by ten minutes, numbered since 1970. Five weeks, so that what comes each week or month is usual.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TEN_MINUTES = timedelta(minutes=10)
WEEK, DAYS = 7 * 144, 35 * 144
"""In windows."""

LEAST = 200
"""Messages in ten minutes of which nothing is said, however few there usually are: as many go in a hold, too."""

MORE = 1.5
"""Times the largest ten minutes: to exceed it by one is what chance does every month."""

SILENCE = 144
"""Windows of silence, at most, whose messages may come at once after it."""

Counts = Mapping[int, int]
"""Window -> messages."""


class Volume(NamedTuple):
    """A window that has more than it may. `most`: the largest one before it."""

    window: int
    messages: int
    most: int


def window_of(at: datetime) -> int:
    """Return the ten minutes of an instant."""
    return int(at.timestamp() // TEN_MINUTES.total_seconds())


def begin_of(window: int) -> datetime:
    """Return when they begin."""
    return datetime.fromtimestamp(window * TEN_MINUTES.total_seconds(), UTC)


def busy(counts: Counts, window: int) -> Volume | None:
    """Return how much went out in a window, if that is unusual; None if it is not.

    What was not said in a silence before it may be said now: a backlog of three hours, after which all comes at once, is no
    flood. How much that is the same hours of the weeks before tell.
    """
    messages = counts.get(window, 0)
    most = max((counts[one] for one in counts if window - DAYS <= one < window), default=0)
    if messages > max(LEAST, MORE * most + _owed(counts, window)):
        return Volume(window, messages, most)
    return None


def _owed(counts: Counts, window: int) -> int:
    owed = 0
    for one in range(window - SILENCE, window):
        messages, usual = counts.get(one, 0), max(counts.get(one - weeks * WEEK, 0) for weeks in range(1, 6))
        owed = owed + usual if messages == 0 else max(0, owed - max(0, messages - usual))
    return owed
