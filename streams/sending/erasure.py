"""Forget a client's messages. What is not sent yet ends in the log as `suppressed`, `erased`.

A message that is under way at the provider is logged when its answer comes, without text and address: its cost is the
organisation's.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from schemas.deliveries import ERASED, Status
from schemas.keys import RecipientKey
from schemas.ledger import LedgerRow

from ..processing.turn import Decision
from .ledger import Ledger, queue_key, whose_is
from .outcomes import UNBILLED, Billed, Outcome


def erase_messages(ledger: Ledger, decision: Decision, whose: RecipientKey, now: datetime) -> bool:
    """Forget the messages of a client, or of one who acts for it; one that is under way is forgotten with its outcome.

    Returns whether that was all: where the decision is full it is not.
    """
    rows = list(ledger.rows.current(decision, ledger.table, f"{whose}/"))
    for key, row in rows:
        name = f"{ledger.table.name}/{key}"
        if row.erased:
            continue
        if decision.full:
            return False
        if row.status == "claimed":
            ledger.keep(decision, name, replace(row, erased=True))
            continue
        ledger.queues.release(whose_is(name), name)
        ledger.queues.remove(whose_is(name), queue_key(name, row))
        if row.delivery is not None and (row.status in ("waiting", "retrying") or row.next_at is not None):
            status: Status = "sent" if row.settling else "suppressed"
            ledger.log(decision, row.delivery, status, row.attempt, now, ERASED, template=row.template)
        ledger.forget(decision, name)
    return True


def end_erased(
    ledger: Ledger, decision: Decision, name: str, row: LedgerRow, outcome: Outcome, now: datetime,
    billed: Billed = UNBILLED,
) -> None:  # fmt: skip
    """Log the outcome of a call whose client was erased meanwhile. It is not tried again."""
    if row.delivery is not None:
        status: Status = "sent" if outcome.kind == "sent" else "unknown" if outcome.kind == "unknown" else "suppressed"
        ledger.log(decision, row.delivery, status, row.attempt, now, ERASED, billed=billed, template=row.template)
    ledger.forget(decision, name)
