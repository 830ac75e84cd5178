"""Erasure: what each node forgets of a client. All that was known goes; what upstream says later is new, and counts.

What was decided and not sent yet ends in the log as `suppressed`, `erased`; what was not decided yet was never promised. What is
under way at the provider is logged when its answer comes, without text and address, since its cost is the organisation's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from schemas.deliveries import ERASED, Cost, Status
from schemas.state import LedgerRow, Snapshot
from schemas.topics import SNAPSHOTS
from schemas.wire import encode

from .ledger import Ledger, place_of
from .outcomes import Outcome
from .rows import Rows
from .turn import Decision


def strip_snapshots(rows: Rows, decision: Decision, organisation: str, client: str) -> tuple[str, ...]:
    """Take the client off every appointment that this shard keeps; gives the appointments' ids.

    A row stays with its revision, so that a repetition is known. Where nobody else is on it, its place and series go too.
    """
    found = []
    for key, snapshot in list(rows.current(decision, SNAPSHOTS, f"{organisation}/")):
        if client in snapshot.clients:
            found.append(key.split("/")[1])
            decision.erase(SNAPSHOTS.row(key), encode(without(snapshot, client)))
    return tuple(found)


def without(snapshot: Snapshot, client: str) -> Snapshot:
    """The snapshot without the client's share."""
    clients = {other: present for other, present in snapshot.clients.items() if other != client}
    view = snapshot.view if clients else replace(snapshot.view, location=None, series=None)
    return replace(snapshot, clients=clients, view=view)


def erase_messages(ledger: Ledger, decision: Decision, client: str, now: datetime) -> None:
    """Forget all messages of a client (`organisation/client`); one that is under way is forgotten with its outcome."""
    rows: list[tuple[str, Any]] = list(ledger.rows.current(decision, ledger.table, f"{client}/"))
    for key, row in rows:
        name = f"{ledger.table.name}/{key}"
        if row.status == "claimed":
            ledger.keep(decision, name, replace(row, erased=True))
            continue
        ledger.lanes.release(client, name)
        ledger.lanes.remove(client, place_of(name, row))
        if row.delivery is not None and (row.status in ("waiting", "retrying") or row.next_at is not None):
            status: Status = "sent" if row.settling else "suppressed"
            ledger.log(decision, row.delivery, status, row.attempt, now, ERASED, template=row.template)
        ledger.forget(decision, name)


def end_erased(
    ledger: Ledger, decision: Decision, name: str, row: LedgerRow, outcome: Outcome, cost: Cost | None, now: datetime
) -> None:
    """The outcome of a call whose client was erased meanwhile. It is not tried again."""
    if row.delivery is not None:
        status: Status = "sent" if outcome.kind == "sent" else "unknown" if outcome.kind == "unknown" else "suppressed"
        ledger.log(
            decision, row.delivery, status, row.attempt, now, ERASED, parts=outcome.parts, cost=cost, template=row.template
        )  # fmt: skip
    ledger.forget(decision, name)
