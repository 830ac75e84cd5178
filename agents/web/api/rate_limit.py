"""Limit requests: for each who asks, a bucket that fills at a steady rate."""

from __future__ import annotations

from collections import OrderedDict

MOST_BUCKETS = 10_000


class TokenBuckets:
    """`per_minute` on average, and as many at once after a quiet minute."""

    def __init__(self, per_minute: float) -> None:
        self._rate, self._size = per_minute / 60, per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, now: float) -> float:
        """Take one; return 0, or the seconds to wait and then nothing is taken. `now` is a clock's that never goes back."""
        level, at = self._buckets.pop(who, (self._size, now))
        level = min(self._size, level + (now - at) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._buckets[who] = (level - 1 if not wait else level, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return wait
