"""The part of intake that takes in snapshots of agendas, and keeps what they said of each client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.doubts import DoubtedRecord
from schemas.events import AgendaChange, ClientEvent, Erased
from schemas.keys import ClientKey
from schemas.state import Poll
from schemas.topics import DOUBTED, DOUBTS, OUTCOMES, POLLS
from schemas.wire import BadRecordError, encode, loads, to_json

from ..processing.dead_letters import where
from ..processing.record_checks import key_parts
from ..processing.rows import Rows
from ..processing.timers import Timers
from ..processing.turn import Decision, Output, Record
from .checks import match_key
from .fan_out import Fate, fate_records
from .polls import Doubts, event_of, marked, take_snapshot
from .snapshots import snapshot_part
from .tidying import is_tombstone

_PREFIX = POLLS.row("").decode()


class Agendas:
    """The rows of polled clients in one partition. `patience`: as `streams.intake.polls.take_snapshot` has it."""

    def __init__(self, rows: Rows, timers: Timers, patience: timedelta) -> None:
        self.rows, self.timers, self.patience = rows, timers, patience
        self.doubts = Doubts()

    def loaded(self) -> None:
        """Find who has something doubted, and when rows may go."""
        for key, poll in self.rows.scan(POLLS):
            name = f"{_PREFIX}{key}"
            self.timers.put(name, (poll.keep_until, 0, name))
            self.doubts.put(ClientKey.of(key), None, poll)
        self.doubts.said.update(self.rows.scan(DOUBTS))

    def keeps(self, name: str) -> bool:
        """Tell whether a row is one of these."""
        return name.startswith(_PREFIX)

    def forget(self, decision: Decision, name: str, now: datetime) -> None:
        """Let a row go that has been kept long enough."""
        poll = self.rows.get(decision, POLLS, name.encode())
        if poll is not None and poll.keep_until > now:
            self.timers.put(name, (poll.keep_until, 0, name))
        elif poll is not None:
            decision.put(name.encode(), None)
            key = ClientKey.of(name.removeprefix(_PREFIX))
            self.doubts.put(key, poll, None)
            self._end(decision, key.organisation, now)

    def drop(self, decision: Decision, key: ClientKey, now: datetime) -> tuple[str, ...]:
        """Forget what snapshots said of a client; return those appointments' ids."""
        row = POLLS.row(key)
        old = self.rows.get(decision, POLLS, row)
        if old is None:
            return ()
        decision.erase(row)
        self.timers.put(row.decode(), None)
        self.doubts.put(key, old, None)
        self._end(decision, key.organisation, now)
        return tuple(marked(id_) for id_ in old.appointments)

    def strip(self, decision: Decision, key: ClientKey, person: str) -> None:
        """Take one who acts for a client off the appointments of its snapshots that say so."""
        row = POLLS.row(key)
        if (old := self.rows.get(decision, POLLS, row)) is None:
            return
        named = {id_: one for id_, one in old.appointments.items() if one.tell is not None and person in one.tell}
        if named:
            left = {
                id_: replace(one, tell=tuple(other for other in one.tell or () if other != person)) for id_, one in named.items()
            }
            decision.erase(row, encode(replace(old, appointments={**old.appointments, **left})))

    def take(self, decision: Decision, record: Record, now: datetime) -> Iterator[ClientEvent]:
        """Take in a snapshot, part by part, and yield what it changes; a null value has the client's agenda forget them all."""
        if record.value is None or is_tombstone(record.value):
            key = ClientKey(*key_parts(record, 2))
            if gone := self.drop(decision, key, now):
                decision.count("polls", "forgotten")
                yield ClientEvent(organisation=key.organisation, client=key.client, erased=Erased(gone))
            return
        part, faults = snapshot_part(loads(record.value))
        key = ClientKey(part.organisation, part.client)
        match_key(record, *key)
        old = self.rows.get(decision, POLLS, POLLS.row(key))
        if old is not None and part.revision <= old.revision:
            decision.count("polls", "stale")
            return
        taken = take_snapshot(old, part, now, self.patience, held=self.doubts.hold(key.organisation, now))
        self._keep(decision, key, old, taken.poll)
        self._say(decision, record, key.organisation, now)
        decision.count("polls", "changed" if taken.changes else "equal")
        for what, times in taken.doubts.items():
            decision.count("doubts", what, times=times)
        for change in taken.changes:
            was = Fate(change.was.outcome, change.was.view) if change.was is not None else None
            fate = Fate(change.now.outcome, change.now.view)
            for one in fate_records(key, marked(change.id), part.revision, was, fate, now):
                decision.emit(Output(OUTCOMES.name, key.encoded, to_json(one), headers=OUTCOMES.headers))
        if taken.changes:
            said = AgendaChange(tuple(event_of(change, part.revision) for change in taken.changes))
            yield ClientEvent(organisation=key.organisation, client=key.client, agenda=said, written=record.written)
        if faults:
            raise BadRecordError("; ".join(faults))

    def _keep(self, decision: Decision, key: ClientKey, old: Poll | None, new: Poll) -> None:
        row = POLLS.row(key)
        decision.put(row, encode(new))
        self.timers.put_by(row.decode(), (new.keep_until, 0, row.decode()))
        self.doubts.put(key, old, new)

    def _say(self, decision: Decision, record: Record, organisation: str, now: datetime) -> None:
        """Say whether a source seems to fail, so that what it misses is not believed: when that begins, and when it is over."""
        if not self.doubts.hold(organisation, now):
            self._end(decision, organisation, now)
            return
        if organisation not in self.doubts.said:
            decision.remarks.append(
                f"{where(record)}: more than a fifth of this organisation's clients miss appointments: none is cancelled for that"
            )
        if (news := self.doubts.news(organisation, record.partition, now)) is not None:
            decision.put(DOUBTS.row(organisation), encode(news))
            decision.emit(_doubted(news, encode(news)))

    def _end(self, decision: Decision, organisation: str, now: datetime) -> None:
        """Say that a source is believed again, where it was said that it is not."""
        said = self.doubts.said.get(organisation)
        if said is None or self.doubts.hold(organisation, now):
            return
        del self.doubts.said[organisation]
        decision.put(DOUBTS.row(organisation), None)
        decision.emit(_doubted(said, None))


def _doubted(said: DoubtedRecord, value: bytes | None) -> Output:
    headers = DOUBTED.headers if value is not None else ()
    return Output(DOUBTED.name, f"{said.organisation}/{said.partition}".encode(), value, said.partition, headers)
