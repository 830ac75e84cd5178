"""Series: what one sentence says of several appointments, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.world import World

FIRST = date(2026, 4, 3)
FRIDAYS, DAYS, MONTHS = 7, 1, 28


def on(number: int, every: int = FRIDAYS, hour: str = "13:15", shift: int = 0) -> str:
    return f"{FIRST + timedelta(days=number * every + shift)} {hour}"


def series(world: World, numbers: str, every: int = FRIDAYS, **changes: Any) -> World:
    """Occurrences s0, s1, … of the series."""
    for number in map(int, numbers):
        world.book(on(number, every), id=f"s{number}", series="s", **changes)
    return world


def cancel(world: World, numbers: str) -> World:
    for number in map(int, numbers):
        world.book(on(number), id=f"s{number}", series="s", rev=2, status="cancelled")
    return world


def move(world: World, **shifts: int) -> World:
    """Moves occurrences by so many days."""
    for id_, shift in shifts.items():
        world.book(on(int(id_[1:]), shift=shift), id=id_, series="s", rev=2)
    return world


def later(world: World, numbers: str, hour: str = "15:00") -> World:
    for number in map(int, numbers):
        world.book(on(number, hour=hour), id=f"s{number}", series="s", rev=2)
    return world


def said(world: World) -> list[tuple[str, str]]:
    """What each sentence is, and of which occurrences."""
    return [
        (notice["kind"], "".join(id_[1:] for id_ in (notice["appointment"], *notice.get("others", ()))))
        for record in world.log
        if record["status"] == "sent"
        for notice in record["notices"]
    ]


Step = Callable[[World], object]
MADE: list[tuple[str, Step, list[tuple[str, str]]]] = [
    ("one", lambda w: series(w, "0"), [("created", "0")]),
    ("two", lambda w: series(w, "01"), [("series_created", "01")]),
    ("four", lambda w: series(w, "0123"), [("series_created", "0123")]),
    ("in any order", lambda w: series(w, "3102"), [("series_created", "0123")]),
    ("each day", lambda w: series(w, "0123", DAYS), [("created", "0"), ("created", "1"), ("created", "2"), ("created", "3")]),
    ("every fourth week", lambda w: series(w, "012", MONTHS), [("series_created", "012")]),
    ("one at another hour stays apart", lambda w: series(later(w, "2"), "013"), [("series_created", "013"), ("created", "2")]),
    ("one in the midst at another place: one sentence would be heard of its day, too",
     lambda w: series(series(w, "2", location="De Boom"), "013"),
     [("created", "0"), ("created", "1"), ("created", "2"), ("created", "3")]),
    ("one before the rest at another place stays apart", lambda w: series(series(w, "0", location="De Boom"), "123"),
     [("created", "0"), ("series_created", "123")]),
    ("of two series each is said", lambda w: series(w, "01").book(on(0, hour="16:00"), id="t4", series="t").book(
        on(1, hour="16:00"), id="t5", series="t"), [("series_created", "01"), ("series_created", "45")]),
    ("without a series all are single", lambda w: w.book(on(0), id="s0").book(on(1), id="s1"),
     [("created", "0"), ("created", "1")]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "steps", "then"), MADE, ids=[row[0] for row in MADE])
def test_what_is_made(what: str, steps: Step, then: list[tuple[str, str]]) -> None:
    world = World()
    steps(world)
    assert sorted(said(world.wait("2026-03-02 10:00"))) == sorted(then)


CHANGED: list[tuple[str, Step, list[tuple[str, str]]]] = [
    ("all cancelled", lambda w: cancel(w, "0123"), [("series_cancelled", "0123")]),
    ("the last two cancelled", lambda w: cancel(w, "23"), [("series_cancelled", "23")]),
    ("the last one cancelled", lambda w: cancel(w, "3"), [("cancelled", "3")]),
    ("two in the middle cancelled", lambda w: cancel(w, "12"), [("cancelled", "1"), ("cancelled", "2")]),
    ("the first two cancelled", lambda w: cancel(w, "01"), [("cancelled", "0"), ("cancelled", "1")]),
    ("all at another hour", lambda w: later(w, "0123"), [("series_moved", "0123")]),
    ("the last two at another hour", lambda w: later(w, "23"), [("series_moved", "23")]),
    ("two at one hour and two at another", lambda w: later(later(w, "01"), "23", "16:00"),
     [("moved", "0"), ("moved", "1"), ("series_moved", "23")]),
    ("all by one day", lambda w: move(w, s0=1, s1=1, s2=1, s3=1), [("series_moved", "0123")]),
    ("by one, two, three and four days", lambda w: move(w, s0=1, s1=2, s2=3, s3=4),
     [("moved", "0"), ("moved", "1"), ("moved", "2"), ("moved", "3")]),
    ("the last two by the same days, those before by others", lambda w: move(w, s0=1, s1=2, s2=3, s3=3),
     [("moved", "0"), ("moved", "1"), ("series_moved", "23")]),
    ("one cancelled, the rest moved", lambda w: later(cancel(w, "0"), "123"), [("cancelled", "0"), ("series_moved", "123")]),
    ("all at another place", lambda w: series(w, "0123", rev=2, location="De Boom"), [("series_relocated", "0123")]),
    ("the same once more", lambda w: series(w, "0123", rev=2), []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "steps", "then"), CHANGED, ids=[row[0] for row in CHANGED])
def test_what_is_changed_of_four_that_were_told_as_one(what: str, steps: Step, then: list[tuple[str, str]]) -> None:
    world = series(World(), "0123").wait("2026-03-02 10:00")
    assert said(world) == [("series_created", "0123")]
    steps(world)
    assert sorted(said(world.wait("2026-03-02 11:00"))[1:]) == sorted(then)


ADDED: list[tuple[str, Step, list[str]]] = [
    ("one more at the end is covered", lambda w: series(w, "4"), ["suppressed series"]),
    ("three more at the end are covered", lambda w: series(w, "456"), ["suppressed series"]),
    ("one more at another hour is not", lambda w: later(w, "4"), ["sent"]),
    ("one more at another place is not", lambda w: series(w, "4", location="De Boom"), ["sent"]),
    ("one more of another series is not", lambda w: w.book(on(4), id="t4", series="t"), ["sent"]),
    ("one more without a series is not", lambda w: w.book(on(4), id="s4"), ["sent"]),
    ("after all were cancelled none is", lambda w: series(cancel(w, "0123").wait("2026-03-02 10:30"), "4"), ["sent", "sent"]),
]


@pytest.mark.parametrize(("what", "steps", "then"), ADDED, ids=[row[0] for row in ADDED])
def test_what_comes_to_four_that_were_told_as_one(what: str, steps: Step, then: list[str]) -> None:
    world = series(World(), "0123").wait("2026-03-02 10:00")
    steps(world)
    assert list(dict.fromkeys(world.wait("2026-03-02 11:00").outcomes[1:])) == list(dict.fromkeys(then))


def singly(world: World, numbers: str) -> World:
    """Told one by one, so that no sentence named them as a series."""
    for number in numbers:
        series(world, number).wait(str(world.now + timedelta(hours=1)))
    return world


def fortnightly(world: World) -> World:
    """Another series at the same hour, before those."""
    for number in (0, 2):
        world.book(on(number), id=f"t{number}", series="t")
    return world


BESIDE: list[tuple[str, str, Step, list[tuple[str, str]]]] = [
    ("one is of none of its weeks: who reads first of what is made would not take that to go", "45",
     lambda w: fortnightly(cancel(w, "45")), [("cancelled", "4"), ("cancelled", "5"), ("series_created", "02")]),
    ("both are of its weeks", "46",
     lambda w: fortnightly(cancel(w, "46")), [("series_cancelled", "46"), ("series_created", "02")]),
    ("it is of another hour", "45",
     lambda w: later(cancel(w, "45"), "02"), [("series_cancelled", "45"), ("series_created", "02")]),
    ("what is moved, too", "45",
     lambda w: fortnightly(later(w, "45")), [("moved", "4"), ("moved", "5"), ("series_created", "02")]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "told", "steps", "then"), BESIDE, ids=[row[0] for row in BESIDE])
def test_what_goes_or_moves_beside_a_series_that_is_made(what: str, told: str, steps: Step, then: list[tuple[str, str]]) -> None:
    world = singly(World(), told)
    before = len(said(world))
    assert said(world) == [("created", number) for number in told]
    steps(world)
    assert sorted(said(world.wait("2026-03-02 18:00"))[before:]) == sorted(then)
