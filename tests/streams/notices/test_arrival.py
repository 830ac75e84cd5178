"""Between when an appointment begins: that is what is known, compared and said, and neither its start nor its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.world import World, at

DAY, FRIDAY = "2026-04-17", "vrijdag 17 april 2026"
Step = Callable[[World], object]


def arrival(begin: str, until: str, day: str = DAY) -> dict[str, str]:
    return {"from": at(f"{day} {begin}").isoformat(), "until": at(f"{day} {until}").isoformat()}


def book(start: str = "08:00", end: str = "17:00", day: str = DAY, **more: Any) -> Step:
    """One that lasts from start to end."""
    return lambda world: world.book(f"{day} {start}", f"{day} {end}", **more)


NOON, LATER = arrival("12:00", "14:00"), arrival("13:00", "15:00")
MADE = f"Er is een afspraak met u gemaakt op {FRIDAY} tussen 12:00 en 14:00."

ROWS: dict[str, tuple[list[Step], list[str]]] = {
    "it is what is said": ([book(arrival=NOON)], [MADE]),
    "at home": ([book(arrival=NOON, kind="home")], [f"Wij komen bij u langs op {FRIDAY} tussen 12:00 en 14:00."]),
    "by telephone": (
        [book(arrival=NOON, kind="phone")],
        [f"Er is een telefonische afspraak met u gemaakt op {FRIDAY} tussen 12:00 en 14:00. U wordt gebeld."],
    ),
    "another one is a move": (
        [book(arrival=NOON), book(arrival=LATER, rev=2)],
        [MADE, f"Uw afspraak op {FRIDAY} van 12:00 tot 14:00 is verplaatst naar {FRIDAY} tussen 13:00 en 15:00."],
    ),
    "start and end are not looked at": ([book(arrival=NOON), book("09:00", "18:00", arrival=NOON, rev=2)], [MADE]),
    "one that is taken off leaves start and end": (
        [book(arrival=NOON), book(rev=2)],
        [MADE, f"Uw afspraak op {FRIDAY} van 12:00 tot 14:00 is verplaatst naar {FRIDAY} van 08:00 tot 17:00."],
    ),
    "one that says what start and end said is nothing": (
        [book("12:00", "14:00"), book(arrival=NOON, rev=2)],
        [f"Er is een afspraak met u gemaakt op {FRIDAY} van 12:00 tot 14:00."],
    ),
    "a cancelled one leaves it out": (
        [book(arrival=NOON), book(rev=2, status="cancelled")],
        [MADE, f"Uw afspraak op {FRIDAY} is geannuleerd."],
    ),
    "of two on a day each is named by it": (
        [book(arrival=NOON), book(arrival=LATER, id="b"), book(arrival=NOON, rev=2, status="cancelled")],
        [
            MADE, f"Er is een afspraak met u gemaakt op {FRIDAY} tussen 13:00 en 15:00.",
            f"Uw afspraak op {FRIDAY} van 12:00 tot 14:00 is geannuleerd.",
        ],
    ),
    "what is kept of the times is it": (
        [book(arrival=NOON), book("09:00", "10:00", rev=2, keep=["times"], location={"name": "De Linde"})],
        [MADE, f"De locatie van uw afspraak op {FRIDAY} tussen 12:00 en 14:00 is gewijzigd naar De Linde."],
    ),
    "without duration it is a time": (
        [book(arrival=arrival("12:00", "12:00"))], [f"Er is een afspraak met u gemaakt op {FRIDAY} om 12:00."],
    ),
    "until midnight it is said as any other": (
        [book("20:00", "23:59", arrival=arrival("21:00", "23:59")), book("20:00", "23:59", rev=2)],
        [
            f"Er is een afspraak met u gemaakt op {FRIDAY} tussen 21:00 en 23:59.",
            f"Uw afspraak op {FRIDAY} van 21:00 tot 23:59 is verplaatst naar {FRIDAY} van 20:00 tot 23:59.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "then"), ROWS.values(), ids=ROWS)
def test_of_an_arrival(steps: list[Step], then: list[str]) -> None:
    world = World().play(steps)
    assert world.sent == then
    assert world.refused == []


def test_a_reminder_says_it_and_is_of_its_day() -> None:
    world = World(reminder={"days_before": 1, "at": "10:00"})
    world.book("2026-04-16 20:00", "2026-04-17 17:00", arrival=NOON, kind="home").wait("2026-05-01 09:00")
    assert world.sent[1:] == ["Wij komen bij u langs op 17 april tussen 12:00 en 14:00."]
    assert world.log[-1]["at"] == "2026-04-16T08:00:00Z"


def test_a_reminder_speaks_of_what_has_not_begun_by_it() -> None:
    world = World(reminder={"days_before": 0, "at": "11:00"})
    world.book(f"{DAY} 08:00", f"{DAY} 17:00", arrival=NOON).wait("2026-05-01 09:00")
    assert world.sent[1:] == ["U heeft een afspraak op 17 april tussen 12:00 en 14:00."]


def test_a_series_of_them_is_told_as_one() -> None:
    world = World()
    for number, day in enumerate(("2026-04-17", "2026-04-24", "2026-05-01")):
        world.book(f"{day} 08:00", f"{day} 17:00", id=f"s{number}", series="s", arrival=arrival("12:00", "14:00", day))
    world.wait("2026-03-02 10:00")
    assert world.sent == [f"Er zijn herhalende afspraken met u gemaakt op {FRIDAY} tussen 12:00 en 14:00 en de daarop volgende."]


def test_it_is_said_in_english() -> None:
    world = World(languages=["en"]).book(f"{DAY} 08:00", f"{DAY} 17:00", arrival=NOON).wait("2026-03-02 10:00")
    assert world.sent == ["An appointment has been made for you on Friday 17 April 2026 between 12:00 and 14:00."]


REFUSED = {
    "before the start": (arrival("07:00", "12:00"), "it is not within start and end - at `$.arrival.from`"),
    "after the end": (arrival("12:00", "18:00"), "it is not within start and end - at `$.arrival.until`"),
    "the wrong way round": (arrival("14:00", "12:00"), "it is before `from` - at `$.arrival.until`"),
    "without an end": ({"from": NOON["from"]}, "Object missing required field `until` - at `$.arrival`"),
    "without an offset": ({"from": "2026-04-17T12:00:00", "until": NOON["until"]}, "at `$.arrival.from`"),
}


@pytest.mark.parametrize(("said", "why"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("topic", ["appointments", "agenda-snapshots"])
def test_one_that_cannot_be_is_refused_with_its_field(topic: str, said: dict[str, str], why: str) -> None:
    world = World()
    if topic == "appointments":
        world.book(f"{DAY} 08:00", f"{DAY} 17:00", arrival=said)
    else:
        world.feed(topic, "zorg/anna", snapshot(said))
        why = why.replace("`$.", "`$.appointments[0].")
    (refused,) = world.refused
    assert why in refused
    assert world.wait("2026-03-02 10:00").sent == []


def test_one_beside_times_that_are_kept_is_refused() -> None:
    world = World().book(f"{DAY} 08:00", f"{DAY} 17:00", arrival=NOON)
    world.book(f"{DAY} 08:00", f"{DAY} 17:00", rev=2, keep=["times"], arrival=LATER)
    assert world.refused == ["the times are kept, and so is the arrival - at `$.arrival`"]


def snapshot(said: dict[str, str], revision: int = 1, begin: str = "2026-03-01 00:00", there: bool = True) -> dict[str, Any]:
    one = {"appointment": "a", "start": at(f"{DAY} 08:00").isoformat(), "end": at(f"{DAY} 17:00").isoformat(), "arrival": said}
    return {
        "organisation": "zorg", "client": "anna", "from": at(begin).isoformat(), "to": at("2026-06-01 00:00").isoformat(),
        "revision": revision, "appointments": [one] if there else [],
    }  # fmt: skip


def test_a_snapshot_has_it_and_its_bounds_are_of_starts() -> None:
    """A source that no more tells of what began at eight does not cancel what comes at noon."""
    world = World().feed("agenda-snapshots", "zorg/anna", snapshot(NOON)).wait(f"{DAY} 10:00")
    for revision, moment in ((2, "10:00"), (3, "10:30")):
        world.wait(f"{DAY} {moment}").feed("agenda-snapshots", "zorg/anna", snapshot(NOON, revision, f"{DAY} 10:00", there=False))
    assert world.wait(f"{DAY} 11:50").sent == [MADE]
