"""When reminders are due, for the naive model: a calendar of its own, and the list of them as the settings say it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

DAY = timedelta(days=1)


class Moment(NamedTuple):
    """One reminder of a day: when it is due, for which time on the clock it is set, and which one of the list it is."""

    due: datetime
    wall: str
    place: int
    hours: int


def easter(year: int) -> date:
    """The anonymous Gregorian computus."""
    a, b, c = year % 19, year // 100, year % 100
    d, e, f = b // 4, b % 4, (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * el) // 451
    month, day = divmod(h + el - 7 * m + 114, 31)
    return date(year, month, day + 1)


def is_holiday(day: date) -> bool:
    """New Year, Good Friday, Easter, King's Day, every fifth 5 May, Ascension, Whitsun, Christmas."""
    kings_day = date(day.year, 4, 27) if date(day.year, 4, 27).weekday() != 6 else date(day.year, 4, 26)
    from_easter = (day - easter(day.year)).days
    fixed = (day.month, day.day) in {(1, 1), (12, 25), (12, 26)} or day == kings_day
    return fixed or from_easter in (-2, 0, 1, 39, 49, 50) or ((day.month, day.day) == (5, 5) and day.year % 5 == 0)


def works(day: date, free: list[str]) -> bool:
    return day.weekday() not in (5, 6) and not is_holiday(day) and day.isoformat() not in free


def rules(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The list stands before the one."""
    if settings.get("reminders") is not None:
        return list(settings["reminders"])
    return [settings["reminder"]] if settings.get("reminder") else []


def timing(settings: dict[str, Any]) -> tuple[object, ...]:
    """What decides when any is due."""
    each = [(rule["days_before"], rule["at"], rule.get("days", "calendar")) for rule in rules(settings)]
    free = (settings.get("free_days") or []) if any(days == "working" for _, _, days in each) else []
    return (each, free, settings.get("time_zone"), settings.get("quiet_hours"))


def set_on(rule: dict[str, Any], day: date, free: list[str]) -> date:
    """The day on which a reminder of a day is set: so many days before; of 0 working days the day, or the last one before."""
    back: int = rule["days_before"]
    if rule.get("days", "calendar") == "calendar":
        return day - back * DAY
    if back == 0 and works(day, free):
        return day
    before = [one for one in (day - number * DAY for number in range(1, 4 * back + 30)) if works(one, free)]
    return before[max(back, 1) - 1]
