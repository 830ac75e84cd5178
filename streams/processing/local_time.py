"""Convert to local time (`streams/README.md`, "Time"): instants are UTC inside, an organisation's IANA zone counts for days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Europe/Amsterdam"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every moment that counts."""
KEPT = timedelta(days=30)
"""How long rows are kept after the end of what they are about."""


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Return the zone of that name. Raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError("unknown time zone") from None


def local(instant: datetime, name: str) -> datetime:
    """Return the instant as wall time in the zone."""
    return instant.astimezone(zone(name))


@lru_cache(maxsize=65_536)
def day_of(instant: datetime, name: str) -> str:
    """Return the local day of an instant, ISO: days compare as text."""
    return instant.astimezone(zone(name)).date().isoformat()


@lru_cache(maxsize=65_536)
def instant_of(day: str, wall: str, name: str, days_before: int = 0) -> datetime:
    """Return the instant (UTC) of local wall time `HH:MM`, `days_before` days before that local day.

    A time that does not exist moves forward by the gap, of one that occurs twice the first counts: both are what fold=0
    means in PEP 495.
    """
    hour, minute = wall.split(":")
    on = date.fromisoformat(day) - timedelta(days=days_before)
    return datetime.combine(on, time(int(hour), int(minute)), zone(name)).astimezone(UTC)
