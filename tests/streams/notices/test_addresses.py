"""An address is as no place: it is neither said nor compared, in whatever message."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from schemas.events import View
from schemas.keys import ClientKey
from schemas.topics import AGENDAS
from schemas.wire import encode
from tests.world import World

DAY, PERIOD = "2026-04-17", "vrijdag 17 april 2026 van 13:15 tot 14:15"
ADDRESS, OTHER = "Parallelweg 2, 7141 DC Groenlo", "Kerkstraat 12"
CREATED = f"Er is een afspraak met u gemaakt op {PERIOD}."
LATER = "vrijdag 17 april 2026 van 15:00 tot 16:00"

Step = Callable[[World], object]

ROWS: dict[str, tuple[list[Step], list[str]]] = {
    "it is made without a place": ([lambda w: w.book(f"{DAY} 13:15", location=ADDRESS)], [CREATED]),
    "another address is no change": (
        [lambda w: w.book(f"{DAY} 13:15", location=ADDRESS), lambda w: w.book(f"{DAY} 13:15", rev=2, location=OTHER)], [CREATED],
    ),
    "a name instead of it is told": (
        [lambda w: w.book(f"{DAY} 13:15", location=ADDRESS), lambda w: w.book(f"{DAY} 13:15", rev=2, location="De Linde")],
        [CREATED, f"De locatie van uw afspraak op {PERIOD} is gewijzigd naar De Linde."],
    ),
    "an address instead of a name is a place that is dropped, which is not told": (
        [lambda w: w.book(f"{DAY} 13:15", location="De Linde"), lambda w: w.book(f"{DAY} 13:15", rev=2, location=ADDRESS)],
        [f"{CREATED} Locatie: De Linde."],
    ),
    "a move to it names times alone": (
        [lambda w: w.book(f"{DAY} 13:15", location="De Linde"), lambda w: w.book(f"{DAY} 15:00", rev=2, location=ADDRESS)],
        [f"{CREATED} Locatie: De Linde.", f"Uw afspraak op {PERIOD} is verplaatst naar {LATER}."],
    ),
    "a series at it has none": (
        [lambda w: [w.book(f"2026-04-{day} 13:15", id=f"a{day}", series="s", location=ADDRESS) for day in (17, 24)]],
        [f"Er zijn herhalende afspraken met u gemaakt op {PERIOD} en de daarop volgende."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_where_the_place_is_an_address(name: str) -> None:
    steps, sent = ROWS[name]
    world = World().play(steps)
    assert (world.sent, world.refused) == (sent, [])


def test_a_reminder_names_no_address() -> None:
    world = World(reminder={"days_before": 1, "at": "10:00"}).book(f"{DAY} 13:15", location=ADDRESS).wait(f"{DAY} 12:00")
    assert world.sent == [CREATED, "U heeft een afspraak op 17 april om 13:15."]


def test_another_address_opens_no_window() -> None:
    world = World().book(f"{DAY} 13:15", location=ADDRESS).wait("2026-03-02 10:00").book(f"{DAY} 13:15", rev=2, location=OTHER)
    assert world.agenda().window is None


def told_before() -> World:
    """A client who was told of two appointments at once, one of them at an address: by a worker of before, which said it."""
    world = World(reminder={"days_before": 1, "at": "10:00"})
    world.book(f"{DAY} 13:15", location="Kamer 9").book(f"{DAY} 13:15", id="b", location="De Linde").wait("2026-03-02 10:00")
    agenda = world.agenda()
    entry = agenda.appointments["a"]
    view = View(entry.actual.start, entry.actual.end, ADDRESS)
    known = tuple(
        replace(item, words=replace(item.words, place=ADDRESS)) if item.ids == ("a",) else item for item in agenda.known or ()
    )
    appointments = {**agenda.appointments, "a": replace(entry, actual=view, told=view)}
    row = AGENDAS.row(ClientKey("zorg", "anna"))
    world.simulation.rows["notices"][row] = encode(replace(agenda, appointments=appointments, known=known))
    return world.restart()


@pytest.mark.parametrize(
    ("what", "step", "then"),
    [
        ("nothing is said", lambda w: w.wait("2026-03-03 10:00"), []),
        (
            "a cancellation does not name it again",
            lambda w: w.book(f"{DAY} 13:15", rev=2, status="cancelled", location=ADDRESS).wait("2026-03-03 10:00"),
            [f"Uw afspraak op {PERIOD} is geannuleerd."],
        ),
        (
            "nor does a reminder",
            lambda w: w.book(f"{DAY} 13:15", id="b", rev=2, status="cancelled").wait("2026-03-03 10:00").wait(f"{DAY} 12:00"),
            [f"Uw afspraak op {PERIOD} (De Linde) is geannuleerd.", "U heeft een afspraak op 17 april om 13:15."],
        ),
    ],
)
def test_of_one_that_was_told_with_an_address_before(what: str, step: Step, then: list[str]) -> None:
    world = told_before()
    before = len(world.sent)
    step(world)
    assert world.sent[before:] == then
