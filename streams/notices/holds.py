"""A hand on the brake (`streams/README.md`, "Holds"): what an organisation holds, and what of a client waits for that.

`(row, said, now) -> row`, and what of an agenda waits: pure. A hold is quiet hours without an end: nothing is decided of that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.events import Forget
from schemas.floods import URGENT
from schemas.held import Shown, Waiting
from schemas.holds import Hold, HoldRow, Urgent
from schemas.inputs import Organisation
from schemas.known import Words
from schemas.notices import Notice
from schemas.state import Agenda, SettingsRow

from ..processing.local_time import day_of
from .agenda import Decided
from .clarity import clear
from .gathering import Statement
from .grouping import grouped
from .matching import Change, Scene
from .quiet_hours import SOON, soon_days, starts
from .silence import is_free
from .writer import Writer

MARGIN = timedelta(minutes=1)
"""What began to wait so shortly before a page was made may not have been on it."""

Difference = tuple[Words | None, Words | None]
"""What waits, in words: as the client knows it, and as it is."""


def taken_in(row: HoldRow | None, said: Hold | Forget, now: datetime) -> HoldRow | None:
    """Return an organisation's row after a record of `holds`. A hold that is on already stays the same one: its count goes on."""
    old = row or HoldRow()
    if isinstance(said, Forget):
        new = replace(old, notices=False, parties=())
    else:
        begins = said.notices and not old.notices
        new = replace(old, notices=said.notices, parties=tuple(said.parties), at=said.at if begins else old.at)
        if old.notices and not said.notices and said.seen_at is not None:
            seen = said.seen_at - MARGIN
            new = replace(new, silent=max(seen, old.silent or seen))
    if (old.notices and not new.notices) or not set(old.parties) <= set(new.parties):
        new = replace(new, ended=now)
    return new if row is not None or new != HoldRow() else None


def granted(row: HoldRow | None, organisation: Organisation | None, asked: Urgent) -> tuple[HoldRow, bool]:
    """Count messages of days that are near, and tell whether they may go."""
    row = row or HoldRow()
    count = row.urgent if row.counted == asked.at else 0
    flood = organisation.flood if organisation is not None and organisation.flood else None
    may = count + asked.messages <= (flood.urgent if flood is not None else URGENT)
    return replace(row, counted=asked.at, urgent=count + asked.messages if may else count), may


def is_on(settings: SettingsRow | None) -> bool:
    """Tell whether notices of an organisation wait."""
    return settings is not None and settings.hold is not None and settings.hold.notices


def holds_party(settings: SettingsRow | None, party: str) -> bool:
    """Tell whether requests of a third party wait."""
    return settings is not None and settings.hold is not None and party in settings.hold.parties


def not_before(settings: SettingsRow | None, due: datetime) -> datetime:
    """Return since when a moment could be handled: one that fell due in a hold, at its end."""
    ended = settings.hold.ended if settings is not None and settings.hold is not None else None
    return max(due, ended) if ended is not None else due


def waiting_at(agenda: Agenda, settings: SettingsRow | None) -> datetime | None:
    """Return when what waits has to be looked at: when a day of it is near, or at the end of the hold."""
    if agenda.waiting is None:
        return None
    if is_on(settings):
        return agenda.waiting.soon_at
    return not_before(settings, agenda.waiting.since)


def days_waiting(agenda: Agenda) -> Collection[str]:
    """Return the local days of which something waits: their reminders do so, too."""
    return agenda.waiting.days if agenda.waiting is not None else ()


def not_to_be_said(agenda: Agenda, settings: SettingsRow | None) -> frozenset[Difference]:
    """Return what waited when it was shown last, where the organisation ended its hold with nothing to be said of that."""
    silent = settings.hold.silent if settings is not None and settings.hold is not None else None
    if agenda.waiting is None or silent is None:
        return frozenset()
    return frozenset((one.was, one.now) for one in agenda.waiting.shown if one.since <= silent)


class Held(NamedTuple):
    """What waits, and the messages that would go now; of these, how many of days that are near."""

    waiting: Waiting
    messages: list[tuple[Notice, ...]]
    near: int
    until: datetime


def held_back(agenda: Agenda, scene: Scene, writer: Writer, said: list[Statement], covered: Iterable[Change]) -> Held:
    """Return what of a client waits. `said`: what would be said; `covered`: what would be known without a word."""
    old, now = agenda.waiting, scene.now
    since = {(one.was, one.now): one.since for one in old.shown} if old is not None else {}
    pairs = dict.fromkeys([(one.was, one.now) for statement in said for one in statement.members])
    days = {words.day for pair in pairs for words in pair if words is not None}
    days.update(change.first.day for change in covered)
    soon = soon_days(scene.agenda.appointments.values(), scene.zone, now, scene.known.items)
    decided = [writer.decided(one, None) for one in said]
    messages = [tuple(clear([one.notice for one in message], scene)) for message in grouped(decided)]
    near = grouped([one for one, statement in zip(decided, said, strict=True) if is_free(statement, soon)])
    refused = old is not None and old.refused
    return Held(
        Waiting(
            since=old.since if old is not None else now, zone=scene.zone, days=tuple(sorted(days)),
            shown=tuple(Shown(was, so, since.get((was, so), now)) for was, so in pairs),
            soon_at=None if refused else _soon_at(scene, days),
            asked=old is not None and old.asked, refused=refused, listed=old is not None and old.listed,
        ),
        messages, len(near), max((_latest(one) for one in decided), default=now),
    )  # fmt: skip


def _latest(one: Decided) -> datetime:
    return max(view.start for view in (one.notice.was, one.notice.now) if view is not None)


def _soon_at(scene: Scene, days: Collection[str]) -> datetime | None:
    """Return when the next of these days is near that is not so yet: when something of the client on it begins in 24 hours."""
    begins = starts(scene.agenda.appointments.values(), scene.zone, scene.known.items)
    moments = (start - SOON for start in begins if start - SOON > scene.now and day_of(start, scene.zone) in days)
    return min(moments, default=None)
