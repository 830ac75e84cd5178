"""Status reports applied to a sender's ledger: what arrived, what failed, and what went out after all."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from schemas.deliveries import DeliveryReport
from schemas.state import LedgerRow

from .ledger import Ledger, client_of, place_of
from .outcomes import next_try
from .receipts import NO_SMS, STOPPED, billed, correction, is_passing, noted, said, taken, verdict
from .turn import Decision

_report = msgspec.json.Decoder(DeliveryReport).decode


class Reports:
    """Applies reports to a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def hear(self, decision: Decision, value: bytes, now: datetime) -> None:
        """A status report. States only move forward, whatever the order of reports and however often they come."""
        try:
            report = _report(value)
        except msgspec.MsgspecError:
            decision.count("reported", "unreadable")
            return
        name = self.ledger.name(report.organisation, report.client, report.message)
        row = self.ledger.get(decision, name)
        if row is None or not 0 <= report.attempt <= row.attempt or report.piece < 0:
            decision.count("reported", "unknown")
            return
        heard = noted(row, report)
        if heard is None:
            decision.count("reported", "repeated")
            return
        decision.count("reported", report.status)
        self.ledger.keep(decision, name, heard)
        if report.error == STOPPED:
            self.ledger.opt_out(decision, name)
        elif report.error in NO_SMS and report.status == "delivery_failed":
            self.ledger.bounce(decision, name, row.mark)
        if heard.delivery is None:
            self.conclude(decision, name, now)
        elif heard.status != "claimed" and not heard.settling and not self.is_resolved(decision, name, heard, now):
            latest = (report.attempt, report.piece) == (heard.attempt, heard.piece)
            if latest and is_passing(report) and heard.status == "unknown" and heard.next_at is not None:
                self.ledger.lanes.release(client_of(name), name)
                at = next_try(heard.delivery, heard.attempt, now)
                self.ledger.again(decision, name, heard, at, "retrying", f"report: {said(report)}", now)
        self.ledger.consider(decision, client_of(name), now)

    def is_resolved(self, decision: Decision, name: str, row: LedgerRow, now: datetime) -> bool:
        """Whether reports prove that the provider has (more of) a message than was known: then it is said, not sent again."""
        found = taken(row)
        if found is row:
            return False
        self.ledger.lanes.release(client_of(name), name)
        self.ledger.lanes.remove(client_of(name), place_of(name, row))
        self.ledger.wait(decision, name, replace(found, status="retrying", settling=True, at=now, next_at=None))
        return True

    def conclude(self, decision: Decision, name: str, now: datetime) -> None:
        """A message that was sent: whether it arrived, and whether the provider bills what was logged."""
        row = self.ledger.get(decision, name)
        found = verdict(row) if row is not None else None
        if row is None or found is None or row.reason is None or row.status in ("delivered", found[0]):
            return
        status, words = found
        detail = f"report: {words}" if status == "failed" else None
        if (parts := billed(row)) is not None:
            decision.count("parts_differ", "report")
            detail = f"{detail or ''}; {correction(parts, sum(row.parts))}".removeprefix("; ")
        if status == "delivered" and row.status == "sent":
            decision.measure("reports", self.ledger.channel, time=now - row.at)
        self.ledger.log_after(decision, name, row, status, now, detail)
        self.ledger.keep(decision, name, replace(row, status=status))
