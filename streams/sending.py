"""Senders: check again, claim in the ledger, have it sent, log what became of it (DESIGN.md "Sending", "Never lost").

A claim is a row: it is durable before the provider is called.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from schemas.deliveries import Cost, Delivery
from schemas.inputs import Channel
from schemas.state import LedgerRow
from schemas.topics import DELIVERY_REPORTS, Table

from .agenda import KEPT
from .audit import template_of
from .erasure import end_erased, erase_messages
from .gates import address, mark_of, masked
from .ledger import OPEN, Ledger, client_of, place_of
from .notices import Notices
from .outcomes import REPORT_WAIT, Outcome, SendCall, cost_of, next_try
from .recheck import recheck
from .reports import Reports
from .turn import Call, Decision, Record, Result, Shard, ShardFactory, Turn
from .valve import UNLIMITED, Limits, Valve

CLAIM_LASTS = timedelta(seconds=30)
"""Nobody resolves a claim younger than this: its holder may still be calling."""

_delivery = msgspec.json.Decoder(Delivery).decode


class Sending:
    """The shard of one channel's sender for one partition. It reads the notices shard of the same partition."""

    def __init__(
        self, channel: Channel, table: Table, partition: int, rows: MutableMapping[bytes, bytes], notices: Notices,
        valve: Valve | None = None,
    ) -> None:  # fmt: skip
        self.channel, self.notices = channel, notices
        self.ledger = Ledger(channel, table, partition, rows)
        self.reports = Reports(self.ledger)
        self.lanes, self.moments = self.ledger.lanes, self.ledger.moments
        self.valve = valve or Valve()

    # -- what the driver asks ------------------------------------------------------------------------------------------

    @property
    def paused_until(self) -> datetime:
        """Until when the channel is paused; long ago where it is not."""
        return self.valve.paused_until

    def loaded(self) -> None:
        """Find the open messages and their order again."""
        self.ledger.load()

    def decide(self, turn: Turn) -> Decision:
        """Outcomes first, then what is due, then reports and new deliveries; at last as many calls as there is room for."""
        decision, now = Decision(), turn.now
        for result in turn.results:
            self._settle(decision, result, now)
        for name in self.moments.due(turn.due, turn.limit):
            self._look(decision, name, now)
        for record in turn.records:
            if decision.full:
                break
            decision.taken += 1
            if record.topic == DELIVERY_REPORTS.name:
                self.reports.hear(decision, record.value or b"", now)
            else:
                self._enqueue(decision, record, now)
        room = turn.room
        while room > 0 and not decision.full and self.valve.opens(None) <= now:
            client = self.lanes.next(lambda organisation: self.valve.opens(organisation) <= now)
            if client is None:
                break
            room -= self._start(decision, client, now)
        decision.more = self.moments.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Lanes and moments are kept as they are decided."""

    def next_due(self) -> datetime | None:
        """The next moment to look at a row, or to use room that was missing."""
        upcoming = self.moments.next()
        if not self.lanes.ready_organisations:
            return upcoming
        opens = self.valve.opens_for(self.lanes.ready_organisations)
        return opens if upcoming is None else min(opens, upcoming)

    # -- the way of a message ------------------------------------------------------------------------------------------

    def _enqueue(self, decision: Decision, record: Record, now: datetime) -> None:
        """A delivery waits; one that the ledger knows is a repetition and is dropped. A null value erases its client."""
        if record.value is None:
            erase_messages(self.ledger, decision, (record.key or b"").decode(), now)
            return
        delivery = _delivery(record.value)
        name = self.ledger.name(delivery.organisation, delivery.client, delivery.message)
        if self.ledger.get(decision, name) is not None:
            return
        keep = max(now, delivery.useful_until or now) + KEPT
        row = LedgerRow(status="waiting", order=record.offset, delivery=delivery, at=now, keep_until=keep)
        self.ledger.wait(decision, name, row)
        self.ledger.consider(decision, client_of(name), now)

    def _start(self, decision: Decision, client: str, now: datetime) -> int:
        """Check the client's head again and claim it; gives the number of calls that this starts (1 or 0)."""
        name = self.lanes.head(client)
        row = self.ledger.get(decision, name) if name is not None else None
        if name is None or row is None or (row.next_at is not None and row.next_at > now):
            return 0
        if row.delivery is None:
            raise AssertionError("an open message without its delivery")
        self.lanes.take(client)
        standing = self.notices.standing(row.delivery.organisation, row.delivery.client)
        if row.settling:
            if standing.organisation is not None:
                self._claim(decision, name, row, SendCall(
                    delivery=row.delivery, organisation=standing.organisation, address="", attempt=row.attempt,
                    piece=row.piece, now=now, settle=True,
                ))  # fmt: skip
                return 1
            self._sent(decision, name, row, Outcome(kind="sent", piece=row.piece), now)
            self.ledger.consider(decision, client, now)
            return 0
        agenda = self.notices.agenda(row.delivery.organisation, row.delivery.client)
        delivery, dropped = recheck(row.delivery, standing, agenda, now)
        for status, detail, notices in dropped:
            template = template_of(standing.organisation, self.channel)
            self.ledger.log(decision, replace(delivery, notices=notices), status, row.attempt, now, detail, template=template)
        if not delivery.notices or standing.contact is None or standing.organisation is None:
            self.ledger.end(decision, name, row, dropped[-1].status, now)
            self.ledger.consider(decision, client, now)
            return 0
        to, attempt = address(standing.contact, self.channel), row.attempt + 1
        if attempt == 1:
            decision.measure("claims", self.channel, delivery.reason, time=now - (delivery.due or delivery.decided))
        row = replace(row, delivery=delivery, attempt=attempt, address=masked(to), mark=mark_of(to))
        self.valve.started(delivery.organisation, now)
        self._claim(decision, name, row, SendCall(
            delivery=delivery, organisation=standing.organisation, address=to, attempt=attempt, piece=row.piece, now=now,
        ))  # fmt: skip
        return 1

    def _claim(self, decision: Decision, name: str, row: LedgerRow, request: SendCall) -> None:
        self.lanes.hold(client_of(name), name)
        template = row.template if request.settle else template_of(request.organisation, self.channel)
        until = request.now + CLAIM_LASTS
        self.ledger.keep(decision, name, replace(row, status="claimed", at=request.now, next_at=until, template=template))
        decision.calls.append(Call(name.encode(), request))

    def _settle(self, decision: Decision, result: Result, now: datetime) -> None:
        """What becomes of a message after a call."""
        name = result.key.decode()
        row = self.ledger.get(decision, name)
        if row is None or row.delivery is None or row.status not in OPEN:
            return  # resolved meanwhile
        outcome: Outcome = result.outcome or Outcome(kind="unknown", detail="no_answer", piece=row.piece)
        client, delivery = client_of(name), row.delivery
        self.lanes.release(client, name)
        self.lanes.remove(client, place_of(name, row))
        if row.settling and outcome.kind not in ("sent", "retry"):  # it could not be worded: it was sent all the same
            outcome = Outcome(kind="sent", detail="no_words", piece=row.piece)
        elif not row.settling:
            decision.count("answers", self.channel, outcome.kind)
        piece = max(row.piece, outcome.piece)
        carried = (*row.carried, *[row.attempt] * (piece - row.piece))
        row = replace(row, piece=piece, carried=carried, provider=outcome.provider or row.provider, settling=False)
        if outcome.kind in ("sent", "permanent_address", "permanent_message"):
            self.valve.taken(delivery.organisation)
        if row.erased:
            end_erased(self.ledger, decision, name, row, outcome, self._cost(delivery, outcome), now)
        elif outcome.kind == "sent":
            self._sent(decision, name, row, outcome, now)
        elif self.reports.is_resolved(decision, name, row, now):
            pass
        elif outcome.kind == "unknown":
            self._unknown(decision, name, row, outcome.detail, now, outcome.repeatable)
        elif outcome.kind == "stop":
            self._stop(decision, outcome.whose, delivery.organisation, now)
            self.ledger.again(decision, name, row, now, "retrying", outcome.detail, now)
        elif outcome.kind == "retry":
            again = next_try(delivery, row.attempt, now, outcome.retry_after)
            self.ledger.again(decision, name, row, again, "retrying", outcome.detail, now)
        else:
            detail = outcome.detail or outcome.kind
            self.ledger.log(
                decision, delivery, "failed", row.attempt, now, detail, address=row.address, template=row.template
            )  # fmt: skip
            self.ledger.end(decision, name, row, "failed", now)
            if outcome.kind == "permanent_address":
                self.ledger.bounce(decision, name, row.mark)
        self.ledger.consider(decision, client, now)

    def _sent(self, decision: Decision, name: str, row: LedgerRow, outcome: Outcome, now: datetime) -> None:
        """The provider has it; reports may have said more already."""
        if row.delivery is None:
            return
        delivery, detail, cost = row.delivery, outcome.detail, self._cost(row.delivery, outcome)
        if outcome.counted is not None:
            decision.count("parts_differ", "answer")
            detail = f"{detail or ''}; {outcome.counted} parts by our own count".removeprefix("; ")
        text = None if delivery.reason == "request" else outcome.text
        self.ledger.log(
            decision, delivery, "sent", row.attempt, now, detail, text, outcome.parts, cost, row.address, row.template
        )  # fmt: skip
        self.ledger.end(decision, name, replace(row, parts=outcome.each), "sent", now)
        self.reports.conclude(decision, name, now)

    def _cost(self, delivery: Delivery, outcome: Outcome) -> Cost | None:
        settings = self.notices.settings.get(delivery.organisation)
        return cost_of(outcome.parts, settings.organisation) if self.channel == "sms" and settings is not None else None

    def _stop(self, decision: Decision, whose: str, organisation: str, now: datetime) -> None:
        """Our own fault: the channel pauses, or one organisation's messages on it. What waits is not lost."""
        if whose == "organisation":
            if self.valve.refused(organisation, now):
                decision.count("organisation_pauses", self.channel)
        elif self.valve.refused(None, now):
            decision.count("pauses", self.channel)

    def _unknown(
        self, decision: Decision, name: str, row: LedgerRow, detail: str | None, now: datetime, repeatable: bool = False
    ) -> None:
        """Perhaps it was sent. An e-mail goes again under its Message-ID; an SMS once, after waiting for its report."""
        if row.delivery is None:
            return
        delivery, row = row.delivery, replace(row, unknowns=row.unknowns + 1)
        if self.channel == "email" or repeatable:
            self.ledger.again(decision, name, row, next_try(delivery, row.attempt, now), "unknown", detail, now)
            return
        self.ledger.log(
            decision, delivery, "unknown", row.attempt, now, detail, address=row.address, template=row.template
        )  # fmt: skip
        if row.unknowns > 1:
            self.ledger.end(decision, name, row, "unknown", now)
            return
        self.lanes.hold(client_of(name), name)
        self.ledger.keep(decision, name, replace(row, status="unknown", at=now, next_at=now + REPORT_WAIT))

    def _look(self, decision: Decision, name: str, now: datetime) -> None:
        """A moment of a row has come."""
        row = self.ledger.get(decision, name)
        if row is None:
            return
        client = client_of(name)
        if row.status not in OPEN or (row.status == "unknown" and row.next_at is None):
            if row.keep_until <= now:
                decision.put(name.encode(), None)
        elif row.status == "claimed":  # its holder is gone, or could not call in time: nobody knows whether it was sent
            self.lanes.release(client, name)
            if row.erased:
                end_erased(self.ledger, decision, name, row, Outcome(kind="unknown"), None, now)
            elif row.settling:
                self.ledger.wait(decision, name, replace(row, status="retrying", next_at=None))
            elif not self.reports.is_resolved(decision, name, row, now):
                self._unknown(decision, name, row, "claim_abandoned", now)
        elif row.status == "unknown":  # no report came
            self.lanes.release(client, name)
            self.ledger.wait(decision, name, replace(row, status="retrying", next_at=None))
        self.ledger.consider(decision, client, now)


def sending(channel: Channel, table: Table, limits: Limits = UNLIMITED) -> ShardFactory:
    """The factory of a channel's sender shards. They share one valve: a provider sees one worker, not its partitions."""
    valve = Valve(limits)

    def make(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Shard]) -> Sending:
        notices = peers["notices"]
        if not isinstance(notices, Notices):
            raise TypeError("a sender reads the notices shard of its partition")
        return Sending(channel, table, partition, rows, notices, valve)

    return make
