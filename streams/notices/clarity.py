"""What a message must name, so that it is clear of which appointment it speaks."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.known import Item, Words
from schemas.notices import Notice

from ..processing.places import address_in
from .matching import Scene


def clear(notices: Iterable[Notice], scene: Scene) -> list[Notice]:
    """Return the notices of one message, each with what it must name.

    A cancellation names its day alone while every other thing that the client knows of that day, or comes to know, is named with
    its times beside it; else its times. Where another has the same times, whatever changes names its place too.
    """
    notices = list(notices)
    if not any(_speaks_of_one(notice) for notice in notices):
        return notices
    by_day: dict[str, set[Words]] = {}
    days = {notice.members[0].was.day for notice in notices if _speaks_of_one(notice) and notice.members[0].was is not None}
    for among in (scene.known.items, scene.want):
        for words in among:
            if words.day in days:
                by_day.setdefault(words.day, set()).add(words)
    named = {
        words
        for notice in notices
        if notice.kind != "cancelled" and notice.members
        for words in (notice.members[0].was, notice.members[0].now)
        if words is not None
    }
    return [_clear(notice, by_day, named, scene) for notice in notices]


def _speaks_of_one(notice: Notice) -> bool:
    """Tell whether it is of one thing that the client knew until now, whatever is said of it."""
    return bool(notice.members) and notice.members[0].was is not None and not notice.kind.startswith("series_")


def _clear(notice: Notice, by_day: dict[str, set[Words]], named: set[Words], scene: Scene) -> Notice:
    if not _speaks_of_one(notice) or (was := notice.members[0].was) is None:
        return notice
    now, items = notice.members[0].now, scene.known.items
    id_, day = notice.members[0].id, by_day[was.day]
    own = {was, *[words for words in day if words in items and words not in scene.want and _is_its_own(items[words], id_)]}
    others = by_day[was.day] - own
    twins = {
        other for other in others if other.slot == was.slot and not (notice.kind in ("relocated", "changed") and other == now)
    }
    return replace(notice, timed=bool(twins or others - named), placed=bool(twins) and not _is_address(was.place))


def _is_address(place: str | None) -> bool:
    """Tell whether a place of before, when addresses were said, is one: it is not said again."""
    return place is not None and address_in(place) is not None


def _is_its_own(item: Item, id_: str) -> bool:
    """Tell whether it is what a gate kept back of the very appointment: the client never heard it."""
    return not item.heard and id_ in item.ids
