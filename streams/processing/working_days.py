"""Working days: Monday to Friday, without public holidays of the Netherlands and days that an organisation has off."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

_DAY = timedelta(days=1)
_SATURDAY = 5


@lru_cache(maxsize=512)
def public_holidays(year: int) -> frozenset[date]:
    """Return those of a year: Good Friday is one, and 5 May every fifth year; more are for organisations to say."""
    return frozenset(holidays.country_holidays("NL", years=year))


def is_working(day: date, free: frozenset[date]) -> bool:
    """Tell whether people work on a day; `free`: those that an organisation has off besides."""
    return day.weekday() < _SATURDAY and day not in free and day not in public_holidays(day.year)


@lru_cache(maxsize=16_384)
def working_day_before(day: str, days: int, free: tuple[date, ...] = ()) -> str:
    """Return the ISO day that is so many working days before a local day; of 0 the day itself, or the last one before it.

    A Saturday, a Sunday and the Monday after them have the same ones before them.
    """
    found, off = date.fromisoformat(day), frozenset(free)
    if days == 0 and is_working(found, off):
        return day
    left = max(days, 1)
    while left:
        found -= _DAY
        left -= is_working(found, off)
    return found.isoformat()
