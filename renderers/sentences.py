"""What is said of each notice, word for word as in `renderers/README.md`; both channels say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from string import Formatter
from typing import NamedTuple

from babel import Locale
from msgspec.structs import replace

from schemas.deliveries import Delivery
from schemas.events import Remote, View
from schemas.inputs import Organisation
from schemas.keys import is_person
from schemas.known import Words
from schemas.notices import Notice

from . import dates
from .dutch import DUTCH
from .languages import wording_for
from .wording import Wording


def _was(notice: Notice) -> View:
    if notice.was is None:
        raise ValueError(f"a {notice.kind} notice needs `was`")
    return notice.was


def _now(notice: Notice) -> View:
    if notice.now is None:
        raise ValueError(f"a {notice.kind} notice needs `now`")
    return notice.now


def _kind_was(notice: Notice) -> Remote | None:
    if notice.members and (words := notice.members[0].was) is not None:
        return words.kind
    return notice.was.kind if notice.was is not None else None


def _kind_now(notice: Notice) -> Remote | None:
    if notice.members and (words := notice.members[0].now) is not None:
        return words.kind
    return notice.now.kind if notice.now is not None else None


def _table(notice: Notice) -> Remote | None:
    """Return of which kind of appointment its sentence is: as it was known. A reminder of several names no kind."""
    if notice.kind == "reminder" and notice.others:
        return None
    return _kind_now(notice) if notice.was is None and not any(member.was for member in notice.members) else _kind_was(notice)


def _is_now(notice: Notice, wording: Wording, *, several: bool) -> str:
    """Write ` Het is nu een telefonische afspraak.` where what moves changes its kind as well."""
    kind = _kind_now(notice)
    if kind == _kind_was(notice):
        return ""
    if several:
        return wording.are_now.format(several=wording.several[kind])
    return wording.is_now.format(one=wording.one[kind])


def _period(notice: Notice, zone: str, wording: Wording) -> str:
    """Say the period as it is; a notice of an earlier version has no words, only views."""
    if notice.members and (words := notice.members[0].now) is not None:
        return dates.said(words, wording, arrival=_is_arrival(notice))
    view = _now(notice)
    return dates.period(view.start, view.end, zone, wording)


def _on_now(notice: Notice, zone: str, wording: Wording) -> str:
    if notice.members and (words := notice.members[0].now) is not None:
        return dates.on_said(words, wording, arrival=_is_arrival(notice))
    return _on(None, _now, notice, zone, wording)


def _is_arrival(notice: Notice) -> bool:
    return notice.now is not None and notice.now.arrival


def _on_was(notice: Notice, zone: str, wording: Wording) -> str:
    return _on(notice.members[0].was if notice.members else None, _was, notice, zone, wording)


def _on(words: Words | None, view_of: Callable[[Notice], View], notice: Notice, zone: str, wording: Wording) -> str:
    """Say on which day and when, by the words that were told; a notice of an earlier version has a view in their place."""
    if words is not None:
        return dates.on_said(words, wording)
    view = view_of(notice)
    return dates.on_period(view.start, view.end, zone, wording)


def _was_clear(notice: Notice, zone: str, wording: Wording) -> str:
    """Write `op vrijdag 17 januari 2020`, with times only where the day alone is not clear; `(de hele dag)` where it has none."""
    if not notice.members or (words := notice.members[0].was) is None:
        return wording.on.format(period=dates.long_day(dates.local(_was(notice).start, zone).date(), wording))
    if not notice.timed:
        return wording.on.format(period=dates.on_day(words.day, wording))
    return dates.on_said(words, wording) + ("" if words.at or words.last is not None else wording.all_day)


def _was_place(notice: Notice, wording: Wording) -> str:
    """Write ` (De Linde)` or ` (zonder locatie)` where another appointment has the same times."""
    if not notice.placed or not notice.members or (words := notice.members[0].was) is None:
        return ""
    return f" ({words.place or wording.nowhere})"


def _rhythm(notice: Notice, wording: Wording) -> str:
    """Write `, om de 2 weken` or `, elke maand`; nothing for what is weekly."""
    if notice.weeks in (None, 1):
        return ""
    return wording.monthly if notice.weeks == 0 else wording.weekly.format(weeks=notice.weeks)


def _off(notice: Notice, wording: Wording) -> str:
    """Write `, niet op vrijdag 24 januari 2020`."""
    return wording.off.format(days=", ".join(dates.on_day(day, wording) for day in notice.off)) if notice.off else ""


def _location(notice: Notice) -> str:
    """Return the location's name with the full stop that ends the sentence; a name that ends in one gets no second."""
    name = (_now(notice).location or "").strip()
    if not name:
        raise ValueError(f"a {notice.kind} notice needs a location: one that is dropped is not told")
    return name if name.endswith(".") else f"{name}."


def _at_location(notice: Notice, wording: Wording) -> str:
    """Write ` Locatie: De Linde.`, or nothing where there is none, or where a reminder speaks of more than one appointment."""
    several = notice.kind == "reminder" and notice.others
    if several or _kind_now(notice) is not None or not (_now(notice).location or "").strip():
        return ""
    return wording.place.format(place=_location(notice))


def _count(notice: Notice, wording: Wording) -> str:
    return _counted(notice, wording.counted, wording)


def _there_are(notice: Notice, wording: Wording) -> str:
    return _counted(notice, wording.others.there_are, wording)


def _counted(notice: Notice, forms: Mapping[str, str], wording: Wording) -> str:
    number = 1 + len(notice.others)
    form = Locale.parse(wording.locale).plural_form(number)
    return forms.get(form, forms["other"]).format(count=number)


def _reminder_time(notice: Notice, zone: str, sent: datetime, wording: Wording) -> str:
    """Write `11 juni om 11:00`, of an arrival `11 juni tussen 11:00 en 13:00`.

    The year is named if it is not the year of sending, both as the local calendar has it.
    """
    view = _now(notice)
    start = dates.local(view.start, zone)
    day = dates.short_day(start.date(), with_year=start.year != dates.local(sent, zone).year, wording=wording)
    if dates.is_whole_days(view.start, view.end, zone):
        return day
    until = dates.local(view.end, zone)
    if view.arrival and start < until and start.date() == until.date() and not notice.others:
        return wording.between.format(day=day, at=dates.time_of_day(start), until=dates.time_of_day(until))
    return wording.at.format(day=day, at=dates.time_of_day(start))


WORDS: dict[str, Callable[[Notice, str, datetime, Wording], str]] = {
    "on_was": lambda notice, zone, _, wording: _on_was(notice, zone, wording),
    "was_clear": lambda notice, zone, _, wording: _was_clear(notice, zone, wording),
    "was_place": lambda notice, _zone, _, wording: _was_place(notice, wording),
    "now": lambda notice, zone, _, wording: _period(notice, zone, wording),
    "on_now": lambda notice, zone, _, wording: _on_now(notice, zone, wording),
    "rhythm": lambda notice, _zone, _, wording: _rhythm(notice, wording),
    "off": lambda notice, _zone, _, wording: _off(notice, wording),
    "location": lambda notice, _zone, _, _wording: _location(notice),
    "at_location": lambda notice, _zone, _, wording: _at_location(notice, wording),
    "there_are": lambda notice, _zone, _, wording: _there_are(notice, wording),
    "count": lambda notice, _zone, _, wording: _count(notice, wording),
    "reminder_time": _reminder_time,
    "one": lambda notice, _zone, _, wording: wording.one[_kind_now(notice)],
    "several": lambda notice, _zone, _, wording: wording.several[_kind_now(notice)],
    "is_now": lambda notice, _zone, _, wording: _is_now(notice, wording, several=False),
    "are_now": lambda notice, _zone, _, wording: _is_now(notice, wording, several=True),
}


WHEN = ("on_now", "now", "on_was", "was_clear", "reminder_time")
"""The words that are a day and a time. The last one of a sentence is what it is about."""


class Said(NamedTuple):
    """A sentence. From `begin` to `end` stand the day and time that it is about; both 0: it has none."""

    text: str
    begin: int = 0
    end: int = 0


@cache
def _parsed(template: str) -> tuple[tuple[str, str | None], ...]:
    """Return what stands before each word of a sentence, and the word; None at the end."""
    return tuple((literal, word) for literal, word, _, _ in Formatter().parse(template))


def say(notice: Notice, zone: str, sent: datetime, wording: Wording = DUTCH) -> Said:
    """Say the notice, in the IANA zone `zone`, in a message that is sent at the instant `sent`.

    Raises:
        ValueError: the notice lacks what its kind speaks of, or is a request, whose text is not ours.
    """
    template = wording.sentences[_table(notice)].get(notice.kind)
    if template is None:
        raise ValueError(f"a {notice.kind} notice has no sentence of its own")
    text, begin, end = "", 0, 0
    for literal, word in _parsed(template):
        text += literal
        if word is None:
            continue
        value = WORDS[word](notice, zone, sent, wording)
        if word in WHEN:
            begin, end = len(text) + _preposition(value, wording), len(text) + len(value)
        text += value
    return Said(text, begin, end)


def _preposition(period: str, wording: Wording) -> int:
    """Return how many characters of a period are the preposition before its day."""
    before = (template.partition("{")[0] for template in (wording.on, wording.from_day))
    return next((len(one) for one in before if period.startswith(one)), 0)


def sentence(notice: Notice, zone: str, sent: datetime, wording: Wording = DUTCH) -> str:
    """Return the text alone of what `say` returns."""
    return say(notice, zone, sent, wording).text


def all_said(delivery: Delivery, organisation: Organisation, sent: datetime, call_name: str | None = None) -> list[Said]:
    """Return all sentences of a message, one a notice; of a request its text, literally.

    `call_name`: how a message to one who acts for the client calls the client.

    Raises:
        ValueError: there is nothing to say.
    """
    if delivery.request is not None:
        return [Said(delivery.request.text)]
    if not delivery.notices:
        raise ValueError("a delivery without notices or request says nothing")
    wording, zone = wording_for(delivery, call_name), organisation.time_zone
    says = organisation.says_places_to_others if is_person(delivery.recipient) else organisation.says_places
    notices = [notice if says else _without_place(notice) for notice in delivery.notices]
    return [say(notice, zone, sent, wording) for notice in notices]


def sentences(delivery: Delivery, organisation: Organisation, sent: datetime, call_name: str | None = None) -> list[str]:
    """Return the texts alone of what `all_said` returns."""
    return [one.text for one in all_said(delivery, organisation, sent, call_name)]


def _without_place(notice: Notice) -> Notice:
    """Return a notice that names no place, though one was known before the organisation had none said; but for another place."""
    if notice.kind.endswith("relocated") or notice.now is None:
        return replace(notice, placed=False)
    return replace(notice, placed=False, now=replace(notice.now, location=None))


def joined(*texts: str) -> str:
    """Join the texts with one space between them; empty ones are skipped."""
    return " ".join(text for text in texts if text.strip())
