"""A sender's ledger: its rows, the lanes and moments that follow from them, and the records of what happens to its messages.

A message is open from `waiting` until a final status; what is open is found again in the rows after a crash.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.deliveries import Cost, Delivery, LoggedNotice, LogRecord, Reason, Status
from schemas.events import Bounce, ClientEvent
from schemas.inputs import Channel, OptOut
from schemas.state import LedgerRow
from schemas.topics import CLIENT_EVENTS, OPT_OUTS, Table
from schemas.wire import encode, to_json

from .audit import emit_record
from .lanes import Lanes, Place
from .messages import logged
from .moments import Moments
from .rows import Rows
from .turn import Decision, Output

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OPEN = ("waiting", "claimed", "retrying", "unknown")
"""Statuses of messages of which something is still to come; `unknown` only where it has a next moment."""


class Ledger:
    """The ledger of one channel for one partition."""

    def __init__(self, channel: Channel, table: Table, partition: int, rows: MutableMapping[bytes, bytes]) -> None:
        self.channel, self.table, self.partition = channel, table, partition
        self.rows = Rows(rows)
        self.lanes = Lanes()
        self.moments = Moments()

    def load(self) -> None:
        """Find the open messages and their order again."""
        clients = set()
        for key, row in self.rows.scan(self.table):
            name = f"{self.table.name}/{key}"
            clients.add(client_of(name))
            self.moments.put(name, (row.next_at or row.keep_until,))
            if row.status == "claimed" or (row.status == "unknown" and row.next_at is not None):
                self.lanes.hold(client_of(name), name)
            elif row.status in ("waiting", "retrying"):
                self.lanes.add(client_of(name), place_of(name, row))
        for client in clients:
            self.consider(None, client, EPOCH)

    def name(self, organisation: str, client: str, message: str) -> str:
        """The name of a message's row."""
        return f"{self.table.name}/{organisation}/{client}/{message}"

    def get(self, decision: Decision | None, name: str) -> LedgerRow | None:
        """A message's row."""
        row: LedgerRow | None = self.rows.get(decision, self.table, name.encode())
        return row

    def keep(self, decision: Decision, name: str, row: LedgerRow) -> None:
        """A message's new row, and when to look at it."""
        decision.put(name.encode(), encode(row))
        self.moments.put(name, (row.next_at or row.keep_until,))

    def wait(self, decision: Decision, name: str, row: LedgerRow) -> None:
        """A message's new row; it waits in its lane."""
        self.lanes.add(client_of(name), place_of(name, row))
        self.keep(decision, name, row)

    def end(self, decision: Decision, name: str, row: LedgerRow, status: Status, now: datetime) -> None:
        """A final status. The row stays, so that a repetition is known.

        Its delivery goes, unless the provider may have it all the same: then a status report may still say so.
        """
        delivery = row.delivery
        if delivery is not None and self.channel == "sms" and status == "sent":
            row = replace(row, reason=delivery.reason, notices=logged(delivery.notices))
        if status == "sent" or self.channel != "sms" or not row.unknowns:
            delivery = None
        self.keep(decision, name, replace(row, status=status, delivery=delivery, at=now, next_at=None, settling=False))

    def again(
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
        self.log(decision, row.delivery, status, row.attempt, now, detail, address=row.address, template=row.template)
        if at is None:
            self.log(decision, row.delivery, "failed", row.attempt, now, "gave_up", address=row.address, template=row.template)
            self.end(decision, name, row, "failed", now)
            return
        self.wait(decision, name, replace(row, status="retrying", at=now, next_at=at if at > now else None))

    def consider(self, decision: Decision | None, client: str, now: datetime) -> None:
        """The client's head may go out, unless it is to be tried again later."""
        head = self.lanes.head(client)
        row = self.get(decision, head) if head is not None else None
        if row is not None and (row.next_at is None or row.next_at <= now):
            self.lanes.ready(client)

    def log(
        self, decision: Decision, delivery: Delivery, status: Status, attempt: int, now: datetime, detail: str | None = None,
        text: str | None = None, parts: int | None = None, cost: Cost | None = None, address: str | None = None,
        template: str | None = None,
    ) -> None:  # fmt: skip
        """A record of what happened to an open message."""
        self._log(
            decision, delivery.organisation, delivery.client, delivery.message, delivery.reason, logged(delivery.notices),
            status, attempt, now, detail, text, parts, cost, address, template,
        )  # fmt: skip

    def forget(self, decision: Decision, name: str) -> None:
        """The row goes, and nothing waits for it."""
        self.moments.put(name, None)
        decision.erase(name.encode())

    def log_after(self, decision: Decision, name: str, row: LedgerRow, status: Status, now: datetime, detail: str | None) -> None:
        """A record of what became of a message that was sent."""
        organisation, client, message = name.split("/")[1:]
        self._log(
            decision, organisation, client, message, row.reason or "direct", row.notices, status, row.attempt, now, detail,
            None, None, None, row.address, row.template,
        )  # fmt: skip

    def _log(
        self, decision: Decision, organisation: str, client: str, message: str, reason: Reason,
        notices: tuple[LoggedNotice, ...], status: Status, attempt: int, now: datetime, detail: str | None, text: str | None,
        parts: int | None, cost: Cost | None, address: str | None, template: str | None,
    ) -> None:  # fmt: skip
        record = LogRecord(
            message=message, organisation=organisation, client=client, channel=self.channel, reason=reason, status=status,
            detail=detail, at=now, notices=notices, text=text, parts=parts, cost=cost, attempt=attempt, address=address,
            template=template,
        )  # fmt: skip
        decision.count("outcomes", self.channel, status)
        if parts:
            decision.count("parts", times=parts)
        emit_record(decision, self.partition, record)

    def bounce(self, decision: Decision, name: str, mark: str | None) -> None:
        """The address takes no messages: notices hears of it, so that no other one goes there (`streams/contacts.py`)."""
        if mark is None:
            return
        organisation, client = name.split("/")[1:3]
        event = ClientEvent(organisation=organisation, client=client, bounce=Bounce(self.channel, mark))
        decision.emit(Output(CLIENT_EVENTS.name, f"{organisation}/{client}".encode(), encode(event), self.partition))

    def opt_out(self, decision: Decision, name: str) -> None:
        """The provider says that the client turned the channel off: a record like any other opt-out."""
        organisation, client = name.split("/")[1:3]
        record = OptOut(organisation=organisation, client=client, channel=self.channel, off=True, source="provider")
        decision.emit(Output(OPT_OUTS.name, f"{organisation}/{client}".encode(), to_json(record), self.partition))


def client_of(name: str) -> str:
    """`organisation/client` of a ledger row's name, `ledger/organisation/client/message`."""
    return name.split("/", 1)[1].rsplit("/", 1)[0]


def place_of(name: str, row: LedgerRow) -> Place:
    """The place of an open message in its client's lane."""
    return Place(row.delivery is not None and row.delivery.reason == "reminder", row.order, name)
