"""The agenda: what counts as a change, how long a window stays open, and what is forgotten when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.events import AppointmentEvent, View
from schemas.inputs import WindowSettings
from schemas.state import Agenda, Window
from streams.notices.agenda import extended, take_in
from tests.world import World, at

NOW = at("2026-03-02 09:00")
BOOKED = AppointmentEvent(
    appointment="a", revision=1, booked=True, present=True,
    view=View(at("2026-04-17 13:15"), at("2026-04-17 14:15"), "De Linde", "s"),
)  # fmt: skip


def event(revision: int = 2, **changes: Any) -> AppointmentEvent:
    """The appointment once more, with these fields or fields of its view."""
    values = {name: getattr(BOOKED, name) for name in BOOKED.__struct_fields__}
    view = {name: changes.pop(name, getattr(BOOKED.view, name)) for name in ("start", "end", "location", "series")}
    return AppointmentEvent(**{**values, "revision": revision, "view": View(**view), **changes})


CHANGES: list[tuple[str, AppointmentEvent, bool]] = [
    ("nothing", event(), False),
    ("only its series", event(series="t"), False),
    ("it begins and ends later", event(start=at("2026-04-17 15:15"), end=at("2026-04-17 16:15")), True),
    ("it begins earlier", event(start=at("2026-04-17 13:00")), True),
    ("it becomes longer", event(end=at("2026-04-17 15:00")), True),
    ("it becomes shorter", event(end=at("2026-04-17 13:45")), True),
    ("another place", event(location="De Boom"), True),
    ("no place any more", event(location=None), True),
    ("it is cancelled", event(booked=False), True),
    ("it is deleted", event(revision=1, booked=False, deleted=True), True),
    ("the client is absent", event(present=False), True),
    ("the same revision with something else", event(revision=1, booked=False), False),
    ("an earlier revision", event(revision=0, booked=False), False),
]


@pytest.mark.parametrize(("what", "second", "opens"), CHANGES, ids=[row[0] for row in CHANGES])
def test_what_opens_a_window(what: str, second: AppointmentEvent, opens: bool) -> None:
    settings = WindowSettings(quiet_seconds=30, max_seconds=120)
    known = take_in(Agenda(), BOOKED, settings, NOW)
    closed = Agenda(appointments=known.appointments)
    then = take_in(closed, second, settings, NOW + timedelta(minutes=10))
    assert (then.window is not None) == opens


def test_what_was_never_booked_opens_none() -> None:
    assert take_in(Agenda(), event(booked=False), WindowSettings(), NOW) == Agenda()


def test_a_stale_event_leaves_the_very_agenda() -> None:
    agenda = take_in(Agenda(), event(5), WindowSettings(), NOW)
    assert take_in(agenda, event(5), WindowSettings(), NOW) is agenda


WINDOWS: list[tuple[int, int, list[int], int]] = [
    (30, 120, [0], 30),
    (30, 120, [0, 29], 59),
    (30, 120, [0, 20, 40, 60, 80, 89], 119),
    (30, 120, [0, 20, 40, 60, 80, 90], 120),
    (30, 120, [0, 20, 40, 60, 80, 100, 119], 120),
    (600, 45, [0], 45),
    (0, 120, [7], 7),
    (0, 0, [7], 7),
    (30, 0, [7], 7),
    (30, 120, [0, 500], 500),
]


@pytest.mark.parametrize(("quiet", "longest", "changes", "closes"), WINDOWS)
def test_when_a_window_closes(quiet: int, longest: int, changes: list[int], closes: int) -> None:
    """Seconds: without another change, at most, of the changes, and of its end. One that is late closes at once."""
    window: Window | None = None
    for seconds in changes:
        window = extended(window, WindowSettings(quiet_seconds=quiet, max_seconds=longest), NOW + timedelta(seconds=seconds), 0.0)
    assert window is not None
    assert window.closes == NOW + timedelta(seconds=closes)
    assert window.opened == NOW + timedelta(seconds=changes[0])


def test_one_that_becomes_longer_is_told() -> None:
    world = World().book("2026-04-17 13:15").wait("2026-03-02 10:00")
    world.book("2026-04-17 13:15", "2026-04-17 15:00", rev=2).wait("2026-03-02 11:00")
    assert world.sent[1:] == [
        "Uw afspraak op vrijdag 17 april 2026 van 13:15 tot 14:15 is verplaatst naar vrijdag 17 april 2026 van 13:15 tot 15:00."
    ]


class TestKeeping:
    """Of what is over, for 30 days after the later end."""

    def kept(self, end: str, *moves: str) -> World:
        """An appointment that was to end then, was moved, and beside it one far ahead whose closings look after the rest."""
        world = World(reminder={"days_before": 1, "at": "18:00"}).book(end, id="old").book("2026-12-01 11:00", id="far")
        for number, move in enumerate(moves, 2):
            world.wait((world.now + timedelta(hours=1)).isoformat()).book(move, id="old", rev=number)
        return world

    def after(self, world: World, moment: str) -> World:
        """A closing at that moment."""
        return world.wait(moment).book("2026-12-02 11:00", id=moment).wait((at(moment) + timedelta(minutes=1)).isoformat())

    @pytest.mark.parametrize(
        ("what", "moves", "moment", "stays"),
        [
            ("29 days and 23 hours", (), "2026-04-09 12:00", True),
            ("30 days (the clock goes forward in between)", (), "2026-04-09 13:00", False),
            ("moved to later, it is that end", ("2026-03-20 11:00",), "2026-04-19 12:00", True),
            ("moved to later, and 30 days after it", ("2026-03-20 11:00",), "2026-04-19 13:00", False),
            ("moved to earlier, it is the later end", ("2026-03-03 11:00",), "2026-04-09 12:00", True),
        ],
    )
    def test_an_appointment(self, what: str, moves: tuple[str, ...], moment: str, stays: bool) -> None:
        world = self.after(self.kept("2026-03-10 11:00", *moves), moment)
        assert ("old" in world.agenda().appointments) == stays, what

    def test_a_day_that_was_reminded_is_remembered_as_long_as_an_appointment_of_it_is(self) -> None:
        """Forgotten earlier, the reminder would fall due once more, late: a second record, of a reminder that was sent."""
        world = World("2026-02-01 09:00", reminder={"days_before": 1, "at": "18:00"}).book("2026-02-05 11:00", id="old")
        world.wait("2026-02-20 09:00").book("2026-03-05 11:00").book("2026-12-01 11:00", id="far").wait("2026-03-10 09:00")
        reminders = [record["status"] for record in world.log if record["reason"] == "reminder"]
        self.after(world, "2026-03-12 09:00")  # by now the first one is forgotten
        self.after(world, "2026-04-01 09:00")
        assert "old" not in world.agenda().appointments
        assert [record["status"] for record in world.log if record["reason"] == "reminder"] == reminders == ["sent", "sent"]

    def test_and_no_longer(self) -> None:
        """A row that only grows would in the end fit no append."""
        world = self.kept("2026-03-10 11:00").wait("2026-03-10 12:00")
        assert world.agenda().reminded == ("2026-03-10",)
        assert self.after(world, "2026-05-01 09:00").agenda().reminded == ()

    def test_a_request_that_was_decided_is_known_for_30_days(self) -> None:
        world = World().request().book("2026-12-01 11:00", id="far")
        self.after(world, "2026-03-31 09:00").request()
        assert world.outcomes.count("sent") == len(world.outcomes)
        assert [record["reason"] for record in world.log].count("request") == 1
        self.after(world, "2026-04-02 09:00").request()
        assert [record["reason"] for record in world.log].count("request") == 2


def test_of_a_client_of_whom_all_is_over_no_row_is_left() -> None:
    world = World().book("2026-03-10 11:00").request().wait("2026-05-01 09:00")
    assert [key for key in world.simulation.rows["notices"] if key.startswith(b"agendas/")] == []
