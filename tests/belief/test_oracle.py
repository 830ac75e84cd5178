"""What is so by the events alone, and how that is compared with what is believed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.belief.driver import Elsewhere, Heard, Lived, Message
from tests.belief.dutch import MARKS, When
from tests.belief.histories import event
from tests.belief.oracle import compare, listen, said, understood
from tests.belief.reader import Belief, Reader
from tests.belief.truth import Fact, Json, Truth, truth

AMSTERDAM = "Europe/Amsterdam"
DAY = date(2026, 4, 3)
AT_13, AT_14 = When(DAY, "13:15", "14:15", DAY), When(DAY, "14:15", "15:15", DAY)
AT_15 = When(DAY, "15:15", "16:15", DAY)


def written(revision: int = 1, clock: str = "13:15", until: str = "14:15", **changes: Any) -> Json:
    value = {
        "organisation": "zorg", "appointment": "a", "revision": revision, "status": "booked",
        "start": f"2026-04-03T{clock}:00+02:00", "end": f"2026-04-03T{until}:00+02:00", "location": {"name": " De  Linde. "},
        "series": None, "clients": [{"client": "anna", "present": True}],
    } | changes  # fmt: skip
    return event("appointments", "zorg/a", {name: each for name, each in value.items() if each != "left out"})


FORGOTTEN = event("appointments", "zorg/a", None)
MOVED = written(2, "14:15", "15:15")
BARE = written(2, status="cancelled", start="left out", end="left out", clients="left out", location="left out")

TRUTHS: list[tuple[str, list[Json], list[str]]] = [
    ("nothing was written", [], []),
    ("one is booked", [written()], ["13:15-14:15 De Linde"]),
    ("one was moved", [written(), MOVED], ["14:15-15:15 De Linde"]),
    ("an old revision comes late", [MOVED, written()], ["14:15-15:15 De Linde"]),
    ("it was cancelled", [written(), written(2, status="cancelled")], []),
    ("it was cancelled without a word more", [written(), BARE], []),
    ("it was booked again after that", [written(), BARE, written(3)], ["13:15-14:15 De Linde"]),
    ("a null value came", [written(), FORGOTTEN], []),
    ("it was booked again after a null value", [written(), FORGOTTEN, written(2)], ["13:15-14:15 De Linde"]),
    ("an old revision comes after a null value", [written(), FORGOTTEN, written()], []),
    ("the client was taken off", [written(), written(2, clients=[])], []),
    ("the client is absent", [written(clients=[{"client": "anna", "present": False}])], []),
    ("it was moved by seconds", [written(), written(2, start="2026-04-03T13:15:20+02:00")], ["13:15-14:15 De Linde"]),
    ("its place is blank", [written(location={"name": " "})], ["13:15-14:15"]),
    ("it ends at midnight", [written(end="2026-04-04T00:00:00+02:00")], ["13:15-24:00 De Linde"]),
]


@pytest.mark.parametrize(("events", "so"), [row[1:] for row in TRUTHS], ids=[row[0] for row in TRUTHS])
def test_what_is_so(events: list[Json], so: list[str]) -> None:
    facts = truth(events, "anna", AMSTERDAM).facts
    assert [f"{said(fact.when)} {fact.place or ''}".removeprefix("2026-04-03 ").strip() for fact in facts] == so


def so(*facts: tuple[When, str | None], absent: tuple[When, ...] = ()) -> Truth:
    """These appointments are on, and on those of `absent` the client does not come."""
    return Truth([Fact(f"a{number}", *fact) for number, fact in enumerate(facts)], {"z": set(absent)}, {"z"})


COMPARED: list[tuple[str, dict[When, set[str | None]], Truth, list[str]]] = [
    ("nothing is believed and nothing so", {}, so(), []),
    ("what is so is believed", {AT_13: {"De Linde"}}, so((AT_13, "De Linde")), []),
    ("what is so is not believed", {}, so((AT_13, None)), ["missing"]),
    ("what is believed is not so", {AT_13: {None}}, so(), ["ghost"]),
    ("it is believed elsewhere", {AT_13: {"De Boom"}}, so((AT_13, "De Linde")), ["place", "ghost"]),
    ("it is believed at an hour at which it is not", {AT_14: {None}}, so((AT_13, None)), ["missing", "ghost"]),
    ("it has no place, and any is right", {AT_13: {"De Boom"}}, so((AT_13, None)), []),
    ("one of two at one time is not known", {AT_13: {"De Boom"}}, so((AT_13, "De Boom"), (AT_13, "De Linde")), ["place"]),
    ("two are believed where one is", {AT_13: {"De Boom", "De Linde"}}, so((AT_13, "De Boom")), ["ghost"]),
    ("the client is absent where one is believed", {AT_13: {None}}, so(absent=(AT_13,)), []),
]


@pytest.mark.parametrize(("believed", "is_so", "faults"), [row[1:] for row in COMPARED], ids=[row[0] for row in COMPARED])
def test_what_is_believed_is_compared_with_what_is_so(
    believed: dict[When, set[str | None]], is_so: Truth, faults: list[str]
) -> None:
    assert [fault.split(":")[0] for fault in compare(believed, is_so)] == faults


@pytest.mark.parametrize(
    ("place", "faults"), [("De Linde", []), (None, []), ("De Boom", ["missing"])], ids=["there", "anywhere", "elsewhere"]
)
def test_who_is_where_one_is_that_is_known_from_elsewhere_is_known_with_it(place: str | None, faults: list[str]) -> None:
    found = compare({}, so((AT_13, "De Linde"), (AT_13, place)), dark={"a0"}, ever_dark={"a0"})
    assert [fault.split(":")[0] for fault in found] == faults


DARK: list[tuple[str, list[Heard], set[str | None]]] = [
    ("one without a place is where another is", [Elsewhere("a", AT_13, "De Linde"), Elsewhere("b", AT_13, None)], {"De Linde"}),
    ("whichever of them was first", [Elsewhere("a", AT_13, None), Elsewhere("b", AT_13, "De Linde")], {"De Linde"}),
    ("not where another is by telephone", [Elsewhere("a", AT_13, None), Elsewhere("b", AT_13, MARKS["phone"])],
     {None, MARKS["phone"]}),
    ("two that have a place are two", [Elsewhere("a", AT_13, "De Boom"), Elsewhere("b", AT_13, "De Linde")],
     {"De Boom", "De Linde"}),
    ("one without a place stays where another was that goes",
     [Elsewhere("a", AT_13, "De Linde"), Elsewhere("b", AT_13, None), Elsewhere("a", None, None)], {"De Linde"}),
]  # fmt: skip


@pytest.mark.parametrize(("heard", "places"), [row[1:] for row in DARK], ids=[row[0] for row in DARK])
def test_what_is_known_from_elsewhere(heard: list[Heard], places: set[str | None]) -> None:
    reader = Reader("narrow")
    listen(reader, heard)
    assert reader.items == {AT_13: places}


MADE = "Er is een afspraak met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15. Locatie: De Linde."


@pytest.mark.parametrize("now", [(AT_13, "De Boom"), (AT_14, "De Linde")], ids=["another place", "another hour"])
def test_one_that_changed_in_the_dark_is_still_one(now: tuple[When, str]) -> None:
    """Whoever knows of the change knows one appointment of that day, and whoever does not, too."""
    reader = Reader("narrow")
    changed = Elsewhere("a", *now, (AT_13, "De Linde"))
    gone = Message("Uw afspraak op vrijdag 3 april 2026 is geannuleerd.", (), DAY, "2", ("a",))
    listen(reader, [Message(MADE, (None,), DAY, "1", ("a",)), changed, gone])
    assert (reader.faults, reader.items) == ([], {})
    other = Elsewhere("b", AT_14, "De Boom")
    reader = Reader("narrow")
    listen(reader, [Message(MADE, (None,), DAY, "1", ("a",)), changed, other, gone])
    assert [fault.partition(":")[0] for fault in reader.faults] == ["two of them"], "another one of that day is another"


IN_ITS_PLACE: list[Heard] = [Message(MADE, (None,), DAY, "1", ("a",)), Elsewhere("b", AT_14, None)]
OFF = Elsewhere("a", None, None, (AT_13, "De Linde"))
DAY_GONE = Message("Uw afspraak op vrijdag 3 april 2026 is geannuleerd.", (), DAY, "2", ("a",))


@pytest.mark.parametrize(
    ("between", "faults"),
    [([OFF], []), ([], ["two of them"]), ([OFF, Elsewhere("c", AT_15, None)], ["two of them"])],
    ids=["it is off", "it is still on", "there are two"],
)
def test_one_in_the_place_of_another_that_went_in_the_dark_is_clear(between: list[Heard], faults: list[str]) -> None:
    """Whoever knows of both changes knows one of that day, and whoever knows of none, too."""
    reader = Reader("narrow")
    listen(reader, [*IN_ITS_PLACE, *between, DAY_GONE])
    assert [fault.partition(":")[0] for fault in reader.faults] == faults
    assert bool(reader.items) == bool(faults)


CAME: list[Heard] = [Lived("a", None, (AT_13, None))]
HUSHED = written(2, status="cancelled", notify="none")


@pytest.mark.parametrize(
    ("heard", "events", "faults"),
    [
        (CAME, [written(status="arrived"), HUSHED], []),
        (CAME, [written(status="arrived"), written(2, status="cancelled")], ["ghost"]),
        ([*CAME, Message(MADE, (None,), DAY, "1", ("a",))], [written(status="arrived"), HUSHED], ["ghost"]),
    ],
    ids=["nothing may be said of it first", "all may be said of it", "it was told"],
)
def test_what_a_client_knows_from_being_there_alone_is_kept_right_as_far_as_anything_may_be_said(
    heard: list[Heard], events: list[Json], faults: list[str]
) -> None:
    found, *_ = understood(heard, [event("organisations", "zorg", {"time_zone": AMSTERDAM}), *events])
    assert [fault.split(": ")[1] for fault in found if fault.startswith("narrow:")] == faults


def heard_by(*heard: Heard) -> tuple[list[str], Belief]:
    """What was wrong of what a reader hears, and what it believes then."""
    reader = Reader("narrow")
    listen(reader, heard)
    return [fault.partition(":")[0] for fault in reader.faults], reader.items


def test_where_others_said_something_else_before_it_is_not_what_we_said() -> None:
    """Another one stands there by now: that this is cancelled says nothing of the first."""
    told = (
        Elsewhere("a", AT_13, "De Linde"),
        Elsewhere("a", AT_14, "De Linde", (AT_13, "De Linde")),
        Elsewhere("b", AT_13, "De Linde"),
    )
    gone = "Uw afspraak op vrijdag 3 april 2026 van 13:15 tot 14:15 is geannuleerd."
    assert heard_by(*told, Message(gone, (), DAY, "1", ("b",))) == ([], {AT_14: {"De Linde"}})


def test_one_that_we_said_without_a_place_is_where_others_say_that_another_is_at_its_times() -> None:
    made = Message("Er is een afspraak met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15.", (None,), DAY, "1", ("a",))
    assert heard_by(made, Elsewhere("a", AT_13, None), Elsewhere("b", AT_13, "De Linde"), DAY_GONE) == ([], {})
    by_phone = Elsewhere("b", AT_13, MARKS["phone"])
    assert heard_by(made, Elsewhere("a", AT_13, None), by_phone, DAY_GONE)[0] == ["two of them"]


def test_what_we_said_may_be_off_in_the_dark_after_it_was_elsewhere_there() -> None:
    made = Message(MADE, (None,), DAY, "1", ("a",))
    there = (
        Elsewhere("a", AT_14, None, (AT_13, "De Linde")),
        Elsewhere("a", None, None, (AT_14, None)),
        Elsewhere("b", AT_14, None),
    )
    assert heard_by(made, *there, DAY_GONE) == ([], {})
