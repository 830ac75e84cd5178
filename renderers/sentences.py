"""What is said of each notice, word for word as in DESIGN.md "Texts"; both channels say the same sentences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from string import Formatter

from schemas.deliveries import Delivery
from schemas.events import View
from schemas.notices import Notice

from . import dates

MAX_SENTENCES = 20
"""Beyond this many sentences the rest is a number."""

TEMPLATES: dict[str, str] = {
    "created": "Er is een afspraak met u gemaakt op {now}.{at_location}",
    "moved": "Uw afspraak op {was} is verplaatst naar {now}.{at_location}",
    "cancelled": "Uw afspraak op {was_day} is geannuleerd.",
    "relocated": "De locatie van uw afspraak op {now} is gewijzigd naar {location}",
    "series_created": "Er zijn herhalende afspraken met u gemaakt op {now} en de daarop volgende.{at_location}",
    "series_moved": ("Uw herhalende afspraken op {was} en de daarop volgende zijn verplaatst naar {now}.{at_location}"),
    "series_cancelled": "Uw herhalende afspraken op {was} en de daarop volgende zijn geannuleerd.",
    "series_relocated": ("De locatie van uw herhalende afspraken op {now} en de daarop volgende is gewijzigd naar {location}"),
    "reminder": "U heeft {count} op {reminder_time}.{at_location}",
}
"""The sentence of each kind of notice; `{words}` stand in WORDS. A request has none: it brings its own text."""


def _was(notice: Notice) -> View:
    if notice.was is None:
        raise ValueError(f"a {notice.kind} notice needs `was`")
    return notice.was


def _now(notice: Notice) -> View:
    if notice.now is None:
        raise ValueError(f"a {notice.kind} notice needs `now`")
    return notice.now


def _period(view: View, zone: str) -> str:
    return dates.period(view.start, view.end, zone)


def _location(notice: Notice) -> str:
    """The location's name with the full stop that ends the sentence; a name that ends in one gets no second."""
    name = (_now(notice).location or "").strip()
    if not name:
        raise ValueError(f"a {notice.kind} notice needs a location: one that is dropped is not told")
    return name if name.endswith(".") else f"{name}."


def _at_location(notice: Notice) -> str:
    """` Locatie: De Linde.`, or nothing where there is none, or where a reminder speaks of more than one appointment."""
    several = notice.kind == "reminder" and notice.others
    if several or not (_now(notice).location or "").strip():
        return ""
    return f" Locatie: {_location(notice)}"


def _count(notice: Notice) -> str:
    return f"{1 + len(notice.others)} afspraken" if notice.others else "een afspraak"


def _reminder_time(notice: Notice, zone: str, sent: datetime) -> str:
    """`11 juni om 11:00`; the year is named if it is not the year of sending, both as the local calendar has it."""
    view = _now(notice)
    start = dates.local(view.start, zone)
    day = dates.short_day(start.date(), with_year=start.year != dates.local(sent, zone).year)
    return day if dates.is_whole_day(view.start, view.end, zone) else f"{day} om {dates.time_of_day(start)}"


WORDS: dict[str, Callable[[Notice, str, datetime], str]] = {
    "was": lambda notice, zone, _: _period(_was(notice), zone),
    "was_day": lambda notice, zone, _: dates.long_day(dates.local(_was(notice).start, zone).date()),
    "now": lambda notice, zone, _: _period(_now(notice), zone),
    "location": lambda notice, _zone, _: _location(notice),
    "at_location": lambda notice, _zone, _: _at_location(notice),
    "count": lambda notice, _zone, _: _count(notice),
    "reminder_time": _reminder_time,
}

_NEEDED = {
    kind: tuple((word, WORDS[word]) for _, word, _, _ in Formatter().parse(template) if word)
    for kind, template in TEMPLATES.items()
}


def sentence(notice: Notice, zone: str, sent: datetime) -> str:
    """What the notice says, in the IANA zone `zone`, in a message that is sent at the instant `sent`.

    Raises:
        ValueError: the notice lacks what its kind speaks of, or is a request, whose text is not ours.
    """
    if notice.kind not in TEMPLATES:
        raise ValueError(f"a {notice.kind} notice has no sentence of its own")
    words = {word: say(notice, zone, sent) for word, say in _NEEDED[notice.kind]}
    return TEMPLATES[notice.kind].format_map(words)


def sentences(delivery: Delivery, zone: str, sent: datetime) -> list[str]:
    """All sentences of a message: of a request its text, literally; else at most 20 and `En nog 5 wijzigingen.`

    Raises:
        ValueError: there is nothing to say.
    """
    if delivery.request is not None:
        return [delivery.request.text]
    if not delivery.notices:
        raise ValueError("a delivery without notices or request says nothing")
    said = [sentence(notice, zone, sent) for notice in delivery.notices[:MAX_SENTENCES]]
    rest = len(delivery.notices) - len(said)
    if rest:
        said.append("En nog 1 wijziging." if rest == 1 else f"En nog {rest} wijzigingen.")
    return said


def joined(*texts: str) -> str:
    """The texts with one space between them; empty ones are skipped."""
    return " ".join(text for text in texts if text.strip())
