"""Senders: check again, claim in the ledger, have it sent, log what became of it (`streams/README.md`, "Sending").

A claim is a row: it is durable before the provider is called.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.deliveries import NO_WORDS, REROUTED, Delivery
from schemas.inputs import Channel, Organisation
from schemas.keys import RecipientKey
from schemas.ledger import LedgerRow
from schemas.topics import DELIVERY_REPORTS, Table

from ..employees.employees import Employees
from ..notices.gates import address, mark_of, masked
from ..notices.notices import Notices
from ..processing.dead_letters import take_records
from ..processing.local_time import KEPT
from ..processing.log_records import template_for
from ..processing.own_records import delivery, recipient_key, report
from ..processing.turn import Call, Decision, Processor, ProcessorFactory, Record, Result, Turn
from .erasure import end_erased, erase_messages
from .final_reports import ahead_until, forgetful
from .ledger import OPEN, Ledger, is_open, queue_key, whose_is
from .outcomes import REPORT_WAIT, UNBILLED, Billed, Outcome, SendCall, billed_for, in_part, next_try, with_pieces
from .recheck import recheck
from .status_reports import Reports
from .throttle import UNLIMITED, RateLimits, Throttle
from .wordless import end_wordless

CLAIM_LASTS = timedelta(seconds=30)
"""Nobody resolves a claim younger than this: its holder may still be calling."""


class Sending:
    """The processor of one channel's sender for one partition. It reads those of notices and employees of the same partition."""

    def __init__(
        self, channel: Channel, table: Table[LedgerRow], partition: int, rows: MutableMapping[bytes, bytes], notices: Notices,
        employees: Employees, throttle: Throttle | None = None,
    ) -> None:  # fmt: skip
        self.channel, self.traits, self.notices, self.employees = channel, CHANNELS[channel], notices, employees
        self.ledger = Ledger(channel, table, partition, rows)
        self.reports = Reports(self.ledger)
        self.queues, self.timers = self.ledger.queues, self.ledger.timers
        self.throttle = throttle or Throttle()

    # -- what the driver asks ------------------------------------------------------------------------------------------

    @property
    def paused_until(self) -> datetime:
        """Until when the channel is paused; long ago where it is not."""
        return self.throttle.paused_until

    def loaded(self) -> None:
        """Find the open messages and their order again."""
        self.ledger.load()

    def decide(self, turn: Turn) -> Decision:
        """Handle outcomes, then what is due, then reports and new deliveries; then start as many calls as there is room for."""
        decision, now = Decision(), turn.now
        for number, result in enumerate(turn.results):
            if decision.full:
                decision.settled = number
                break
            self._settle(decision, result, now)
        if not decision.full:
            for name in self.timers.due(turn.due, turn.limit):
                self._look(decision, name, now)
                if decision.full:
                    break
        take_records(decision, turn, self._take)
        room = turn.room
        while room > 0 and not decision.full and self.throttle.allows_at(None) <= now:
            client = self.queues.next(lambda organisation: self.throttle.allows_at(organisation) <= now)
            if client is None:
                break
            room -= self._start(decision, client, now)
        decision.more = self.timers.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Do nothing: queues and moments are kept as they are decided."""

    def next_due(self) -> datetime | None:
        """Return the next moment to look at a row, or to use room that was missing."""
        upcoming = self.timers.next()
        if not self.queues.ready_organisations:
            return upcoming
        opens = self.throttle.allows_any_at(self.queues.ready_organisations)
        return opens if upcoming is None else min(opens, upcoming)

    def _take(self, decision: Decision, record: Record, turn: Turn) -> None:
        if record.topic == DELIVERY_REPORTS.name:
            self.reports.hear(decision, report(record), turn.now)
        elif record.value is None:  # a null value erases whose key it has
            if not erase_messages(self.ledger, decision, recipient_key(record), turn.now):
                decision.comes_again()
        else:
            self._enqueue(decision, delivery(record, self.channel), record.offset, turn.now)

    # -- the way of a message ------------------------------------------------------------------------------------------

    def _enqueue(self, decision: Decision, delivery: Delivery, order: int, now: datetime) -> None:
        """Queue a delivery; drop one that the ledger knows, and tell notices how it ended if it did."""
        name = self.ledger.name(delivery.organisation, delivery.client, delivery.message, delivery.recipient)
        if (known := self.ledger.get(decision, name)) is not None:
            if not is_open(known):
                self.ledger.tell(decision, delivery, known)
            return
        keep = max(now, delivery.useful_until or now) + KEPT
        row = LedgerRow(status="waiting", order=order, delivery=delivery, at=now, keep_until=keep)
        self.ledger.wait(decision, name, row)
        self.ledger.consider(decision, whose_is(name), now, name, row)

    def _start(self, decision: Decision, client: RecipientKey, now: datetime) -> int:
        """Check the client's head again and claim it; return the number of calls that this starts (1 or 0)."""
        name = self.queues.head(client)
        row = self.ledger.get(decision, name) if name is not None else None
        if name is None or row is None or (row.next_at is not None and row.next_at > now):
            return 0
        if row.delivery is None:
            raise AssertionError("an open message without its delivery")
        self.queues.take(client)
        facts = self.notices.facts(client, now) if client.client else self.employees.facts(client)
        if row.settling:
            if facts.organisation is not None:
                self._claim(decision, name, row, SendCall(
                    delivery=row.delivery, organisation=facts.organisation, address="", attempt=row.attempt,
                    piece=row.piece, now=now, settle=True, call_name=facts.call_name,
                ))  # fmt: skip
                return 1
            self._sent(decision, name, row, Outcome(kind="sent", piece=row.piece), now)
            self.ledger.consider(decision, client, now)
            return 0
        agenda = self.notices.agenda(client) if client.client else self.employees.agenda(client)
        verdict = recheck(row.delivery, facts, agenda, now, unsure=row.unknowns > 0, begun=row.piece > 0)
        delivery = verdict.delivery
        if verdict.status is not None:
            template = template_for(facts.organisation, delivery)
            detail = in_part(row, verdict.detail)
            self.ledger.log(decision, delivery, verdict.status, row.attempt, now, detail, template=template)
            self.ledger.end(decision, name, row, verdict.status, now, back=verdict.back)
            self.ledger.consider(decision, client, now)
            return 0
        if facts.contact is None or facts.organisation is None:
            raise AssertionError("a gate is open of what is not known")
        to, attempt = address(facts.contact, self.channel), row.attempt + 1
        if attempt == 1:
            decision.measure("claims", self.channel, delivery.reason, time=now - (delivery.due or delivery.decided))
        row = replace(row, delivery=delivery, attempt=attempt, address=masked(to), mark=mark_of(to))
        self.throttle.start(delivery.organisation, now)
        self._claim(decision, name, row, SendCall(
            delivery=delivery, organisation=facts.organisation, address=to, attempt=attempt, piece=row.piece, now=now,
            call_name=facts.call_name,
        ))  # fmt: skip
        return 1

    def _claim(self, decision: Decision, name: str, row: LedgerRow, request: SendCall) -> None:
        self.queues.hold(whose_is(name), name)
        template = row.template if request.settle else template_for(request.organisation, request.delivery)
        until = request.now + CLAIM_LASTS
        self.ledger.keep(decision, name, replace(row, status="claimed", at=request.now, next_at=until, template=template))
        decision.calls.append(Call(name.encode(), request, request.delivery.message, request.attempt))

    def _settle(self, decision: Decision, result: Result, now: datetime) -> None:
        """Settle what becomes of a message after a call."""
        name = result.key.decode()
        row = self.ledger.get(decision, name)
        if row is None or row.delivery is None or row.status not in OPEN:
            return  # resolved meanwhile
        if result.number not in (0, row.attempt) and getattr(result.outcome, "kind", None) != "sent":
            return  # of an earlier call, which was given up meanwhile: all it could tell is that the provider has it
        if not result.made:
            self._not_made(decision, name, row, now)
            return
        outcome: Outcome = result.outcome or Outcome(kind="unknown", detail="no_answer", piece=row.piece)
        if outcome.kind == "unknown" and row.status != "claimed":
            return  # the claim was given up meanwhile, which said the same
        client, delivery = whose_is(name), row.delivery
        self.queues.release(client, name)
        self.queues.remove(client, queue_key(name, row))
        if row.settling and outcome.kind not in ("sent", "retry"):  # it could not be worded: it was sent all the same
            outcome = Outcome(kind="sent", detail=NO_WORDS, piece=row.piece)
        elif not row.settling and outcome.kind != "no_words":
            decision.count("answers", self.channel, outcome.kind)
        billed = billed_for(row, outcome, self.channel, self._settings(delivery))
        row = replace(with_pieces(row, outcome), provider=outcome.provider or row.provider, settling=False)
        if outcome.kind in ("sent", "permanent_address", "permanent_message"):
            self.throttle.succeeded(delivery.organisation)
        if row.erased:
            end_erased(self.ledger, decision, name, row, outcome, now, billed)
        elif outcome.kind == "sent":
            self._sent(decision, name, row, outcome, now, billed)
        elif self.reports.settle_if_accepted(decision, name, row, now):
            pass
        elif outcome.kind == "no_words":
            end_wordless(self.ledger, decision, name, row, outcome.wordless, now)
        elif outcome.kind == "unknown":
            self._unknown(decision, name, row, outcome.detail, now, billed, outcome.repeatable)
        elif outcome.kind == "stop":
            self._stop(decision, outcome.whose, delivery.organisation, now)
            self.ledger.again(decision, name, row, now, "retrying", outcome.detail, now, billed)
        elif outcome.kind == "retry":
            again = next_try(delivery, row.attempt, now, outcome.retry_after)
            self.ledger.again(decision, name, row, again, "retrying", outcome.detail, now, billed)
        else:
            self.ledger.log_call(decision, row, "failed", now, outcome.detail or outcome.kind, billed)
            if outcome.kind == "permanent_address":
                self.ledger.bounce(decision, name, row.mark)
                if not row.unknowns:
                    self.ledger.log(decision, delivery, "superseded", row.attempt, now, REROUTED, template=row.template)
            self.ledger.end(decision, name, row, "failed", now, back=outcome.kind == "permanent_address")
        self.ledger.consider(decision, client, now)

    def _not_made(self, decision: Decision, name: str, row: LedgerRow, now: datetime) -> None:
        """Try again at once: the call never began, too long after its claim, so nothing can have been sent."""
        if row.status != "claimed":
            return  # the claim was given up meanwhile: what it was taken for is in the log, and goes its way
        client = whose_is(name)
        self.queues.release(client, name)
        self.queues.remove(client, queue_key(name, row))
        if row.erased:
            end_erased(self.ledger, decision, name, row, Outcome(kind="retry"), now)
        elif row.settling:
            self.ledger.wait(decision, name, replace(row, status="retrying", at=now, next_at=None))
        else:
            self.ledger.again(decision, name, row, now, "retrying", "not_made", now)
        self.ledger.consider(decision, client, now)

    def _sent(
        self, decision: Decision, name: str, row: LedgerRow, outcome: Outcome, now: datetime, billed: Billed = UNBILLED
    ) -> None:
        """Log that the provider has it; reports may have said more already."""
        if row.delivery is None:
            return
        delivery, detail = row.delivery, outcome.detail
        if outcome.counted is not None:
            decision.count("parts_differ", "answer")
            detail = f"{detail or ''}; {outcome.counted} parts by our own count".removeprefix("; ")
        text = None if delivery.reason == "request" else outcome.text
        self.ledger.log(decision, delivery, "sent", row.attempt, now, detail, text, billed, row.address, row.template)
        self.ledger.end(decision, name, replace(row, until=ahead_until(delivery, self._settings(delivery))), "sent", now)
        self.reports.conclude(decision, name, now)

    def _settings(self, delivery: Delivery) -> Organisation | None:
        found = self.notices.settings.get(delivery.organisation)
        return found.organisation if found is not None else None

    def _stop(self, decision: Decision, whose: str, organisation: str, now: datetime) -> None:
        """Pause the channel, or one organisation's messages on it, for it is our own fault. What waits is not lost."""
        if whose == "organisation":
            if self.throttle.failed(organisation, now):
                decision.count("organisation_pauses", self.channel)
        elif self.throttle.failed(None, now):
            decision.count("pauses", self.channel)

    def _unknown(
        self, decision: Decision, name: str, row: LedgerRow, detail: str | None, now: datetime, billed: Billed = UNBILLED,
        repeatable: bool = False,
    ) -> None:  # fmt: skip
        """Keep what was perhaps sent. An e-mail goes again under its Message-ID; an SMS once, after waiting for its report."""
        if row.delivery is None:
            return
        delivery, row = row.delivery, replace(row, unknowns=row.unknowns + 1)
        if self.traits.repeats_by_itself or repeatable:
            self.ledger.again(decision, name, row, next_try(delivery, row.attempt, now), "unknown", detail, now, billed)
            return
        self.ledger.log_call(decision, row, "unknown", now, detail, billed)
        if row.unknowns > 1:
            self.ledger.end(decision, name, row, "unknown", now)
            return
        self.queues.hold(whose_is(name), name)
        self.ledger.keep(decision, name, replace(row, status="unknown", at=now, next_at=now + REPORT_WAIT))

    def _look(self, decision: Decision, name: str, now: datetime) -> None:
        """Look at a row whose moment has come."""
        row = self.ledger.get(decision, name)
        if row is None:
            return
        client = whose_is(name)
        if not is_open(row):
            if row.keep_until <= now:
                decision.put(name.encode(), None)
            else:
                self.ledger.keep(decision, name, forgetful(row))
        elif row.status == "claimed":  # its holder is gone, or could not call in time: nobody knows whether it was sent
            self.queues.release(client, name)
            if row.erased:
                end_erased(self.ledger, decision, name, row, Outcome(kind="unknown"), now)
            elif row.settling:
                self.ledger.wait(decision, name, replace(row, status="retrying", next_at=None))
            elif not self.reports.settle_if_accepted(decision, name, row, now):
                self._unknown(decision, name, row, "claim_abandoned", now)
        elif row.status == "unknown":  # no report came
            self.queues.release(client, name)
            self.ledger.wait(decision, name, replace(row, status="retrying", next_at=None))
        self.ledger.consider(decision, client, now)


def sending(channel: Channel, table: Table[LedgerRow], limits: RateLimits = UNLIMITED) -> ProcessorFactory:
    """Return the factory of a channel's sender processors.

    They share one throttle: a provider sees one worker, not partitions.
    """
    throttle = Throttle(limits)

    def make(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Sending:
        notices, employees = peers["notices"], peers["employees"]
        if not isinstance(notices, Notices) or not isinstance(employees, Employees):
            raise TypeError("a sender reads the processors of notices and employees of its partition")
        return Sending(channel, table, partition, rows, notices, employees, throttle)

    return make
