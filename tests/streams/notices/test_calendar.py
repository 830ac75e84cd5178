"""Nights, days and years that are awkward to word, and two organisations of one client: what is said, letter for letter."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.world import World, appointment, organisation

Step = Callable[[World], object]
MADE, GONE = "Er is een afspraak met u gemaakt", "is geannuleerd."
FRIDAYS = ("2026-12-18", "2026-12-25", "2027-01-01", "2027-01-08")
AT_13, AT_15 = "van 13:15 tot 14:15", "van 15:15 tot 16:15"
APRIL = "vrijdag 17 april 2026"


def days(*those: str, at: str = "13:15", until: str = "14:15", revision: int = 1, first: int = 0) -> Step:
    """Write one appointment of a series for each of these days."""

    def step(world: World) -> None:
        for number, day in enumerate(those, first):
            world.book(f"{day} {at}", f"{day} {until}", id=f"a{number}", series="S", rev=revision)

    return step


ROWS: dict[str, tuple[list[Step], list[str]]] = {
    "whole days over the end of a year name both years' days, and become one day": (
        [
            lambda w: w.book("2026-12-28 00:00", "2027-01-03 00:00"),
            lambda w: w.book("2026-12-28 00:00", "2026-12-29 00:00", rev=2),
            lambda w: w.book("2026-12-28 00:00", "2026-12-29 00:00", rev=3, status="cancelled"),
        ],
        [
            f"{MADE} van maandag 28 december 2026 tot en met zaterdag 2 januari 2027.",
            "Uw afspraak van maandag 28 december 2026 tot en met zaterdag 2 januari 2027 is verplaatst naar "
            "maandag 28 december 2026.",
            f"Uw afspraak op maandag 28 december 2026 {GONE}",
        ],
    ),
    "a series goes on over the end of a year, and only what is of the next one moves": (
        [days(*FRIDAYS), days(*FRIDAYS[2:], at="15:15", until="16:15", revision=2, first=2)],
        [
            f"Er zijn herhalende afspraken met u gemaakt op vrijdag 18 december 2026 {AT_13} en de daarop volgende.",
            f"Uw herhalende afspraken op vrijdag 1 januari 2027 {AT_13} en de daarop volgende zijn verplaatst naar "
            f"vrijdag 1 januari 2027 {AT_15}.",
        ],
    ),
    "a leap day is a day of a series, and what moves from it is on the first of March": (
        [days("2028-02-22", "2028-02-29", "2028-03-07"), days("2028-03-01", revision=2, first=1)],
        [
            f"Er zijn herhalende afspraken met u gemaakt op dinsdag 22 februari 2028 {AT_13} en de daarop volgende.",
            f"Uw afspraak op dinsdag 29 februari 2028 {AT_13} is verplaatst naar woensdag 1 maart 2028 {AT_13}.",
        ],
    ),
    "a series lies over the night that has its hour twice, and moves within that hour": (
        [
            days("2026-10-18", "2026-10-25", "2026-11-01", at="02:30", until="03:15"),
            lambda w: w.book("2026-10-25T02:30:00+01:00", "2026-10-25T03:15:00+01:00", id="a1", series="S", rev=2),
        ],
        ["Er zijn herhalende afspraken met u gemaakt op zondag 18 oktober 2026 van 02:30 tot 03:15 en de daarop volgende."],
    ),
    "a series that has no such hour in one night is said of the others, and that night by itself": (
        [
            days("2026-03-22", at="02:30", until="03:45"),
            lambda w: w.book("2026-03-29 02:30", "2026-03-29 03:45", id="b", series="S"),
            days("2026-04-05", "2026-04-12", at="02:30", until="03:45", first=2),
        ],
        [
            "Er is een afspraak met u gemaakt op zondag 22 maart 2026 van 02:30 tot 03:45.",
            "Er is een afspraak met u gemaakt op zondag 29 maart 2026 van 03:30 tot 03:45.",
            "Er zijn herhalende afspraken met u gemaakt op zondag 5 april 2026 van 02:30 tot 03:45 en de daarop volgende.",
        ],
    ),
    "a place that becomes blank stays the one that was told, until there is another hour": (
        [
            lambda w: w.book("2026-04-17 13:15", location="De Linde"),
            lambda w: w.book("2026-04-17 13:15", location=" ", rev=2),
            lambda w: w.book("2026-04-17 15:15", "2026-04-17 16:15", rev=3),
        ],
        [f"{MADE} op {APRIL} {AT_13}. Locatie: De Linde.", f"Uw afspraak op {APRIL} {AT_13} is verplaatst naar {APRIL} {AT_15}."],
    ),
    "of the same hour twice, here and by telephone, the one that goes is said to have no place": (
        [
            lambda w: w.book("2026-04-17 13:15").book("2026-04-17 13:15", id="b", kind="phone"),
            lambda w: w.book("2026-04-17 13:15", rev=2, status="cancelled"),
        ],
        [
            f"{MADE} op {APRIL} {AT_13}. Er is een telefonische afspraak met u gemaakt op {APRIL} {AT_13}. U wordt gebeld.",
            f"Uw afspraak op {APRIL} {AT_13} (zonder locatie) {GONE}",
        ],
    ),
    "a whole day that goes is not the hour of that day that stays": (
        [
            lambda w: w.book("2026-04-17 00:00", "2026-04-18 00:00").book("2026-04-17 13:15", id="b"),
            lambda w: w.book("2026-04-17 00:00", "2026-04-18 00:00", rev=2, status="cancelled"),
        ],
        [f"{MADE} op {APRIL}. {MADE} op {APRIL} {AT_13}.", f"Uw afspraak op {APRIL} (de hele dag) {GONE}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_is_said(name: str) -> None:
    steps, sent = ROWS[name]
    assert World().play(steps).sent == sent


def test_the_day_before_the_first_of_march_is_a_leap_day() -> None:
    world = World("2028-01-03 09:00", reminder={"days_before": 1, "at": "18:00"}).book("2028-03-01 11:00")
    world.wait("2028-03-01 09:00")
    assert [(record["at"], record["text"]) for record in world.log[1:]] == [
        ("2028-02-29T17:00:00Z", "U heeft een afspraak op 1 maart om 11:00."),
    ]


def test_two_organisations_of_one_client_know_nothing_of_each_other() -> None:
    """The same appointment id, hour and client at both: each tells its own, under its own name."""
    world = World()
    key, other = "thuis/anna", {"organisation": "thuis", "client": "anna"}
    world.feed("organisations", "thuis", organisation(organisation="thuis", name="Thuiszorg"))
    world.feed("consents", key, {**other, "notifications": True, "channels": ["sms"], "source": "ecd"})
    world.feed("contacts", key, {**other, "sms": {"number": "+31612345678", "confirmed": True}, "email": None})
    there = appointment("2026-04-17 13:15", organisation="thuis")
    world.book("2026-04-17 13:15").feed("appointments", "thuis/a", there).wait("2026-03-02 10:00")
    world.feed("appointments", "thuis/a", {**there, "revision": 2, "status": "cancelled"}).wait("2026-03-02 11:00")
    assert sorted((record["organisation"], record["text"]) for record in world.log) == [
        ("thuis", f"{MADE} op {APRIL} {AT_13}."),
        ("thuis", f"Uw afspraak op {APRIL} {GONE}"),
        ("zorg", f"{MADE} op {APRIL} {AT_13}."),
    ]  # fmt: skip
