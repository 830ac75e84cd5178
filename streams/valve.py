"""When a channel may start its next call: pauses after a refusal that is our own fault, and rates. One valve for all partitions.

A pause ends with one message on trial: until its outcome is known nothing else goes out, so that a provider which still refuses
us hears from us once in a while instead of with all that waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=60), timedelta(minutes=5)
"""The first pause, doubled after each trial that is refused again. The longest is how late a cure may be noticed."""

TRIAL_LASTS = timedelta(seconds=30)
"""For how long the outcome of a trial is waited for, before another message is tried: as long as a claim lasts."""

AT_ONCE = timedelta(milliseconds=500)
"""How much of a rate may be used at once: turns come at least every quarter of a second, and what is not saved up is lost."""


class Limits(NamedTuple):
    """Messages a second of one channel in one worker; None: as many as there are."""

    rate: float | None = None
    organisation_rate: float | None = None


UNLIMITED = Limits()


class _Rate:
    """So many a second, evenly (the generic cell rate algorithm): `full` is when all that was started is worked off."""

    def __init__(self, per_second: float) -> None:
        self._gap = timedelta(seconds=1 / per_second)
        self._slack = max(timedelta(), AT_ONCE - self._gap)
        self._full = EPOCH

    @property
    def opens(self) -> datetime:
        return self._full - self._slack if self._full > EPOCH else EPOCH

    def take(self, now: datetime) -> None:
        self._full = max(self._full, now) + self._gap


@dataclass
class _Pause:
    until: datetime
    wait: timedelta = FIRST_PAUSE
    trial: bool = False


class Valve:
    """The valve of one channel. `None` in place of an organisation: the whole channel."""

    def __init__(self, limits: Limits = UNLIMITED) -> None:
        self._limits = limits
        self._pauses: dict[str | None, _Pause] = {}
        self._rates: dict[str | None, _Rate] = {}
        if limits.rate is not None:
            self._rates[None] = _Rate(limits.rate)

    @property
    def paused_until(self) -> datetime:
        """Until when the whole channel is paused; long ago where it is not."""
        return self._pauses[None].until if None in self._pauses else EPOCH

    def opens(self, organisation: str | None) -> datetime:
        """From when on a call may start: of an organisation, or at all."""
        pause, rate = self._pauses.get(organisation), self._rates.get(organisation)
        return max(pause.until if pause is not None else EPOCH, rate.opens if rate is not None else EPOCH)

    def opens_for(self, organisations: Iterable[str]) -> datetime:
        """From when on a call of one of them may start."""
        return max(self.opens(None), min(map(self.opens, organisations), default=EPOCH))

    def started(self, organisation: str, now: datetime) -> None:
        """A call starts. Where a pause is over it is the trial."""
        if self._limits.organisation_rate is not None and organisation not in self._rates:
            self._rates[organisation] = _Rate(self._limits.organisation_rate)
        for whose in (None, organisation):
            if (rate := self._rates.get(whose)) is not None:
                rate.take(now)
            if (pause := self._pauses.get(whose)) is not None:
                pause.until, pause.trial = now + TRIAL_LASTS, True

    def refused(self, organisation: str | None, now: datetime) -> bool:
        """A provider refused us. True where that begins a pause; calls that were under way when it began say nothing new."""
        pause = self._pauses.get(organisation)
        if pause is not None and not pause.trial:
            return False
        wait = FIRST_PAUSE if pause is None else min(LONGEST_PAUSE, pause.wait * 2)
        self._pauses[organisation] = _Pause(now + wait, wait)
        return True

    def taken(self, organisation: str) -> None:
        """A provider dealt with a message of this organisation: a trial was passed. Calls begun before a pause do not end it."""
        for whose in (None, organisation):
            if whose in self._pauses and self._pauses[whose].trial:
                del self._pauses[whose]
