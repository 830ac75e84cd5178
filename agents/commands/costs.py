"""`afspraakbericht costs --month 2026-11`: what an organisation's SMS of a month cost, for its invoice (`history/bill.py`)."""

from __future__ import annotations

import asyncio
import csv
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas.deliveries import read_log_record
from schemas.inputs import Organisation
from schemas.topics import DELIVERY_LOG, ORGANISATIONS
from schemas.wire import BadRecordError, read
from streams.history.bill import EMPLOYEES, FREE, LONGEST_DAY, UNKNOWN, Bill, BillLine, month_span, totals
from streams.intake.checks import check_settings
from streams.processing.local_time import DEFAULT_ZONE, local

from ..export.spreadsheet import safe
from ..kafka.junk import Junk
from ..kafka.reader import Reader
from ..terminal import progress
from .endings import ArgumentError, kafka_settings, one_line

COLUMNS = ("month", "organisation", "what", "messages", "parts", "corrected", "unit_price", "currency", "amount")
NAMES = {"sms": "SMS", "sms_unpriced": "SMS, price not logged", "sms_unknown": "SMS, perhaps sent", "email": "e-mail, free"}
NAMES |= {f"{what}{EMPLOYEES}": f"{name}, to employees" for what, name in NAMES.items()}


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--month", metavar="YYYY-MM", help="the month of sending, in each organisation's zone (default: this one)"
    )
    parser.add_argument("--organisation", metavar="ID", help="of this organisation only")
    parser.add_argument("--csv", action="store_true", help="for invoicing: exact amounts, a line for each price")


@one_line
def run(args: Namespace) -> int:
    """Print the bill; return 2 where a value on the log is no record."""
    if args.month is None:
        args.month = f"{local(datetime.now(UTC), DEFAULT_ZONE):%Y-%m}"
    if not re.fullmatch(r"2[01][0-9]{2}-(0[1-9]|1[0-2])", args.month):
        raise ArgumentError(f"--month is {args.month!r}: expected a month, such as 2026-11")
    settings, security = kafka_settings(args)
    junk = Junk()
    bill = asyncio.run(count(settings.bootstrap, args.month, junk, args.organisation, security))
    lines = list(bill.lines())
    if args.csv:
        writer = csv.writer(sys.stdout)
        writer.writerows([COLUMNS, *([safe(cell) for cell in cells(args.month, line)] for line in lines)])
    else:
        print(table(args.month, lines))
    return 2 if junk.ended() else 0


async def count(
    bootstrap: str, month: str, junk: Junk, organisation: str | None = None, security: Mapping[str, Any] | None = None
) -> Bill:
    """Count the bill. It reads from the start of the month to the end of the log, because reports come late."""
    async with Reader(bootstrap, security, progress=progress) as reader:
        zones = await _zones(reader)
        bill = Bill(month, lambda name: zones.get(name, DEFAULT_ZONE), organisation)
        since = month_span(month, "UTC")[0] - LONGEST_DAY
        async with aclosing(reader.records(await reader.topic(DELIVERY_LOG.name), since)) as stream:
            async for tp, record in stream:
                if (one := junk.read(read_log_record, tp, record)) is not None:
                    bill.add(one)
    return bill


async def _zones(reader: Reader) -> dict[str, str]:
    """Return the time zone of each organisation, by its last good settings."""
    found: dict[str, str] = {}
    async with aclosing(reader.records(await reader.topic(ORGANISATIONS.name))) as stream:
        async for _, record in stream:
            try:
                settings = read(Organisation, record.value or b"")
                check_settings(settings)
            except BadRecordError:
                continue  # as intake does: the last good ones count
            found[settings.organisation] = settings.time_zone
    return found


def cells(month: str, line: BillLine) -> list[str]:
    """Return a line as cells: exact numbers with a point; nothing where nobody knows."""
    known = line.what not in UNKNOWN
    return [
        month, line.organisation, line.what, str(line.messages), str(line.parts) if known and line.what not in FREE else "",
        str(line.corrected or "") if known else "", plain(line.unit_price), line.currency or "", plain(line.amount),
    ]  # fmt: skip


def plain(number: Decimal | None) -> str:
    """Write a number without an exponent."""
    return "" if number is None else f"{number:f}"


def table(month: str, lines: list[BillLine]) -> str:
    """Draw the bill as a table, with a total of the messages and of each currency, exact as on the page of the web."""
    rows = [("organisation", "what", "messages", "parts", "price", "amount")]
    for line in lines:
        money = f"{plain(line.amount)} {line.currency}" if line.currency else "-"
        parts = "-" if line.what in (*FREE, *UNKNOWN) else str(line.parts)
        parts += f" ({line.corrected:+})" if line.corrected else ""
        row = (line.organisation, NAMES[line.what], str(line.messages), parts, plain(line.unit_price) or "-", money)
        rows.append(row)
    messages = str(sum(line.messages for line in lines))
    sums = [f"{plain(amount)} {currency}" for currency, amount in sorted(totals(lines).items())] or ["-"]
    rows += [("total", "", messages if place == 0 else "", "", "", amount) for place, amount in enumerate(sums)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return f"{month}, by the local time of each organisation\n{text}"
