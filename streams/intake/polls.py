"""Snapshots of a client's agenda, from a source that can only be polled: what each of them changes.

`(poll, snapshot, now) -> (poll, changes)`: pure (`streams/README.md`, "Snapshots"). Missing is not cancelled: a source that fails
may answer with nothing, with half, or with an old state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.doubts import DoubtedRecord
from schemas.events import AppointmentEvent
from schemas.keys import ClientKey
from schemas.state import Poll, Polled
from schemas.wire import BadRecordError, encode

from ..processing.caps import MOST_APPOINTMENTS, ROW
from ..processing.local_time import KEPT
from .snapshots import AgendaPart

PATIENCE = timedelta(minutes=10)
"""So much later a snapshot must miss an appointment once more before it counts as cancelled."""

MARK = "~"
"""Before the ids of snapshots in all that we keep and write: they are the source's own, and no other's."""


DOUBTS = ("raised", "cleared", "confirmed", "held")
"""What becomes of what snapshots miss, for the metrics."""


class Change(NamedTuple):
    """An appointment before and after a snapshot."""

    id: str
    was: Polled | None
    now: Polled


class Taken(NamedTuple):
    """What a snapshot leads to: the row, what changed, and how many doubts were raised, cleared, confirmed and held."""

    poll: Poll
    changes: list[Change]
    doubts: dict[str, int]


def take_snapshot(old: Poll | None, part: AgendaPart, now: datetime, patience: timedelta, *, held: bool) -> Taken:
    """Return what a snapshot changes. `held`: so many clients of its organisation have doubts that none is confirmed.

    Raises:
        BadRecordError: one client would have more than may be kept of one.
    """
    before: Mapping[str, Polled] = old.appointments if old is not None else {}
    after: dict[str, Polled] = {}
    doubts = dict.fromkeys(DOUBTS, 0)
    for id_, known in before.items():
        if id_ in part.gone:
            after[id_] = replace(known, booked=False, outcome=None, doubted=None)
        elif id_ in part.there or not known.booked or known.start <= now:
            doubts["cleared"] += known.doubted is not None
            after[id_] = replace(known, doubted=None)
        elif not part.misses(known):
            after[id_] = known
        elif known.doubted is None:
            doubts["raised"] += 1
            after[id_] = replace(known, doubted=now)
        elif known.doubted + patience > now:
            after[id_] = known
        elif held:
            doubts["held"] += 1
            after[id_] = known
        else:
            doubts["confirmed"] += 1
            after[id_] = replace(known, booked=False, outcome=None, doubted=None)
    after.update(part.appointments)
    changes = [Change(id_, before.get(id_), one) for id_, one in after.items() if _differs(before.get(id_), one)]
    kept = {id_: one for id_, one in after.items() if id_ in part.there or (one.booked and one.view.end + KEPT > now)}
    until = max((one.view.end for one in kept.values()), default=now)
    poll = Poll(revision=part.revision, appointments=kept, keep_until=max(until, now) + KEPT)
    _check_size(poll, now)
    return Taken(poll, changes, {what: number for what, number in doubts.items() if number})


def _differs(was: Polled | None, now: Polled) -> bool:
    if was is None:
        return now.booked or bool(now.replaces)
    return replace(was, doubted=None) != replace(now, doubted=None)


def _check_size(poll: Poll, now: datetime) -> None:
    ahead = sum(one.booked and one.view.end > now for one in poll.appointments.values())
    if ahead > MOST_APPOINTMENTS:
        raise BadRecordError(f"more than {MOST_APPOINTMENTS} appointments ahead of one client - at `$.appointments`")
    if len(encode(poll)) > ROW:
        raise BadRecordError(f"more than {ROW} bytes of one client - at `$.appointments`")


def doubted_until(poll: Poll) -> datetime | None:
    """Return until when something of it is doubted, None where nothing is: what has begun is not."""
    return max((one.view.start for one in poll.appointments.values() if one.doubted is not None), default=None)


def event_of(change: Change, revision: int) -> AppointmentEvent:
    """Return what changed as the client's agenda takes it in."""
    one = change.now
    return AppointmentEvent(
        appointment=marked(change.id), revision=revision, booked=one.booked, present=one.present, view=one.view,
        replaces=tuple(marked(id_) for id_ in one.replaces), outcome=one.outcome, notify=one.notify,
        details=one.details, tell=one.tell,
    )  # fmt: skip


def marked(id_: str) -> str:
    """Return the id of a snapshot's appointment as it is kept and written."""
    return MARK + id_


class Doubts:
    """Who of each organisation, in one partition, has something doubted: it says whether doubts may be confirmed.

    Where a source fails, all of its clients miss something at once; a planner does not empty a fifth of all agendas.
    `said`: what was last said of those whose doubts may not be.
    """

    LEAST = 20
    """So few clients with doubts are none of a source that fails."""

    AGAIN = timedelta(minutes=1)

    def __init__(self) -> None:
        self.said: dict[str, DoubtedRecord] = {}
        self._clients: dict[str, int] = {}
        self._doubting: dict[str, dict[str, datetime]] = {}

    def put(self, key: ClientKey, was: Poll | None, now: Poll | None) -> None:
        """Hear of a client's new row, None where it goes."""
        organisation, client = key
        self._clients[organisation] = self._clients.get(organisation, 0) + (now is not None) - (was is not None)
        doubting = self._doubting.setdefault(organisation, {})
        doubting.pop(client, None)
        if now is not None and (until := doubted_until(now)) is not None:
            doubting[client] = until

    def hold(self, organisation: str, now: datetime) -> bool:
        """Tell whether more than a fifth of an organisation's clients, and at least 20, have something doubted."""
        doubting, enough = self._doubting.get(organisation, {}), max(self.LEAST, self._clients.get(organisation, 0) // 5 + 1)
        if len(doubting) >= enough:
            for client in [client for client, until in doubting.items() if until <= now]:
                del doubting[client]
        return len(doubting) >= enough

    def news(self, organisation: str, partition: int, now: datetime) -> DoubtedRecord | None:
        """Return what is to be said anew of an organisation whose doubts may not be confirmed; None where nothing is.

        The count of what was said is told again once a minute at most: while a source fails each snapshot changes it.
        """
        doubting, said = self._doubting.get(organisation, {}), self.said.get(organisation)
        count = (len(doubting), self._clients.get(organisation, 0))
        if said is not None and ((said.clients, said.known) == count or said.at + self.AGAIN > now):
            return None
        self.said[organisation] = DoubtedRecord(
            organisation=organisation, partition=partition, since=said.since if said is not None else now, at=now,
            clients=count[0], known=count[1], until=max(doubting.values()),
        )  # fmt: skip
        return self.said[organisation]
