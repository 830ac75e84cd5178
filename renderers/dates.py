"""How a day and a time are written: Dutch, in the organisation's time zone (DESIGN.md "Texts" and "Time").

Instants come in UTC and are converted before they are formatted: Babel itself takes the date of a UTC instant as it stands,
so 23:30Z would name the day before.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import parse_pattern

_NL = Locale.parse("nl")
_DAY = parse_pattern("EEEE d MMMM y")
_DAY_OF_MONTH = parse_pattern("d MMMM")
_DAY_OF_YEAR = parse_pattern("d MMMM y")
_ONE_DAY = timedelta(days=1)


def local(instant: datetime, zone: str) -> datetime:
    """The instant as the clocks in the IANA zone show it."""
    return instant.astimezone(ZoneInfo(zone))


@lru_cache(maxsize=4096)
def long_day(day: date) -> str:
    """`vrijdag 17 januari 2020`: CLDR `EEEE d MMMM y`."""
    return _DAY.apply(day, _NL)


@lru_cache(maxsize=4096)
def short_day(day: date, *, with_year: bool) -> str:
    """`11 juni`, or `11 juni 2020`."""
    return (_DAY_OF_YEAR if with_year else _DAY_OF_MONTH).apply(day, _NL)


def time_of_day(at: datetime) -> str:
    """`13:15`; seconds are not said."""
    return f"{at.hour:02}:{at.minute:02}"


def is_whole_day(start: datetime, end: datetime, zone: str) -> bool:
    """Whether it is one local day from its first moment to that of the next day: 23, 24 or 25 hours, or any other number.

    Where the clocks skip midnight, the day begins after the gap.
    """
    first, last = local(start, zone).date(), local(end, zone).date()
    return last - first == _ONE_DAY and start == _midnight(first, zone) and end == _midnight(last, zone)


def _midnight(day: date, zone: str) -> datetime:
    """The first 00:00 of the day; one that does not exist moves forward by the gap (both are what fold 0 means)."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def period(start: datetime, end: datetime, zone: str) -> str:
    """`vrijdag 17 januari 2020 van 13:15 tot 14:15`, with the end's day if it is another one, no times for a whole local day."""
    if is_whole_day(start, end, zone):
        return long_day(local(start, zone).date())
    first, last = local(start, zone), local(end, zone)
    day, until = first.date(), last.date()
    end_day = "" if day == until else f"{long_day(until)} "
    return f"{long_day(day)} van {time_of_day(first)} tot {end_day}{time_of_day(last)}"
