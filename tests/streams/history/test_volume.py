"""When an organisation's messages are unusually many, and when they only come late."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streams.history.volume import DAYS, WEEK, Volume, begin_of, busy, window_of
from tests.world import at

NOW = window_of(at("2026-03-30 12:00"))  # a Monday; the clock went forward the day before
Counts = dict[int, int]


def usual(most: int = 30, each: int = 20, weeks: int = 5) -> Counts:
    """So many each ten minutes of working hours, and once a day the most."""
    found: Counts = {}
    for window in range(NOW - weeks * WEEK, NOW):
        hour = begin_of(window).hour
        if 7 <= hour < 17:
            found[window] = most if window % 144 == 60 else each
    return found


def silent(counts: Counts, windows: int) -> Counts:
    """Nothing came so long: the service was away."""
    return {window: count for window, count in counts.items() if window < NOW - windows}


ROWS: list[tuple[str, Callable[[], Counts], int, bool]] = [
    ("as usual", usual, 20, False),
    ("a little more than ever", lambda: usual(300), 330, False),
    ("half as much again as ever", lambda: usual(300), 451, True),
    ("few are never unusual", lambda: usual(3, 1), 200, False),
    ("of one that has no weeks behind it, more than few are", dict, 201, True),
    ("500 cancelled and booked again, on a usual day", usual, 1000, True),
    ("a backlog of three hours comes at once", lambda: silent(usual(), 18), 18 * 20 + 20, False),
    ("and more than that is a flood, in spite of it", lambda: silent(usual(), 18), 18 * 20 + 500, True),
    ("a month ago there were as many", lambda: usual() | {NOW - 30 * 144: 1000}, 1000, False),
    ("six weeks ago does not count", lambda: usual() | {NOW - DAYS - 1: 1000}, 1000, True),
]  # fmt: skip


@pytest.mark.parametrize(("why", "counts", "messages", "told"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_unusual(why: str, counts: Callable[[], Counts], messages: int, told: bool) -> None:
    assert (busy(counts() | {NOW: messages}, NOW) is not None) == told


def test_a_backlog_of_three_hours_that_takes_more_than_ten_minutes_is_none_either() -> None:
    counts = silent(usual(), 18) | {NOW - 1: 250, NOW: 130}
    assert busy(counts, NOW) is None
    assert busy(counts | {NOW: 900}, NOW) == Volume(NOW, 900, 250)


def test_a_night_owes_nothing_to_the_morning() -> None:
    morning = window_of(at("2026-03-30 09:00"))
    before = {window: count for window, count in usual().items() if window < morning}
    assert begin_of(max(before)) < at("2026-03-29 19:00"), "all was silent since"
    assert busy(before | {morning: 201}, morning) == Volume(morning, 201, 30)


def test_a_window_is_ten_minutes() -> None:
    assert begin_of(NOW) == at("2026-03-30 12:00")
    assert [window_of(at(f"2026-03-30 12:{minute}")) - NOW for minute in ("09", "10")] == [0, 1]
