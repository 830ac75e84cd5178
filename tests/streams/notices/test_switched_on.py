"""An organisation is switched on without a flood: what was gathered while it was off counts as known from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.world import World, person

DAY, MOVED = "2026-05-01 13:15", "2026-05-01 15:00"
SLOW = {"quiet_seconds": 600, "max_seconds": 900}
NIGHT = {"from": "21:00", "until": "07:00"}
CREATED = "Er is een afspraak met u gemaakt op vrijdag 1 mei 2026 van 13:15 tot 14:15."
MOVED_TO = "Uw afspraak op vrijdag 1 mei 2026 van 13:15 tot 14:15 is verplaatst naar vrijdag 1 mei 2026 van 15:00 tot 16:00."
OFF = "suppressed organisation_off"

Step = Callable[[World], Any]


def wait(clock: str, day: str = "02") -> Step:
    return lambda world: world.wait(f"2026-03-{day} {clock}")


def switch(*, on: bool) -> Step:
    return lambda world: world.settings(notifications=on, window=SLOW, quiet_hours=NIGHT)


def book(start: str = DAY, **changes: Any) -> Step:
    return lambda world: world.book(start, **changes)


ROWS: list[tuple[str, str, list[Step], list[str], list[str]]] = [
    ("it is loaded and switched on before the window closes", "09:00",
     [switch(on=False), book(), wait("09:01"), switch(on=True)], [], [OFF]),
    ("a change after that is told, from what was loaded", "09:00",
     [switch(on=False), book(), wait("09:01"), switch(on=True), wait("09:02"), book(MOVED, rev=2)], [MOVED_TO], [OFF, "sent"]),
    ("it is loaded in quiet hours, and switched on in them", "22:00",
     [switch(on=False), book(), wait("22:30"), switch(on=True)], [], [OFF]),
    ("it is loaded by day, and switched on in quiet hours before the window closes", "20:55",
     [switch(on=False), book(), wait("21:01"), switch(on=True)], [], [OFF]),
    ("what was made before it was switched off is told, if it is on again when the window closes", "09:00",
     [switch(on=True), book(), wait("09:01"), switch(on=False), wait("09:02"), switch(on=True)], [CREATED], ["sent"]),
    ("what comes while it is off joins what waits from before, and is told with it", "09:00",
     [switch(on=True), book(), wait("09:01"), switch(on=False), wait("09:02"), book("2026-05-01 16:00", id="b1"), wait("09:03"),
      switch(on=True)], [f"{CREATED} Er is een afspraak met u gemaakt op vrijdag 1 mei 2026 van 16:00 tot 17:00."], ["sent"]),
    ("in quiet hours what comes while it is off waits for no morning", "22:00",
     [switch(on=False), book()], [], [OFF]),
    ("what quiet hours held before it was switched off is told in the morning", "21:30",
     [switch(on=True), book(), wait("22:00"), switch(on=False), wait("22:30"), switch(on=True)], [CREATED], ["sent"]),
    ("what came while it was off a second time is not", "09:00",
     [switch(on=True), wait("09:05"), switch(on=False), wait("09:06"), book(), wait("09:07"), switch(on=True)], [], [OFF]),
    ("settings that come once more while it is off change nothing of since when", "09:00",
     [switch(on=True), switch(on=False), wait("09:06"), book(), wait("09:07"), switch(on=False), wait("09:08"), switch(on=True)],
     [], [OFF]),
    ("the organisation itself switches", "09:00",
     [switch(on=True), lambda world: world.override(notifications=False), wait("09:06"), book(), wait("09:07"),
      lambda world: world.override()], [], [OFF]),
    ("a restart between forgets nothing", "09:00",
     [switch(on=True), switch(on=False), wait("09:06"), book(), wait("09:07"), World.restart, switch(on=True)], [], [OFF]),
    ("a client who wants nothing is named as such", "09:00",
     [switch(on=False), lambda world: world.consent(notifications=False), book(), wait("09:01"), switch(on=True)],
     [], ["suppressed client_off"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "clock", "steps", "sent", "outcomes"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_told_after_an_organisation_is_switched_on(
    what: str, clock: str, steps: list[Step], sent: list[str], outcomes: list[str]
) -> None:
    world = World(f"2026-03-02 {clock}", bare=True)
    steps[0](world)
    world.consent().contact()
    for step in steps[1:]:
        step(world)
    world.wait("2026-03-03 12:00")

    assert (world.sent, world.outcomes) == (sent, outcomes)


def test_those_who_act_for_a_client_are_told_nothing_of_it_either() -> None:
    world = World(notifications=False, window=SLOW).people(person("moeder")).book(DAY).wait("2026-03-02 09:01")

    world.settings(notifications=True, window=SLOW).wait("2026-03-02 12:00")

    assert sorted(one.get("recipient", "") for one in world.log) == ["", "p:moeder"]
    assert set(world.outcomes) == {OFF}
