"""Reminders: which days get one, when, of what; and when one is late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from schemas.topics import AGENDAS
from tests.world import World, at

BEFORE = {"days_before": 1, "at": "18:00"}
DUE = "2026-03-04T17:00:00Z"


def reminded(start: str = "2026-03-02 09:00", **settings: Any) -> World:
    return World(start, **{"reminder": BEFORE, **settings})


def reminders(world: World) -> list[tuple[str, str, list[str]]]:
    """When, what became of it, and of which appointments."""
    return [
        (record["at"], record["detail"] or record["status"], named(record))
        for record in world.log
        if record["reason"] == "reminder"
    ]


def named(record: dict[str, Any]) -> list[str]:
    return [id_ for notice in record["notices"] for id_ in (notice["appointment"], *notice.get("others", ()))]


Step = Callable[[World], object]
ABSENT = [{"client": "anna", "present": False}]

ROWS: list[tuple[str, Step, list[tuple[str, str, list[str]]]]] = [
    ("one appointment", lambda w: w.book("2026-03-05 11:00"), [(DUE, "sent", ["a"])]),
    ("several, in the order in which they begin",
     lambda w: w.book("2026-03-05 15:00").book("2026-03-05 11:00", id="b").book("2026-03-05 13:00", id="c"),
     [(DUE, "sent", ["b", "c", "a"])]),
    ("two that begin at once, in the order of their ids",
     lambda w: w.book("2026-03-05 11:00", id="b", location="De Boom").book("2026-03-05 11:00", location="De Linde"),
     [(DUE, "sent", ["a", "b"])]),
    ("two at once, of which the first is in no place of its own, are one",
     lambda w: w.book("2026-03-05 11:00").book("2026-03-05 11:00", id="b", location="De Linde"), [(DUE, "sent", ["b"])]),
    ("a day each", lambda w: w.book("2026-03-05 11:00").book("2026-03-06 11:00", id="b"),
     [(DUE, "sent", ["a"]), ("2026-03-05T17:00:00Z", "sent", ["b"])]),
    ("a night belongs to the day on which it begins", lambda w: w.book("2026-03-05 23:00", "2026-03-06 07:00"),
     [(DUE, "sent", ["a"])]),
    ("cancelled before", lambda w: w.book("2026-03-05 11:00").wait("2026-03-03 09:00").book(
        "2026-03-05 11:00", rev=2, status="cancelled"), []),
    ("one of two cancelled in a window that the reminder closes", lambda w: w.book("2026-03-05 11:00").book(
        "2026-03-05 15:00", id="b").wait("2026-03-04 17:59:50").book("2026-03-05 11:00", rev=2, status="cancelled"),
     [(DUE, "sent", ["b"])]),
    ("moved to this day before its due moment, and told", lambda w: w.book("2026-03-09 11:00").wait("2026-03-03 17:00").book(
        "2026-03-05 11:00", rev=2), [(DUE, "sent", ["a"])]),
    ("moved to this day, and told only by the reminder's closing", lambda w: w.book("2026-03-09 11:00").wait(
        "2026-03-04 17:59:50").book("2026-03-05 11:00", rev=2), []),
    ("moved away and back within one window keeps its day", lambda w: w.book("2026-03-05 11:00").wait("2026-03-04 12:00").book(
        "2026-03-06 11:00", rev=2).book("2026-03-05 11:00", rev=3), [(DUE, "sent", ["a"])]),
    ("moved within its day is on it since it was first told", lambda w: w.book("2026-03-05 11:00").wait(
        "2026-03-04 17:59:50").book("2026-03-05 12:00", rev=2), [(DUE, "just_told", ["a"])]),
    ("made after the due moment", lambda w: w.wait("2026-03-04 18:00:01").book("2026-03-05 11:00"), []),
    ("made after the due moment, beside one of before", lambda w: w.book("2026-03-05 11:00").wait("2026-03-04 18:01").book(
        "2026-03-05 15:00", id="b"), [(DUE, "sent", ["a"])]),
    ("on one of two the client is absent", lambda w: w.book("2026-03-05 11:00").book("2026-03-05 15:00", id="b").wait(
        "2026-03-03 09:00").book("2026-03-05 11:00", rev=2, clients=ABSENT), [(DUE, "sent", ["b"])]),
    ("on all the client is absent", lambda w: w.book("2026-03-05 11:00").wait("2026-03-03 09:00").book(
        "2026-03-05 11:00", rev=2, clients=ABSENT), [(DUE, "absent", ["a"])]),
    ("a gate is closed", lambda w: w.book("2026-03-05 11:00").wait("2026-03-03 09:00").opt_out(), [(DUE, "client_off", ["a"])]),
    ("what was suppressed is not made up later", lambda w: w.book("2026-03-05 11:00").wait("2026-03-03 09:00").opt_out().wait(
        "2026-03-04 18:01").opt_out(off=False), [(DUE, "client_off", ["a"])]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "steps", "then"), ROWS, ids=[row[0] for row in ROWS])
def test_a_day_gets(what: str, steps: Step, then: list[tuple[str, str, list[str]]]) -> None:
    world = reminded()
    steps(world)
    assert reminders(world.wait("2026-03-20 09:00")) == then


MORNING, NOON = "2026-03-04 09:00", "2026-03-04 12:00"


def in_a_series(world: World, *days: str) -> World:
    for number, day in enumerate(days):
        world.book(f"{day} 11:00", id=f"s{number}", series="s")
    return world


TOLD: list[tuple[str, Step, list[tuple[str, str, list[str]]]]] = [
    ("made that morning", lambda w: w.wait(MORNING).book("2026-03-05 11:00"), [(DUE, "just_told", ["a"])]),
    ("told a second less than twelve hours before", lambda w: w.wait("2026-03-04 05:59:31").book("2026-03-05 11:00"),
     [(DUE, "just_told", ["a"])]),
    ("told twelve hours before", lambda w: w.wait("2026-03-04 05:59:30").book("2026-03-05 11:00"), [(DUE, "sent", ["a"])]),
    ("two made that morning, in one message", lambda w: w.wait(MORNING).book("2026-03-05 11:00").book(
        "2026-03-05 15:00", id="b"), [(DUE, "just_told", ["a", "b"])]),
    ("two made that morning, in a message each: none told the whole day", lambda w: w.wait(MORNING).book(
        "2026-03-05 11:00").wait(NOON).book("2026-03-05 15:00", id="b"), [(DUE, "sent", ["a", "b"])]),
    ("two told at the same moment, in a message each", lambda w: w.wait("2026-03-03 19:00").book(
        "2026-03-04 23:00").wait(MORNING).book("2026-03-05 11:00", rev=2).book("2026-03-05 15:00", id="b"),
     [(DUE, "sent", ["a", "b"])]),
    ("one of two made that morning", lambda w: w.book("2026-03-05 11:00").wait(MORNING).book("2026-03-05 15:00", id="b"),
     [(DUE, "sent", ["a", "b"])]),
    ("one of two cancelled that morning: of the other nothing was said", lambda w: w.book("2026-03-05 11:00").book(
        "2026-03-05 15:00", id="b").wait(MORNING).book("2026-03-05 11:00", rev=2, status="cancelled"), [(DUE, "sent", ["b"])]),
    ("two made that morning, one cancelled at noon", lambda w: w.wait(MORNING).book("2026-03-05 11:00").book(
        "2026-03-05 15:00", id="b").wait(NOON).book("2026-03-05 11:00", rev=2, status="cancelled"),
     [(DUE, "just_told", ["b"])]),
    ("moved to this day that morning", lambda w: w.book("2026-03-09 11:00").wait(MORNING).book("2026-03-05 11:00", rev=2),
     [(DUE, "just_told", ["a"])]),
    ("relocated that morning", lambda w: w.book("2026-03-05 11:00", location="De Linde").wait(MORNING).book(
        "2026-03-05 11:00", rev=2, location="De Boom"), [(DUE, "just_told", ["a"])]),
    ("told that morning, and its place dropped at noon, without a word", lambda w: w.wait(MORNING).book(
        "2026-03-05 11:00", location="De Linde").wait(NOON).book("2026-03-05 11:00", rev=2), [(DUE, "just_told", ["a"])]),
    ("told that morning, and written anew under another id at noon", lambda w: w.wait(MORNING).book("2026-03-05 11:00").wait(
        NOON).book("2026-03-05 11:00", rev=2, status="cancelled").book("2026-03-05 11:00", id="b"),
     [(DUE, "just_told", ["b"])]),
    ("moved away that morning and back at noon", lambda w: w.book("2026-03-05 11:00").wait(MORNING).book(
        "2026-03-06 11:00", rev=2).wait(NOON).book("2026-03-05 11:00", rev=3), [(DUE, "just_told", ["a"])]),
    ("the first of a series that was made that morning, and the next", lambda w: in_a_series(
        w.wait(MORNING), "2026-03-05", "2026-03-12"), [(DUE, "just_told", ["s0"]), ("2026-03-11T17:00:00Z", "sent", ["s1"])]),
    ("a gate kept it back that morning", lambda w: w.opt_out().wait(MORNING).book("2026-03-05 11:00").wait(NOON).opt_out(
        off=False), [(DUE, "sent", ["a"])]),
    ("a gate has closed since: that is why", lambda w: w.wait(MORNING).book("2026-03-05 11:00").wait(NOON).opt_out(),
     [(DUE, "client_off", ["a"])]),
    ("a gate kept a change of it back at noon, and it was undone", lambda w: w.wait(MORNING).book("2026-03-05 11:00").wait(
        NOON).opt_out().book("2026-03-05 12:00", rev=2).wait("2026-03-04 13:00").opt_out(off=False).book(
        "2026-03-05 11:00", rev=3), [(DUE, "just_told", ["a"])]),
    ("on one of two the client is absent, the other was made that morning", lambda w: w.book(
        "2026-03-05 11:00", clients=ABSENT).wait(MORNING).book("2026-03-05 15:00", id="b"), [(DUE, "just_told", ["b"])]),
    ("later reminders are set when it was left out: there is one a day", lambda w: w.wait(MORNING).book(
        "2026-03-05 22:30").wait("2026-03-04 18:01").settings(reminder={"days_before": 0, "at": "22:00"}),
     [(DUE, "just_told", ["a"])]),
    ("it is late, and that message is twelve hours old", lambda w: w.wait(MORNING).book("2026-03-05 11:00").wait(
        "2026-03-04 17:59").stall("2026-03-04 21:01"), [("2026-03-04T20:01:00Z", "sent", ["a"])]),
    ("the worker starts anew between", lambda w: w.wait(MORNING).book("2026-03-05 11:00").wait(NOON).restart(),
     [(DUE, "just_told", ["a"])]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "steps", "then"), TOLD, ids=[row[0] for row in TOLD])
def test_within_hours_of_a_message_that_told_the_day(what: str, steps: Step, then: list[tuple[str, str, list[str]]]) -> None:
    world = reminded()
    steps(world)
    assert reminders(world.wait("2026-03-20 09:00")) == then


@pytest.mark.parametrize(
    ("hours", "then"), [(0, "sent"), (1, "sent"), (9, "sent"), (10, "just_told"), (168, "just_told")], ids=str
)
def test_within_how_many_hours_is_a_setting(hours: int, then: str) -> None:
    world = reminded(reminder={**BEFORE, "not_within_hours": hours}).wait("2026-03-04 08:59:30").book("2026-03-05 11:00")
    assert reminders(world.wait("2026-03-04 20:00")) == [(DUE, then, ["a"])]


def test_what_a_series_says_without_a_word_was_not_told_by_a_message() -> None:
    world = in_a_series(reminded(reminder={"days_before": 10, "at": "18:00"}), "2026-03-12", "2026-03-19")
    world.wait("2026-03-16 09:00").book("2026-03-26 11:00", id="s2", series="s").wait("2026-04-20 09:00")
    assert reminders(world) == [
        ("2026-03-02T17:00:00Z", "just_told", ["s0"]),
        ("2026-03-09T17:00:00Z", "sent", ["s1"]),
        ("2026-03-16T17:00:00Z", "sent", ["s2"]),
    ]
    assert world.outcomes.count("suppressed series") == 1


def test_what_a_row_of_before_says_was_told_long_ago() -> None:
    world = reminded().wait(MORNING).book("2026-03-05 11:00").wait(NOON)
    key = AGENDAS.row("zorg/anna")
    row = orjson.loads(world.simulation.rows["notices"][key])
    assert [item.pop("told") for item in row["known"]] == ["2026-03-04T08:00:30Z"]
    world.simulation.rows["notices"][key] = orjson.dumps(row)
    assert reminders(world.restart().wait("2026-03-20 09:00")) == [(DUE, "sent", ["a"])]


def test_when_it_was_told_is_forgotten_after_a_week() -> None:
    world = reminded().book("2026-03-25 11:00").wait("2026-03-09 09:00:30").book("2026-03-26 11:00", id="b")
    world.wait("2026-03-09 09:01:01")
    assert [item.told for item in world.agenda().known or ()] == [None, at("2026-03-09 09:01:00")]


LATE: list[tuple[str, str, list[tuple[str, str, list[str]]]]] = [
    ("before all", "2026-03-05 10:59", [("2026-03-05T09:59:00Z", "sent", ["a", "b"])]),
    ("as the first one begins: it has begun", "2026-03-05 11:00", [("2026-03-05T10:00:00Z", "sent", ["b"])]),
    ("between", "2026-03-05 13:00", [("2026-03-05T12:00:00Z", "sent", ["b"])]),
    ("after all", "2026-03-05 15:00", [("2026-03-05T14:00:00Z", "expired", ["a", "b"])]),
    ("days after", "2026-03-09 09:00", [("2026-03-09T08:00:00Z", "expired", ["a", "b"])]),
]


@pytest.mark.parametrize(("what", "end", "then"), LATE, ids=[row[0] for row in LATE])
@pytest.mark.parametrize("restarts", [False, True], ids=["it goes on", "it starts anew"])
def test_one_that_an_outage_makes_late(what: str, end: str, then: list[tuple[str, str, list[str]]], restarts: bool) -> None:
    """It speaks of what has not begun at the end of the outage."""
    world = reminded().book("2026-03-05 11:00").book("2026-03-05 15:00", id="b").wait("2026-03-04 17:59").stall(end)
    if restarts:
        world.restart()
    assert reminders(world.wait("2026-03-20 09:00")) == then


def test_an_outage_over_several_days_ends_in_a_reminder_for_each_that_has_something_ahead() -> None:
    world = reminded()
    for day in range(5, 9):
        world.book(f"2026-03-0{day} 11:00", id=f"on{day}")
    world.wait("2026-03-04 17:59").stall("2026-03-06 19:00").wait("2026-03-20 09:00")
    assert [(status, ids) for _, status, ids in reminders(world)] == [
        ("expired", ["on5"]),
        ("expired", ["on6"]),
        ("sent", ["on7"]),
        ("sent", ["on8"]),
    ]


def test_an_outage_that_ends_with_the_cancellation_has_no_reminder_of_what_is_cancelled() -> None:
    """What came in is handled before the moments that it made late."""
    world = reminded().book("2026-03-05 11:00").wait("2026-03-04 17:00").stall("2026-03-04 19:00")
    world.book("2026-03-05 11:00", rev=2, status="cancelled").wait("2026-03-20 09:00")
    assert reminders(world) == []


CLOCKS = [
    ("02:30 does not exist, and is 03:30", "2026-03-27 09:00", "2026-03-30 11:00", "02:30", "2026-03-29T01:30:00Z"),
    ("02:30 comes twice, and is the first", "2026-10-23 09:00", "2026-10-26 11:00", "02:30", "2026-10-25T00:30:00Z"),
    (
        "the day before is the local one, whatever its length",
        "2026-03-27 09:00",
        "2026-03-29 11:00",
        "18:00",
        "2026-03-28T17:00:00Z",
    ),
]


@pytest.mark.parametrize(("what", "start", "booked", "wall", "due"), CLOCKS, ids=[row[0] for row in CLOCKS])
def test_at_the_clock_changes(what: str, start: str, booked: str, wall: str, due: str) -> None:
    world = reminded(start, reminder={"days_before": 1, "at": wall}).book(booked).wait("2026-12-01 09:00")
    assert reminders(world) == [(due, "sent", ["a"])]


def test_it_has_the_same_id_for_a_client_and_day_whatever_it_speaks_of() -> None:
    ids = []
    for appointments in ("a", "bc"):
        world = reminded()
        for hour, id_ in enumerate(appointments, 11):
            world.book(f"2026-03-05 {hour}:00", id=id_)
        world.wait("2026-03-20 09:00")
        ids += [record["message"] for record in world.log if record["reason"] == "reminder"]
    assert len(ids) == 2
    assert ids[0] == ids[1]
