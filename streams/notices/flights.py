"""Direct messages fly (`streams/README.md`, "A message flies"): what they say is known when their sender says that they went out.

`(agenda, outcome, now) -> agenda`: pure. While one of a client flies nothing else is decided for him; changes gather.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.events import Landed
from schemas.inputs import NOT_WITHIN_MOST, Channel
from schemas.keys import RecipientKey
from schemas.notices import Notice, change_id, message_id
from schemas.state import Agenda, Flying, Window

from .agenda import Decided, afresh
from .known import Known, kept, known_of, read
from .matching import followed, is_absent, scene_of, wanted
from .notify import hushed
from .undoing import MOST_BACKS, Landing, remembered

PATIENCE = timedelta(minutes=15)
"""After so long without a word about a message its delivery is handed out again."""


def message_of(agenda: Agenda, decided: Iterable[Decided]) -> str:
    """Return the id of a message that is decided now."""
    return message_id([one.notice.id for one in decided], agenda.unsaid)


def takeoff(agenda: Agenda, messages: Iterable[list[Decided]], channel: Channel | None, now: datetime) -> Agenda:
    """Return the agenda with those of the messages under way that are to go out."""
    flight = dict(agenda.flight)
    for message in messages:
        if message[0].withheld is None and channel is not None:
            notices = tuple(one.notice for one in message)
            flight[message_of(agenda, message)] = Flying(
                notices=notices, channel=channel, since=now, asked=now, backs=agenda.backs
            )  # fmt: skip
    return replace(agenda, flight=flight) if len(flight) > len(agenda.flight) else agenda


def overdue_at(agenda: Agenda) -> datetime:
    """Return when the delivery of a message that flies is handed out again, where none lands before."""
    return min(flying.asked for flying in agenda.flight.values()) + PATIENCE


def overdue(agenda: Agenda, now: datetime) -> tuple[Agenda, dict[str, Flying]]:
    """Find the messages of which nothing was heard for too long; the agenda is that in which they were asked for."""
    late = {id_: flying for id_, flying in agenda.flight.items() if flying.asked + PATIENCE <= now}
    asked = {id_: replace(flying, asked=now) for id_, flying in late.items()}
    return replace(agenda, flight={**agenda.flight, **asked}), late


def still_so(agenda: Agenda, notices: Iterable[Notice], zone: str, now: datetime) -> bool:
    """Tell whether a closing would still say these, by its own functions: else the message comes back, and not for ever."""
    known = known_of(agenda, zone, now)
    agenda, _ = hushed(agenda, known, zone)
    want = wanted(known, agenda.appointments, zone)
    members = [member for notice in notices for member in notice.members]
    if any(member.now not in want for member in members if member.now is not None):
        return False
    if any(
        agenda.appointments[id_].outcome is not None for member in members if member.now is not None for id_ in want[member.now]
    ):
        return False
    if any(member.was in want or member.was not in known.items for member in members if member.was is not None):
        return False
    cancelled = [known.items.get(member.was) for member in members if member.was is not None and member.now is None]
    return not any(item is not None and is_absent(item, agenda.appointments) for item in cancelled)


def landed(key: RecipientKey, agenda: Agenda, outcome: Landed, zone: str, now: datetime) -> Landing:
    """Learn what a message that flew said, or have it decided anew; when the last one has landed the open window closes."""
    flying = agenda.flight[outcome.message]
    agenda = replace(agenda, flight={id_: other for id_, other in agenda.flight.items() if id_ != outcome.message})
    given_up = outcome.became == "back" and flying.backs + 1 >= MOST_BACKS
    if outcome.became == "out" or given_up:
        told = [notice for notice in flying.notices if notice.id not in outcome.wordless]
        went = now if outcome.became == "out" and not outcome.unsure else None
        heard = _heard(agenda, told, zone, now, went=went)
        agenda = afresh(_noticed(key, heard.agenda, told))
        if not given_up and told and (CHANNELS[flying.channel].has_reports or agenda.sent):
            agenda = replace(
                agenda, sent=remembered(agenda, replace(flying, notices=tuple(told)), heard.before, heard.after, now)
            )
    elif outcome.became == "back":
        window = agenda.window or Window(now, now)
        agenda = replace(agenda, backs=max(agenda.backs, flying.backs + 1), unsaid=agenda.unsaid + 1, window=window)
    else:
        agenda = replace(_over(agenda, flying.notices, zone, now), unsaid=agenda.unsaid + 1)
    if not agenda.flight:
        agenda = _waited(agenda, now)
    return Landing(agenda, flying if given_up else None)


class Heard(NamedTuple):
    """The agenda after a client read notices, and what was known before and after."""

    agenda: Agenda
    before: Known
    after: Known


def _heard(
    agenda: Agenda, notices: Iterable[Notice], zone: str, now: datetime, rules: bool = True, went: datetime | None = None
) -> Heard:
    """Have the client read these, in the zone in which they were worded; whoever stands there stands for it.

    But for what came meanwhile: the next closing has a record of it. `went`: when the message went out, if it surely did.
    """
    zone = agenda.zone or zone
    before = _lately_told(known_of(agenda, zone, now), now)
    decided = {id_: entry for id_, entry in agenda.appointments.items() if entry.notice is not None}
    told = _alone(before, went) if went is not None else None
    after = read(before, notices, now, rules=rules, told=told)
    known = followed(after, replace(agenda, appointments=decided), zone)
    return Heard(kept(agenda, before, known, zone), before, known)


def _lately_told(known: Known, now: datetime) -> Known:
    """Return what is known without when it was told, where no setting asks for that any more: it keeps rows small."""
    oldest = now - timedelta(hours=NOT_WITHIN_MOST)
    old = {words: replace(item, told=None) for words, item in known.items.items() if item.told is not None and item.told < oldest}
    return Known({**known.items, **old}, known.rules) if old else known


def _alone(known: Known, went: datetime) -> datetime:
    """Return when a message went out, a little later than any before it, so that what two told is not taken for one's."""
    last = max((item.told for item in known.items.values() if item.told is not None), default=None)
    return went if last is None or last < went else last + datetime.resolution


def _over(agenda: Agenda, notices: Iterable[Notice], zone: str, now: datetime) -> Agenda:
    """Count of a message that is lost only what is over: nobody has to be told of it any more."""
    zone = agenda.zone or zone
    scene = scene_of(agenda, known_of(agenda, zone, now), zone, now)
    over = [notice for notice in notices if all(scene.is_past(member) for member in notice.members)]
    return _heard(agenda, over, zone, now, rules=False).agenda if over else agenda


def _noticed(key: RecipientKey, agenda: Agenda, notices: Iterable[Notice]) -> Agenda:
    """Mark the own notices of revisions as used: what is told of these once more is another notice."""
    used = {}
    for notice in notices:
        entry = agenda.appointments.get(notice.appointment or "")
        if entry is None or notice.appointment is None:
            continue
        if notice.id == change_id(key.organisation, key.told, notice.appointment, notice.kind, entry.revision):
            used[notice.appointment] = replace(entry, noticed=entry.revision)
    return replace(agenda, appointments={**agenda.appointments, **used}) if used else agenda


def _waited(agenda: Agenda, now: datetime) -> Agenda:
    """Have what could not be decided before due from now on, and not late."""
    window = agenda.window
    if window is not None and window.closes < now:
        agenda = replace(agenda, window=replace(window, closes=now))
    if agenda.held_until is not None and agenda.held_until < now:
        agenda = replace(agenda, held_until=now)
    return agenda
