"""What may tell of an appointment first (`notify`), and that what was told is kept right whatever it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.world import World

Step = Callable[[World], object]
Row = tuple[str, list[Step], list[tuple[str, str, str]]]

THURSDAY = "2026-03-05 11:00"
ABSENT = [{"client": "anna", "present": False}]
QUIET = ("suppressed notify", "created", "a")
TOLD = ("sent", "created", "a")
REMINDED = ("sent", "reminder", "a")


def book(start: str = THURSDAY, **fields: Any) -> Step:
    return lambda world: world.book(start, **fields)


def wait(until: str) -> Step:
    return lambda world: world.wait(until)


def after_the_reminder(world: World) -> World:
    return world.wait("2026-03-04 18:05")


ROWS: list[Row] = [
    ("`all` is as if nothing were said", [book(notify="all")], [TOLD]),
    ("of `none` nothing is told or reminded", [book(notify="none"), after_the_reminder], [QUIET]),
    ("nor that it moves, or is cancelled: nobody knows of it",
     [book(notify="none"), book("2026-03-06 11:00", rev=2, notify="none"), book(rev=3, status="cancelled")],
     [QUIET, QUIET]),
    ("of `reminder` the reminder is the first word", [book(notify="reminder"), after_the_reminder], [QUIET, REMINDED]),
    ("a reminder has the time that it then has",
     [book(notify="reminder"), book("2026-03-05 15:00", rev=2, notify="reminder"), after_the_reminder], [QUIET, QUIET, REMINDED]),
    ("one that came to this day after its reminder was due has none",
     [book("2026-03-09 11:00", notify="reminder"), after_the_reminder, book(rev=2, notify="reminder")], [QUIET, QUIET]),
    ("what the reminder told is kept right when it moves",
     [book(notify="reminder"), after_the_reminder, book("2026-03-05 15:00", rev=2, notify="reminder")],
     [QUIET, REMINDED, ("sent", "moved", "a")]),
    ("and when it is cancelled, whatever `notify` says by then",
     [book(notify="reminder"), after_the_reminder, book(rev=2, notify="none", status="cancelled")],
     [QUIET, REMINDED, ("sent", "cancelled", "a")]),
    ("what was told is kept right, though it is `none` since",
     [book(), book("2026-03-05 15:00", rev=2, notify="none"), book("2026-03-05 15:00", rev=3, status="cancelled")],
     [TOLD, ("sent", "moved", "a"), ("sent", "cancelled", "a")]),
    ("but it is not reminded of", [book(), book(rev=2, notify="none"), after_the_reminder],
     [TOLD, ("suppressed notify", "reminder", "a")]),
    ("`none`, then `all`: it is told", [book(notify="none"), book(rev=2)], [QUIET, TOLD]),
    ("`all` and `none` within one window: nothing is told", [lambda world: world.book(THURSDAY).book(
        THURSDAY, rev=2, notify="none")], [QUIET]),
    ("a cancellation that leaves it out keeps it", [book(notify="none"), lambda world: world.book(
        THURSDAY, rev=2, status="cancelled").book(THURSDAY, rev=3, status="cancelled", notify=None)], [QUIET]),
    ("a client taken off the list hears nothing of it", [book(notify="none"), book(rev=2, notify="none", clients=[])], [QUIET]),
    ("a deletion says nothing of it", [book(notify="none"), lambda world: world.feed("appointments", "zorg/a", None)], [QUIET]),
    ("who is absent is absent", [book(notify="none", clients=ABSENT)], [("suppressed absent", "created", "a")]),
    ("one at the hour and place of another is that, and stays when the other goes",
     [book(), book(id="b", notify="none"), book(rev=2, status="cancelled")],
     [TOLD, ("suppressed same", "created", "b"), ("suppressed same", "cancelled", "a")]),
    ("one that leaves the other there is as if it had never been told",
     [book(), book(id="b", notify="none"), book("2026-03-05 15:00", id="b", rev=2, notify="none")],
     [TOLD, ("suppressed same", "created", "b"), ("suppressed notify", "moved", "b")]),
    ("a reminder names only what it may", [book(), book("2026-03-05 15:00", id="b", notify="none"), after_the_reminder],
     [TOLD, ("suppressed notify", "created", "b"), REMINDED]),
    ("who came is not told that it was", [book("2026-03-02 11:00", notify="none"), book(
        "2026-03-02 11:00", rev=2, notify="none", status="arrived")], [QUIET]),
    ("where it takes the place of what was told, that is cancelled",
     [book(), lambda world: world.book(THURSDAY, rev=2, status="cancelled").book(
         "2026-03-06 11:00", id="b", replaces="a", notify="none")],
     [TOLD, ("sent", "cancelled", "a"), ("suppressed notify", "created", "b")]),
    ("a series of which nothing may be told makes none", [lambda world: [world.book(
        f"2026-03-{day} 11:00", id=day, series="s", notify="none") for day in ("13", "20")]],
     [("suppressed notify", "created", "13"), ("suppressed notify", "created", "20")]),
]  # fmt: skip


def told(world: World) -> list[tuple[str, str, str]]:
    """What became of each notice: status and detail, kind, appointment."""
    return [
        (f"{record['status']} {record['detail'] or ''}".rstrip(), notice["kind"], notice["appointment"])
        for record in world.log
        for notice in record["notices"]
    ]


@pytest.mark.parametrize(("steps", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_told(steps: list[Step], expected: list[tuple[str, str, str]], restarts: bool) -> None:
    world = World("2026-03-02 09:00", reminder={"days_before": 1, "at": "18:00"})
    for step in steps:
        world.play([step])
        if restarts:
            world.restart()
    assert told(world) == expected


def test_a_polled_source_may_say_it_too() -> None:
    polled = {"appointment": "1", "start": "2026-03-05T11:00:00+01:00", "end": "2026-03-05T12:00:00+01:00", "notify": "none"}
    snapshot = {
        "organisation": "zorg", "client": "anna", "from": "2026-03-01T00:00:00+01:00", "to": "2026-04-01T00:00:00+02:00",
        "revision": 1, "appointments": [polled],
    }  # fmt: skip
    world = World().play([lambda world: world.feed("agenda-snapshots", "zorg/anna", snapshot)])
    assert told(world) == [("suppressed notify", "created", "~1")]
