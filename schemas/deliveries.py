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

Gate = Literal["absent", "client_off", "contact_unconfirmed", "organisation_off"]
"""The gates in their order; `detail` of a suppressed record names the first closed one (or says `series`)."""


class Delivery(Wire, frozen=True, kw_only=True):
    """One message to send: structured notices, not text. `decided` is when it was decided (UTC).

    `useful_until`: the last moment at which it still says something (the later start of all it speaks of; of a request its
    `expires_at`), None where there is none.
    """

    message: str
    organisation: str
    client: str
    channel: Channel
    reason: Reason
    decided: datetime
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


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`delivery-log`, key `organisation/client`: one thing that became of a message.

    A record is identified by (message, attempt, status); readers count it once. `text`, `parts` and `cost` stand on `sent`
    only; the text without its unsubscribe link, and of a request not at all. `at` is UTC.
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
