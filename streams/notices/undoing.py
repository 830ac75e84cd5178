"""A message that went out, and surely did not arrive, as its final report says (`streams/README.md`, "A message flies").

What it made known is taken back, but for what other messages said since; then the client is decided anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.events import Landed
from schemas.known import Item, Rule
from schemas.state import Agenda, Flying, Sent, Window

from .known import Known, kept, known_of
from .words import is_ahead

WITHIN = timedelta(hours=24)
"""So long after a message went out its final report still has what it said decided anew."""

MOST_BACKS = 5
"""So many decisions in a row come back, with nothing changed meanwhile, before the last one counts as said."""

MOST_SENT, MOST_GONE = 20, 200
"""Of so many of a client's last messages, and of so many things that they took away, is it remembered what was known before."""

MAKES = frozenset({"created", "series_created"})
"""Kinds of notices that take nothing away, so that there is nothing to remember of them."""


class Landing(NamedTuple):
    """The agenda after a message landed, or was taken back. `given_up`: the message, where it came back once too often."""

    agenda: Agenda
    given_up: Flying | None = None


def remembered(agenda: Agenda, flying: Flying, before: Known, after: Known, now: datetime) -> dict[str, Sent]:
    """Return what messages changed in what is known, this one too, where it can be reported that one did not arrive."""
    sent = recent(agenda.sent, now)
    if not CHANNELS[flying.channel].has_reports:
        return sent
    ids = {notice.id for notice in flying.notices}
    gone = tuple(
        item for words, item in before.items.items()
        if (found := after.items.get(words)) is None or (found.notice in ids and item.notice not in ids)
    )  # fmt: skip
    rules = tuple((was, now) for was, now in zip(before.rules, after.rules, strict=False) if was != now)
    if not gone and not rules and not flying.backs and MAKES.issuperset(notice.kind for notice in flying.notices):
        return sent
    return _bounded({**sent, flying.notices[0].id: Sent(at=now, gone=gone, rules=rules, said=flying if flying.backs else None)})


def recent(sent: Mapping[str, Sent], now: datetime) -> dict[str, Sent]:
    """Return those of which a final report may still come in time."""
    return {id_: one for id_, one in sent.items() if one.at + WITHIN > now}


def _bounded(sent: dict[str, Sent]) -> dict[str, Sent]:
    """Keep the last ones, as many as there is room for."""
    found: dict[str, Sent] = {}
    room = MOST_GONE
    for id_, one in list(reversed(sent.items()))[:MOST_SENT]:
        room -= len(one.gone) + len(one.rules)
        if room < 0:
            break
        found[id_] = one
    return dict(reversed(found.items()))


def undone(agenda: Agenda, outcome: Landed, zone: str, now: datetime) -> Landing:
    """Take back what a message made known, and have the client decided anew; nothing changes where it says nothing any more."""
    one = _of(agenda.sent, outcome.notices)
    if one is None and not MAKES.issuperset(outcome.notices.values()):
        return Landing(agenda)
    zone = agenda.zone or zone  # in which it was worded
    before = known_of(agenda, zone, now)
    gone = one.gone if one is not None else ()
    passed = _passed_on(agenda.sent, gone, outcome.notices, before)
    left = [item for item in gone if not any(item in items for items in passed.values())]
    known = _without(before, outcome.notices, left, one.rules if one is not None else (), zone, now)
    if one is not None or any(_is_of(item, outcome.notices) for other in agenda.sent.values() for item in other.gone):
        agenda = replace(agenda, sent=_unsaid(agenda.sent, outcome.notices, passed, now))
    if known == before:
        return Landing(agenda)
    backs = one.said.backs if one is not None and one.said is not None else 0
    if one is not None and backs + 1 >= MOST_BACKS:
        return Landing(replace(agenda, backs=0), one.said)
    agenda = kept(agenda, before, known, zone)
    window = agenda.window or Window(now, now)
    return Landing(replace(agenda, backs=max(agenda.backs, backs + 1), unsaid=agenda.unsaid + 1, window=window))


def _of(sent: Mapping[str, Sent], notices: Iterable[str]) -> Sent | None:
    """Return what is remembered of a message: what it took away itself, and what was passed on to its notices."""
    found = [sent[id_] for id_ in notices if id_ in sent]
    return replace(found[0], gone=tuple(item for one in found for item in one.gone)) if found else None


def _passed_on(
    sent: Mapping[str, Sent], gone: Iterable[Item], notices: Collection[str], known: Known
) -> dict[str, list[Item]]:  # fmt: skip
    """Find of what a message took away what others spoke of later, as who did not hear it took them; by their notice.

    One that took away the same words, or what this one had made of them at the same hour, for it named the hour alone: it took
    that away. One that told the same words anew: they stand for that. So it is known again only if they did not arrive either.
    """
    found: dict[str, list[Item]] = {}
    first = next((at for at, id_ in enumerate(sent) if id_ in notices), 0)
    later = [(id_, other.gone) for id_, other in list(sent.items())[first:] if id_ not in notices]
    for item in gone:
        words, standing = item.words, known.items.get(item.words)
        took = (id_ for id_, taken in later for one in taken if one.words == words or (
            _is_of(one, notices) and one.words.slot == words.slot
        ))  # fmt: skip
        by = next(took, None) or (standing.notice if standing is not None and not _is_of(standing, notices) else None)
        if by is not None:
            found.setdefault(by, []).append(item)
    return found


def _unsaid(
    sent: Mapping[str, Sent], notices: Collection[str], passed: Mapping[str, Iterable[Item]], now: datetime
) -> dict[str, Sent]:  # fmt: skip
    """Return them without a message; nor did others take away what it said, but what was passed on to them."""
    left = {
        id_: replace(other, gone=tuple(item for item in other.gone if not _is_of(item, notices)))
        for id_, other in sent.items()
        if id_ not in notices
    }
    for id_, items in passed.items():
        other = left.get(id_) or Sent(at=now)
        left[id_] = replace(other, gone=(*other.gone, *items))
    return _bounded(left)


def _is_of(item: Item, notices: Collection[str]) -> bool:
    """Tell whether one of these said it, or made the series that covers it."""
    return not item.lived and (item.notice in notices or item.covered in notices)


def _without(
    known: Known, notices: Collection[str], gone: Iterable[Item], rules: Iterable[tuple[Rule, Rule]], zone: str, now: datetime
) -> Known:  # fmt: skip
    """Return what is known without what these notices said of what is ahead, and with what they took away of that."""
    items = {
        words: item
        for words, item in known.items.items()
        if not _is_of(item, notices) or not is_ahead(words, now, zone)
    }  # fmt: skip
    elsewhere = {id_ for item in items.values() if not item.stale for id_ in item.ids}
    for item in gone:
        if item.words not in items and is_ahead(item.words, now, zone):
            ids = tuple(id_ for id_ in item.ids if id_ not in elsewhere)
            items[item.words] = replace(item, ids=ids, first="" if ids else item.first or item.ids[0])
    return Known(items, _rules(known.rules, notices, rules))


def _rules(rules: Iterable[Rule], notices: Collection[str], changed: Iterable[tuple[Rule, Rule]]) -> tuple[Rule, ...]:
    """Return the series without those that these notices made; one that they changed is as it was, if nothing else changed it."""
    return tuple(
        next((was for was, then in changed if then == rule), rule)
        for rule in rules
        if rule.notice not in notices
    )  # fmt: skip
