"""Read times on a command line: an instant, or a local day or month, which has a beginning and an end."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from streams.processing.local_time import instant_of, zone

EXPECTED = "an instant (2026-11-01T00:00Z), a local time (2026-11-01T00:00), a day (2026-11-01) or a month (2026-11)"

_MONTH, _DAY = re.compile(r"[0-9]{4}-[0-9]{2}"), re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?")


class Period(NamedTuple):
    """From the one instant to the other, which is not in it (UTC). None: open."""

    begin: datetime | None = None
    end: datetime | None = None


def period(text: str, zone_name: str) -> Period:
    """Return what a text names: a month, a day, a moment (begin and end are the same), or two of them with `/` between them.

    Of a pair, the second period's end applies, so `2026-11-01/2026-11-07` includes both days. Times are local to the zone; one
    that does not exist moves forward by the gap, and of one that occurs twice the first counts. Raises ValueError with what is
    expected.
    """
    first, slash, last = text.partition("/")
    begin, end = _span(first, zone_name)
    if slash:
        end = _span(last, zone_name)[1]
    if slash and begin >= end:
        raise ValueError("a period that ends after it begins")
    return Period(begin, end)


def _span(text: str, zone_name: str) -> tuple[datetime, datetime]:
    try:
        if _MONTH.fullmatch(text):
            first = date.fromisoformat(f"{text}-01")
            return _midnight(first, zone_name), _midnight((first + timedelta(days=31)).replace(day=1), zone_name)
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return _midnight(day, zone_name), _midnight(day + timedelta(days=1), zone_name)
        if not _TIME.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
        instant = (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone(zone_name))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(EXPECTED) from None
    return instant, instant


def _midnight(day: date, zone_name: str) -> datetime:
    return instant_of(day.isoformat(), "00:00", zone_name)
