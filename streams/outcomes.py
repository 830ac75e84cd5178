"""What a sender asks of a provider, and what comes of it: the next attempt, or the end."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from schemas.deliveries import Cost, Delivery
from schemas.inputs import Organisation

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=15), timedelta(minutes=5)
GIVE_UP = timedelta(hours=24)
"""Without a moment after which a message says nothing any more, trying ends this long after it was decided."""
REPORT_WAIT = timedelta(minutes=10)
"""How long an SMS of unknown outcome waits for its status report before it goes once more (DESIGN.md "Never lost")."""


class SendCall(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to send a delivery: whatever the shell needs to word it and to call the provider.

    `settle`: a status report says that the provider has the pieces up to `piece`. Nothing is sent: the outcome is `sent` with
    what was, or `retry` where pieces remain.
    """

    delivery: Delivery
    organisation: Organisation
    address: str
    attempt: int
    piece: int
    now: datetime
    settle: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call.

    Attributes:
        kind: `stop` is our own fault (key, balance, TLS): the channel pauses. `unknown`: perhaps sent, nobody knows.
        whose: of `stop`: the fault of our account, or of the sender that one organisation gave us.
        repeatable: of `unknown`: the provider knows a repetition, so that it may be sent again at once.
        detail: class and code for the log; never an address, a number or text.
        text: what was sent, where it was.
        parts: SMS parts of all pieces, as they are billed: the provider's count where it gave one, else ours.
        each: the same of each piece. `counted`: ours of all, where that differs.
        piece: how many pieces of a long SMS the provider has accepted.
        provider: the provider's id.
        retry_after: seconds the provider asks us to wait.
    """

    kind: Literal["sent", "retry", "permanent_address", "permanent_message", "stop", "unknown"]
    whose: Literal["account", "organisation"] = "account"
    repeatable: bool = False
    detail: str | None = None
    text: str | None = None
    parts: int | None = None
    each: tuple[int, ...] = ()
    counted: int | None = None
    piece: int = 0
    provider: str | None = None
    retry_after: float | None = None


def next_try(delivery: Delivery, attempt: int, now: datetime, retry_after: float | None = None) -> datetime | None:
    """When to try again: doubling from 15 s to 5 minutes, spread by a fifth; None when it would say nothing any more by then."""
    spread = 0.8 + 0.4 * (zlib.crc32(f"{delivery.message}/{attempt}".encode()) % 1000) / 1000
    wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(attempt - 1, 10)) * spread
    at = now + max(wait, timedelta(seconds=min(retry_after or 0.0, 3600.0)))
    limit = delivery.useful_until if delivery.useful_until is not None else delivery.decided + GIVE_UP
    return at if at < limit else None


def cost_of(parts: int | None, organisation: Organisation) -> Cost | None:
    """The price of the parts of an SMS, exact, as a number or a string as the organisation gives its price."""
    if parts is None:
        return None
    price = organisation.sms.unit_price
    amount = parts * Decimal(str(price))
    return Cost(str(amount) if isinstance(price, str) else float(amount), organisation.sms.currency)
