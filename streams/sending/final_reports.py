"""A final report that a message surely reached nobody: it comes back (`streams/README.md`, "A message flies")."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.deliveries import REROUTED, Delivery
from schemas.inputs import Organisation
from schemas.ledger import LedgerRow

from ..notices.agenda import zone_of
from ..notices.undoing import WITHIN
from ..notices.words import start_of
from ..processing.local_time import instant_of
from ..processing.turn import Decision
from .ledger import Ledger
from .report_rules import number_takes_none


def ahead_until(delivery: Delivery, organisation: Organisation | None) -> datetime | None:
    """Return until when something of what it says is ahead; of a request its end, None where it has none."""
    if delivery.request is not None:
        return delivery.request.expires_at
    zone = zone_of(organisation)
    views = [view.start for notice in delivery.notices for view in (notice.was, notice.now) if view is not None]
    members = [member for notice in delivery.notices for member in notice.members]
    words = [start_of(each, zone) for member in members for each in (member.was, member.now) if each is not None]
    days = [instant_of(notice.day, "00:00", zone) + timedelta(days=1) for notice in delivery.notices if notice.day and not words]
    return max([*views, *words, *days], default=None)


def is_back(row: LedgerRow, now: datetime) -> bool:
    """Tell whether reports say that what was sent can be decided anew: every piece failed at the number itself, and in time.

    Never after an outcome that nobody knows, and not of a message that came back before.
    """
    in_time = now < row.at + WITHIN and (row.until is None or now < row.until)
    return row.became == "out" and not row.unknowns and row.status != "delivered" and in_time and number_takes_none(row)


def take_back(ledger: Ledger, decision: Decision, name: str, row: LedgerRow, now: datetime) -> None:
    """Say that nobody got it, and that what it said is decided anew."""
    ledger.log_after(decision, name, row, "superseded", now, REROUTED)
    ledger.came_back(decision, name, row)
    ledger.keep(decision, name, forgetful(replace(row, became="back")))


def forgetful(row: LedgerRow) -> LedgerRow:
    """Return the row of a message that is not decided anew any more: it keeps no request."""
    return replace(row, request=None, next_at=None)
