"""Kinds of appointments: each said in its own words, none but those on site with a place; a change of kind is a change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.world import World

DAY, PERIOD = "2026-04-17", "vrijdag 17 april 2026 van 13:15 tot 14:15"
LATER = "vrijdag 17 april 2026 van 15:00 tot 16:00"
CREATED, BY_PHONE = (f"Er is een {what}afspraak met u gemaakt op {PERIOD}." for what in ("", "telefonische "))

Step = Callable[[World], object]

ROWS: dict[str, tuple[list[Step], list[str]]] = {
    "by telephone no place is said": (
        [lambda w: w.book(f"{DAY} 13:15", kind="phone", location="De Linde")], [f"{BY_PHONE} U wordt gebeld."],
    ),
    "at home neither, and never the address": (
        [lambda w: w.book(f"{DAY} 13:15", kind="home", location="Kerkstraat 12")],
        [f"Wij komen bij u langs op {PERIOD}."],
    ),
    "on site is as none": (
        [
            lambda w: w.book(f"{DAY} 13:15", location="De Linde"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, location="De Linde", kind="on_site"),
        ],
        [f"{CREATED} Locatie: De Linde."],
    ),
    "another kind is told": (
        [
            lambda w: w.book(f"{DAY} 13:15", location="De Linde"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, location="De Linde", kind="video"),
        ],
        [f"{CREATED} Locatie: De Linde.", f"Uw afspraak op {PERIOD} is nu een afspraak via beeldbellen."],
    ),
    "on site again, with its place": (
        [lambda w: w.book(f"{DAY} 13:15", kind="video"), lambda w: w.book(f"{DAY} 13:15", rev=2, location="De Linde")],
        [
            f"Er is een afspraak via beeldbellen met u gemaakt op {PERIOD}.",
            f"Uw afspraak via beeldbellen op {PERIOD} is nu een afspraak op locatie. Locatie: De Linde.",
        ],
    ),
    "there and back is nothing": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, kind="phone").book(f"{DAY} 13:15", rev=3, kind=None),
        ],
        [CREATED],
    ),
    "another place of what is by telephone is nothing": (
        [
            lambda w: w.book(f"{DAY} 13:15", kind="phone", location="De Linde"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, kind="phone", location="De Boom"),
        ],
        [f"{BY_PHONE} U wordt gebeld."],
    ),
    "a move says of which kind it was, and which it is": (
        [lambda w: w.book(f"{DAY} 13:15", kind="phone"), lambda w: w.book(f"{DAY} 15:00", rev=2, kind="home")],
        [
            f"{BY_PHONE} U wordt gebeld.",
            f"Uw telefonische afspraak op {PERIOD} is verplaatst naar {LATER}. Het is nu een afspraak bij u thuis.",
        ],
    ),
    "a cancelled one that leaves out its kind has that of the last revision": (
        [
            lambda w: w.book(f"{DAY} 13:15", kind="phone"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, status="cancelled", clients=None),
        ],
        [f"{BY_PHONE} U wordt gebeld.", "Uw telefonische afspraak op vrijdag 17 april 2026 is geannuleerd."],
    ),
    "one by telephone does not get the place of another at its time": (
        [
            lambda w: w.book(f"{DAY} 13:15", location="De Linde").book(f"{DAY} 13:15", id="b", kind="phone")
            .book("2026-04-18 13:15", id="c"),
        ],
        [
            f"{CREATED} Locatie: De Linde. {BY_PHONE} U wordt gebeld.",
            "Er is een afspraak met u gemaakt op zaterdag 18 april 2026 van 13:15 tot 14:15.",
        ],
    ),
    "of two at one time each is called by its kind": (
        [
            lambda w: w.book(f"{DAY} 13:15").book(f"{DAY} 13:15", id="b", kind="phone"),
            lambda w: w.book(f"{DAY} 13:15", id="b", rev=2, kind="phone", status="cancelled"),
        ],
        [f"{CREATED} {BY_PHONE} U wordt gebeld.", f"Uw telefonische afspraak op {PERIOD} is geannuleerd."],
    ),
    "one of another kind is not of a series": (
        [
            lambda w: [w.book(f"2026-04-{day} 13:15", id=f"a{day}", series="s") for day in (17, 24)],
            lambda w: w.book("2026-05-01 13:15", id="c", series="s", kind="phone"),
        ],
        [
            f"Er zijn herhalende afspraken met u gemaakt op {PERIOD} en de daarop volgende.",
            "Er is een telefonische afspraak met u gemaakt op vrijdag 1 mei 2026 van 13:15 tot 14:15. U wordt gebeld.",
        ],
    ),
    "a series by telephone goes on by telephone": (
        [
            lambda w: [w.book(f"2026-04-{day} 13:15", id=f"a{day}", series="s", kind="phone") for day in (17, 24)],
            lambda w: w.book("2026-05-01 13:15", id="c", series="s", kind="phone"),
        ],
        [f"Er zijn herhalende telefonische afspraken met u gemaakt op {PERIOD} en de daarop volgende. U wordt gebeld."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_is_said(name: str) -> None:
    steps, sent = ROWS[name]
    world = World().play(steps)
    assert (world.sent, world.refused) == (sent, [])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (None, "U heeft een afspraak op 17 april om 13:15. Locatie: De Linde."),
        ("phone", "U heeft een telefonische afspraak op 17 april om 13:15. U wordt gebeld."),
        ("video", "U heeft een afspraak via beeldbellen op 17 april om 13:15."),
        ("home", "Wij komen bij u langs op 17 april om 13:15."),
    ],
)
def test_a_reminder_is_of_its_kind(kind: str | None, text: str) -> None:
    world = World(reminder={"days_before": 1, "at": "10:00"}).book(f"{DAY} 13:15", kind=kind, location="De Linde")
    assert world.wait(f"{DAY} 12:00").sent[-1] == text


def test_a_change_in_the_window_that_a_reminder_closes_is_told_first() -> None:
    world = World(reminder={"days_before": 1, "at": "10:00"}).book(f"{DAY} 13:15").wait("2026-04-16 09:59:50")
    world.book(f"{DAY} 13:15", rev=2, kind="phone").wait(f"{DAY} 12:00")
    assert world.sent[1] == f"Uw afspraak op {PERIOD} is nu een telefonische afspraak."
    assert all("telefonische" in text for text in world.sent[1:])


def test_the_same_revision_of_another_kind_is_set_aside() -> None:
    world = World().book(f"{DAY} 13:15").book(f"{DAY} 13:15", kind="phone")
    assert world.refused == ["same revision, other content"]


def test_a_kind_that_is_none_is_set_aside() -> None:
    assert World().book(f"{DAY} 13:15", kind="fax").refused == ["Invalid enum value - at `$.kind`"]
