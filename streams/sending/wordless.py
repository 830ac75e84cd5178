"""Notices that cannot be worded end, they alone: the others of their message go. It is a fault of ours, and nobody was called."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from schemas.deliveries import NO_WORDS
from schemas.ledger import LedgerRow

from ..processing.turn import Decision
from .ledger import Ledger


def end_wordless(ledger: Ledger, decision: Decision, name: str, row: LedgerRow, wordless: tuple[str, ...], now: datetime) -> None:
    """Log these notices (by id) as failed, and have the rest go at once. Of a message that went in part none can go any more."""
    delivery = row.delivery
    if delivery is None:
        return
    notices = delivery.notices
    named = tuple(one for one in notices if one.id in wordless) if row.piece == 0 else ()
    gone = named or notices
    decision.count("wordless", ledger.channel, times=len(gone))
    ledger.log(
        decision, replace(delivery, notices=gone), "failed", row.attempt, now, NO_WORDS, address=row.address,
        template=row.template,
    )  # fmt: skip
    row = replace(row, wordless=(*row.wordless, *[one.id for one in gone]))
    if len(gone) == len(notices):
        ledger.end(decision, name, row, "failed", now)
        return
    rest = replace(delivery, notices=tuple(one for one in notices if one not in gone))
    ledger.wait(decision, name, replace(row, status="retrying", delivery=rest, at=now, next_at=None))
