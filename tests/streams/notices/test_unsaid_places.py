"""An organisation that has no place said: none is in any message, and appointments that differ by it alone do not differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.world import World

DAY, FRIDAY = "2026-04-17", "vrijdag 17 april 2026"
PERIOD, LATER = f"{FRIDAY} van 13:15 tot 14:15", f"{FRIDAY} van 15:00 tot 16:00"
MADE = f"Er is een afspraak met u gemaakt op {PERIOD}."
REMINDER = {"days_before": 1, "at": "10:00"}
Step = Callable[[World], object]


def book(time: str = "13:15", location: str | None = "De Linde", **more: Any) -> Step:
    return lambda world: world.book(f"{DAY} {time}", location=location, **more)


def say(location: bool) -> Step:
    return lambda world: world.settings(say={"location": location}, reminder=REMINDER)


def own(location: bool | None) -> Step:
    return lambda world: world.override(say={"location": location}) if location is not None else world.override()


def day_before(world: World) -> World:
    return world.wait("2026-04-16 11:00")


OFF, ON = say(False), say(True)

ROWS: dict[str, tuple[list[Step], list[str]]] = {
    "true says it, as nothing does": ([ON, book()], [f"{MADE} Locatie: De Linde."]),
    "made": ([OFF, book()], [MADE]),
    "moved": ([OFF, book(), book("15:00", rev=2)], [MADE, f"Uw afspraak op {PERIOD} is verplaatst naar {LATER}."]),
    "another place is nothing": ([OFF, book(), book(location="De Boom", rev=2), book(location=None, rev=3)], [MADE]),
    "reminded": ([OFF, book(), day_before], [MADE, "U heeft een afspraak op 17 april om 13:15."]),
    "two at once in two places are one": (
        [OFF, book(), book(location="De Boom", id="b"), book(rev=2, status="cancelled")], [MADE],
    ),
    "of a series": (
        [OFF, lambda w: w.book("2026-04-17 13:15", id="s1", series="s", location="De Linde").book(
            "2026-04-24 13:15", id="s2", series="s", location="De Boom")],
        [f"Er zijn herhalende afspraken met u gemaakt op {PERIOD} en de daarop volgende."],
    ),
    "as the organisation chose itself": ([own(False), book()], [MADE]),
    "upstream's again, once it takes that back": (
        [own(False), book(), own(None), book("15:00", rev=2)],
        [MADE, f"Uw afspraak op {PERIOD} is verplaatst naar {LATER}. Locatie: De Linde."],
    ),
    "what was told with a place before is moved without": (
        [book(), OFF, book("15:00", rev=2)],
        [f"{MADE} Locatie: De Linde.", f"Uw afspraak op {PERIOD} is verplaatst naar {LATER}."],
    ),
    "and is not told apart by it": (
        [book(), book(location="De Boom", id="b"), OFF, book(rev=2, status="cancelled")],
        [f"{MADE} Locatie: De Linde.", f"{MADE} Locatie: De Boom.", f"Uw afspraak op {PERIOD} is geannuleerd."],
    ),
    "switched off and on between says nothing by itself": ([book(), OFF, ON, day_before], [
        f"{MADE} Locatie: De Linde.", "U heeft een afspraak op 17 april om 13:15. Locatie: De Linde.",
    ]),
    "said again, the place of what was made meanwhile is told with the next change": (
        [OFF, book(), ON, book("15:00", id="b", location=None)],
        [
            MADE,
            f"De locatie van uw afspraak op {PERIOD} is gewijzigd naar De Linde. Er is een afspraak met u gemaakt op {LATER}.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "then"), ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("restarts", [False, True], ids=["in one go", "starting anew before each step"])
def test_where_no_place_is_said(steps: list[Step], then: list[str], restarts: bool) -> None:
    world = World(reminder=REMINDER)
    anew = [lambda w, step=step: step(w.restart()) for step in steps] if restarts else steps
    assert world.play(anew).sent == then


def test_another_place_opens_no_window_and_is_nothing_where_there_is_none() -> None:
    world = World(say={"location": False}).book(f"{DAY} 13:15", location="De Linde").wait("2026-03-02 10:00")
    assert world.book(f"{DAY} 13:15", location="De Boom", rev=2).agenda().window is None
    world = World(say={"location": False}, window={"quiet_seconds": 0, "max_seconds": 0})
    world.book(f"{DAY} 13:15", location="De Linde").book(f"{DAY} 13:15", location="De Boom", rev=2)
    assert (world.sent, world.outcomes) == ([MADE], ["sent"])
