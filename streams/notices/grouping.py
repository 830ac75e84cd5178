"""Decided notices as messages: by local day, and no longer than can be read or kept."""

from __future__ import annotations

from schemas.wire import encode

from .agenda import Decided

MOST_MESSAGES = 5
"""More days than this in one closing, and one message has them all."""

MOST_SENTENCES = 20
"""Of a message that goes out; the rest is another one."""

MESSAGE = 256 << 10
"""Bytes of notices in a message. It stands in a ledger's row that is written anew with each attempt, and in the delivery log."""

FEW = 20
"""So few notices are not measured, unless they are of a long series."""


def grouped(decided: list[Decided], *, by_day: bool = True) -> list[list[Decided]]:
    """Return the messages: notices of one fate and local day each; all of one fate together where that would be more than 5.

    Not `by_day`: all of one fate together, whatever their days.
    """
    if len(decided) < 2:
        return [decided] if decided else []
    by_reason: dict[str | None, dict[str, list[Decided]]] = {}
    for one in sorted(decided, key=lambda one: one.order):
        by_reason.setdefault(one.withheld, {}).setdefault(one.notice.day or "", []).append(one)
    messages = []
    for days in by_reason.values():
        if len(days) > MOST_MESSAGES or not by_day:
            messages.append(sorted((one for day in days.values() for one in day), key=lambda one: one.order))
        else:
            messages.extend(days.values())
    messages.sort(key=lambda message: (min(one.notice.day or "" for one in message), message[0].order))
    return [part for message in messages for part in _parts(message)]


def _parts(message: list[Decided]) -> list[list[Decided]]:
    """Return a message as it is, or as several where it has too many sentences or bytes. One notice is never divided."""
    most = MOST_SENTENCES if message[0].withheld is None else len(message)
    if len(message) <= min(FEW, most) and sum(len(one.notice.others) for one in message) <= FEW:
        return [message]
    parts: list[list[Decided]] = [[]]
    size = 0
    for one in message:
        more = len(encode(one.notice))
        if parts[-1] and (size + more > MESSAGE or len(parts[-1]) == most):
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += more
    return parts
