"""A sender's ledger: its rows, the queues and moments that follow from them, and the records of what happens to its messages.

A message is open from `waiting` until a final status; what is open is found again in the rows after a crash.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.deliveries import ERASED, Delivery, LoggedNotice, LogRecord, Reason, Status
from schemas.employees import EmployeeEvent
from schemas.events import Became, Bounce, ClientEvent, Landed
from schemas.inputs import Channel, OptOut
from schemas.keys import CLIENT, RecipientKey, employee_key, employee_of
from schemas.ledger import LedgerRow
from schemas.topics import CLIENT_EVENTS, EMPLOYEE_EVENTS, OPT_OUTS, Table
from schemas.wire import encode, to_json

from ..notices.messages import logged
from ..notices.undoing import WITHIN
from ..processing.local_time import EPOCH
from ..processing.log_records import NO_TIMES, Times, emit_record, times_of
from ..processing.rows import Rows, bad_row
from ..processing.timers import Timers
from ..processing.turn import Decision, Output
from .outcomes import UNBILLED, Billed, in_part
from .queues import ClientQueues, QueueKey

OPEN = ("waiting", "claimed", "retrying", "unknown")
"""Statuses of messages of which something may still come (`is_open`)."""


class Ledger:
    """The ledger of one channel for one partition."""

    def __init__(self, channel: Channel, table: Table[LedgerRow], partition: int, rows: MutableMapping[bytes, bytes]) -> None:
        self.channel, self.traits, self.table, self.partition = channel, CHANNELS[channel], table, partition
        self.rows = Rows(rows)
        self.queues = ClientQueues()
        self.timers = Timers()

    def load(self) -> None:
        """Find the open messages and their order again."""
        recipients = set()
        self.rows.verify(self.table.store, self.table)
        for key, row in self.rows.scan(self.table):
            name = f"{self.table.name}/{key}"
            if row.status in ("waiting", "claimed", "retrying") and row.delivery is None:
                raise bad_row(name.encode(), "it is open and has no delivery")
            recipients.add(whose_is(name))
            self.timers.put(name, (row.next_at or row.keep_until,))
            if row.status == "claimed" or (row.status == "unknown" and row.next_at is not None):
                self.queues.hold(whose_is(name), name)
            elif row.status in ("waiting", "retrying"):
                self.queues.add(whose_is(name), queue_key(name, row))
        for whose in recipients:
            self.consider(None, whose, EPOCH)

    def name(self, organisation: str, client: str, message: str, recipient: str = CLIENT) -> str:
        """Return the name of a message's row."""
        return f"{self.table.name}/{RecipientKey(organisation, client, recipient)}/{message}"

    def get(self, decision: Decision | None, name: str) -> LedgerRow | None:
        """Return a message's row."""
        return self.rows.get(decision, self.table, name.encode())

    def keep(self, decision: Decision, name: str, row: LedgerRow) -> None:
        """Keep a message's new row, and when to look at it."""
        decision.put(name.encode(), encode(row))
        self.timers.put(name, (row.next_at or row.keep_until,))

    def wait(self, decision: Decision, name: str, row: LedgerRow) -> None:
        """Keep a message's new row; it waits in its queue."""
        self.queues.add(whose_is(name), queue_key(name, row))
        self.keep(decision, name, row)

    def end(
        self, decision: Decision, name: str, row: LedgerRow, status: Status, now: datetime, *, back: bool = False
    ) -> None:  # fmt: skip
        """End a message with a final status. The row stays, so that a repetition is known.

        Its delivery goes, unless the provider may have it all the same: then a status report may still say so. `back`: nobody
        can have got it unless that is not known, and it is to be decided anew.
        """
        delivery = row.delivery
        became: Became = "out" if status == "sent" or row.unknowns else "back" if back else "lost"
        row = replace(row, status=status, became=became)
        if delivery is not None:
            self.tell(decision, delivery, row)
        row = replace(row, next_at=None)
        if delivery is not None and self.traits.has_reports and status == "sent":
            day, days = reminders_of(delivery)
            row = replace(
                row, reason=delivery.reason, notices=logged(delivery.notices, delivery.recipient), day=day, days=days
            )  # fmt: skip
            if delivery.request is not None and not row.unknowns:
                row = replace(row, request=delivery.request, next_at=now + WITHIN)
        if status == "sent" or not self.traits.has_reports or not row.unknowns:
            delivery = None
        self.keep(decision, name, replace(row, delivery=delivery, at=now, settling=False))

    def tell(self, decision: Decision, delivery: Delivery, row: LedgerRow) -> None:
        """Tell notices what became of a message that ended: of a direct one always, of others when they come back."""
        became = row.became or ("out" if row.unknowns or row.status in ("sent", "delivered", "unknown") else "lost")
        if delivery.reason != "direct" and became != "back":
            return
        day, days = reminders_of(delivery)
        outcome = Landed(
            message=delivery.message, became=became, unsure=became == "out" and row.status not in ("sent", "delivered"),
            wordless=row.wordless, day=day, days=days, request=delivery.request,
            channel=self.channel if delivery.reason != "direct" else None,
        )  # fmt: skip
        self._tell(decision, RecipientKey(delivery.organisation, delivery.client, delivery.recipient), outcome=outcome)

    def came_back(self, decision: Decision, name: str, row: LedgerRow) -> None:
        """Tell notices that a message which had gone out surely did not arrive."""
        whose, message = whose_is(name), message_of(name)
        said = {notice.id: notice.kind for notice in row.notices if notice.id not in row.wordless}
        channel = self.channel if row.day is not None or row.request is not None else None
        outcome = Landed(
            message=message, became="back", day=row.day, days=row.days, request=row.request, notices=said, channel=channel
        )
        self._tell(decision, whose, outcome=outcome)

    def _tell(
        self, decision: Decision, whose: RecipientKey, *, outcome: Landed | None = None, bounce: Bounce | None = None
    ) -> None:
        """Tell the node that decides for a recipient what became of a message, or of an address."""
        if whose.client:
            event = ClientEvent(**whose._asdict(), outcome=outcome, bounce=bounce)
            decision.emit(Output(CLIENT_EVENTS.name, whose.of_client.encoded, encode(event), self.partition))
            return
        organisation, employee = whose.organisation, employee_of(whose.recipient)
        told = EmployeeEvent(organisation=organisation, employee=employee, outcome=outcome, bounce=bounce)
        decision.emit(Output(EMPLOYEE_EVENTS.name, whose.encoded, encode(told), self.partition))

    def again(
        self,
        decision: Decision,
        name: str,
        row: LedgerRow,
        at: datetime | None,
        status: Status,
        detail: str | None,
        now: datetime,
        billed: Billed = UNBILLED,
    ) -> None:
        """Log what happened and try again at that moment, or give up where there is none."""
        if row.delivery is None:
            return
        self.log_call(decision, row, status, now, detail, billed)
        if at is None:
            self.log_call(decision, row, "failed", now, "gave_up")
            self.end(decision, name, row, "failed", now)
            return
        self.wait(decision, name, replace(row, status="retrying", at=now, next_at=at if at > now else None))

    def consider(
        self, decision: Decision | None, whose: RecipientKey, now: datetime, name: str = "", kept: LedgerRow | None = None
    ) -> None:  # fmt: skip
        """Let a recipient's head go out, unless it is to be tried again later. `kept`: the row of that name, as it now is."""
        head = self.queues.head(whose)
        row = kept if head == name else self.get(decision, head) if head is not None else None
        if row is not None and (row.next_at is None or row.next_at <= now):
            self.queues.ready(whose)

    def log(
        self, decision: Decision, delivery: Delivery, status: Status, attempt: int, now: datetime, detail: str | None = None,
        text: str | None = None, billed: Billed = UNBILLED, address: str | None = None, template: str | None = None,
    ) -> None:  # fmt: skip
        """Log what happened to an open message."""
        whose = RecipientKey(delivery.organisation, delivery.client, delivery.recipient)
        self._log(
            decision, whose, delivery.message, delivery.reason, logged(delivery.notices, delivery.recipient), status, attempt,
            now, detail, text, billed, address, template, times_of(delivery, erased=detail == ERASED),
        )  # fmt: skip

    def log_call(
        self, decision: Decision, row: LedgerRow, status: Status, now: datetime, detail: str | None, billed: Billed = UNBILLED
    ) -> None:  # fmt: skip
        """Log what came of the last call of an open message that is not sent, or not whole."""
        if row.delivery is not None:
            self.log(
                decision, row.delivery, status, row.attempt, now, in_part(row, detail), billed=billed, address=row.address,
                template=row.template,
            )  # fmt: skip

    def forget(self, decision: Decision, name: str) -> None:
        """Delete the row; nothing waits for it."""
        self.timers.put(name, None)
        decision.erase(name.encode())

    def log_after(self, decision: Decision, name: str, row: LedgerRow, status: Status, now: datetime, detail: str | None) -> None:
        """Log what became of a message that was sent."""
        self._log(
            decision, whose_is(name), message_of(name), row.reason or "direct", row.notices, status, row.attempt, now, detail,
            None, UNBILLED, row.address, row.template,
        )  # fmt: skip

    def _log(
        self, decision: Decision, whose: RecipientKey, message: str, reason: Reason,
        notices: tuple[LoggedNotice, ...], status: Status, attempt: int, now: datetime, detail: str | None, text: str | None,
        billed: Billed, address: str | None, template: str | None, times: Times = NO_TIMES,
    ) -> None:  # fmt: skip
        record = LogRecord(
            message=message, organisation=whose.organisation, client=whose.client, recipient=whose.recipient or UNSET,
            channel=self.channel, reason=reason, status=status, detail=detail, at=now,
            notices=notices, text=text, parts=billed.parts, cost=billed.cost, attempt=attempt,
            address=address, template=template, **times._asdict(),
        )  # fmt: skip
        decision.count("outcomes", self.channel, status)
        if billed.parts:
            decision.count("parts", times=billed.parts)
        emit_record(decision, self.partition, record)

    def bounce(self, decision: Decision, name: str, mark: str | None) -> None:
        """Tell notices that the address takes no messages, so that no other one goes there (`streams/notices/contacts.py`)."""
        if mark is None:
            return
        self._tell(decision, whose_is(name), bounce=Bounce(self.channel, mark))

    def opt_out(self, decision: Decision, name: str, mark: str | None) -> None:
        """Write that a recipient turned the channel off, as the provider says: a record like any other opt-out."""
        whose = whose_is(name)
        record = OptOut(
            organisation=whose.organisation, client=whose.client, channel=self.channel, off=True, source="provider",
            recipient=whose.recipient or UNSET, mark=mark if whose.recipient and mark is not None else UNSET,
        )  # fmt: skip
        decision.emit(Output(OPT_OUTS.name, whose.of_topics.encode(), to_json(record), self.partition))


def reminders_of(delivery: Delivery) -> tuple[str | None, tuple[str, ...]]:
    """Return the name of the first reminder in a message, None where it has none, and those of the others."""
    names = tuple(name for notice in delivery.notices if (name := notice.reminder) is not None)
    return (names[0] if names else None, names[1:])


def is_open(row: LedgerRow) -> bool:
    """Tell whether something is still to come of a message; an unknown outcome counts while something is waited for."""
    return row.status in OPEN and (row.status != "unknown" or row.next_at is not None)


def whose_is(name: str) -> RecipientKey:
    """Return whose a ledger row is by its name, `ledger/organisation/client[/recipient]/message`.

    Of an employee it is `ledger/organisation//employee/message`.
    """
    _, organisation, client, *rest = name.split("/")
    return RecipientKey(organisation, client, *rest[:-1]) if client else employee_key(organisation, rest[0])


def message_of(name: str) -> str:
    """Return the message of a ledger row by its name."""
    return name.rpartition("/")[2]


def queue_key(name: str, row: LedgerRow) -> QueueKey:
    """Return the place of an open message in its recipient's queue."""
    return QueueKey(row.delivery is not None and row.delivery.reason == "reminder", row.order, name)
