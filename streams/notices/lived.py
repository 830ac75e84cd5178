"""What became of an appointment is known as it then was: the client was there, or chose not to be. Nothing is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from schemas.known import Member, Words
from schemas.notices import Notice
from schemas.state import AgendaEntry

from .known import Known, holders_of, read
from .words import kind_between

Wanted = Mapping[Words, tuple[str, ...]]


def lived_through(known: Known, want: Wanted, appointments: Mapping[str, AgendaEntry], now: datetime) -> Known:
    """Return what is known once each appointment that has an outcome is known as it is, as if a message had said so."""
    lived = {id_: words for words, ids in want.items() for id_ in ids if appointments[id_].outcome is not None}
    members = list(_unsaid(known, want, appointments, lived)) if lived else []
    if not members:
        return known
    notices = []
    for one in members:
        item = known.items.get(one.was) if one.was is not None else None
        kind = kind_between(one.was, one.now) or "relocated"
        notices.append(Notice(id=(item.notice if item is not None else None) or "", kind=kind, members=(one,)))
    items, rules = read(known, notices, now)
    for one in members:
        if one.now is not None:
            items[one.now] = replace(items[one.now], lived=True, heard=one.was is not None)
    return Known(items, rules)


def _unsaid(
    known: Known, want: Wanted, appointments: Mapping[str, AgendaEntry], lived: Mapping[str, Words]
) -> Iterator[Member]:  # fmt: skip
    """Yield what a message would have said of each. Where somebody else is who was there too, that stays."""
    holders = holders_of(known.items)
    so = {id_: words for words, ids in want.items() for id_ in ids}
    there = {*known.items, *lived.values()}

    def stays(id_: str, words: Words) -> bool:
        """Tell whether an appointment still stands for this: it is on, if only for an absent client, and not known elsewhere."""
        entry, now = appointments.get(id_), so.get(id_, words)
        return entry is not None and entry.booked and (now == words or (id_ not in lived and now not in there))

    for id_, now in lived.items():
        left = [
            words
            for words in holders.get(id_, ())
            if words != now and words not in want and not any(stays(other, words) for other in known.items[words].ids)
        ]
        was = min(left, key=lambda words: known.items[words].stale, default=None)
        if now not in known.items:
            yield Member(id_, was, now, appointments[id_].actual.series)
        elif was is not None:
            yield Member(id_, was, None, appointments[id_].actual.series)
