"""Random records of the delivery log, the same for the same seed: what a few hundred organisations' senders would write."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

from schemas.deliveries import Cost, LoggedNotice, LogRecord, Status
from schemas.inputs import Channel
from schemas.notices import Kind
from schemas.wire import to_json

FIRST = datetime(2026, 10, 20, 7, tzinfo=UTC)
KINDS, STATUSES = get_args(Kind), get_args(Status)
TEXT = (
    "De Linde: Uw afspraak op woensdag 2 december 2026 van 13:15 tot 14:15 is verplaatst naar woensdag 2 december 2026 van 14:15 "
    "tot 15:15. Locatie: De Linde."
)
PRICES: tuple[tuple[float | str, str], ...] = ((0.08, "EUR"), ("0.0755", "EUR"), (0.075, "EUR"), ("0.09", "GBP"))


def record(chance: random.Random, number: int, days: float = 40.0) -> LogRecord:
    """One of a message of its own."""
    organisation, status = f"org{chance.randrange(300)}", chance.choices(STATUSES, (2, 1, 1, 8, 6, 1, 1, 1))[0]
    channel: Channel = "email" if chance.random() < 1 / 3 else "sms"
    parts = chance.randint(1, 3) if status == "sent" and channel == "sms" else None
    price, currency = PRICES[chance.randrange(4)]
    amount = Decimal(str(price)) * (parts or 0)
    return LogRecord(
        message=f"{chance.getrandbits(128):032x}", organisation=organisation, client=f"client{chance.randrange(100_000)}",
        channel=channel, reason="direct", status=status, detail="client_off" if status == "suppressed" else None,
        at=FIRST + timedelta(seconds=round(number % 1000 + chance.random() * days * 86_400, 6)),
        notices=(LoggedNotice(id=f"{chance.getrandbits(128):032x}", kind=chance.choice(KINDS), appointment=f"a{number}"),),
        text=TEXT if status == "sent" else None, parts=parts,
        cost=Cost(str(amount), currency) if parts else None,
        attempt=0 if status == "suppressed" else 1, address="+31******78" if channel == "sms" else "a***@e***.nl",
    )  # fmt: skip


def log_records(count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Key and value of so many records."""
    chance = random.Random(seed)
    for number in range(count):
        one = record(chance, number)
        yield f"{one.organisation}/{one.client}", to_json(one)
