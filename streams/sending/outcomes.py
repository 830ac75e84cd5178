"""What a sender asks of a provider, and what comes of it: the next attempt, or the end."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from schemas.channels import CHANNELS
from schemas.deliveries import Cost, Delivery
from schemas.inputs import Channel, Organisation
from schemas.ledger import LedgerRow
from schemas.texts import SmsSettings

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=15), timedelta(minutes=5)
GIVE_UP = timedelta(hours=24)
"""Without a moment after which a message says nothing any more, trying ends this long after it was decided."""
REPORT_WAIT = timedelta(minutes=10)
"""How long an SMS of unknown outcome waits for its status report before it goes once more (`streams/README.md`, "Sending")."""


class SendCall(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to send a delivery: whatever the shell needs to word it and to call the provider.

    `settle`: a status report says that the provider has the pieces up to `piece`. Nothing is sent: the outcome is `sent` with
    what was, or `retry` where pieces remain. `call_name`: how a message to one who acts for the client calls the client.
    """

    delivery: Delivery
    organisation: Organisation
    address: str
    attempt: int
    piece: int
    now: datetime
    settle: bool = False
    call_name: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call.

    Attributes:
        kind: `stop` is our own fault (key, balance, TLS): the channel pauses. `unknown`: perhaps sent, nobody knows. `no_words`:
            nothing was sent, for some notices cannot be worded.
        whose: of `stop`: the fault of our account, or of the sender that one organisation gave us.
        repeatable: of `unknown`: the provider knows a repetition, so that it may be sent again at once.
        wordless: of `no_words`: the ids of those notices.
        detail: class and code for the log; never an address, a number or text.
        text: what was sent, where it was.
        each: SMS parts of each piece that was accepted, as they are billed: the provider's count where it gave one, else ours.
        counted: our count of those that this call sent, where it differs.
        piece: how many pieces of a long SMS the provider has accepted. `pieces`: of how many.
        provider: the provider's id.
        retry_after: seconds the provider asks us to wait.
    """

    kind: Literal["sent", "retry", "permanent_address", "permanent_message", "stop", "unknown", "no_words"]
    whose: Literal["account", "organisation"] = "account"
    repeatable: bool = False
    wordless: tuple[str, ...] = ()
    detail: str | None = None
    text: str | None = None
    each: tuple[int, ...] = ()
    counted: int | None = None
    piece: int = 0
    pieces: int = 0
    provider: str | None = None
    retry_after: float | None = None


class Billed(NamedTuple):
    """What went out in one call, as its record says it: SMS parts and what they cost. Each part stands on one record."""

    parts: int | None = None
    cost: Cost | None = None


UNBILLED = Billed()
"""Of a record of no call, or of a call in which nothing went that has a price."""


def billed_for(row: LedgerRow, outcome: Outcome, channel: Channel, organisation: Organisation | None) -> Billed:
    """Return what a call adds to what the records of a message say, and its price where that is known."""
    parts = sum(outcome.each[len(row.parts) :])
    if not parts or not CHANNELS[channel].counts_parts:
        return UNBILLED
    return Billed(parts, cost_of(parts, getattr(organisation, channel)) if organisation is not None else None)


def with_pieces(row: LedgerRow, outcome: Outcome) -> LedgerRow:
    """Return the row with the pieces that the provider has after a call, their parts, and by which attempt it took them."""
    piece = max(row.piece, outcome.piece)
    return replace(
        row, piece=piece, pieces=outcome.pieces or row.pieces, carried=(*row.carried, *[row.attempt] * (piece - row.piece)),
        parts=(*row.parts, *outcome.each[len(row.parts) : piece]),
    )  # fmt: skip


def in_part(row: LedgerRow, detail: str | None) -> str | None:
    """Say of a message that went out in part that it did, after what else there is to say: `503; 2 of 3 pieces`."""
    if not 0 < row.piece < row.pieces:
        return detail
    return f"{detail or ''}; {row.piece} of {row.pieces} pieces".removeprefix("; ")


def next_try(delivery: Delivery, attempt: int, now: datetime, retry_after: float | None = None) -> datetime | None:
    """Return when to try again: doubling from 15 s to 5 minutes, spread by a fifth; None if it would be pointless by then."""
    spread = 0.8 + 0.4 * (zlib.crc32(f"{delivery.message}/{attempt}".encode()) % 1000) / 1000
    wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(attempt - 1, 10)) * spread
    at = now + max(wait, timedelta(seconds=min(retry_after or 0.0, 3600.0)))
    limit = delivery.useful_until if delivery.useful_until is not None else delivery.decided + GIVE_UP
    return at if at < limit else None


def cost_of(parts: int | None, settings: SmsSettings) -> Cost | None:
    """Return the price of the parts of an SMS, exact."""
    if parts is None:
        return None
    return Cost(format(parts * Decimal(str(settings.unit_price)), "f"), settings.currency)


def believable(said: object, ours: int) -> bool:
    """Tell whether a provider's count of the parts of a piece can be: a whole number, from 1 to 20 times ours."""
    return isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= 20 * ours
