"""Several reminders of one day, on calendar or working days: when each is due, which are left out, and what one message says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from schemas.notices import reminder_id
from schemas.topics import AGENDAS
from streams.processing.turn import Call, Result
from streams.sending.outcomes import Outcome
from tests.streams.sending.test_reports import hear, report
from tests.streams.sending.test_sending import SENT, Desk
from tests.world import AMSTERDAM, World, at

WEEK, DAY = {"days_before": 7, "at": "10:00"}, {"days_before": 1, "at": "10:00"}
THREE, SAME_DAY, EVENING = {"days_before": 3, "at": "10:00"}, {"days_before": 0, "at": "07:00"}, {"days_before": 1, "at": "20:00"}
NIGHT = {"from": "22:00", "until": "07:00"}
WORKING = {"days_before": 1, "at": "10:00", "days": "working"}

Step = Callable[[World], object]
Reminders = list[tuple[str, str, list[str]]]


def listed(*reminders: dict[str, Any], start: str = "2026-03-02 09:00", **settings: Any) -> World:
    return World(start, reminders=list(reminders), **settings)


def reminders(world: World) -> Reminders:
    """When (local to the minute), what became of it, and of which appointments."""
    return [
        (when(record["at"]), record["detail"] or record["status"], named(record))
        for record in world.log
        if record["reason"] == "reminder"
    ]


def when(instant: str) -> str:
    return f"{at(instant).astimezone(AMSTERDAM):%m-%d %H:%M}"


def named(record: dict[str, Any]) -> list[str]:
    return [id_ for notice in record["notices"] for id_ in (notice["appointment"], *notice.get("others", ()))]


def book(day: str, **more: Any) -> Step:
    return lambda world: world.book(f"2026-{day} 11:00", **more)


def wait(moment: str) -> Step:
    return lambda world: world.wait(f"2026-{moment}")


def change(*reminders: dict[str, Any], **settings: Any) -> Step:
    return lambda world: world.settings(reminders=list(reminders), **settings)


ROWS: list[tuple[str, list[dict[str, Any]], list[Step], Reminders]] = [
    ("a week and a day before, each once", [WEEK, DAY], [book("03-12")],
     [("03-05 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a"])]),
    ("in whatever order they are listed", [DAY, WEEK], [book("03-12")],
     [("03-05 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a"])]),
    ("none of an empty list, whatever `reminder` says", [], [book("03-12")], []),
    ("two that are set for one moment are one", [DAY, DAY, WEEK], [book("03-12")],
     [("03-05 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a"])]),
    ("a day that came after the first was due has the others", [WEEK, DAY], [wait("03-06 09:00"), book("03-12")],
     [("03-11 10:00", "sent", ["a"])]),
    ("a day that came after two were due has the third", [WEEK, THREE, DAY], [wait("03-10 09:00"), book("03-12")],
     [("03-11 10:00", "sent", ["a"])]),
    ("what moves to a day that had some has those that are still ahead of it", [WEEK, DAY],
     [book("03-12"), wait("03-06 09:00"), book("03-13", rev=2)],
     [("03-05 10:00", "sent", ["a"]), ("03-06 10:00", "just_told", ["a"]), ("03-12 10:00", "sent", ["a"])]),
    ("one less than twelve hours after the last is left out", [EVENING, SAME_DAY], [book("03-12")],
     [("03-11 20:00", "sent", ["a"]), ("03-12 07:00", "just_reminded", ["a"])]),
    ("unless its hours are fewer", [EVENING, {**SAME_DAY, "not_within_hours": 11}], [book("03-12")],
     [("03-11 20:00", "sent", ["a"]), ("03-12 07:00", "sent", ["a"])]),
    ("one after another that was left out goes", [EVENING, SAME_DAY], [wait("03-11 10:00"), book("03-12"), wait("03-12 06:00")],
     [("03-11 20:00", "just_told", ["a"]), ("03-12 07:00", "sent", ["a"])]),
    ("one after another that a gate kept back goes", [EVENING, SAME_DAY],
     [book("03-12"), lambda w: w.opt_out(), wait("03-11 21:00"), lambda w: w.opt_out(off=False)],
     [("03-11 20:00", "client_off", ["a"]), ("03-12 07:00", "sent", ["a"])]),
    ("after an outage over both the second is left out", [EVENING, SAME_DAY],
     [book("03-12"), wait("03-11 19:00"), lambda w: w.stall("2026-03-12 08:00")],
     [("03-12 08:00", "sent", ["a"]), ("03-12 08:00", "just_reminded", ["a"])]),
    ("of two that quiet hours hold back to one moment the second is left out", [],
     [change({"days_before": 2, "at": "23:00"}, {"days_before": 1, "at": "06:00"}, quiet_hours=NIGHT), book("03-12")],
     [("03-11 07:00", "sent", ["a"]), ("03-11 07:00", "just_reminded", ["a"])]),
    # -- the list changes --
    ("a third one is added after the first: it is due", [WEEK, DAY],
     [book("03-12"), wait("03-06 09:00"), change(WEEK, THREE, DAY)],
     [("03-05 10:00", "sent", ["a"]), ("03-09 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a"])]),
    ("one is added before the last, which was decided: none again", [DAY],
     [book("03-12"), wait("03-11 10:01"), change(WEEK, DAY)],
     [("03-11 10:00", "sent", ["a"])]),
    ("two are added before the last, which was decided as the first", [DAY],
     [wait("03-10 10:01"), book("03-12"), wait("03-11 10:01"), change(WEEK, THREE, DAY)], [("03-11 10:00", "sent", ["a"])]),
    ("the first is set later, after it was decided: it counts as the first", [WEEK, DAY],
     [book("03-12"), wait("03-06 09:00"), change(THREE, DAY)], [("03-05 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a"])]),
    ("the list becomes one, which was decided", [WEEK, DAY], [book("03-12"), wait("03-06 09:00"), change(DAY)],
     [("03-05 10:00", "sent", ["a"])]),
    ("the list becomes one of before, none of which was decided", [WEEK, DAY],
     [wait("03-06 09:00"), book("03-12"), lambda w: w.settings(reminder=DAY)], [("03-11 10:00", "sent", ["a"])]),
    ("one of before becomes a list after it was decided", [],
     [lambda w: w.settings(reminder=DAY), book("03-12"), wait("03-11 10:01"), change(DAY, EVENING, SAME_DAY)],
     [("03-11 10:00", "sent", ["a"]), ("03-11 20:00", "just_reminded", ["a"]), ("03-12 07:00", "sent", ["a"])]),
    ("a moment that a change puts in the past is none", [DAY], [book("03-12"), wait("03-06 09:00"), change(WEEK, DAY)],
     [("03-11 10:00", "sent", ["a"])]),
    ("the list is taken off, and is there again", [WEEK, DAY],
     [book("03-12"), wait("03-06 09:00"), change(), wait("03-07 09:00"), change(WEEK, DAY)],
     [("03-05 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a"])]),
    ("an organisation's own list stands before upstream's as a whole", [WEEK, DAY],
     [book("03-12"), lambda w: w.override(reminders=[THREE])], [("03-09 10:00", "sent", ["a"])]),
    ("and its own single one, too", [WEEK, DAY], [book("03-12"), lambda w: w.override(reminder=THREE)],
     [("03-09 10:00", "sent", ["a"])]),
    ("which takes all away with null", [WEEK, DAY], [book("03-12"), lambda w: w.override(reminder=None)], []),
    ("its own empty list is none", [WEEK, DAY], [book("03-12"), lambda w: w.override(reminders=[])], []),
    ("taken back, upstream's count", [WEEK, DAY],
     [book("03-12"), lambda w: w.override(reminders=[]), wait("03-06 09:00"), lambda w: w.override()],
     [("03-11 10:00", "sent", ["a"])]),
    # -- working days --
    ("of a Saturday, a Sunday and a Monday on Friday, in one message", [WORKING],
     [book("03-07"), book("03-08", id="b"), book("03-09", id="c")], [("03-06 10:00", "sent", ["a", "b", "c"])]),
    ("of a Tuesday on Monday", [WORKING], [book("03-10")], [("03-09 10:00", "sent", ["a"])]),
    ("of the days from Good Friday to the Tuesday after Easter on Thursday", [WORKING],
     [book("04-07"), book("04-06", id="b"), book("04-03", id="c")], [("04-02 10:00", "sent", ["c", "b", "a"])]),
    ("5 May is a working day in 2026", [WORKING], [book("05-06")], [("05-05 10:00", "sent", ["a"])]),
    ("unless it is a free day", [WORKING], [change(WORKING, free_days=["2026-05-05"]), book("05-06")],
     [("05-04 10:00", "sent", ["a"])]),
    ("King's Day and Ascension are none", [WORKING], [book("04-28"), book("05-15", id="b")],
     [("04-24 10:00", "sent", ["a"]), ("05-13 10:00", "sent", ["b"])]),
    ("three working days over Christmas and a weekend", [{**THREE, "days": "working"}], [book("12-30")],
     [("12-24 10:00", "sent", ["a"])]),
    ("the day itself where it is a working day, else the last one before it", [{**SAME_DAY, "days": "working"}],
     [book("03-07"), book("03-09", id="b")], [("03-06 07:00", "sent", ["a"]), ("03-09 07:00", "sent", ["b"])]),
    # -- days with one due moment --
    ("the second of one day and the first of the next are one message", [{"days_before": 2, "at": "10:00"}, DAY],
     [book("03-12"), book("03-13", id="b")],
     [("03-10 10:00", "sent", ["a"]), ("03-11 10:00", "sent", ["a", "b"]), ("03-12 10:00", "sent", ["b"])]),
    ("each is checked for itself: of one the client is absent", [WORKING],
     [book("03-07"), book("03-09", id="b"), wait("03-03 09:00"),
      book("03-09", id="b", rev=2, clients=[{"client": "anna", "present": False}])],
     [("03-06 10:00", "absent", ["b"]), ("03-06 10:00", "sent", ["a"])]),
    ("each is checked for itself: one was told that morning", [WORKING],
     [book("03-07"), wait("03-06 08:00"), book("03-09", id="b")],
     [("03-06 10:00", "just_told", ["b"]), ("03-06 10:00", "sent", ["a"])]),
    ("what a window tells first goes out before, and they wait for that", [WORKING],
     [book("03-07"), book("03-09", id="b"), wait("03-06 09:59:50"), book("03-07", rev=2, location="De Linde")],
     [("03-06 10:00", "just_told", ["a"]), ("03-06 10:00", "sent", ["b"])]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "list_", "steps", "then"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("restarts", [False, True], ids=["in one go", "starting anew before each step"])
def test_a_client_is_reminded(
    what: str, list_: list[dict[str, Any]], steps: list[Step], then: Reminders, restarts: bool
) -> None:  # fmt: skip
    world = listed(*list_)
    for step in steps:
        step(world.restart() if restarts and not world.stalled else world)
    assert reminders(world.wait("2027-03-01 09:00")) == then


def test_one_message_has_a_sentence_for_each_day_and_a_notice_for_each() -> None:
    world = listed(WORKING)
    world.book("2026-03-07 11:00").book("2026-03-09 13:15", id="b").book("2026-03-09 15:00", id="c").wait("2026-03-20 09:00")
    (record,) = [one for one in world.log if one["reason"] == "reminder"]
    assert record["text"] == "U heeft een afspraak op 7 maart om 11:00. U heeft 2 afspraken op 9 maart om 13:15."
    assert [notice["id"] for notice in record["notices"]] == [
        reminder_id("zorg", "anna", day) for day in ("2026-03-07", "2026-03-09")
    ]


def test_the_nth_of_a_day_has_its_number_in_its_name_and_id() -> None:
    world = listed(WEEK, THREE, DAY).book("2026-03-12 11:00").wait("2026-03-12 09:00")
    ids = [record["notices"][0]["id"] for record in world.log if record["reason"] == "reminder"]
    names = ["2026-03-12", "2026-03-12/2", "2026-03-12/3"]
    assert world.agenda().reminded == tuple(names)
    assert ids == [reminder_id("zorg", "anna", name) for name in names]
    assert [world.agenda().handled[name].wall for name in names] == ["2026-03-05T10:00", "2026-03-09T10:00", "2026-03-11T10:00"]


def test_a_row_of_before_says_that_one_was_decided() -> None:
    """A worker of before knew one reminder a day: it was the first, whatever the list says now."""
    world = World(reminder=WEEK).book("2026-03-12 11:00").wait("2026-03-06 09:00")
    key = AGENDAS.row("zorg/anna")
    row = orjson.loads(world.simulation.rows["notices"][key])
    assert row["reminded"] == ["2026-03-12"]
    del row["handled"]
    world.simulation.rows["notices"][key] = orjson.dumps(row)
    world.restart().settings(reminders=[WEEK, DAY]).wait("2026-03-20 09:00")
    assert [moment for moment, _, _ in reminders(world)] == ["03-05 10:00", "03-11 10:00"]


class TestOneThatComesBack:
    """It counts no more, and is decided anew; those of other days and moments stay as they are."""

    def two_days(self) -> tuple[Desk, Call]:
        """A message of two days, on its way."""
        one = Desk(World(reminders=[WORKING]))
        one.world.contact(email=True).consent(channels=["sms", "email"])
        one.world.book("2026-03-07 11:00").book("2026-03-09 11:00", id="b").wait("2026-03-02 09:00:30")
        calls = one.turn("2026-03-02 09:00:31")
        while calls:
            calls = one.turn("2026-03-02 09:00:32", results=[Result(calls[0].key, SENT)])
        one.world.wait("2026-03-06 10:00")
        (call,) = one.turn("2026-03-06 10:00")
        assert named_in(call) == ["a", "b"]
        return one, call

    def test_since_one_of_its_days_is_no_longer_so_all_of_them_are_decided_anew(self) -> None:
        one, call = self.two_days()
        one.turn("2026-03-06 10:00:05", results=[Result(call.key, Outcome(kind="retry", detail="503"))])
        one.world.wait("2026-03-06 10:00:10").book("2026-03-09 11:00", id="b", rev=2, status="cancelled")
        one.world.wait("2026-03-06 10:00:40")
        (cancelled,) = one.turn("2026-03-06 10:00:40")
        (again,) = one.turn("2026-03-06 10:00:45", results=[Result(cancelled.key, SENT)])
        assert named_in(again) == ["a"]
        assert [record["status"] for record in one.log[-3:]] == ["retrying", "sent", "superseded"]

    def test_since_its_address_was_refused_all_of_it_takes_the_next_channel(self) -> None:
        one, call = self.two_days()
        one.turn("2026-03-06 10:00:05", results=[Result(call.key, Outcome(kind="permanent_address", detail="9"))])
        assert reminders(one.world) == [("03-06 10:00", "sent", ["a", "b"])]
        assert one.world.agenda().reminded == ("2026-03-07", "2026-03-09")

    def test_as_its_final_report_says_all_of_it_takes_the_next_channel(self) -> None:
        one, call = self.two_days()
        one.turn("2026-03-06 10:00:05", room=0, results=[Result(call.key, SENT)])
        one.world.wait("2026-03-06 11:00")
        hear(one, "2026-03-06 11:00", report(call, "delivery_failed", error=1))
        assert reminders(one.world) == [("03-06 11:00", "sent", ["a", "b"])]

    def test_while_a_later_one_was_decided_it_is_still_the_one_that_it_was(self) -> None:
        one = Desk(World(reminders=[WEEK, {**EVENING, "not_within_hours": 0}, {**SAME_DAY, "not_within_hours": 0}]))
        one.world.contact(email=True).consent(channels=["sms", "email"]).book("2026-03-12 11:00").wait("2026-03-02 09:00:30")
        calls = []
        for moment in ("2026-03-02 09:00:31", "2026-03-05 10:00", "2026-03-11 20:00", "2026-03-12 07:00"):
            one.world.wait(moment)
            (call,) = one.turn(moment)
            one.turn(moment, room=0, results=[Result(call.key, SENT)])
            calls.append(call)
        one.world.wait("2026-03-12 07:30")
        hear(one, "2026-03-12 07:30", report(calls[2], "delivery_failed", error=1))
        assert [(moment, became) for moment, became, _ in reminders(one.world)] == [("03-12 07:30", "sent")]
        (record,) = one.world.log
        assert record["notices"][0]["id"] == reminder_id("zorg", "anna", "2026-03-12/2")


def named_in(call: Call) -> list[str]:
    return [id_ for notice in call.request.delivery.notices for id_ in notice.appointments]
