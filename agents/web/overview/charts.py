"""Turn the overview's rows into what a template shows: months, the chart, the export. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from babel.dates import format_date

from agents.export.spreadsheet import safe
from schemas.channels import CHANNELS

from . import dutch

NOT_SENT = ("suppressed", "superseded", "expired", "failed")


@dataclass
class Month:
    """One month: messages sent by channel, SMS parts, cost by currency, and what was not sent."""

    name: str
    sent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    parts: int = 0
    not_sent: int = 0
    micros: dict[str, int] = field(default_factory=dict)

    @property
    def cost(self) -> str:
        """In words; more than one currency, one after the other."""
        return " + ".join(dutch.money(amount, currency) for currency, amount in sorted(self.micros.items())) or "–"


def months(rows: Iterable[Mapping[str, Any]]) -> list[Month]:
    """Group rows of `Queries.months` by month, in their order."""
    found: dict[str, Month] = {}
    for row in rows:
        month = found.setdefault(row["month"], Month(dutch.month(row["month"])))
        count = int(row["records"])
        if row["status"] == "sent":
            if row["channel"] in month.sent:
                month.sent[row["channel"]] += count
        elif row["status"] in NOT_SENT:
            month.not_sent += count
        month.parts += int(row["parts"])  # of whatever went out, whole or in part
        if row["currency"]:
            month.micros[row["currency"]] = month.micros.get(row["currency"], 0) + int(row["micros"])
    return list(found.values())


class Part(NamedTuple):
    """A channel's part of a bar: how many messages, and its top and height in units of the drawing."""

    channel: str
    messages: int
    top: float
    height: float


class Bar(NamedTuple):
    """A day in the chart: x in units of the drawing, and the parts, which stand on one another."""

    day: str
    label: str
    x: float
    parts: list[Part]


class Chart(NamedTuple):
    """A chart of messages a day. Its drawing is `WIDTH` by `HEIGHT`, the ground at `GROUND`."""

    bars: list[Bar]
    width: float
    lines: list[tuple[float, int]]
    total: int


WIDTH, GROUND, TOP, LEFT = 720.0, 170.0, 12.0, 44.0


def chart(counts: Mapping[tuple[str, str], int], since: date, until: date) -> Chart:
    """Draw the chart of these days, both included."""
    days = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    sent = [[counts.get((day.isoformat(), channel), 0) for channel in CHANNELS] for day in days]
    most = nice(max(map(sum, sent), default=0))
    unit, step = (GROUND - TOP) / most, (WIDTH - LEFT) / max(1, len(days))
    bars = []
    for number, (day, of_channels) in enumerate(zip(days, sent, strict=True)):
        label = f"{day.day}-{day.month}" if (len(days) - 1 - number) % 5 == 0 else ""
        bars.append(
            Bar(
                day=format_date(day, "EEEE d MMMM", locale="nl"), label=label,
                x=round(LEFT + number * step + step * 0.15, 1), parts=[
                    Part(channel, count, round(GROUND - below * unit, 1), round(count * unit, 1))
                    for channel, count, below in zip(CHANNELS, of_channels, accumulate(of_channels), strict=True)
                ],
            )
        )  # fmt: skip
    lines = [(round(GROUND - value * unit, 1), value) for value in sorted({0, most // 2, most})]
    return Chart(bars, round(step * 0.7, 1), lines, sum(map(sum, sent)))


def nice(number: int) -> int:
    """Return the next number that an axis may end on: even, and 1, 2 or 5 times a power of ten where it is large."""
    if number <= 4:
        return 4
    power: int = 10 ** (len(str(number)) - 1)
    ends = (step * power for step in (1, 2, 4, 5, 6, 8, 10))
    return min(end for end in ends if end >= number and end % 2 == 0)


COLUMNS = ("moment", "client", "kanaal", "soort", "uitkomst", "toelichting", "bericht", "sms-delen", "kosten", "valuta")


def csv_lines(rows: Iterable[Mapping[str, Any]], *, head: bool = False) -> bytes:
    """Write rows as a Dutch spreadsheet takes them: semicolons, decimal commas, UTF-8 with its mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    if head:
        out.write("\ufeff")
        writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe(cell) for cell in _cells(row)])
    return out.getvalue().encode()


def _cells(row: Mapping[str, Any]) -> Sequence[str]:
    cost = f"{row['micros'] / 1_000_000:.4f}".replace(".", ",") if row["micros"] is not None else ""
    return (
        dutch.when(row["first"]), row["client"], dutch.CHANNELS.get(row["channel"] or "", ""), dutch.kinds(row["kinds"]),
        dutch.STATUSES.get(row["status"], row["status"]), dutch.why(row["status"], row["detail"]), row["text"] or "",
        str(row["parts"] or ""), cost, row["currency"] or "",
    )  # fmt: skip
