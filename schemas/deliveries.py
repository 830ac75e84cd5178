"""What goes to the senders, and the delivery log (DESIGN.md "Records")."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from .inputs import Channel, Request
from .notices import Notice
from .wire import Wire

Reason = Literal["direct", "reminder", "request"]

Status = Literal["suppressed", "superseded", "expired", "sent", "delivered", "retrying", "failed", "unknown"]

ReportStatus = Literal["scheduled", "sent", "buffered", "delivered", "expired", "delivery_failed"]
"""What the SMS provider says of a message (MessageBird's words). The last three are final."""

ERASED = "erased"
"""`detail` of what ended, or was still under way, when its client was erased: a record without text and address."""

Gate = Literal["absent", "client_off", "contact_unconfirmed", "organisation_off"]
"""The gates in their order; `detail` of a suppressed record names the first closed one (or says `series`)."""


class Delivery(Wire, frozen=True, kw_only=True):
    """One message to send: structured notices, not text. `decided` is when it was decided (UTC).

    `due`: when it would have been, had nothing taken any time: when its event was written (as upstream's clock says) and its
    window over, or at its reminder's moment. For the metrics alone.
    `useful_until`: the last moment at which it still says something (the later start of all it speaks of; of a request its
    `expires_at`), None where there is none.
    """

    message: str
    organisation: str
    client: str
    channel: Channel
    reason: Reason
    decided: datetime
    due: datetime | None = None
    notices: tuple[Notice, ...]
    request: Request | None = None
    useful_until: datetime | None = None


class LoggedNotice(Wire, frozen=True, kw_only=True):
    """A notice as the delivery log names it; `others` only where it speaks of more than one appointment."""

    id: str
    kind: str
    appointment: str | None
    others: tuple[str, ...] = ()


class Cost(msgspec.Struct, frozen=True):
    """What the SMS parts of a message cost, as a number or a string as the organisation's `unit_price` is."""

    amount: float | str
    currency: str


class DeliveryReport(Wire, frozen=True, kw_only=True):
    """`delivery-reports`, key `organisation/client`: what the SMS provider said became of one piece of a message.

    Our own web process writes it, once it has checked the provider's signature. The first four and `piece` come out of the
    sealed reference that went with the SMS; the rest is the provider's word.

    Attributes:
        attempt, piece: which call it was (0: any of them, of a provider to which they are all the same), and which piece of a
            long message, from 0.
        provider: the provider's id of it.
        error, reason: the provider's error code, and the code of its reason; never its free text.
        parts: how many SMS parts it bills.
        price: what it bills for them, where it says.
    """

    organisation: str
    client: str
    message: str
    attempt: int
    piece: int = 0
    provider: str | None = None
    status: ReportStatus
    error: int | None = None
    reason: str | None = None
    parts: int | None = None
    price: Cost | None = None
    at: datetime


SCHEMA = 1
"""The version of the delivery log's records. A new field leaves it as it is, for readers ignore what they do not know; what an
old reader would take wrongly raises it. Records from before there were versions have none, and are of the first."""


class NewerSchemaError(Exception):
    """A record of a later version than this program reads; its text says what to do."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the delivery log has records of schema {version}, and this program reads {SCHEMA}: update it")


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`delivery-log`, key `organisation/client`: one thing that became of a message.

    A record is identified by (message, attempt, status); readers count it once. `text`, `parts` and `cost` stand on `sent`
    only; the text without its unsubscribe link, and of a request not at all. `at` is UTC. `template`: of `streams/audit.py`.
    """

    message: str
    organisation: str
    client: str
    channel: Channel | None
    reason: Reason
    status: Status
    detail: str | None = None
    at: datetime
    notices: tuple[LoggedNotice, ...]
    text: str | None = None
    parts: int | None = None
    cost: Cost | None = None
    attempt: int = 0
    address: str | None = None
    template: str | None = None
    schema: int = SCHEMA


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`audit-log`, key `organisation/client/message/attempt/status`: a delivery-log record without its text and its address.

    Who was told what kind of thing when, through which channel, with which outcome, by which template version: what must stay
    after texts and addresses are gone (NEN 7513). `template`: of `streams/audit.py`; None where nothing was or would be worded.
    """

    message: str
    organisation: str
    client: str
    channel: Channel | None
    reason: Reason
    status: Status
    detail: str | None
    at: datetime
    kinds: tuple[str, ...]
    template: str | None
    attempt: int


_log_record = msgspec.json.Decoder(LogRecord).decode


def read_log_record(value: bytes) -> LogRecord:
    """A record of the delivery log. Raises msgspec.ValidationError or DecodeError for what is none, NewerSchemaError."""
    record = _log_record(value)
    if record.schema > SCHEMA:
        raise NewerSchemaError(record.schema)
    return record
