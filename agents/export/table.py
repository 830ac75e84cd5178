"""Write records as a table for a person: with a head, in the order of time, in local time, to the terminal's width."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from streams.processing.local_time import DEFAULT_ZONE

from ..terminal import local_moment
from ..visible import visible
from .formats import said
from .output import ExportFile

HEAD = ("when", "client", "channel", "status", "what")

MOST = (30, 36, 7, 11)
"""Characters at most of all columns but the last, which gets what is left of the line."""

LEAST = 30
"""Characters that the last column needs. Where they are not there it has a line of its own, below the others."""

FEW = 12
"""Characters that a client has on the narrowest terminal."""

Row = tuple[str, ...]


class Table:
    """A table. All of it is kept until its end, to sort it: a partition is in the order of time, a topic is not.

    `follow`: a record comes when it comes, so each is written at once, in columns of fixed widths.
    """

    def __init__(self, target: ExportFile, *, zone: str = DEFAULT_ZONE, follow: bool = False) -> None:
        self.target, self.zone, self.follow = target, zone, follow
        self.across = shutil.get_terminal_size().columns
        self.rows: list[tuple[str, Row]] = []
        self.widths: tuple[int, ...] = (24, 20, 7, 10)
        if follow:
            self._write([HEAD])

    def write(self, values: Sequence[bytes]) -> None:
        """Take in some more of them."""
        found = [(entry["at"], self._row(entry)) for entry in map(orjson.loads, values)]
        if self.follow:
            self._write([row for _, row in found])
        else:
            self.rows += found

    def close(self) -> None:
        """Write the table, where there is any record."""
        if self.rows:
            self.rows.sort(key=lambda one: one[0])
            rows = [HEAD, *(row for _, row in self.rows)]
            self.widths = tuple(min(most, max(len(row[column]) for row in rows)) for column, most in enumerate(MOST))
            self._write(rows)

    def _row(self, entry: dict[str, Any]) -> Row:
        at = local_moment(datetime.fromisoformat(entry["at"]), self.zone)
        who = f"{entry['organisation']}/{entry['client']}"
        return tuple(visible(" ".join(text.split())) for text in (at, who, entry["channel"] or "-", entry["status"], said(entry)))

    def _write(self, rows: Sequence[Row]) -> None:
        rest = self.across - sum(self.widths) - 2 * len(self.widths)
        if rest >= LEAST:
            lines = [_line(row, (*self.widths, rest)) for row in rows]
        else:
            when, who, *others = self.widths
            narrow = (when, min(who, max(FEW, self.across - when - sum(others) - 6)), *others)
            lines = [line for row in rows for line in (_line(row[:-1], narrow), f"  {_cut(row[-1], self.across - 2)}")]
        self.target.write("".join(f"{line.rstrip()}\n" for line in lines).encode())


def _line(row: Row, widths: tuple[int, ...]) -> str:
    return "  ".join(_cut(cell, width) for cell, width in zip(row, widths, strict=True))


def _cut(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else f"{text[: width - 1]}…"
