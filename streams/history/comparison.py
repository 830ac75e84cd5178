"""Two delivery logs of one history: the one that was written, and what the current rules would write. What differs?

It compares notices, by their ids: windows that closed at other moments put the same notices into other messages. The rules do
not depend on the provider's answer, so a notice counts as *told* as soon as a provider was called for it, whatever came of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from schemas.deliveries import LoggedNotice, LogRecord
from schemas.keys import CLIENT

TOLD = "told"
CALLED = ("sent", "delivered", "retrying", "failed", "unknown")

What = Literal["only_in_log", "only_by_rules", "status", "channel", "text", "message"]

MEANINGS: dict[What, str] = {
    "only_in_log": "in the log; the current rules say nothing of it",
    "only_by_rules": "by the current rules; the log has nothing of it",
    "status": "another outcome",
    "channel": "another channel",
    "text": "another text",
    "message": "the same notices in other messages",
}


class Fate(NamedTuple):
    """What became of a notice, and when that was first so.

    `recipient`: as in `schemas.keys`. `outcome`: `told`, or why not, as `suppressed client_off`.
    """

    organisation: str
    client: str
    recipient: str
    notice: LoggedNotice
    reason: str
    message: str
    outcome: str
    channel: str | None
    text: str | None
    at: datetime


class Difference(NamedTuple):
    """One difference: of a message that one side has, or of what both have. `notices` are those that it is about."""

    what: What
    organisation: str
    client: str
    recipient: str
    reason: str
    notices: tuple[LoggedNotice, ...]
    at: datetime
    logged: Fate | None
    ruled: Fate | None
    gone: bool = False
    """The events that it came of are not kept any more, so the rules had nothing to decide."""


class Comparison(NamedTuple):
    """What differs, by recipient and moment; and how many notices are the same."""

    differences: list[Difference]
    same: int


def fates(records: Iterable[LogRecord]) -> dict[str, Fate]:
    """Return what became of each notice, by its id."""
    found: dict[str, Fate] = {}
    for one in sorted(records, key=lambda one: one.at):
        called = one.status in CALLED
        outcome = TOLD if called else " ".join(filter(None, (one.status, one.detail)))
        for notice in one.notices:
            old = found.get(notice.id)
            if old is not None and old.outcome == TOLD:
                if old.text is None and one.text is not None:  # `sent` after `retrying` or `unknown`
                    found[notice.id] = old._replace(text=one.text, channel=one.channel)
                continue
            # Who gets nothing gets it by no channel: it only says how far a message came.
            found[notice.id] = Fate(
                one.organisation, one.client, one.recipient or CLIENT, notice, one.reason, one.message, outcome,
                one.channel if called else None, one.text, one.at,
            )  # fmt: skip
    return found


def compare(
    logged: Iterable[LogRecord], ruled: Iterable[LogRecord], since: datetime | None = None, until: datetime | None = None,
    kept: frozenset[str] | None = None,
) -> Comparison:  # fmt: skip
    """Compare what was decided from `since` up to and including `until`, by the log's moment where it has one.

    Both sides are to reach beyond that, so that what one decided just before an edge and the other just after still meets.
    `kept`: names (`known_by`) of all that the replayed events speak of; what none of them does is marked as gone.
    """
    ours, theirs = fates(logged), fates(ruled)
    same = 0
    groups: dict[tuple[What, tuple[str, ...]], list[tuple[Fate | None, Fate | None]]] = {}
    for id_ in ours.keys() | theirs.keys():
        log, rule = ours.get(id_), theirs.get(id_)
        one = log or rule
        if one is None or (since is not None and one.at < since) or (until is not None and one.at > until):
            continue
        what = _what(log, rule)
        if what is None:
            same += 1
            continue
        messages = (log.message if log is not None else "", rule.message if rule is not None else "")
        outcomes = (log.outcome if log is not None else "", rule.outcome if rule is not None else "")
        groups.setdefault((what, (one.organisation, one.client, one.recipient, *messages, *outcomes)), []).append((log, rule))
    found = [_difference(what, pairs, kept) for (what, _), pairs in groups.items()]
    return Comparison(
        sorted(found, key=lambda one: (one.organisation, one.client, one.recipient, one.at, one.what, one.notices[0].id)), same
    )


def known_by(organisation: str, notice: LoggedNotice) -> str:
    """Return the name of what a notice came of: its appointment; of a request the notice's own id."""
    return f"{organisation}/{notice.appointment if notice.appointment is not None else notice.id}"


def _what(log: Fate | None, rule: Fate | None) -> What | None:
    """Return how two fates of one notice differ; None where they do not."""
    if rule is None:
        return "only_in_log"
    if log is None:
        return "only_by_rules"
    if log.outcome != rule.outcome:
        return "status"
    if log.channel != rule.channel:
        return "channel"
    if log.outcome == TOLD and None not in (log.text, rule.text) and log.text != rule.text:
        return "text" if log.message == rule.message else "message"
    return None


def _difference(what: What, pairs: list[tuple[Fate | None, Fate | None]], kept: frozenset[str] | None) -> Difference:
    pairs.sort(key=lambda pair: _either(pair).notice.id)
    first = _either(pairs[0])
    notices = tuple(_either(pair).notice for pair in pairs)
    gone = kept is not None and pairs[0][1] is None and not any(known_by(first.organisation, one) in kept for one in notices)
    log, rule = pairs[0]
    return Difference(
        what, first.organisation, first.client, first.recipient, first.reason, notices,
        first.at, log, rule, gone,
    )  # fmt: skip


def _either(pair: tuple[Fate | None, Fate | None]) -> Fate:
    one = pair[0] or pair[1]
    if one is None:
        raise AssertionError("a difference of nothing")
    return one
