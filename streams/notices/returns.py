"""Reminders and requests that come back (`streams/README.md`, "A message flies"): they are decided anew, but not for ever."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from schemas.events import Landed
from schemas.keys import RecipientKey
from schemas.notices import Notice, reminder_id
from schemas.state import Agenda, Pending

from .messages import request_notice
from .notify import forgotten
from .reminders import booked_on, expected_of
from .undoing import MOST_BACKS


class Reopening(NamedTuple):
    """The agenda after reminders or a request came back. `given_up`: their notices, where they did so once too often."""

    agenda: Agenda
    given_up: tuple[Notice, ...] = ()


def reopened(key: RecipientKey, agenda: Agenda, outcome: Landed, zone: str, now: datetime) -> Reopening:
    """Have reminders or a request that came back decided anew; nothing changes where that is not known (any more)."""
    request = outcome.request
    if back := [name for name in (outcome.day, *outcome.days) if name in agenda.reminded]:
        agenda, times = _counted(agenda, back)
        if times >= MOST_BACKS:
            return Reopening(agenda, tuple(_reminder(key, agenda, name, zone) for name in back) if times == MOST_BACKS else ())
        for name in back:
            agenda = forgotten(agenda, reminder_id(key.organisation, key.told, name), zone, now)
        return Reopening(replace(
            agenda, unsaid=agenda.unsaid + 1, reminded=tuple(name for name in agenda.reminded if name not in back),
            handled={name: one for name, one in agenda.handled.items() if name not in back},
        ))  # fmt: skip
    if request is None or (name := f"{request.party}/{request.request}") not in agenda.seen:
        return Reopening(agenda)
    agenda, times = _counted(agenda, [name])
    if times >= MOST_BACKS:
        return Reopening(agenda, (request_notice(request),) if times == MOST_BACKS else ())
    return Reopening(replace(
        agenda, unsaid=agenda.unsaid + 1, requests={**agenda.requests, name: Pending(request, now)},
        seen={other: until for other, until in agenda.seen.items() if other != name},
    ))  # fmt: skip


def _counted(agenda: Agenda, names: Collection[str]) -> tuple[Agenda, int]:
    """Count that one message of these came back; return how often it did."""
    times = 1 + max(agenda.returned.get(name, 0) for name in names)
    return replace(agenda, returned={**agenda.returned, **dict.fromkeys(names, times)}), times


def _reminder(key: RecipientKey, agenda: Agenda, name: str, zone: str) -> Notice:
    """Return a reminder that counts as said, as the log names it: of what is on the day now."""
    day = name.partition("/")[0]
    on = booked_on(agenda, day, zone)
    ids = [id_ for id_, _ in expected_of(on, zone) or on]
    return Notice(
        id=reminder_id(key.organisation, key.told, name),
        kind="reminder",
        day=day,
        appointment=ids[0] if ids else None,
        others=tuple(ids[1:]),
    )
