"""Status reports applied to a sender's ledger: what arrived, what failed, and what went out after all."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from schemas.deliveries import DeliveryReport
from schemas.ledger import LedgerRow

from ..processing.turn import Decision
from .final_reports import is_back, take_back
from .ledger import Ledger, queue_key, whose_is
from .outcomes import next_try
from .report_rules import NO_SMS, STOPPED, accepted_pieces, billed_parts, correction, is_passing, status_key, verdict, with_report


class Reports:
    """Applies reports to a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def hear(self, decision: Decision, report: DeliveryReport, now: datetime) -> None:
        """Hear a status report. States only move forward, whatever the order of reports and however often they come."""
        name = self.ledger.name(report.organisation, report.client, report.message, report.recipient)
        row = self.ledger.get(decision, name)
        if row is None or not 0 <= report.attempt <= row.attempt or report.piece < 0:
            decision.count("reported", "unknown")
            return
        heard = with_report(row, report)
        if heard is None:
            decision.count("reported", "repeated")
            return
        decision.count("reported", report.status)
        self.ledger.keep(decision, name, heard)
        if report.error == STOPPED:
            self.ledger.opt_out(decision, name, row.mark)
        elif report.error in NO_SMS and report.status == "delivery_failed":
            self.ledger.bounce(decision, name, row.mark)
        if heard.delivery is None:
            self.conclude(decision, name, now)
        elif heard.status != "claimed" and not heard.settling and not self.settle_if_accepted(decision, name, heard, now):
            latest = (report.attempt, report.piece) == (heard.attempt, heard.piece)
            if latest and is_passing(report) and heard.status == "unknown" and heard.next_at is not None:
                self.ledger.queues.release(whose_is(name), name)
                at = next_try(heard.delivery, heard.attempt, now)
                self.ledger.again(decision, name, heard, at, "retrying", f"report: {status_key(report)}", now)
        self.ledger.consider(decision, whose_is(name), now)

    def settle_if_accepted(self, decision: Decision, name: str, row: LedgerRow, now: datetime) -> bool:
        """Tell whether reports prove that the provider has more of a message than was known: then it is said, not sent again."""
        found = accepted_pieces(row)
        if found is row:
            return False
        self.ledger.queues.release(whose_is(name), name)
        self.ledger.queues.remove(whose_is(name), queue_key(name, row))
        self.ledger.wait(decision, name, replace(found, status="retrying", settling=True, at=now, next_at=None))
        return True

    def conclude(self, decision: Decision, name: str, now: datetime) -> None:
        """Conclude a message that was sent: whether it arrived, what the provider bills, and whether it comes back."""
        self._end(decision, name, now)
        row = self.ledger.get(decision, name)
        if row is not None and row.reason is not None and is_back(row, now):
            take_back(self.ledger, decision, name, row, now)

    def _end(self, decision: Decision, name: str, now: datetime) -> None:
        row = self.ledger.get(decision, name)
        found = verdict(row) if row is not None else None
        if row is None or found is None or row.reason is None or row.status in ("delivered", found[0]):
            return
        status, words = found
        detail = f"report: {words}" if status == "failed" else None
        if (parts := billed_parts(row)) is not None:
            decision.count("parts_differ", "report")
            detail = f"{detail or ''}; {correction(parts, sum(row.parts))}".removeprefix("; ")
        if status == "delivered" and row.status == "sent":
            decision.measure("reports", self.ledger.channel, time=now - row.at)
        self.ledger.log_after(decision, name, row, status, now, detail)
        self.ledger.keep(decision, name, replace(row, status=status))
