"""Write records as lines to read, as JSON lines as on the topic, or as CSV; Parquet is in a module of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from ..visible import visible
from .output import ExportFile
from .spreadsheet import safe

WIDTHS = (20, 22, 7, 10, 40)

COLUMNS = (
    "at", "organisation", "client", "channel", "reason", "status", "detail", "message", "attempt", "kinds", "appointments",
    "notices", "text", "parts", "cost_amount", "cost_currency", "address", "template", "decided", "due", "start", "schema",
    "recipient",
)  # fmt: skip
"""Of CSV. What is nested is flat: the notices' kinds, appointments (all of each) and ids, in order, with `/` between them, which
no id contains. Of an export with outcomes a column `outcomes` comes last, in the order of the appointments."""


class Form(Protocol):
    """A way to write records, given as they are on the topic."""

    def write(self, values: Sequence[bytes]) -> None:
        """Write some more of them, at least one."""

    def close(self) -> None:
        """End the file. It is not called where the export broke off."""


class JsonLines:
    """A record a line, byte for byte as it is on the topic."""

    def __init__(self, target: ExportFile) -> None:
        self.target = target

    def write(self, values: Sequence[bytes]) -> None:
        """Write one line for each."""
        self.target.write(b"\n".join(values) + b"\n")

    def close(self) -> None:
        """Do nothing: there is no end to write."""


class Lines:
    """A record on a line: no address, and the beginning of the text. Instants are UTC."""

    def __init__(self, target: ExportFile) -> None:
        self.target = target

    def write(self, values: Sequence[bytes]) -> None:
        """Write one line for each."""
        self.target.write("".join(f"{line(orjson.loads(value))}\n" for value in values).encode())

    def close(self) -> None:
        """Do nothing: there is no end to write."""


def line(entry: dict[str, Any]) -> str:
    """Write a record as one line."""
    who = f"{entry['organisation']}/{entry['client']}"
    values = (entry["at"][:19], who, entry["channel"] or "-", entry["status"], said(entry))
    return " ".join(f"{visible(value[:width]):{width}}" for value, width in zip(values, WIDTHS, strict=True)).rstrip()


def said(entry: dict[str, Any]) -> str:
    """Return why it was not said, or what was, or what it would have been of."""
    return str(entry.get("detail") or entry.get("text") or ", ".join(notice["kind"] for notice in entry["notices"]))


class Csv:
    """CSV as RFC 4180 has it: commas, UTF-8, a row of names; instants in UTC, amounts as they were logged, nothing for null.

    A text that a spreadsheet would take for a formula gets a ' before it.
    """

    def __init__(self, target: ExportFile, *, outcomes: bool = False) -> None:
        self.target, self.columns = target, (*COLUMNS, "outcomes") if outcomes else COLUMNS
        self.target.write((",".join(self.columns) + "\r\n").encode())

    def write(self, values: Sequence[bytes]) -> None:
        """Write one row for each."""
        out = io.StringIO(newline="")
        csv.writer(out).writerows(cells(orjson.loads(value), self.columns) for value in values)
        self.target.write(out.getvalue().encode())

    def close(self) -> None:
        """Do nothing: there is no end to write."""


def cells(entry: dict[str, Any], columns: Sequence[str] = COLUMNS) -> list[Any]:
    """Return a record as the cells of a row."""
    notices, cost = entry["notices"], entry.get("cost") or {}
    flat = {
        "kinds": "/".join(one["kind"] for one in notices),
        "appointments": "/".join(
            id_ for one in notices for id_ in (one.get("appointment"), *one.get("others", ())) if id_ is not None
        ),
        "notices": "/".join(one["id"] for one in notices),
        "cost_amount": cost.get("amount"),
        "cost_currency": cost.get("currency"),
        "outcomes": "/".join(one["outcome"] or "" for one in entry.get("outcomes", ())),
        "schema": 1,
    }
    found = [entry.get(name, flat.get(name)) if name not in ("notices", "outcomes") else flat[name] for name in columns]
    return [safe(cell) if isinstance(cell, str) else cell for cell in found]
