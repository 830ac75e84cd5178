"""The grammar of our sentences, as a client reads them: text in, what it says out. Shares no code with `renderers/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal, NamedTuple

Verb = Literal["created", "moved", "cancelled", "relocated"]

WEEKDAYS = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"]
MONTHS = [
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
]  # fmt: skip

MARKS = {"phone": "(by telephone)", "video": "(by video)", "home": "(at home)"}
"""Where something is that is not on site, as a place among places."""

MIDNIGHT, END_OF_DAY = "00:00", "24:00"


class When(NamedTuple):
    """When something is, in the words of a sentence. `last`: the day on which it ends; at midnight the one before."""

    day: date
    at: str
    until: str
    last: date


class Sentence(NamedTuple):
    """What one sentence says.

    Attributes:
        verb: what happened.
        series: whether it says "en de daarop volgende".
        was: what it speaks of; None of what is new. A cancellation that names a day alone has no times: see `day`.
        day: of a cancellation that names a day alone, that day.
        place_was: what stands in brackets; None where nothing does, "" for "zonder locatie".
        now: when it is from now on.
        place: where it is from now on, a mark (`MARKS`) of what is not on site; None where nothing is said of it.
        weeks: of a new series every how many weeks; 0: every month.
        off: days that it leaves out.
    """

    verb: Verb
    series: bool = False
    was: When | None = None
    day: date | None = None
    place_was: str | None = None
    now: When | None = None
    place: str | None = None
    weeks: int = 1
    off: tuple[date, ...] = ()


class Reminder(NamedTuple):
    """What a reminder says. `year` is None where it names none; `at` is None of a whole day; `place` as in `Sentence`."""

    number: int
    day: int
    month: int
    year: int | None
    at: str | None
    place: str | None


class Unreadable(Exception):  # noqa: N818  # it is what a client thinks, not a fault of the program
    """There is no such sentence, or it names a day that does not exist."""


_DAY = rf"(?:{'|'.join(WEEKDAYS)}) \d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{4}}"
_SHORT = rf"(?:{'|'.join(WEEKDAYS)}) \d{{1,2}}(?: (?:{'|'.join(MONTHS)}))?"
_TIME = r"\d\d:\d\d"
_PERIOD = (
    rf"(?:{_SHORT}|{_DAY}) tot en met {_DAY}"
    rf"|{_DAY} van {_TIME} tot (?:middernacht|en met {_DAY}|{_DAY} {_TIME}|{_TIME})"
    rf"|{_DAY} tussen {_TIME} en {_TIME}"
    rf"|{_DAY} om {_TIME}"
    rf"|{_DAY}"
)
_ON_WAS = rf"(?:op|van) (?P<was>{_PERIOD})"
_ON_NOW = rf"(?:op|van) (?P<now>{_PERIOD})"
_BRACKETS = r"(?P<brackets>(?: \([^()]*\))*)"
_FOLLOWING = (
    rf" en de daarop volgende(?: keren)?(?:, (?P<rhythm>om de \d+ weken|elke maand))?"
    rf"(?:, niet op (?P<off>{_DAY}(?:(?:, | en ){_DAY})*))?"
)
_WHERE = r"(?: Locatie: (?P<place>.+?)\.)?"
_END = r"(?=\s+(?:Er is |Er zijn |Uw |De locatie |U heeft |Wij komen |En nog )|\s*\Z)"

_ONE = {
    "phone": "een telefonische afspraak", "video": "een afspraak via beeldbellen", "home": "een afspraak bij u thuis",
    None: "een afspraak op locatie",
}  # fmt: skip
_SEVERAL = {
    "phone": "telefonische afspraken", "video": "afspraken via beeldbellen", "home": "afspraken bij u thuis",
    None: "afspraken op locatie",
}  # fmt: skip
_IS_ONE, _ARE_SEVERAL = "|".join(_ONE.values()), "|".join(_SEVERAL.values())
_YOURS = {None: "afspraak", "phone": "telefonische afspraak", "video": "afspraak via beeldbellen", "home": "afspraak bij u thuis"}
_ALL_YOURS = {
    None: "herhalende afspraken", "phone": "herhalende telefonische afspraken", "video": "herhalende afspraken via beeldbellen",
    "home": "herhalende afspraken bij u thuis",
}  # fmt: skip
_MADE = {
    None: (
        rf"Er is een afspraak met u gemaakt {_ON_NOW}\.{_WHERE}",
        rf"Er zijn herhalende afspraken met u gemaakt {_ON_NOW}{_FOLLOWING}\.{_WHERE}",
    ),
    "phone": (
        rf"Er is een telefonische afspraak met u gemaakt {_ON_NOW}\. U wordt gebeld\.",
        rf"Er zijn herhalende telefonische afspraken met u gemaakt {_ON_NOW}{_FOLLOWING}\. U wordt gebeld\.",
    ),
    "video": (
        rf"Er is een afspraak via beeldbellen met u gemaakt {_ON_NOW}\.",
        rf"Er zijn herhalende afspraken via beeldbellen met u gemaakt {_ON_NOW}{_FOLLOWING}\.",
    ),
    "home": (
        rf"Wij komen bij u langs {_ON_NOW}\.",
        rf"Wij komen vaker bij u langs: {_ON_NOW}{_FOLLOWING}\.",
    ),
}  # fmt: skip
_REMINDS = {
    None: r"U heeft (?P<count>een afspraak|\d+ afspraken) op {when}\.",
    "phone": r"U heeft een telefonische afspraak op {when}\. U wordt gebeld\.",
    "video": r"U heeft een afspraak via beeldbellen op {when}\.", "home": r"Wij komen bij u langs op {when}\.",
}  # fmt: skip


def _forms() -> Iterator[tuple[Verb, bool, str | None, str]]:
    """Yield each form: what happened, whether of a series, of which kind of appointment it was (or, of a new one, is)."""
    for kind, (one, several) in _MADE.items():
        yield "created", False, kind, one
        yield "created", True, kind, several
    for kind in _YOURS:
        one, all_ = rf"Uw {_YOURS[kind]} {_ON_WAS}{_BRACKETS}", rf"Uw {_ALL_YOURS[kind]} {_ON_WAS}{_BRACKETS}{_FOLLOWING}"
        yield "moved", False, kind, rf"{one} is verplaatst naar (?P<now>{_PERIOD})\.(?: Het is nu (?P<kind>{_IS_ONE})\.)?{_WHERE}"
        yield (
            "moved",
            True,
            kind,
            rf"{all_} zijn verplaatst naar (?P<now>{_PERIOD})\.(?: Het zijn nu (?P<kind>{_ARE_SEVERAL})\.)?{_WHERE}",
        )
        yield "cancelled", False, kind, rf"{one} is geannuleerd\."
        yield "cancelled", True, kind, rf"{all_} zijn geannuleerd\."
        yield "relocated", False, kind, rf"{one} is nu (?P<kind>{_IS_ONE})\.{_WHERE}"
        yield "relocated", True, kind, rf"{all_} zijn nu (?P<kind>{_ARE_SEVERAL})\.{_WHERE}"
    place = r"gewijzigd naar (?P<place>.+?)\."
    yield "relocated", False, None, rf"De locatie van uw afspraak {_ON_WAS}{_BRACKETS} is {place}"
    yield "relocated", True, None, rf"De locatie van uw herhalende afspraken {_ON_WAS}{_BRACKETS}{_FOLLOWING} is {place}"


_SENTENCES = [(verb, series, kind, re.compile(form + _END)) for verb, series, kind, form in _forms()]
_REMINDED = (
    rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(MONTHS)})(?: (?P<year>\d{{4}}))?(?: (?:om|tussen) (?P<at>{_TIME})(?: en {_TIME})?)?"
)
_REMINDERS = [
    (kind, re.compile(form.replace("{when}", _REMINDED) + (_WHERE if kind is None else "") + _END))
    for kind, form in _REMINDS.items()
]
_SPACE = re.compile(r"\s*")


def sentences(text: str) -> list[Sentence | Reminder]:
    """Read a message whole. Raises Unreadable where any of it is none of our sentences."""
    found: list[Sentence | Reminder] = []
    start = _end(_SPACE.match(text))
    while start < len(text):
        one, start = _next(text, start)
        found.append(one)
        start = _end(_SPACE.match(text, start))
    return found


def _next(text: str, start: int) -> tuple[Sentence | Reminder, int]:
    for kind, form in _REMINDERS:
        if (match := form.match(text, start)) is not None:
            return _reminder(kind, match), match.end()
    for verb, series, kind, form in _SENTENCES:
        if (match := form.match(text, start)) is not None:
            return _sentence(verb, series, kind, match), match.end()
    raise Unreadable(f"no sentence of ours: {text[start:]}")


def _sentence(verb: Verb, series: bool, kind: str | None, match: re.Match[str]) -> Sentence:
    said = match.groupdict()
    becomes = kind
    if (named := said.get("kind")) is not None:
        becomes = next(one for one, text in (*_ONE.items(), *_SEVERAL.items()) if text == named)
    whole_day, place_was = _brackets(said.get("brackets") or "")
    was = said.get("was")
    rhythm, off = said.get("rhythm"), said.get("off")
    day_alone = verb == "cancelled" and not series and not whole_day and was is not None and re.fullmatch(_DAY, was) is not None
    return Sentence(
        verb,
        series,
        was=None if was is None or day_alone else period(was),
        day=day(was) if was is not None and day_alone else None,
        place_was=MARKS[kind] if kind is not None and verb != "created" else place_was,
        now=period(said["now"]) if said.get("now") else None,
        place=MARKS[becomes] if becomes is not None and verb != "cancelled" else said.get("place"),
        weeks=1 if rhythm is None else 0 if rhythm == "elke maand" else int(rhythm.split()[2]),
        off=tuple(day(one) for one in re.findall(_DAY, off)) if off else (),
    )


def _brackets(text: str) -> tuple[bool, str | None]:
    """Read what stands in brackets: whether it says that it is the whole day, and a place."""
    words = re.findall(r"\(([^()]*)\)", text)
    places = ["" if one == "zonder locatie" else one for one in words if one != "de hele dag"]
    return "de hele dag" in words, places[0] if places else None


def _reminder(kind: str | None, match: re.Match[str]) -> Reminder:
    said = match.groupdict()
    count = said.get("count", "een").split()[0]
    return Reminder(
        1 if count == "een" else int(count),
        int(match["day"]),
        MONTHS.index(match["month"]) + 1,
        int(match["year"]) if match["year"] else None,
        match["at"],
        MARKS[kind] if kind is not None else said["place"],
    )


def day(words: str) -> date:
    """Read `vrijdag 17 januari 2020`. Raises Unreadable where that is no such day, or another weekday."""
    weekday, number, month, year = words.split()
    try:
        found = date(int(year), MONTHS.index(month) + 1, int(number))
    except ValueError:
        raise Unreadable(f"no such day: {words}") from None
    if WEEKDAYS[found.weekday()] != weekday:
        raise Unreadable(f"that day is no {weekday}: {words}")
    return found


def period(words: str) -> When:
    """Read a day with its times, or whole days."""
    if " tussen " in words:
        on, _, times = words.partition(" tussen ")
        at, _, until = times.partition(" en ")
        return When(day(on), at, until, day(on))
    if " van " not in words and " om " not in words:
        first, _, last = words.rpartition(" tot en met ")
        end = day(last)
        return When(_short(first, last) if first else end, MIDNIGHT, END_OF_DAY, end)
    on, _, times = words.partition(" om " if " om " in words else " van ")
    begin = day(on)
    at, _, until = times.partition(" tot ")
    if not until:
        return When(begin, at, at, begin)
    if until == "middernacht":
        return When(begin, at, END_OF_DAY, begin)
    if until.startswith("en met "):
        return When(begin, at, END_OF_DAY, day(until.removeprefix("en met ")))
    last, _, clock = until.rpartition(" ")
    return When(begin, at, clock, day(last) if last else begin)


def _short(words: str, last: str) -> date:
    """Read `vrijdag 17` or `vrijdag 17 januari`, of which the rest stands behind the last day."""
    missing = 4 - len(words.split())
    return day(" ".join([words, *last.split()[4 - missing :]]) if missing else words)


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match is not None else 0
