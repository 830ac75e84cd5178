"""What the SMS provider's status reports say of a message.

Reports come in any order, more than once, or never. Of each piece and attempt the furthest status counts, so that all orders
end in the same: a message is delivered when every piece is, by whichever attempt, and that is final; it has failed when a piece
that the provider took has, and nothing says otherwise. Error codes: docs.bird.com, "SMS platform extended error codes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from schemas.deliveries import DeliveryReport
from schemas.ledger import LedgerRow

from .outcomes import believable

STOPPED = 103
"""The recipient answered STOP, and the provider sends no more to that number."""

NO_SMS = frozenset({1, 5, 9, 11})
"""Unknown, unidentified or illegal subscriber, no SMS in the subscription: the number takes none, now or later."""

PASSING = frozenset({6, 27, 31, 32, 33, 34})
"""Absent or busy subscriber, full waiting list, failure of the handset or the network: another try may arrive."""

_CORRECTION = re.compile(r"(?:^|; )([0-9]+) parts billed, ([0-9]+) logged$")

_TAKEN, _PASSING, _FAILED, _DELIVERED = range(4)


def status_key(report: DeliveryReport) -> str:
    """Return the status with its error, as a row keeps it and the log tells it: `delivery_failed/1`."""
    return report.status if report.error is None else f"{report.status}/{report.error}"


def progress(words: str) -> int:
    """Return how far a status is; a later one never goes back."""
    status, _, error = words.partition("/")
    if status == "delivered":
        return _DELIVERED
    if status == "delivery_failed":
        return _PASSING if error.isdigit() and int(error) in PASSING else _FAILED
    return _FAILED if status == "expired" else _TAKEN


def is_passing(report: DeliveryReport) -> bool:
    """Tell whether it was not delivered, and another try may be."""
    return progress(status_key(report)) == _PASSING


def with_report(row: LedgerRow, report: DeliveryReport) -> LedgerRow | None:
    """Return the row with the report; None where that says nothing new."""
    key = f"{report.attempt}.{report.piece}"
    known = row.reports.get(key)
    if known is not None and progress(status_key(report)) <= progress(known):
        return None
    billed = {**row.billed, key: report.parts} if report.parts else row.billed
    return replace(row, reports={**row.reports, key: status_key(report)}, billed=billed)


def _of(row: LedgerRow, piece: int) -> Iterator[tuple[int, str]]:
    """Yield attempt and status of each report of a piece."""
    for key, words in row.reports.items():
        attempt, _, reported = key.partition(".")
        if int(reported) == piece:
            yield int(attempt), words


def number_takes_none(row: LedgerRow) -> bool:
    """Tell whether the final reports of all pieces of a message say that its number takes no SMS, now or later."""
    return bool(row.carried) and all(_takes_none(dict(_of(row, piece)), carried) for piece, carried in enumerate(row.carried))


def _takes_none(reports: dict[int, str], carried: int) -> bool:
    status, _, error = reports.get(carried, reports.get(0, "sent")).partition("/")
    refused = status == "delivery_failed" and error.isdigit() and int(error) in NO_SMS
    return refused and not any(progress(words) == _DELIVERED for words in reports.values())


def accepted_pieces(row: LedgerRow) -> LedgerRow:
    """Return the row with the pieces that the provider has as reports prove, after those of which it said so itself."""
    piece, carried = row.piece, row.carried
    while attempts := [attempt for attempt, words in _of(row, piece) if progress(words) != _PASSING]:
        piece, carried = piece + 1, (*carried, max(attempts))
    return replace(row, piece=piece, carried=carried) if piece > row.piece else row


def billed_parts(row: LedgerRow) -> int | None:
    """Return how many SMS parts the provider bills for a message that was sent, where that is not what was logged; else None.

    Of each piece those of the attempt by which the provider took it, and of every other attempt that its reports name. A number
    that cannot be is left out.
    """
    if not row.parts or not row.billed:
        return None
    total = sum(row.parts)
    for key, parts in row.billed.items():
        attempt, piece = map(int, key.split("."))
        if piece < len(row.parts) and believable(parts, row.parts[piece]):
            total += parts - (row.parts[piece] if attempt in (0, row.carried[piece]) else 0)
    return total if total != sum(row.parts) else None


def correction(billed: int, logged: int) -> str:
    """Say that other parts than were logged are billed, as `detail` of a record tells it; `corrected` reads it."""
    return f"{billed} parts billed, {logged} logged"


def corrected(detail: str | None) -> tuple[int, int] | None:
    """Return the SMS parts of a message that the provider bills, and those logged, where the `detail` of a record says so."""
    found = _CORRECTION.search(detail) if detail else None
    return (int(found[1]), int(found[2])) if found is not None else None


def verdict(row: LedgerRow) -> tuple[Literal["delivered", "failed"], str] | None:
    """Return what became of a message that was sent, as far as reports say it, and in whose words."""
    arrived, failed = 0, ""
    for piece, carried in enumerate(row.carried):
        reports = dict(_of(row, piece))
        if any(progress(words) == _DELIVERED for words in reports.values()):
            arrived += 1
        else:  # of an earlier attempt it says nothing about this one
            words = reports.get(carried, reports.get(0, "sent"))
            failed = failed or (words if progress(words) != _TAKEN else "")
    if failed:
        return "failed", failed
    return ("delivered", "delivered") if row.carried and arrived == len(row.carried) else None
