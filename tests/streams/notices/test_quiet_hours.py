"""Quiet hours: when they hold, what they hold back, and what they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.inputs import Organisation
from streams.notices.quiet_hours import quiet_until
from tests.world import World, at, organisation

NIGHT, NOON, ALL_DAY = ("22:00", "07:00"), ("11:00", "14:00"), ("07:00", "07:00")
LOST, TWICE = ("02:30", "03:30"), ("02:15", "02:45")

HOURS: list[tuple[tuple[str, str] | None, str, str | None]] = [
    (None, "2026-03-02 23:00", None),
    (NIGHT, "2026-03-02 21:59:59", None),
    (NIGHT, "2026-03-02 22:00", "2026-03-03 07:00"),
    (NIGHT, "2026-03-03 00:00", "2026-03-03 07:00"),
    (NIGHT, "2026-03-03 06:59:59", "2026-03-03 07:00"),
    (NIGHT, "2026-03-03 07:00", None),
    (NOON, "2026-03-02 10:59", None),
    (NOON, "2026-03-02 11:00", "2026-03-02 14:00"),
    (NOON, "2026-03-02 14:00", None),
    (ALL_DAY, "2026-03-02 07:00", None),  # from and until alike are no quiet hours
    (ALL_DAY, "2026-03-02 12:00", None),
    (NIGHT, "2026-03-29 01:00", "2026-03-29 07:00"),
    (LOST, "2026-03-29 03:15", None),  # 02:30 does not exist, and moves forward to 03:30
    (TWICE, "2026-10-25 02:30", "2026-10-25 02:45"),
    (TWICE, "2026-10-25T02:30:00+01:00", None),  # of an hour that comes twice the first counts
]


@pytest.mark.parametrize(("hours", "moment", "until"), HOURS)
def test_until_when_it_is_quiet(hours: tuple[str, str] | None, moment: str, until: str | None) -> None:
    quiet = None if hours is None else {"from": hours[0], "until": hours[1]}
    settings = msgspec.convert(organisation(quiet_hours=quiet), Organisation)
    assert quiet_until(settings, at(moment)) == (None if until is None else at(until))


def test_of_an_organisation_that_is_not_known_it_is_never_quiet() -> None:
    assert quiet_until(None, at("2026-03-02 23:00")) is None


def quiet(start: str, **settings: Any) -> World:
    return World(start, quiet_hours={"from": "22:00", "until": "07:00"}, **settings)


def moments(world: World) -> list[str]:
    return [record["at"] for record in world.log if record["status"] == "sent"]


Step = Callable[[World], object]
MORNING = "2026-03-03T06:00:00Z"
HELD: list[tuple[str, str, Step, list[str]]] = [
    ("what is far ahead waits for the morning", "2026-03-02 23:00", lambda w: w.book("2026-03-10 11:00"), [MORNING]),
    ("what begins within 24 hours does not", "2026-03-02 23:00", lambda w: w.book("2026-03-03 11:00"), ["2026-03-02T22:00:30Z"]),
    ("at 24 hours exactly it does not", "2026-03-02 23:00", lambda w: w.book("2026-03-03 23:00:30"), ["2026-03-02T22:00:30Z"]),
    ("a second more, and it waits", "2026-03-02 23:00", lambda w: w.book("2026-03-03 23:00:31"), [MORNING]),
    ("a day of which one is soon goes whole", "2026-03-02 23:30",
     lambda w: w.book("2026-03-03 09:00").book("2026-03-03 23:45", id="b"), ["2026-03-02T22:30:30Z"]),
    ("beside a day that is soon the others wait", "2026-03-02 23:00",
     lambda w: w.book("2026-03-03 09:00").book("2026-03-10 09:00", id="b"), ["2026-03-02T22:00:30Z", MORNING]),
    ("a window that would close a second before them closes", "2026-03-02 21:59:29",
     lambda w: w.book("2026-03-10 11:00"), ["2026-03-02T20:59:59Z"]),
    ("one that would close as they begin waits", "2026-03-02 21:59:30", lambda w: w.book("2026-03-10 11:00"), [MORNING]),
    ("what is held is one message as it then is", "2026-03-02 23:00",
     lambda w: w.book("2026-03-10 11:00").wait("2026-03-03 01:00").book("2026-03-10 12:00", rev=2), [MORNING]),
    ("made and cancelled in one night is nothing", "2026-03-02 23:00",
     lambda w: w.book("2026-03-10 11:00").wait("2026-03-03 01:00").book("2026-03-10 11:00", rev=2, status="cancelled"), []),
    ("a request waits", "2026-03-02 23:00", lambda w: w.request(), [MORNING]),
    ("a request for within them waits", "2026-03-02 21:00", lambda w: w.request(send_at="2026-03-02T23:00:00+01:00"), [MORNING]),
    ("switched off in the night, what was held goes as it falls due", "2026-03-02 23:00",
     lambda w: w.book("2026-03-10 11:00").wait("2026-03-03 01:00").settings(quiet_hours=None), [MORNING]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "start", "steps", "sent"), HELD, ids=[row[0] for row in HELD])
def test_what_is_held_and_what_is_not(what: str, start: str, steps: Step, sent: list[str]) -> None:
    world = quiet(start)
    steps(world)
    assert moments(world.wait("2026-03-03 12:00")) == sent


REMINDERS: list[tuple[str, str, list[str]]] = [
    ("within them, of what is more than 24 hours ahead: at their end", "2026-03-05 23:30", ["2026-03-05T06:00:00Z"]),
    ("within them, of what is soon: at its time", "2026-03-05 22:00", ["2026-03-04T22:15:00Z"]),
]


@pytest.mark.parametrize(("what", "start", "sent"), REMINDERS, ids=[row[0] for row in REMINDERS])
def test_a_reminder_that_falls_due_in_them(what: str, start: str, sent: list[str]) -> None:
    world = quiet("2026-03-02 09:00", reminder={"days_before": 1, "at": "23:15"}).book(start).wait("2026-03-06 12:00")
    assert moments(world)[1:] == sent


def test_they_are_those_of_the_organisations_zone() -> None:
    world = World("2026-03-02 23:00", quiet_hours={"from": "22:00", "until": "07:00"}, time_zone="America/New_York")
    assert moments(world.book("2026-03-10 11:00").wait("2026-03-03 12:00")) == ["2026-03-02T22:00:30Z"]


def test_what_became_of_an_appointment_has_its_record_though_what_stood_beside_it_is_held() -> None:
    world = World(quiet_hours={"from": "22:00", "until": "07:00"}).book("2026-05-01 09:00").book("2026-05-01 09:00", id="b")
    world.wait("2026-03-02 23:00").book("2026-05-02 13:15", id="b", rev=2, status="arrived").book("2026-05-02 15:15", rev=2)
    world.wait("2026-03-02 23:30")
    assert [(one["detail"], one["notices"][0]["appointment"]) for one in world.log[1:]] == [("same", "b"), ("outcome", "b")]
