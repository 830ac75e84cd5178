"""What a client knows, as the closing works on it; how a message changes it, and how rows of before become it.

`read` is the one place where what is known changes by what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.events import View
from schemas.known import Item, Member, Rule, Words
from schemas.notices import Notice
from schemas.state import Agenda, AgendaEntry, ToldSeries

from . import rules as series
from .words import is_ahead, view_of, words_of


class Known(NamedTuple):
    """What a client knows: by its words, and the series."""

    items: dict[Words, Item]
    rules: tuple[Rule, ...] = ()

    @property
    def item_of(self) -> dict[str, Words]:
        """By appointment, what is compared with it."""
        return {id_: words for words, item in self.items.items() if not item.stale for id_ in item.ids}


def known_of(agenda: Agenda, zone: str, now: datetime) -> Known:
    """Return what the client knows.

    A row of an earlier version has only what was told of each appointment, and is read as that.
    """
    if agenda.known is not None:
        items: dict[Words, Item] = {item.words: item for item in agenda.known}
        return Known(items if agenda.zone in (None, zone) else _renamed(items, agenda.zone, zone, now), agenda.rules)
    items = {}
    for id_, entry in agenda.appointments.items():
        if entry.told is None:
            continue
        words = words_of(entry.told, zone)
        twin = items.get(words)
        since = entry.told_on_day_since or now
        items[words] = (
            Item(words=words, ids=(id_,), series=entry.told.series, since=since, notice=entry.notice)
            if twin is None
            else replace(twin, ids=tuple(sorted((*twin.ids, id_))), since=min(twin.since, since))
        )
    found = [_rule_of(name, told, items, zone, now) for name, told in agenda.series.items()]
    rules = tuple(rule for rule in found if rule is not None)
    return Known({words: _of_before(item, rules) for words, item in items.items()}, rules)


def _of_before(item: Item, rules: Iterable[Rule]) -> Item:
    """Return an item of a row of an earlier version.

    What is of a series and at none of its hours went its own way, or was told by itself.
    """
    notices = {rule.notice for rule in rules if rule.series == item.series and not series.holds(rule, item.words)}
    return replace(item, strayed=tuple(sorted(notices))) if notices else item


def _renamed(items: Mapping[Words, Item], old: str, zone: str, now: datetime) -> dict[Words, Item]:
    """Return what is known under a new time zone: what nobody said, and what is over, is known as it now is called."""
    result: dict[Words, Item] = {}
    for words, item in items.items():
        if not item.heard or not is_ahead(words, now, old):
            words = words_of(view_of(words, old), zone)
        result[words] = replace(item, words=words)
    return result


def _rule_of(name: str, told: ToldSeries, items: Mapping[Words, Item], zone: str, now: datetime) -> Rule | None:
    """Return a series told as such, from its first day ahead; each day of its rhythm on which nothing is known is off."""
    whole = told.start == told.end == "00:00" and told.days > 0
    days = told.days - (told.end == "00:00" and told.days > 0)
    at, until = ("", "") if whole else (told.start, "24:00" if days < told.days else told.end)
    on = sorted(
        words.day
        for words, item in items.items()
        if item.series == name
        and words.times == (at, until, days)
        and words.place == told.location
        and is_ahead(words, now, zone)
    )
    rhythm = series.rhythm_of(on)
    if not on or rhythm is None:
        return None
    return Rule(
        series=name, at=at, until=until, days=days, place=told.location, first=on[0], weeks=rhythm.weeks, off=rhythm.off,
        notice=items_notice(items, on[0], name),
    )  # fmt: skip


def items_notice(items: Mapping[Words, Item], day: str, name: str) -> str:
    """Return the notice that told an occurrence of a series."""
    return next((item.notice or "" for words, item in items.items() if words.day == day and item.series == name), "")


def read(known: Known, notices: Iterable[Notice], now: datetime, rules: bool = True, told: datetime | None = None) -> Known:
    """Return what is known after these were read, in their order: all that was goes, then all that is comes.

    `rules` False: they are over, and make no series. `told`: when the message that said them went out, if one did.
    """
    items, series_told = dict(known.items), known.rules
    holders = holders_of(items)
    for notice in notices:
        before = {member.was: items.pop(member.was, None) for member in notice.members if member.was is not None}
        for member in notice.members:
            old = before.get(member.was) if member.was is not None else None
            _leave_all(items, holders, member, old)
            if member.now is not None:
                since = old.since if old is not None and old.words.day == member.now.day else now
                items[member.now] = Item(
                    words=member.now, ids=(member.id,), series=member.series, since=since, notice=notice.id, told=told,
                    strayed=series.strayed(series_told, old) if old is not None and not notice.kind.startswith("series_") else (),
                )  # fmt: skip
                holders[member.id] = [member.now]
        if rules:
            series_told = series.after(series_told, notice)
    return Known(items, series_told)


def overheard(known: Known, notices: Iterable[Notice], now: datetime) -> Known:
    """Return what is known after a gate kept these back: the client has it from elsewhere. What was heard stays beside it.

    So an organisation is switched on without a flood, and the next notice starts from what we said last.
    """
    items = dict(known.items)
    holders = holders_of(items)
    for notice in notices:
        for member in notice.members:
            old = items.pop(member.was, None) if member.was is not None else None
            _leave_all(items, holders, member, old)
            if old is not None and old.heard:
                items[old.words] = replace(old, stale=True, ids=tuple(sorted({*old.ids, member.id})))
        for member in notice.members:
            if member.now is not None:
                items[member.now] = Item(
                    words=member.now, ids=(member.id,), series=member.series, since=now, notice=notice.id,
                    heard=False,
                )  # fmt: skip
                holders[member.id] = [member.now]
    return Known(items, known.rules)


def holders_of(items: Mapping[Words, Item]) -> dict[str, list[Words]]:
    """Return by appointment all that it stands for, and what it was the last to stand for, unheard."""
    holders: dict[str, list[Words]] = {}
    for words, item in items.items():
        for id_ in item.ids or (() if item.heard else (item.first,)):
            holders.setdefault(id_, []).append(words)
    return holders


def _leave_all(items: dict[Words, Item], holders: dict[str, list[Words]], member: Member, old: Item | None) -> None:
    """Leave all that an appointment of a notice stood for. `old`: what was known of what the notice says it was.

    What is cancelled may be elsewhere meanwhile, and stays there. But of what was heard before a gate kept something back, that
    something goes too, whoever else was there: they are all off.
    """
    if member.now is None and (old is None or not old.stale):
        return
    for words in holders.pop(member.id, ()):
        if member.now is None and (item := items.get(words)) is not None and not item.heard and not item.lived:
            del items[words]
        else:
            leave(items, words, member.id)


def leave(items: dict[Words, Item], words: Words, id_: str) -> None:
    """Leave what an appointment was told as: it is told as something else.

    What it stood for is nobody's, or unknown if unsaid; where the client came stays known all the same.
    """
    item = items.get(words)
    if item is None or id_ not in item.ids or (item.stale and item.ids != (id_,)):
        return
    left = tuple(other for other in item.ids if other != id_)
    if left or ((item.heard or item.lived) and not item.stale):
        items[words] = replace(item, ids=left, first="" if left else id_)
    else:
        del items[words]


def kept(agenda: Agenda, before: Known, known: Known, zone: str) -> Agenda:
    """Return the agenda with what is known, and what follows for each appointment, for reminders and for an older worker.

    `before`: what was known when that was last done.
    """
    held = {id_: item for item in known.items.values() if not item.stale for id_ in item.ids}
    changed: dict[str, AgendaEntry] = {}
    for id_ in before.item_of.keys() | held.keys():
        entry, item = agenda.appointments.get(id_), held.get(id_)
        if entry is None or (item is not None and before.items.get(item.words) is item):
            continue
        changed[id_] = as_known(entry, item, zone)
    return replace(
        agenda, appointments={**agenda.appointments, **changed} if changed else agenda.appointments,
        known=tuple(known.items.values()), rules=known.rules, zone=zone, series=series.shapes(known.rules),
    )  # fmt: skip


def as_known(entry: AgendaEntry, item: Item | None, zone: str) -> AgendaEntry:
    """Return an appointment with what follows from what is known of it, None where nothing is."""
    if item is None:
        if entry.told is None and entry.told_on_day_since is None:
            return entry
        return replace(entry, told=None, told_on_day_since=None)
    return replace(entry, told=_view(entry, item, zone), told_on_day_since=item.since)


def _view(entry: AgendaEntry, item: Item, zone: str) -> View:
    """Return what is known of an appointment, to the second where it is so, or was told as such."""
    for view in (entry.actual, entry.told):
        if view is not None and words_of(view, zone).slot == item.words.slot:
            return View(view.start, view.end, item.words.place, item.series, item.words.kind)
    return view_of(item.words, zone, item.series)
