"""`afspraakbericht costs --month 2026-11`: what an organisation's SMS of a month cost, for its invoice (`streams/bill.py`)."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from schemas.deliveries import NewerSchemaError, read_log_record
from schemas.inputs import Organisation
from schemas.topics import DELIVERY_LOG, ORGANISATIONS
from schemas.wire import BadRecordError, read
from streams.bill import LONGEST_DAY, Bill, Line, month_span, totals
from streams.checks import check_settings
from streams.zones import DEFAULT_ZONE

from ..analysis.forms import safe
from ..analysis.stretch import Reading, Stretch
from ..kafka_security import check, client_settings
from ..reading import MissingError, read_topic
from ..settings import Settings, SettingsError

COLUMNS = ("month", "organisation", "what", "messages", "parts", "corrected", "unit_price", "currency", "amount")
NAMES = {"sms": "SMS", "sms_unpriced": "SMS, price not logged", "sms_unknown": "SMS, perhaps sent", "email": "e-mail, free"}


class ArgumentError(ValueError):
    """An argument that cannot be; one line that names it and says what is expected."""


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--month", metavar="YYYY-MM", help="the month of sending, in each organisation's time zone")
    parser.add_argument("--organisation", metavar="ID", help="of this organisation only")
    parser.add_argument("--csv", action="store_true", help="for invoicing: exact amounts, a line for each price")


def run(args: Namespace) -> int:
    """Print the bill; gives 2 where the month or Kafka is not as it must be, or a value on the log is no record."""
    try:
        if not re.fullmatch(r"2[01][0-9]{2}-(0[1-9]|1[0-2])", args.month or ""):
            raise ArgumentError(f"--month is {args.month!r}: expected a month, such as 2026-11")
        settings = Settings.from_env(os.environ)
        check(settings)
        bill, bad = asyncio.run(count(settings.bootstrap, args.month, args.organisation, client_settings(settings)))
    except (ArgumentError, SettingsError, MissingError, NewerSchemaError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"Kafka at {settings.bootstrap} does not answer: {type(error).__name__}", file=sys.stderr)
        return 2
    lines = list(bill.lines())
    if args.csv:
        writer = csv.writer(sys.stdout)
        writer.writerows([COLUMNS, *([safe(cell) for cell in cells(args.month, line)] for line in lines)])
    else:
        print(table(args.month, lines))
    for place in bad:
        print(place, file=sys.stderr)
    return 2 if bad else 0


async def count(
    bootstrap: str, month: str, organisation: str | None = None, security: Mapping[str, Any] | None = None
) -> tuple[Bill, list[str]]:
    """The bill, and what on the log is no record. Read is from the month's begin to the end of the log: reports come late."""
    zones = await _zones(bootstrap, security)
    bill = Bill(month, lambda name: zones.get(name, DEFAULT_ZONE), organisation)
    bad = []
    stretch = Stretch(since=month_span(month, "UTC")[0] - LONGEST_DAY)
    async with Reading(bootstrap, DELIVERY_LOG.name, stretch, security) as reading:
        async for partition, records in reading.batches():
            for record in records:
                try:
                    bill.add(read_log_record(record.value or b""))
                except msgspec.MsgspecError as error:
                    bad.append(f"partition {partition}, offset {record.offset}: not a record: {error}")
    return bill, bad


async def _zones(bootstrap: str, security: Mapping[str, Any] | None) -> dict[str, str]:
    """The time zone of each organisation, by its last good settings."""
    found: dict[str, str] = {}
    async for record in read_topic(bootstrap, ORGANISATIONS.name, security=security):
        try:
            settings = read(Organisation, record.value or b"")
            check_settings(settings)
        except BadRecordError:
            continue  # as intake does: the last good ones count
        found[settings.organisation] = settings.time_zone
    return found


def cells(month: str, line: Line) -> list[str]:
    """A line as cells: numbers with a point, exact; nothing where nobody knows."""
    known = line.what != "sms_unknown"
    return [
        month, line.organisation, line.what, str(line.messages), str(line.parts) if known and line.what != "email" else "",
        str(line.corrected or "") if known else "", plain(line.unit_price), line.currency or "", plain(line.amount),
    ]  # fmt: skip


def plain(number: Decimal | None) -> str:
    """A number without an exponent."""
    return "" if number is None else f"{number:f}"


def table(month: str, lines: list[Line]) -> str:
    """The bill for eyes, with a total of each currency in cents."""
    rows = [("organisation", "what", "messages", "parts", "price", "amount")]
    for line in lines:
        money = f"{plain(line.amount)} {line.currency}" if line.currency else "-"
        parts = "-" if line.what in ("email", "sms_unknown") else str(line.parts)
        parts += f" ({line.corrected:+})" if line.corrected else ""
        row = (line.organisation, NAMES[line.what], str(line.messages), parts, plain(line.unit_price) or "-", money)
        rows.append(row)
    for currency, amount in sorted(totals(lines).items()):
        rows.append(("total", "", "", "", "", f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):f} {currency}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return f"{month}, by the local time of each organisation\n{text}"
