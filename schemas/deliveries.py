"""What goes to the senders, and the delivery log (`schemas/README.md`)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from .inputs import Channel, Request
from .keys import RecipientKey
from .languages import Language
from .notices import Notice
from .wire import BadRecordError, Instant, Int64, Wire, own

Reason = Literal["direct", "reminder", "request"]

Status = Literal["suppressed", "superseded", "expired", "sent", "delivered", "retrying", "failed", "unknown"]

ReportStatus = Literal["scheduled", "sent", "buffered", "delivered", "expired", "delivery_failed"]
"""What the SMS provider says of a message (MessageBird's words). The last three are final."""

ERASED = "erased"
"""`detail` of what ended, or was still under way, when its client was erased: a record without text and address."""

NO_WORDS = "no_words"
"""`detail` of notices that could not be worded: they alone `failed`, the others of their message went."""

NO_REST = "no_rest"
"""`detail` of a direct message that `failed`, since it came back again and again with nothing changed; it counts as said."""

REROUTED = "rerouted"
"""`detail` of a message whose address was refused: `superseded` by one through the next channel, or by a record of why there is
none."""

TOO_MANY = "too_many"
"""`detail` of a request that was refused, since the client has as many as may wait (`streams/processing/caps.py`)."""

JUST_TOLD = "just_told"
"""`detail` of a reminder that was `suppressed`, since a message that went out hours before had told all of it."""

JUST_REMINDED = "just_reminded"
"""`detail` of a reminder that was `suppressed`, since another one of that day had gone out hours before."""

NOTIFY = "notify"
"""`detail` of what was `suppressed`, since the appointment's own `notify` lets no such message be the first to tell of it."""

NOT_SAID = "not_said"
"""`detail` of what was `suppressed`, since it waited in a hold that the organisation ended with nothing to be said of it."""

SAME_ADDRESS = "same_address"
"""`detail` of what was `suppressed`, since somebody else of the client's has it at the same number or address."""

OWN = "own"
"""`detail` of what was `suppressed`, since an employee who hears of others' changes alone made every revision since the last."""

NOT_SOON = "not_soon"
"""`detail` of what was `suppressed`, since an employee hears of today and tomorrow alone."""

Gate = Literal["absent", "tell", "client_off", "employee_off", "ended", "contact_unconfirmed", "organisation_off"]
"""The gates in their order; `detail` of a suppressed record names the first closed one (or says `series`).

`tell`, `ended`: of those who act for a client: they may not be told of it (any more), or of nothing since a day. `employee_off`:
an employee wants no messages, or by no channel; `absent`: or does not attend.
"""


class Delivery(Wire, frozen=True, kw_only=True):
    """One message to send: structured notices, not text. `decided` is when it was decided (UTC).

    `due`: the earliest moment at which it could have been decided: when its event was written (by Kafka's clock) and its
    window was over, or at its reminder's time. For the metrics alone.
    `language`: in which it is worded; None: in that which needs no setting. `recipient`: whom it is for (`schemas.keys`).
    `useful_until`: until when it still has something to say (the latest start of all it speaks of; of a request, its
    `expires_at`); None where there is no such moment.
    """

    message: str
    organisation: str
    client: str
    channel: Channel
    reason: Reason
    decided: Instant
    due: Instant | None = None
    notices: tuple[Notice, ...]
    request: Request | None = None
    useful_until: Instant | None = None
    language: Language | None = None
    recipient: str = ""


class LoggedItem(Wire, frozen=True, kw_only=True):
    """One appointment as a notice tells it (of one that goes, as it was known): UTC, and its place where that is said."""

    appointment: str
    start: Instant
    end: Instant
    place: str | None = None


class LoggedNotice(Wire, frozen=True, kw_only=True):
    """A notice as the delivery log names it; `others` only where it speaks of more than one appointment.

    `items`: what it tells somebody who is not the client.
    """

    id: str
    kind: str
    appointment: str | None
    others: tuple[str, ...] = ()
    items: tuple[LoggedItem, ...] = ()


class Cost(msgspec.Struct, frozen=True):
    """What the SMS parts of a message cost. We write a string, exact; records of before have a number where the price was one."""

    amount: float | str
    currency: str


class DeliveryReport(Wire, frozen=True, kw_only=True):
    """`delivery-reports`, key `organisation/client`: what the SMS provider said became of one piece of a message.

    Our own web process writes it, once it has checked the provider's signature. The first four and `piece` come out of the
    sealed reference that went with the SMS; the rest is the provider's word.

    Attributes:
        attempt, piece: which call it was (0: any of them, of a provider to which they are all the same), and which piece of a
            long message, from 0.
        recipient: whom the message was for (`schemas.keys`).
        provider: the provider's id of it.
        error, reason: the provider's error code, and the code of its reason; never its free text.
        parts: how many SMS parts it bills.
        price: what it bills for them, where it says.
    """

    organisation: str
    client: str
    message: str
    attempt: Int64
    piece: Int64 = 0
    recipient: str = ""
    provider: str | None = None
    status: ReportStatus
    error: Int64 | None = None
    reason: str | None = None
    parts: Int64 | None = None
    price: Cost | None = None
    at: Instant


SCHEMA = 2
"""The version of the delivery log's records. A new field does not change it: readers ignore what they do not know. Increment it
when an old reader would misread the record, or when a field with a list of values gets a new one. Records from before there
were versions have none, and are of the first. 2: more words in `detail`; the kind `changed`; records of others than the client
(`recipient`), employees among them."""


class NewerSchemaError(Exception):
    """A record of a later version than this program reads; its text says what to do."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the delivery log has records of schema {version}, and this program reads {SCHEMA}: update it")


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`delivery-log`, key `organisation/client`: one thing that became of a message.

    A record is identified by (message, attempt, status); readers count it once. `text` stands on `sent` only, without its
    unsubscribe link, and of a request not at all. `parts` and `cost` are of what its call sent: of a long SMS some pieces may
    have gone where the call failed, and each part stands on one record. `at` is UTC. `template`: see
    `streams/processing/log_records.py`.

    Attributes:
        decided, due: when its message was decided, and the earliest moment at which that was possible (`Delivery`).
        start: of the first appointment that it speaks of, as it then is; of one that is cancelled, as it was.
        recipient: `p:ID` of who acts for the client; `e:ID` of an employee, whose records have no client; absent: it is the
            client's own.
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
    decided: datetime | None = None
    due: datetime | None = None
    start: datetime | None = None
    schema: int = SCHEMA
    recipient: str | UnsetType = UNSET

    @property
    def whose(self) -> RecipientKey:
        """Return whom its message was for."""
        return RecipientKey(self.organisation, self.client, self.recipient or "")


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`audit-log`, key `organisation/client/message/attempt/status`: a delivery-log record without its text and its address.

    Who was told what kind of thing when, through which channel, with which outcome, by which template version: what must stay
    after texts and addresses are gone (NEN 7513). `template`: see
    `streams/processing/log_records.py`; None where nothing was or would be worded.
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
    recipient: str | UnsetType = UNSET


class _Head(msgspec.Struct):
    """What a reader looks at before anything else."""

    schema: int = 1


_log_record = msgspec.json.Decoder(LogRecord).decode
_head = msgspec.json.Decoder(_Head).decode


def read_log_record(value: bytes | None) -> LogRecord:
    """Read a record of the delivery log. Raises BadRecordError for what is none, and NewerSchemaError."""
    try:
        record = own(_log_record, value)
    except BadRecordError:
        refuse_newer(value)
        raise
    if record.schema > SCHEMA:
        raise NewerSchemaError(record.schema)
    if b'"schema":' not in (value or b""):  # of before there were versions
        return msgspec.structs.replace(record, schema=1)
    return record


def refuse_newer(value: bytes | None) -> None:
    """Raise NewerSchemaError where a value says that it is of a later schema, whatever else it is."""
    try:
        version = own(_head, value).schema
    except BadRecordError:
        return
    if version > SCHEMA:
        raise NewerSchemaError(version)
