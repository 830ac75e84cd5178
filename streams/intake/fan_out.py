"""What a revision of an appointment changed, for each of its clients; what became of it, whatever said so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from schemas.appointments import Outcome
from schemas.events import AppointmentEvent, View
from schemas.keys import ClientKey
from schemas.outcomes import OutcomeRecord
from schemas.state import Snapshot


def changes(appointment: str, old: Snapshot | None, new: Snapshot) -> Iterator[tuple[str, AppointmentEvent]]:
    """Yield what changed for whom: `(client, event)`. A client taken off the list has the appointment cancelled."""
    before = old.clients if old is not None else {}
    event = partial(
        AppointmentEvent, appointment=appointment, revision=new.revision, deleted=new.deleted, order=new.order
    )  # fmt: skip
    same = old is not None and _told(old) == _told(new)
    for client, is_present in new.clients.items():
        outcome = new.outcomes.get(client)
        tell = new.tells.get(client)
        if same and old is not None:
            was = (before.get(client), old.outcomes.get(client), old.tells.get(client))
            if was == (is_present, outcome, tell):
                continue
        yield (client, event(
            booked=new.booked, present=is_present, view=new.view, replaces=new.replaces, outcome=outcome, notify=new.notify,
            details=new.details, tell=tell,
        ))  # fmt: skip
    if old is None:
        return
    for client, was_present in before.items():
        if client not in new.clients and (old.booked or not was_present):  # who was absent has not been told that it is cancelled
            yield (client, event(
                booked=False, present=True, view=old.view, notify=old.notify, details=old.details, tell=old.tells.get(client)
            ))  # fmt: skip


def _told(snapshot: Snapshot) -> tuple[object, ...]:
    """Return what every client of an appointment hears of alike."""
    return snapshot.booked, snapshot.view, snapshot.replaces, snapshot.notify, snapshot.details


class Fate(NamedTuple):
    """What became of an appointment for one client, None where nobody says, and when it is."""

    outcome: Outcome | None
    view: View


def became(organisation: str, appointment: str, old: Snapshot | None, new: Snapshot, now: datetime) -> Iterator[OutcomeRecord]:
    """Yield what became of an appointment, for each client of whom that is new, or taken back."""
    before = old.outcomes if old is not None else {}
    for client in sorted(before.keys() | new.outcomes.keys()):
        was = Fate(before.get(client), old.view) if old is not None else None
        key = ClientKey(organisation, client)
        yield from fate_records(key, appointment, new.revision, was, Fate(new.outcomes.get(client), new.view), now)


def fate_records(
    key: ClientKey, appointment: str, revision: int, was: Fate | None, fate: Fate, now: datetime
) -> Iterator[OutcomeRecord]:  # fmt: skip
    """Yield the record of what became of an appointment, where that is new, is of other times by now, or is taken back."""
    times = (fate.view.start, fate.view.end)
    same_times = was is not None and (was.view.start, was.view.end) == times
    if fate.outcome != (was.outcome if was is not None else None) or (fate.outcome is not None and not same_times):
        yield OutcomeRecord(
            organisation=key.organisation, client=key.client, appointment=appointment, revision=revision, outcome=fate.outcome,
            start=times[0], end=times[1], at=now,
        )  # fmt: skip
