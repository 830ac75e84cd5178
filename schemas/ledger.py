"""The row of a message in its sender's ledger."""

from __future__ import annotations

from typing import Literal

from .deliveries import Delivery, LoggedNotice, Reason
from .events import Became
from .inputs import Request
from .wire import Instant, Wire


class LedgerRow(Wire, frozen=True, kw_only=True):
    """What became of one message.

    Attributes:
        status: `waiting`, `claimed`, `retrying` and `unknown` are open; the others are final.
        order: the offset of its delivery, the order of decision.
        delivery: as long as it is open; and as long as a status report may still say that it went out.
        attempt: the number of the last call, from 1.
        unknowns: calls whose outcome is unknown.
        at: when it came to this status.
        next_at: when to look at it again.
        piece: how many pieces of a long SMS the provider has accepted; `pieces`: of how many, once it was worded.
        address: masked, as it was called; `mark`: the same address, to be told from others (`streams.notices.gates.mark_of`).
        provider: the provider's id of it.
        settling: a status report says that the provider has it; what is left is to say what was sent.
        parts: SMS parts of each piece that was sent, as its records say them.
        carried: of each piece, the attempt in which the provider took it.
        billed: `attempt.piece` -> the SMS parts that the provider's reports say it bills for it.
        reports: `attempt.piece` -> the furthest status that the provider reported of it, with its error: `delivery_failed/1`.
        reason, notices: of what was sent, for the records of what becomes of it.
        template: by which template version its last call was worded (`streams/processing/log_records.py`).
        day, request: of a reminder (its name) or a request that was sent; `days`: the names of others in its message. `until`:
            as long as what was sent is ahead, None for good. A final report may have it decided anew, so the request stays for
            24 hours.
        wordless: the ids of its notices that could not be worded.
        became: what its end meant to the client, for whoever asks again.
        erased: its client was erased during a call: what comes of that is logged without text and address, and the row goes.
    """

    status: Literal[
        "waiting",
        "claimed",
        "retrying",
        "unknown",
        "sent",
        "delivered",
        "failed",
        "suppressed",
        "superseded",
        "expired",
    ]
    order: int
    delivery: Delivery | None = None
    attempt: int = 0
    unknowns: int = 0
    at: Instant
    next_at: Instant | None = None
    piece: int = 0
    pieces: int = 0
    address: str | None = None
    mark: str | None = None
    provider: str | None = None
    settling: bool = False
    parts: tuple[int, ...] = ()
    carried: tuple[int, ...] = ()
    reports: dict[str, str] = {}
    billed: dict[str, int] = {}
    reason: Reason | None = None
    notices: tuple[LoggedNotice, ...] = ()
    template: str | None = None
    day: str | None = None
    days: tuple[str, ...] = ()
    request: Request | None = None
    until: Instant | None = None
    wordless: tuple[str, ...] = ()
    became: Became | None = None
    erased: bool = False
    keep_until: Instant
