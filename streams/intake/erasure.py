"""Take a client, one who acts for a client, or an employee off the appointments that intake keeps."""

from __future__ import annotations

from collections.abc import Callable

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
    return _strip(rows, decision, organisation, lambda one: without(one, client) if client in one.clients else None)


def strip_person(rows: Rows, decision: Decision, key: ClientKey, person: str) -> bool:
    """Take one who acts for a client off the appointments that say so; return whether these were all."""

    def without_person(snapshot: Snapshot) -> Snapshot | None:
        if person not in (tell := snapshot.tells.get(key.client, ())):
            return None
        left = {**snapshot.tells, key.client: tuple(one for one in tell if one != person)}
        return replace(snapshot, tells=left, stripped=True)

    return _strip(rows, decision, key.organisation, without_person)[1]


def strip_employee(rows: Rows, decision: Decision, organisation: str, employee: str) -> tuple[tuple[str, ...], bool]:
    """Take an employee off the appointments that this processor keeps; return their ids, and whether these are all."""

    def without_employee(snapshot: Snapshot) -> Snapshot | None:
        if employee not in snapshot.employees:
            return None
        left = {other: attends for other, attends in snapshot.employees.items() if other != employee}
        return replace(snapshot, employees=left, stripped=True)

    return _strip(rows, decision, organisation, without_employee)


def _strip(
    rows: Rows, decision: Decision, organisation: str, left: Callable[[Snapshot], Snapshot | None]
) -> tuple[tuple[str, ...], bool]:  # fmt: skip
    """Rewrite the appointments of an organisation of which something goes; return their ids, and whether these are all.

    `left`: what stays of one; None where nothing goes.
    """
    found: list[str] = []
    for key, snapshot in list(rows.current(decision, SNAPSHOTS, f"{organisation}/")):
        if (stays := left(snapshot)) is not None:
            if decision.full:
                return tuple(found), False
            found.append(key.split("/")[1])
            decision.erase(SNAPSHOTS.row(key), encode(stays))
    return tuple(found), True


def without(snapshot: Snapshot, client: str) -> Snapshot:
    """Return the snapshot without the client's share."""
    clients = {other: present for other, present in snapshot.clients.items() if other != client}
    outcomes = {other: outcome for other, outcome in snapshot.outcomes.items() if other != client}
    tells = {other: tell for other, tell in snapshot.tells.items() if other != client}
    view = snapshot.view if clients else replace(snapshot.view, location=None, series=None)
    return replace(snapshot, clients=clients, outcomes=outcomes, tells=tells, view=view, stripped=True)
