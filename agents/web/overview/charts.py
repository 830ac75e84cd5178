"""Drawings of figures: columns of stacked parts, and bars in rows. Pure.

They are SVG of our own, though libraries draw charts: pygal styles its drawings by a `<style>` and scripts within them, which the
pages' content policy refuses; leather has one size and letters within the drawing, which on a phone are 5 pixels high. Here a
drawing has shapes only, is stretched to its place, and everything that is read is HTML around it, in the table that it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

WIDTH, HEIGHT = 1000.0, 100.0


class Part(NamedTuple):
    """A part of a column: of which series, how many, and its top and height in units of the drawing."""

    series: str
    number: int
    top: float
    height: float


class Column(NamedTuple):
    """A column: x in units of the drawing, and the parts, which stand on one another."""

    x: float
    parts: list[Part]


class Columns(NamedTuple):
    """A drawing of `WIDTH` by `HEIGHT`; `most`: what its top means. `labels`: below it, from left to right."""

    columns: list[Column]
    width: float
    most: int
    labels: list[str]


def columns(values: Sequence[Mapping[str, int]], labels: Sequence[str]) -> Columns:
    """Draw columns of parts by series, in the order of the first. `labels`: of each; the first, middle and last are shown."""
    most = nice(max((sum(value.values()) for value in values), default=0))
    unit, step = HEIGHT / most, WIDTH / max(1, len(values))
    drawn = []
    for number, value in enumerate(values):
        parts = [
            Part(series, count, round(HEIGHT - upto * unit, 2), round(count * unit, 2))
            for (series, count), upto in zip(value.items(), accumulate(value.values()), strict=True)
            if count
        ]
        drawn.append(Column(round(number * step + step * 0.1, 2), parts))
    last = len(labels) - 1
    shown = [labels[place] for place in sorted({0, last // 2, last})] if labels else []
    return Columns(drawn, round(step * 0.8, 2), most, shown)


def share(number: int, most: int) -> float:
    """Return the length of a bar of 100."""
    return round(100 * number / most, 1) if most else 0.0


def nice(number: int) -> int:
    """Return the next number that an axis may end on: even, and 1, 2 or 5 times a power of ten where it is large."""
    if number <= 4:
        return 4
    power: int = 10 ** (len(str(number)) - 1)
    ends = (step * power for step in (1, 2, 4, 5, 6, 8, 10))
    return min(end for end in ends if end >= number and end % 2 == 0)
