"""When a channel may start its next call: pauses after a refusal that is our own fault, and rates. One for all partitions.

A pause is a circuit breaker: it ends half open, with one message on trial. Until its outcome is known nothing else goes out, so
that a provider which still refuses us gets one trial message now and then, not the whole backlog.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ..processing.local_time import EPOCH

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=60), timedelta(minutes=5)
"""The first pause, doubled after each trial that is refused again. The longest is how late a cure may be noticed."""

HALF_OPEN_LASTS = timedelta(seconds=30)
"""For how long the outcome of a trial is waited for, before another message is tried: as long as a claim lasts."""

AT_ONCE = timedelta(milliseconds=500)
"""How much of a rate may be used at once: turns come at least every quarter of a second, and what is not saved up is lost."""


class RateLimits(NamedTuple):
    """Messages a second of one channel in one worker; None: as many as there are."""

    rate: float | None = None
    organisation_rate: float | None = None


UNLIMITED = RateLimits()


class RateLimit:
    """So many a second, evenly (the generic cell rate algorithm): `full` is when all that was started is worked off."""

    def __init__(self, per_second: float) -> None:
        self._gap = timedelta(seconds=1 / per_second)
        self._slack = max(timedelta(), AT_ONCE - self._gap)
        self._full = EPOCH

    @property
    def allows_at(self) -> datetime:
        """Return the moment from which on the next call may start."""
        return self._full - self._slack if self._full > EPOCH else EPOCH

    def take(self, now: datetime) -> None:
        """Count a call that starts at `now`."""
        self._full = max(self._full, now) + self._gap


@dataclass
class CircuitBreaker:
    """Open until a moment, then half open: one call is on trial. `wait`: how long it is open, doubled after each failed trial."""

    until: datetime
    wait: timedelta = FIRST_PAUSE
    half_open: bool = False


class Throttle:
    """The throttle of one channel. `None` in place of an organisation: the whole channel."""

    def __init__(self, limits: RateLimits = UNLIMITED) -> None:
        self._limits = limits
        self._pauses: dict[str | None, CircuitBreaker] = {}
        self._rates: dict[str | None, RateLimit] = {}
        if limits.rate is not None:
            self._rates[None] = RateLimit(limits.rate)

    @property
    def paused_until(self) -> datetime:
        """Until when the whole channel is paused; long ago where it is not."""
        return self._pauses[None].until if None in self._pauses else EPOCH

    def allows_at(self, organisation: str | None) -> datetime:
        """Return from when on a call may start: of an organisation, or at all."""
        pause, rate = self._pauses.get(organisation), self._rates.get(organisation)
        return max(pause.until if pause is not None else EPOCH, rate.allows_at if rate is not None else EPOCH)

    def allows_any_at(self, organisations: Iterable[str]) -> datetime:
        """Return from when on a call of one of them may start."""
        return max(self.allows_at(None), min(map(self.allows_at, organisations), default=EPOCH))

    def start(self, organisation: str, now: datetime) -> None:
        """Hear that a call starts. Where a pause is over it is the trial."""
        if self._limits.organisation_rate is not None and organisation not in self._rates:
            self._rates[organisation] = RateLimit(self._limits.organisation_rate)
        for whose in (None, organisation):
            if (rate := self._rates.get(whose)) is not None:
                rate.take(now)
            if (pause := self._pauses.get(whose)) is not None:
                pause.until, pause.half_open = now + HALF_OPEN_LASTS, True

    def failed(self, organisation: str | None, now: datetime) -> bool:
        """Hear that a provider refused us; return whether that begins a pause. Calls under way when it began say nothing new."""
        pause = self._pauses.get(organisation)
        if pause is not None and not pause.half_open:
            return False
        wait = FIRST_PAUSE if pause is None else min(LONGEST_PAUSE, pause.wait * 2)
        self._pauses[organisation] = CircuitBreaker(now + wait, wait)
        return True

    def succeeded(self, organisation: str) -> None:
        """Hear that a provider dealt with a message of this organisation: a trial was passed.

        Calls begun before a pause do not end it.
        """
        for whose in (None, organisation):
            if whose in self._pauses and self._pauses[whose].half_open:
                del self._pauses[whose]
