"""The check a second before sending: a message goes whole, or comes back whole and is decided anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streams.processing.turn import Result
from tests.world import World

from .test_sending import SENT, Desk

DAY = "2026-04-17"
LATER = "2026-03-02 09:05"


def waiting(**settings: Any) -> Desk:
    """One message of two notices waits: `a` at 13:15 and `b` at 16:00 of one day were made."""
    world = World(**settings)
    one = Desk(world)
    world.book(f"{DAY} 13:15").book(f"{DAY} 16:00", id="b").wait("2026-03-02 09:01")
    return one


def absent(world: World, *appointments: str) -> World:
    for id_ in appointments:
        hour = {"a": "13:15", "b": "16:00"}[id_]
        world.book(f"{DAY} {hour}", id=id_, rev=2, clients=[{"client": "anna", "present": False}])
    return world


def became(one: Desk) -> list[tuple[str, str | None, list[str]]]:
    """What became of which appointments, a record each."""
    return [(record["status"], record["detail"], named(record)) for record in one.log]


def named(record: dict[str, Any]) -> list[str]:
    return sorted(notice["appointment"] for notice in record["notices"])


Became = list[tuple[str, str | None, list[str]]]
Change = Callable[[World], World]
ROWS: list[tuple[str, Change, Became, Became]] = [
    ("nothing changed", lambda world: world, [("sent", None, ["a", "b"])], []),
    (
        "on one the client is absent",
        lambda world: absent(world, "a"),
        [("superseded", None, ["a", "b"]), ("sent", None, ["b"])],
        [("suppressed", "absent", ["a"])],
    ),
    (
        "on both",
        lambda world: absent(world, "a", "b"),
        [("superseded", None, ["a", "b"])],
        [("suppressed", "absent", ["a", "b"])],
    ),
    (
        "a gate closed",
        lambda world: world.opt_out(),
        [("superseded", "client_off", ["a", "b"])],
        [("suppressed", "client_off", ["a", "b"])],
    ),
    (
        "on one absent, and a gate closed",
        lambda world: absent(world, "a").opt_out(),
        [("superseded", None, ["a", "b"])],
        [("suppressed", "absent", ["a"]), ("suppressed", "client_off", ["b"])],
    ),
    (
        "the organisation was switched off",
        lambda world: world.settings(notifications=False),
        [("superseded", "organisation_off", ["a", "b"])],
        [("suppressed", "organisation_off", ["a", "b"])],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "then", "anew"), ROWS, ids=[row[0] for row in ROWS])
def test_what_still_goes(what: str, change: Change, then: Became, anew: Became) -> None:
    one = waiting(window={"quiet_seconds": 30, "max_seconds": 30})
    change(one.world)
    calls = one.turn(LATER)
    while calls:
        calls = one.turn(LATER, results=[Result(call.key, SENT) for call in calls])
    assert became(one) == then
    assert [(record["status"], record["detail"], named(record)) for record in one.world.log] == anew
    identities = [(record["message"], record["attempt"], record["status"]) for record in [*one.log, *one.world.log]]
    assert len(identities) == len(set(identities))


def test_what_may_have_been_sent_goes_again_as_it_was_and_then_what_is_so_by_then() -> None:
    one = waiting(window={"quiet_seconds": 30, "max_seconds": 30})
    absent(one.world, "a")
    (call,) = one.turn(LATER)
    one.turn(LATER, room=0, results=[Result(call.key, None)])
    one.world.book(f"{DAY} 13:15", rev=3).book(f"{DAY} 17:00", id="b", rev=3)
    (again,) = one.turn("2026-03-02 09:15:01")
    (after,) = one.turn("2026-03-02 09:15:02", results=[Result(again.key, SENT)])
    assert [notice.appointment for notice in again.request.delivery.notices] == ["b"]
    assert [(notice.kind, notice.appointment) for notice in after.request.delivery.notices] == [("created", "a"), ("moved", "b")]


def reminded(*hours: str) -> Desk:
    """Reminders at 08:00 of the day itself; appointments `a`, `b`, … of 10 March, of which the client was told."""
    world = World(window={"quiet_seconds": 0, "max_seconds": 0}, reminder={"days_before": 0, "at": "08:00"})
    one = Desk(world)
    for id_, hour in zip("abcd", hours, strict=False):
        world.book(f"2026-03-10 {hour}", id=id_)
    while calls := one.turn("2026-03-02 09:01"):
        one.turn("2026-03-02 09:01", room=0, results=[Result(call.key, SENT) for call in calls])
    world.wait("2026-03-10 08:00")
    one.log.clear()
    return one


REMINDERS: list[tuple[str, str, list[str], list[str]]] = [
    ("in time it names all", "08:00:01", ["a", "b", "c"], []),
    ("late, it names what has not begun", "09:15", ["b", "c"], []),
    ("at the minute that one begins, that one has begun", "10:00", ["c"], []),
    ("when all have begun it is expired", "11:00", [], ["expired"]),
]


@pytest.mark.parametrize(("what", "hour", "names", "log"), REMINDERS, ids=[row[0] for row in REMINDERS])
def test_a_reminder_that_is_late_at_its_sending(what: str, hour: str, names: list[str], log: list[str]) -> None:
    one = reminded("09:00", "10:00", "11:00")
    calls = one.turn(f"2026-03-10 {hour}")
    assert [id_ for call in calls for notice in call.request.delivery.notices for id_ in notice.appointments] == names
    assert [record["status"] for record in one.log] == log
    if names:
        (notice,) = calls[0].request.delivery.notices
        assert notice.now == one.world.agenda().appointments[names[0]].told, "the time is that of the first one it names"


def test_the_record_of_a_late_reminder_names_what_was_called() -> None:
    """Not what was decided: of that one had begun, and was not told."""
    one = reminded("09:00", "10:00", "11:00")
    (call,) = one.turn("2026-03-10 09:15")
    one.turn("2026-03-10 09:15:01", results=[Result(call.key, SENT)])
    (record,) = one.log
    assert (record["status"], record["notices"]) == (
        "sent", [{"id": call.request.delivery.notices[0].id, "kind": "reminder", "appointment": "b", "others": ["c"]}],
    )  # fmt: skip


CHANGES: list[tuple[str, Change, list[str]]] = [
    (
        "one of them was cancelled",
        lambda world: world.book("2026-03-10 10:00", id="b", rev=2, status="cancelled"),
        ["superseded", "sent"],
    ),
    ("the first was moved within the day", lambda world: world.book("2026-03-10 15:00", rev=2), ["superseded", "sent"]),
    ("another one was: as many, and the same first", lambda world: world.book("2026-03-10 15:00", id="b", rev=2), ["sent"]),
    ("one was moved to another day", lambda world: world.book("2026-03-12 10:00", id="b", rev=2), ["superseded", "sent"]),
    ("there is another one", lambda world: world.book("2026-03-10 15:00", id="d"), ["superseded", "sent"]),
    ("one of another day was made", lambda world: world.book("2026-03-11 15:00", id="d"), ["sent"]),
]


@pytest.mark.parametrize(("what", "change", "log"), CHANGES, ids=[row[0] for row in CHANGES])
def test_a_reminder_whose_day_is_no_longer_as_it_says(what: str, change: Change, log: list[str]) -> None:
    one = reminded("09:00", "10:00", "11:00")
    change(one.world)
    while calls := one.turn("2026-03-10 08:30"):
        one.turn("2026-03-10 08:30", room=0, results=[Result(call.key, SENT) for call in calls])
    assert [record["status"] for record in one.log if record["reason"] == "reminder"] == log


def test_a_series_of_which_one_was_changed_since_is_told_as_it_is() -> None:
    world = World(window={"quiet_seconds": 30, "max_seconds": 30})
    one = Desk(world)
    for number, day in enumerate(("2026-04-01", "2026-04-08", "2026-04-15")):
        world.book(f"{day} 11:00", id=f"s{number}", series="s")
    world.wait("2026-03-02 09:01").book("2026-04-08 12:00", id="s1", series="s", rev=2).wait("2026-03-02 09:02")
    order: list[str] = []
    calls = one.turn("2026-03-02 09:03")
    while calls:
        order += [notice.kind for call in calls for notice in call.request.delivery.notices]
        calls = one.turn("2026-03-02 09:03", results=[Result(call.key, SENT) for call in calls])
    assert order == ["series_created", "created"]
