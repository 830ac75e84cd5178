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
from schemas.known import Item, Rule, Words
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
    first = next(iter(outcome.notices))
    one = agenda.sent.get(first)
    if one is None and not MAKES.issuperset(outcome.notices.values()):
        return Landing(agenda)
    zone = agenda.zone or zone  # in which it was worded
    before = known_of(agenda, zone, now)
    taken = _taken(agenda.sent, one, outcome.notices)
    known = _without(before, outcome.notices, one, {item.words for item in taken.values()}, zone, now)
    if one is not None or any(_is_of(item, outcome.notices) for other in agenda.sent.values() for item in other.gone):
        agenda = replace(agenda, sent=_unsaid(agenda.sent, first, outcome.notices, taken))
    if known == before:
        return Landing(agenda)
    backs = one.said.backs if one is not None and one.said is not None else 0
    if one is not None and backs + 1 >= MOST_BACKS:
        return Landing(replace(agenda, backs=0), one.said)
    agenda = kept(agenda, before, known, zone)
    window = agenda.window or Window(now, now)
    return Landing(replace(agenda, backs=max(agenda.backs, backs + 1), unsaid=agenda.unsaid + 1, window=window))


def _taken(sent: Mapping[str, Sent], one: Sent | None, notices: Collection[str]) -> dict[Words, Item]:
    """Find what these notices took away only to say another place for it, which a later message took away in its turn.

    That later sentence named the hour alone. Who did not hear of the place in between took it to speak of what he knew then. By
    what these notices made of it.
    """
    before = {item.words.slot: item for item in one.gone} if one is not None else {}
    return {
        item.words: before[item.words.slot]
        for other in sent.values()
        for item in other.gone
        if other is not one and _is_of(item, notices) and item.words.slot in before
    }


def _unsaid(
    sent: Mapping[str, Sent], first: str, notices: Collection[str], taken: Mapping[Words, Item]
) -> dict[str, Sent]:  # fmt: skip
    """Return them without a message; nor did others take away what it said, but what they were taken to speak of."""
    return {
        id_: replace(other, gone=tuple(
            taken[item.words] if _is_of(item, notices) else item
            for item in other.gone
            if item.words in taken or not _is_of(item, notices)
        ))
        for id_, other in sent.items()
        if id_ != first
    }  # fmt: skip


def _is_of(item: Item, notices: Collection[str]) -> bool:
    """Tell whether one of these said it, or made the series that covers it."""
    return not item.lived and (item.notice in notices or item.covered in notices)


def _without(
    known: Known, notices: Collection[str], one: Sent | None, taken: Collection[Words], zone: str, now: datetime
) -> Known:  # fmt: skip
    """Return what is known without what these notices said of what is ahead, and with what they took away of that.

    `taken`: that others took away of it since.
    """
    items = {
        words: item
        for words, item in known.items.items()
        if not _is_of(item, notices) or not is_ahead(words, now, zone)
    }  # fmt: skip
    elsewhere = {id_ for item in items.values() if not item.stale for id_ in item.ids}
    for item in one.gone if one is not None else ():
        if item.words not in items and item.words not in taken and is_ahead(item.words, now, zone):
            ids = tuple(id_ for id_ in item.ids if id_ not in elsewhere)
            items[item.words] = replace(item, ids=ids, first="" if ids else item.first or item.ids[0])
    return Known(items, _rules(known.rules, notices, one.rules if one is not None else ()))


def _rules(rules: Iterable[Rule], notices: Collection[str], changed: Iterable[tuple[Rule, Rule]]) -> tuple[Rule, ...]:
    """Return the series without those that these notices made; one that they changed is as it was, if nothing else changed it."""
    return tuple(
        next((was for was, then in changed if then == rule), rule)
        for rule in rules
        if rule.notice not in notices
    )  # fmt: skip
