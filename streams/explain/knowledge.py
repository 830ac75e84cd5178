"""What a client knows from our messages: what is believed to be ahead, and the series; and what is under way, not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from schemas.known import Item, Rule, Words
from schemas.state import Agenda

from ..notices.known import known_of
from ..notices.words import is_ahead
from .pending import Fact
from .words import moment


def knowledge(agenda: Agenda, zone: str, now: datetime, appointment: str | None = None) -> list[Fact]:
    """Tell all of it that is ahead, in its order. `appointment`: of this one only, and without the series."""
    known = known_of(agenda, zone, now)
    ahead = sorted((words for words in known.items if is_ahead(words, now, zone)), key=lambda words: words.order)
    facts = [_item(words, known.items[words]) for words in ahead if appointment in (None, *known.items[words].ids)]
    if appointment is None:
        facts += [_rule(rule) for rule in known.rules]
    return [*facts, *_flying(agenda, zone, appointment)]


def described(words: Words) -> str:
    """Say when and where, as the client was told of it."""
    place = f", {words.place or words.kind}" if words.where != (None, None) else ""
    last = f"{words.last} " if words.last is not None else ""
    if not words.at:
        return f"{words.day}{f' to {words.last}' if words.last else ''}, whole day{place}"
    until = f" to {last}{words.until}" if words.until else ""
    return f"{words.day} {words.at}{until}{place}"


def _item(words: Words, item: Item) -> Fact:
    whose = f"appointment {', '.join(item.ids)}" if item.ids else "no appointment any more: cancelled at the next closing"
    how = "" if item.heard else "; no message of ours said so"
    if item.stale:
        how = "; changed since, which a closed gate kept back"
    return Fact(f"knows {described(words)} ({whose}){how}", {
        "what": "known", "words": words, "appointments": list(item.ids), "heard": item.heard, "stale": item.stale,
        "since": item.since, "notice": item.notice,
    })  # fmt: skip


def _rule(rule: Rule) -> Fact:
    every = "each month" if rule.weeks == 0 else "each week" if rule.weeks == 1 else f"every {rule.weeks} weeks"
    place = f", {rule.place or rule.kind}" if (rule.place or rule.kind) is not None else ""
    times = f" {rule.at}{f' to {rule.until}' if rule.until else ''}" if rule.at else ""
    end = f" until before {rule.end}" if rule.end is not None else " and so on"
    off = f", not on {', '.join(rule.off)}" if rule.off else ""
    return Fact(f"knows the series {rule.series}: {every} from {rule.first}{times}{place}{end}{off}", {
        "what": "series", "series": rule.series, "first": rule.first, "end": rule.end, "weeks": rule.weeks, "off": list(rule.off),
    })  # fmt: skip


def _flying(agenda: Agenda, zone: str, appointment: str | None) -> Iterator[Fact]:
    """Tell messages of which the sender has not said what became."""
    for message, flying in agenda.flight.items():
        ids = [id_ for notice in flying.notices for id_ in notice.appointments]
        if appointment is None or appointment in ids:
            yield Fact(f"under way since {moment(flying.since, zone)}, and not known yet: {', '.join(ids)}", {
                "what": "flight", "message": message, "since": flying.since, "appointments": ids,
            })  # fmt: skip
