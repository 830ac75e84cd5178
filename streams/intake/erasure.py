"""Take a client off the appointments that intake keeps."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.keys import ClientKey
from schemas.state import Snapshot
from schemas.topics import SNAPSHOTS
from schemas.wire import encode

from ..processing.rows import Rows
from ..processing.turn import Decision


def strip_snapshots(rows: Rows, decision: Decision, organisation: str, client: str) -> tuple[tuple[str, ...], bool]:
    """Take the client off the appointments that this processor keeps; return those appointments' ids, and whether these are all.

    They are not all where the decision is full: a group has a thousand clients, and a client may be in hundreds of groups.
    A row stays with its revision, so that a repetition is known. Where nobody else is on it, its place and series go too.
    """
    found: list[str] = []
    for key, snapshot in list(rows.current(decision, SNAPSHOTS, f"{organisation}/")):
        if client in snapshot.clients:
            if decision.full:
                return tuple(found), False
            found.append(key.split("/")[1])
            decision.erase(SNAPSHOTS.row(key), encode(without(snapshot, client)))
    return tuple(found), True


def strip_person(rows: Rows, decision: Decision, key: ClientKey, person: str) -> bool:
    """Take one who acts for a client off the appointments that say so; return whether these were all."""
    for name, snapshot in list(rows.current(decision, SNAPSHOTS, f"{key.organisation}/")):
        if person in (tell := snapshot.tells.get(key.client, ())):
            if decision.full:
                return False
            left = {**snapshot.tells, key.client: tuple(one for one in tell if one != person)}
            decision.erase(SNAPSHOTS.row(name), encode(replace(snapshot, tells=left, stripped=True)))
    return True


def strip_employee(rows: Rows, decision: Decision, organisation: str, employee: str) -> tuple[tuple[str, ...], bool]:
    """Take an employee off the appointments that this processor keeps; return their ids, and whether these are all."""
    found: list[str] = []
    for key, snapshot in list(rows.current(decision, SNAPSHOTS, f"{organisation}/")):
        if employee in snapshot.employees:
            if decision.full:
                return tuple(found), False
            found.append(key.split("/")[1])
            left = {other: attends for other, attends in snapshot.employees.items() if other != employee}
            decision.erase(SNAPSHOTS.row(key), encode(replace(snapshot, employees=left, stripped=True)))
    return tuple(found), True


def without(snapshot: Snapshot, client: str) -> Snapshot:
    """Return the snapshot without the client's share."""
    clients = {other: present for other, present in snapshot.clients.items() if other != client}
    outcomes = {other: outcome for other, outcome in snapshot.outcomes.items() if other != client}
    tells = {other: tell for other, tell in snapshot.tells.items() if other != client}
    view = snapshot.view if clients else replace(snapshot.view, location=None, series=None)
    return replace(snapshot, clients=clients, outcomes=outcomes, tells=tells, view=view, stripped=True)
