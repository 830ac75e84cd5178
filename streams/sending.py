"""Senders: check again, claim in the ledger, have it sent, log what became of it (DESIGN.md "Sending", "Never lost").

A claim is a row: it is durable before the provider is called. A message is open from `waiting` until a final status; what is
open is found again in the rows after a crash, so nothing is kept by offsets.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from schemas.deliveries import Cost, Delivery, LogRecord, Status
from schemas.inputs import Channel
from schemas.state import LedgerRow
from schemas.topics import DELIVERY_LOG, Table
from schemas.wire import encode, to_json

from .agenda import KEPT
from .gates import address, masked
from .lanes import Lanes, Place
from .messages import logged
from .moments import Moments
from .notices import Notices
from .outcomes import PAUSE, REPORT_WAIT, Outcome, SendCall, cost_of, next_try
from .recheck import recheck
from .rows import Rows
from .turn import Call, Decision, Output, Record, Result, Shard, ShardFactory, Turn

CLAIM_LASTS = timedelta(seconds=30)
"""Nobody resolves a claim younger than this: its holder may still be calling."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_delivery = msgspec.json.Decoder(Delivery).decode


class Sending:
    """The shard of one channel's sender for one partition. It reads the notices shard of the same partition."""

    def __init__(
        self, channel: Channel, table: Table, partition: int, rows: MutableMapping[bytes, bytes], notices: Notices
    ) -> None:
        self.channel, self.table, self.partition, self.notices = channel, table, partition, notices
        self.rows = Rows(rows)
        self.lanes = Lanes()
        self.moments = Moments()
        self.paused_until = EPOCH

    # -- what the driver asks ------------------------------------------------------------------------------------------

    def loaded(self) -> None:
        """Find the open messages and their order again."""
        for key in self.rows.base:
            row: LedgerRow | None = self.rows.get(None, self.table, key)
            if row is not None:
                self._place(key.decode(), row)
        for client in {client_of(key.decode()) for key in self.rows.base if key.startswith(self.table.row(""))}:
            self._consider(None, client, EPOCH)

    def decide(self, turn: Turn) -> Decision:
        """Outcomes first, then what is due, then new deliveries; at last as many calls as there is room for."""
        decision = Decision()
        for result in turn.results:
            self._settle(decision, result, turn.now)
        for name in self.moments.due(turn.due, turn.limit):
            self._look(decision, name, turn.now)
        for record in turn.records:
            if decision.full:
                break
            decision.taken += 1
            self._enqueue(decision, record, turn.now)
        room = turn.room
        while room > 0 and turn.now >= self.paused_until and not decision.full and (client := self.lanes.next()) is not None:
            room -= self._start(decision, client, turn.now)
        decision.more = self.moments.is_due(turn.due)
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Lanes and moments are kept as they are decided."""

    def next_due(self) -> datetime | None:
        """The next moment to look at a row, or to use room that was missing."""
        upcoming = self.moments.next()
        if not self.lanes.any_ready:
            return upcoming
        return self.paused_until if upcoming is None else min(self.paused_until, upcoming)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _keep(self, decision: Decision, name: str, row: LedgerRow) -> None:
        decision.put(name.encode(), encode(row))
        self.moments.put(name, (row.next_at or row.keep_until,))

    def _place(self, name: str, row: LedgerRow) -> None:
        """The lane and the next moment of a row that was found."""
        self.moments.put(name, (row.next_at or row.keep_until,))
        if row.delivery is None:
            return
        if row.status in ("claimed", "unknown"):
            self.lanes.hold(client_of(name), name)
        else:
            self.lanes.add(client_of(name), Place(row.delivery.reason == "reminder", row.order, name))

    def _consider(self, decision: Decision | None, client: str, now: datetime) -> None:
        """The client's head may go out, unless it is to be tried again later."""
        head = self.lanes.head(client)
        if head is None:
            return
        row: LedgerRow = self.rows.get(decision, self.table, head.encode())
        if row.next_at is None or row.next_at <= now:
            self.lanes.ready(client)

    # -- the way of a message ------------------------------------------------------------------------------------------

    def _enqueue(self, decision: Decision, record: Record, now: datetime) -> None:
        """A delivery waits; one that the ledger knows is a repetition and is dropped."""
        delivery = _delivery(record.value or b"")
        name = f"{self.table.name}/{delivery.organisation}/{delivery.client}/{delivery.message}"
        if self.rows.get(decision, self.table, name.encode()) is not None:
            return
        keep = max(now, delivery.useful_until or now) + KEPT
        row = LedgerRow(status="waiting", order=record.offset, delivery=delivery, at=now, keep_until=keep)
        decision.put(name.encode(), encode(row))
        client = client_of(name)
        self.lanes.add(client, Place(delivery.reason == "reminder", row.order, name))
        self._consider(decision, client, now)

    def _start(self, decision: Decision, client: str, now: datetime) -> int:
        """Check the client's head again and claim it; gives the number of calls that this starts (1 or 0)."""
        name = self.lanes.head(client)
        if name is None:
            return 0
        row: LedgerRow = self.rows.get(decision, self.table, name.encode())
        if row.delivery is None:
            raise AssertionError("an open message without its delivery")
        self.lanes.take(client)
        standing = self.notices.standing(row.delivery.organisation, row.delivery.client)
        agenda = self.notices.agenda(row.delivery.organisation, row.delivery.client)
        delivery, dropped = recheck(row.delivery, standing, agenda, now)
        for status, detail, notices in dropped:
            self._log(decision, replace(delivery, notices=notices), status, row.attempt, now, detail)
        if not delivery.notices or standing.contact is None or standing.organisation is None:
            self._end(decision, name, row, dropped[-1].status, now)
            self._consider(decision, client, now)
            return 0
        to = address(standing.contact, self.channel)
        attempt = row.attempt + 1
        claimed = replace(
            row, status="claimed", delivery=delivery, attempt=attempt, at=now, next_at=now + CLAIM_LASTS, address=masked(to)
        )
        self.lanes.hold(client, name)
        self._keep(decision, name, claimed)
        request = SendCall(
            delivery=delivery, organisation=standing.organisation, address=to, attempt=attempt, piece=row.piece, now=now
        )
        decision.calls.append(Call(name.encode(), request))
        return 1

    def _settle(self, decision: Decision, result: Result, now: datetime) -> None:
        """What becomes of a message after a call."""
        name = result.key.decode()
        row: LedgerRow | None = self.rows.get(decision, self.table, result.key)
        if row is None or row.delivery is None:
            return  # resolved meanwhile
        outcome: Outcome = result.outcome or Outcome(kind="unknown", detail="no_answer", piece=row.piece)
        client, delivery, attempt = client_of(name), row.delivery, row.attempt
        row = replace(row, piece=outcome.piece, provider=outcome.provider or row.provider)
        self.lanes.release(client, name)
        if outcome.kind == "sent":
            cost = None
            if self.channel == "sms" and (settings := self.notices.settings.get(delivery.organisation)) is not None:
                cost = cost_of(outcome.parts, settings.organisation)
            text = None if delivery.reason == "request" else outcome.text
            self._log(decision, delivery, "sent", attempt, now, outcome.detail, text, outcome.parts, cost, row.address)
            self._end(decision, name, row, "sent", now)
        elif outcome.kind == "unknown":
            self._unknown(decision, name, row, outcome.detail, now)
        elif outcome.kind == "stop":
            self.paused_until = now + PAUSE
            decision.count("pauses", self.channel)
            self._again(decision, name, row, now + PAUSE, "retrying", outcome.detail, now)
        elif outcome.kind == "retry":
            again = next_try(delivery, attempt, now, outcome.retry_after)
            self._again(decision, name, row, again, "retrying", outcome.detail, now)
        else:
            detail = outcome.detail or outcome.kind
            self._log(decision, delivery, "failed", attempt, now, detail, address=row.address)
            self._end(decision, name, row, "failed", now)
        self._consider(decision, client, now)

    def _unknown(self, decision: Decision, name: str, row: LedgerRow, detail: str | None, now: datetime) -> None:
        """Perhaps it was sent. An e-mail goes again under its Message-ID; an SMS once, after waiting for its report."""
        if row.delivery is None:
            return
        delivery, row = row.delivery, replace(row, unknowns=row.unknowns + 1)
        if self.channel == "email":
            self._again(decision, name, row, next_try(delivery, row.attempt, now), "unknown", detail, now)
            return
        self._log(decision, delivery, "unknown", row.attempt, now, detail, address=row.address)
        if row.unknowns > 1:
            self._end(decision, name, row, "unknown", now)
            return
        self.lanes.hold(client_of(name), name)
        self._keep(decision, name, replace(row, status="unknown", at=now, next_at=now + REPORT_WAIT))

    def _again(
        self,
        decision: Decision,
        name: str,
        row: LedgerRow,
        at: datetime | None,
        status: Status,
        detail: str | None,
        now: datetime,
    ) -> None:
        """Log what happened and try again at that moment, or give up where there is none."""
        if row.delivery is None:
            return
        self._log(decision, row.delivery, status, row.attempt, now, detail, address=row.address)
        if at is None:
            self._log(decision, row.delivery, "failed", row.attempt, now, "gave_up", address=row.address)
            self._end(decision, name, row, "failed", now)
            return
        self.lanes.add(client_of(name), Place(row.delivery.reason == "reminder", row.order, name))
        self._keep(decision, name, replace(row, status="retrying", at=now, next_at=at))

    def _end(self, decision: Decision, name: str, row: LedgerRow, status: Status, now: datetime) -> None:
        """A final status: the row stays, so that a repetition is known, without the delivery."""
        self._keep(decision, name, replace(row, status=status, delivery=None, at=now, next_at=None))

    def _look(self, decision: Decision, name: str, now: datetime) -> None:
        """A moment of a row has come."""
        row: LedgerRow | None = self.rows.get(decision, self.table, name.encode())
        if row is None:
            return
        client = client_of(name)
        if row.delivery is None:
            if row.keep_until <= now:
                decision.put(name.encode(), None)
        elif row.status == "claimed":  # its holder is gone, or could not call in time: nobody knows whether it was sent
            self.lanes.release(client, name)
            self._unknown(decision, name, row, "claim_abandoned", now)
        elif row.status == "unknown":  # no report came
            self.lanes.release(client, name)
            self.lanes.add(client, Place(row.delivery.reason == "reminder", row.order, name))
            self._keep(decision, name, replace(row, status="retrying", next_at=None))
        self._consider(decision, client, now)

    def _log(
        self, decision: Decision, delivery: Delivery, status: Status, attempt: int, now: datetime, detail: str | None = None,
        text: str | None = None, parts: int | None = None, cost: Cost | None = None, address: str | None = None,
    ) -> None:  # fmt: skip
        record = LogRecord(
            message=delivery.message, organisation=delivery.organisation, client=delivery.client, channel=self.channel,
            reason=delivery.reason, status=status, detail=detail, at=now, notices=logged(delivery.notices), text=text,
            parts=parts, cost=cost, attempt=attempt, address=address,
        )  # fmt: skip
        decision.count("outcomes", self.channel, status)
        if parts:
            decision.count("parts", times=parts)
        key = f"{delivery.organisation}/{delivery.client}".encode()
        decision.emit(Output(DELIVERY_LOG.name, key, to_json(record), self.partition))


def sending(channel: Channel, table: Table) -> ShardFactory:
    """The factory of a channel's sender shards."""

    def make(partition: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Shard]) -> Sending:
        notices = peers["notices"]
        if not isinstance(notices, Notices):
            raise TypeError("a sender reads the notices shard of its partition")
        return Sending(channel, table, partition, rows, notices)

    return make


def client_of(name: str) -> str:
    """`organisation/client` of a ledger row's name, `ledger/organisation/client/message`."""
    return name.split("/", 1)[1].rsplit("/", 1)[0]
