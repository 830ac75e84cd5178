"""The naive model's calendar and words: local days and times, and what a sentence says of an appointment."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class View(NamedTuple):
    """`kind`: None is on site. What is of another one has no place."""

    start: datetime
    end: datetime
    location: str | None
    series: str | None
    kind: str | None = None

    @property
    def times(self) -> tuple[datetime, datetime]:
        return self.start, self.end


class Difference(NamedTuple):
    """What one appointment is other than told: `start` is the one that puts it on its day.

    `instead`: the appointment in whose place it was made, where it starts from what was told of that.
    """

    kind: str
    ids: tuple[str, ...]
    start: datetime
    was: View | None
    now: View | None
    instead: str | None = None


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def local_day(moment: datetime, zone: str) -> date:
    return local(moment, zone).date()


def at_local(day: date, wall: time, zone: str) -> datetime:
    """The instant at which the clocks show this: the first of two; where there is none, moved forward by the gap."""
    shown = datetime.combine(day, wall)
    before, after = (local(shown.replace(tzinfo=UTC) + days, zone).utcoffset() for days in (-2 * DAY, 2 * DAY))
    assert before is not None
    assert after is not None
    tries = [(shown - offset).replace(tzinfo=UTC) for offset in (before, after)]
    right = [each for each in tries if local(each, zone).replace(tzinfo=None) == shown]
    return min(right) if right else tries[0]


def hhmm(text: str) -> time:
    return time.fromisoformat(text)


WEEKDAYS = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"]
MONTHS = [
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
]  # fmt: skip


def day_words(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def whole_day(view: View, zone: str) -> bool:
    day = local_day(view.start, zone)
    return view.start == at_local(day, time(0), zone) and view.end == at_local(day + DAY, time(0), zone)


def period(view: View, zone: str) -> str:
    start, end = local(view.start, zone), local(view.end, zone)
    if whole_day(view, zone):
        return day_words(start.date())
    other = f"{day_words(end.date())} " if end.date() != start.date() else ""
    return f"{day_words(start.date())} van {start:%H:%M} tot {other}{end:%H:%M}"


def place(view: View) -> str:
    return f" Locatie: {view.location}." if view.location else ""


NAMES = {
    None: "afspraak", "phone": "telefonische afspraak", "video": "afspraak via beeldbellen", "home": "afspraak bij u thuis",
}  # fmt: skip


def became(view: View) -> str:
    return "een afspraak op locatie" if view.kind is None else f"een {NAMES[view.kind]}"


def called(view: View) -> str:
    return " U wordt gebeld." if view.kind == "phone" else ""


def words(one: Difference, zone: str, clear: bool) -> str:
    was, now = one.was, one.now
    match one.kind:
        case "created" if now and now.kind == "home":
            return f"Wij komen bij u langs op {period(now, zone)}."
        case "created" if now:
            return f"Er is een {NAMES[now.kind]} met u gemaakt op {period(now, zone)}.{called(now)}{place(now)}"
        case "moved" if was and now:
            other = f" Het is nu {became(now)}." if was.kind != now.kind else ""
            return f"Uw {NAMES[was.kind]} op {period(was, zone)} is verplaatst naar {period(now, zone)}.{other}{place(now)}"
        case "changed" if was and now:
            return f"Uw {NAMES[was.kind]} op {period(was, zone)} is nu {became(now)}.{place(now)}"
        case "cancelled" if was:
            when = day_words(local_day(was.start, zone)) if clear else period(was, zone)
            return f"Uw {NAMES[was.kind]} op {when} is geannuleerd."
        case "relocated" if now:
            return f"De locatie van uw afspraak op {period(now, zone)} is gewijzigd naar {now.location}."
    raise AssertionError(one)


def reminder_words(views: list[View], zone: str, now: datetime) -> str:
    start = local(views[0].start, zone)
    day = f"{start.day} {MONTHS[start.month - 1]}"
    if start.year != local(now, zone).year:
        day += f" {start.year}"
    when = day if whole_day(views[0], zone) else f"{day} om {start:%H:%M}"
    if len(views) == 1 and views[0].kind == "home":
        return f"Wij komen bij u langs op {when}."
    if len(views) == 1:
        return f"U heeft een {NAMES[views[0].kind]} op {when}.{called(views[0])}{place(views[0])}"
    return f"U heeft {len(views)} afspraken op {when}."
