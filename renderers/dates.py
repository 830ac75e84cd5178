"""How a day and a time are written: in a language's words, in the organisation's time zone (`renderers/README.md`).

Instants come in UTC and are converted before they are formatted: Babel itself takes the date of a UTC instant as it stands,
so 23:30Z would name the day before.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import parse_pattern

from schemas.known import Words

from .dutch import DUTCH
from .wording import Wording

_ONE_DAY = timedelta(days=1)
MIDNIGHT = "24:00"
"""How words (`schemas.known`) have the end of a day."""


def local(instant: datetime, zone: str) -> datetime:
    """Return the instant as the clocks in the IANA zone show it."""
    return instant.astimezone(ZoneInfo(zone))


def to_minute(instant: datetime) -> datetime:
    """Return the instant without its seconds: they are not said, so a midnight is one with or without them."""
    return instant.replace(second=0, microsecond=0)


@lru_cache(maxsize=8192)
def _formatted(pattern: str, day: date, locale: str) -> str:
    return parse_pattern(pattern).apply(day, Locale.parse(locale))


def long_day(day: date, wording: Wording = DUTCH) -> str:
    """Write a day as `vrijdag 17 januari 2020`: CLDR `EEEE d MMMM y`."""
    return _formatted("EEEE d MMMM y", day, wording.locale)


def short_day(day: date, *, with_year: bool, wording: Wording = DUTCH) -> str:
    """Write a day as `11 juni`, or `11 juni 2020`."""
    return _formatted("d MMMM y" if with_year else "d MMMM", day, wording.locale)


def time_of_day(at: datetime) -> str:
    """Write a time as `13:15`, without seconds."""
    return f"{at.hour:02}:{at.minute:02}"


def is_whole_days(start: datetime, end: datetime, zone: str) -> bool:
    """Tell whether it is local days, from the first moment of one to that of a later one: of 23, 24, 25 or other hours each.

    Where the clocks skip midnight, the day begins after the gap.
    """
    start, end = to_minute(start), to_minute(end)
    first, last = local(start, zone).date(), local(end, zone).date()
    return last > first and start == _midnight(first, zone) and end == _midnight(last, zone)


def _midnight(day: date, zone: str) -> datetime:
    """Return the first 00:00 of the day; one that does not exist moves forward by the gap (both are what fold 0 means)."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def period(start: datetime, end: datetime, zone: str, wording: Wording = DUTCH) -> str:
    """Return `vrijdag 17 januari 2020 van 13:15 tot 14:15`, as it stands behind "naar".

    With the end's day if it is another one; without duration `… om 13:15`; of whole local days no times, of several `vrijdag 17
    tot en met zaterdag 18 januari 2020`. An end at midnight is `tot middernacht`: of which day 00:00 is, nobody knows.
    """
    start, end = to_minute(start), to_minute(end)
    first, last = local(start, zone), local(end, zone)
    day, until = first.date(), last.date()
    at_midnight = end == _midnight(until, zone) and until > day
    final = until - _ONE_DAY if at_midnight else until
    if at_midnight and start == _midnight(day, zone):
        return _days(day, final, wording)
    if end == start:
        return wording.at.format(day=long_day(day, wording), at=time_of_day(first))
    return _from(day, time_of_day(first), final, MIDNIGHT if at_midnight else time_of_day(last), wording)


def said(words: Words, wording: Wording = DUTCH, *, arrival: bool = False) -> str:
    """Return words as `period` says the same of instants; of an arrival `vrijdag 17 januari 2020 tussen 12:00 en 14:00`."""
    day, final = _date(words.day), _date(words.last or words.day)
    if not words.at:
        return _days(day, final, wording)
    if not words.until:
        return wording.at.format(day=long_day(day, wording), at=words.at)
    if arrival and is_within_a_day(words):
        return wording.between.format(day=long_day(day, wording), at=words.at, until=words.until)
    return _from(day, words.at, final, words.until, wording)


def is_within_a_day(words: Words) -> bool:
    """Tell whether it has an end other than its start, on the same day and not at midnight."""
    return bool(words.until) and words.last is None and words.until != MIDNIGHT


def _days(day: date, final: date, wording: Wording) -> str:
    """Say whole days."""
    if final == day:
        return long_day(day, wording)
    return wording.through.format(day=_shortened(day, final, wording), last=long_day(final, wording))


def _from(day: date, at: str, final: date, until: str, wording: Wording) -> str:
    """Say a day and its times, with that of the end where it is another one."""
    if until == MIDNIGHT and final != day:
        return wording.from_through.format(day=long_day(day, wording), at=at, last=long_day(final, wording))
    if until == MIDNIGHT:
        until = wording.midnight
    elif final != day:
        until = wording.until_day.format(day=long_day(final, wording), at=until)
    return wording.from_to.format(day=long_day(day, wording), at=at, until=until)


def on_said(words: Words, wording: Wording = DUTCH, *, arrival: bool = False) -> str:
    """Return words with the preposition that they take, as `on_period`."""
    several = not words.at and words.last is not None
    return (wording.from_day if several else wording.on).format(period=said(words, wording, arrival=arrival))


@lru_cache(maxsize=4096)
def _date(day: str) -> date:
    return date.fromisoformat(day)


def on_day(day: str, wording: Wording = DUTCH) -> str:
    """Return `vrijdag 17 januari 2020` of an ISO day."""
    return long_day(_date(day), wording)


def on_period(start: datetime, end: datetime, zone: str, wording: Wording = DUTCH) -> str:
    """Return a period with the preposition that it takes: `op vrijdag …`, of several whole days `van vrijdag … tot en met …`."""
    one_day = local(to_minute(end), zone).date() - local(to_minute(start), zone).date() <= _ONE_DAY
    several = is_whole_days(start, end, zone) and not one_day
    return (wording.from_day if several else wording.on).format(period=period(start, end, zone, wording))


def _shortened(day: date, until: date, wording: Wording) -> str:
    """Return the first of several days, without the month and year that the last one names too."""
    if day.year != until.year:
        return long_day(day, wording)
    return _formatted("EEEE d" if day.month == until.month else "EEEE d MMMM", day, wording.locale)
