"""The bill of a month: SMS parts and their price per organisation, counted from the delivery log. Pure.

Billed is what a provider took: `sent`, and the pieces of a long SMS that went where the rest did not, in the month of sending in
the organisation's zone, at the price that the record has: the one valid at that moment. Where the provider's reports name
another number of parts than was logged, theirs counts, in the same month. What failed before a provider took it costs nothing;
e-mail is free. An SMS of which nobody knows whether the provider has it (`unknown`, and no `sent` of the same attempt) stands
apart, without a price.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from schemas.channels import CHANNELS
from schemas.deliveries import Cost, LogRecord

from ..processing.local_time import instant_of
from ..sending.report_rules import corrected

EMPLOYEES = "_employees"
"""Ends what is of employees: their SMS are billed apart."""

FREE = tuple(
    name for channel, traits in CHANNELS.items() if not traits.counts_parts for name in (channel, f"{channel}{EMPLOYEES}")
)

UNKNOWN = ("sms_unknown", f"sms_unknown{EMPLOYEES}")

LONGEST_DAY = timedelta(hours=27)
"""No zone is further than this from UTC on either side, with room for a clock: nothing of a local month is outside."""


class BillLine(NamedTuple):
    """A line of the bill.

    Attributes:
        what: `sms`; `sms_unpriced`: sent, and its price was not logged; `sms_unknown`: perhaps sent; `email`. Each of them with
            `_employees` behind it, of what went to employees.
        unit_price: of one SMS part, in `currency`.
        messages: how many were sent whole; of `sms_unknown` how many calls.
        parts: SMS parts, as the provider bills them. `corrected`: by how many its reports changed what was logged.
        amount: parts times price, exact; 0 for e-mail, None where nobody knows.
    """

    organisation: str
    what: str
    currency: str | None
    unit_price: Decimal | None
    messages: int
    parts: int
    corrected: int
    amount: Decimal | None


class _Sms(NamedTuple):
    organisation: str
    whose: str
    messages: int
    parts: int
    price: Decimal | None
    currency: str | None


class _Sum:
    __slots__ = ("corrected", "messages", "parts")

    def __init__(self) -> None:
        self.messages = self.parts = self.corrected = 0


@dataclass
class Bill:
    """Counts records, in any number and any order, each once however often it comes, and returns the lines.

    It keeps some 150 bytes for each SMS of the month, since its report may come much later.

    Attributes:
        month: `2026-11`.
        zone_of: the time zone of an organisation.
        organisation: only this one's; None: all.
    """

    month: str
    zone_of: Callable[[str], str]
    organisation: str | None = None
    _sent: dict[bytes, _Sms] = field(default_factory=dict)
    _unknown: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    _more: dict[bytes, int] = field(default_factory=dict)
    _free: dict[tuple[str, str], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    _kept: dict[_Sms, _Sms] = field(default_factory=dict)
    _spans: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def add(self, record: LogRecord) -> None:
        """Add one record of the log."""
        if self.organisation not in (None, record.organisation):
            return
        if record.status in ("delivered", "failed") and (parts := corrected(record.detail)) is not None:
            self._more[_name(record)] = parts[0] - parts[1]  # of a message of this month, whenever that was found out
        if not (record.status in ("sent", "unknown") or record.parts) or not self._in_month(record):
            return
        if record.channel is not None and not CHANNELS[record.channel].counts_parts:
            if record.status == "sent":
                self._free[record.organisation, record.channel + _whose(record)].add(_name(record))
            return
        if record.status == "unknown":
            self._unknown[_name(record)] = record.organisation, _whose(record)
        if record.status == "sent" or record.parts:
            self._sms(_name(record, record.status), record)

    def _sms(self, name: bytes, record: LogRecord) -> None:
        if name not in self._sent:
            price, currency = price_of(record.cost, record.parts)
            one = _Sms(record.organisation, _whose(record), int(record.status == "sent"), record.parts or 0, price, currency)
            self._sent[name] = self._kept.setdefault(one, one)  # there are few different ones

    def _in_month(self, record: LogRecord) -> bool:
        zone = self.zone_of(record.organisation)
        span = self._spans.get(zone)
        if span is None:
            span = self._spans[zone] = month_span(self.month, zone)
        return span[0] <= record.at < span[1]

    def lines(self) -> Iterator[BillLine]:
        """Yield the lines, by organisation."""
        sums: dict[tuple[str, str, str | None, Decimal | None], _Sum] = defaultdict(_Sum)
        for name, sms in self._sent.items():
            what = ("sms" if sms.price is not None else "sms_unpriced") + sms.whose
            total = sums[sms.organisation, what, sms.currency, sms.price]
            more = self._more.get(name, 0)
            total.messages += sms.messages
            total.parts += sms.parts + more
            total.corrected += more
        for name, (organisation, whose) in self._unknown.items():
            if name not in self._sent:
                sums[organisation, f"sms_unknown{whose}", None, None].messages += 1
        for (organisation, what), names in self._free.items():
            sums[organisation, what, None, None].messages += len(names)
        for key in sorted(sums, key=lambda key: (key[0], key[1], key[2] or "", key[3] or 0)):
            organisation, what, currency, price = key
            one = sums[key]
            amount = one.parts * price if price is not None else Decimal(0) if what in FREE else None
            yield BillLine(organisation, what, currency, price, one.messages, one.parts, one.corrected, amount)


def month_span(month: str, zone: str) -> tuple[datetime, datetime]:
    """Return when a local month `2026-11` begins and when the next one does (UTC). Raises ValueError for what is no month."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return instant_of(first.isoformat(), "00:00", zone), instant_of(following.isoformat(), "00:00", zone)


def price_of(cost: Cost | None, parts: int | None) -> tuple[Decimal | None, str | None]:
    """Return the price of one part and its currency, from what a record says that all cost; None where it does not say."""
    if cost is None or not parts:
        return None, None
    try:
        # The cost is price times parts, so this is exact; of a float its last digit may not be, and no price has twelve.
        return (Decimal(str(cost.amount)) / parts).quantize(Decimal("1e-12")).normalize() + 0, cost.currency
    except InvalidOperation:
        return None, None


def totals(lines: Iterator[BillLine] | list[BillLine]) -> dict[str, Decimal]:
    """Return the sum of each currency."""
    found: dict[str, Decimal] = {}
    for line in lines:
        if line.currency is not None and line.amount is not None:
            found[line.currency] = found.get(line.currency, Decimal(0)) + line.amount
    return found


def _whose(record: LogRecord) -> str:
    """Return how what is of an employee ends; nothing of what is a client's."""
    return "" if record.client else EMPLOYEES


def _name(record: LogRecord, status: str = "sent") -> bytes:
    """Return the name of a call's record of that status."""
    return hashlib.blake2b(f"{record.message}/{record.attempt}/{status}".encode(), digest_size=12).digest()
