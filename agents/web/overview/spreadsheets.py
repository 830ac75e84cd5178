"""Write rows as a Dutch spreadsheet takes them: semicolons, decimal commas, UTF-8 with its mark. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.export.spreadsheet import safe

from . import dutch

COLUMNS = (
    "moment", "client", "kanaal", "soort", "afspraak", "uitkomst", "toelichting", "bericht", "sms-delen", "kosten", "valuta",
)  # fmt: skip


def lines(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> bytes:
    """Write rows, after a head where there is one."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    if head:
        out.write("\ufeff")
        writer.writerow(head)
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
    return out.getvalue().encode()


def messages(rows: Iterable[Mapping[str, Any]], *, head: bool = False) -> bytes:
    """Write messages as the overview lists them."""
    return lines(map(_cells, rows), COLUMNS if head else ())


def amount(micros: int) -> str:
    """Write an amount in a cell: `0,0750`."""
    return f"{micros / 1_000_000:.4f}".replace(".", ",")


def _cells(row: Mapping[str, Any]) -> Sequence[str]:
    return (
        dutch.sortable(row["first"]), row["client"], dutch.CHANNELS.get(row["channel"] or "", ""), dutch.kinds(row["kinds"]),
        dutch.about(row), dutch.OUTCOMES[row["outcome"]], dutch.why(row), row["text"] or "", str(row["parts"] or ""),
        amount(row["micros"]) if row["micros"] is not None else "", row["currency"] or "",
    )  # fmt: skip
