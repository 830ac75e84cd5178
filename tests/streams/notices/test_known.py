"""What a client knows: what becomes of it where words, ids, gates, presence and time zones change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from schemas.events import View
from schemas.known import Rule, Words
from schemas.state import Agenda
from schemas.topics import AGENDAS
from schemas.wire import encode
from streams.notices.known import kept, known_of
from streams.notices.rules import Rhythm, is_on, rhythm_of
from streams.notices.words import end_of, start_of, words_of
from streams.processing.rows import DECODERS
from tests.world import World, at

DAY, FRIDAY = "2026-04-17", "vrijdag 17 april 2026"
AMSTERDAM = "Europe/Amsterdam"
ABSENT = [{"client": "anna", "present": False}]
FROM_TO, LATER = f"{FRIDAY} van 13:15 tot 14:15", f"{FRIDAY} van 15:00 tot 16:00"

Step = Callable[[World], object]

GATES: dict[str, tuple[list[Step], list[str], list[str]]] = {
    "what was kept back is known from elsewhere: no flood when the client is switched on": (
        [lambda w: w.consent(channels=[]).book(f"{DAY} 13:15"), lambda w: w.consent().book(f"{DAY} 13:15", rev=2)],
        [], ["client_off"],
    ),
    "a move that was kept back leaves what was heard: the next one starts from it": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 14:00", rev=2),
            lambda w: w.consent().book(f"{DAY} 15:00", rev=3),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."],
        ["client_off"],
    ),
    "there and back behind a closed gate is nothing": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 14:00", rev=2),
            lambda w: w.consent().book(f"{DAY} 13:15", rev=3),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}."], ["client_off", "same"],
    ),
    "a cancellation after a move that was kept back is of what was heard": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book("2026-04-20 14:00", rev=2),
            lambda w: w.consent().book("2026-04-20 14:00", rev=3, status="cancelled"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FRIDAY} is geannuleerd."], ["client_off"],
    ),
    "what was kept back and then goes where another is known leaves what was heard, and is said to once": (
        [
            lambda w: w.book(f"{DAY} 13:15").book(f"{DAY} 15:00", id="b1"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 14:00", rev=2),
            lambda w: w.consent().book(f"{DAY} 15:00", rev=3),
            lambda w: w.book("2026-04-20 14:00", id="c1"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}. Er is een afspraak met u gemaakt op {FRIDAY} van 15:00 tot 16:00.",
         f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is geannuleerd.",
         "Er is een afspraak met u gemaakt op maandag 20 april 2026 van 14:00 tot 15:00."], ["client_off"],
    ),
    "once what was heard is over, the cancellation is of what was kept back": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book("2026-04-20 14:00", rev=2),
            lambda w: w.wait("2026-04-18 09:00").consent().book("2026-04-20 14:00", rev=3, status="cancelled"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", "Uw afspraak op maandag 20 april 2026 is geannuleerd."],
        ["client_off"],
    ),
    "what was kept back and then went behind the gate is gone for whoever else was there": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 13:15", rev=2, status="cancelled")
            .book(f"{DAY} 14:00", id="b", replaces="a").book(f"{DAY} 14:00", id="c"),
            lambda w: w.book(f"{DAY} 14:00", id="b", rev=2, status="cancelled")
            .book(f"{DAY} 14:00", id="c", rev=2, status="cancelled"),
            lambda w: w.consent().book("2026-04-20 15:00", id="d"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}.",
            "Er is een afspraak met u gemaakt op maandag 20 april 2026 van 15:00 tot 16:00.",
        ],
        ["same", "client_off", "client_off", "same"],
    ),
    "a cancellation of what was heard is not followed by one of what was kept back of it and of another": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 13:15", rev=2, status="cancelled")
            .book(f"{DAY} 14:00", id="b", replaces="a").book(f"{DAY} 14:00", id="c"),
            lambda w: w.consent().book(f"{DAY} 14:00", id="b", rev=2, status="cancelled")
            .book(f"{DAY} 14:00", id="c", rev=2, status="cancelled"),
            lambda w: w.book("2026-04-20 15:00", id="d"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FRIDAY} is geannuleerd.",
            "Er is een afspraak met u gemaakt op maandag 20 april 2026 van 15:00 tot 16:00.",
        ],
        ["same", "client_off", "same"],
    ),
    "what moves after it was kept back together with another is not cancelled too": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 13:15", rev=2, status="cancelled")
            .book(f"{DAY} 14:00", id="b", replaces="a").book(f"{DAY} 14:00", id="c"),
            lambda w: w.consent().book(f"{DAY} 15:00", id="b", rev=2).book(f"{DAY} 14:00", id="c", rev=2, status="cancelled"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."],
        ["same", "client_off", "same"],
    ),
    "two that were kept back at one hour and go on together move from what was heard of one": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 14:00", rev=2).book(f"{DAY} 14:00", id="b"),
            lambda w: w.consent().book(f"{DAY} 15:00", rev=3).book(f"{DAY} 15:00", id="b", rev=2),
            lambda w: w.book("2026-04-20 15:00", id="d"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}.",
            "Er is een afspraak met u gemaakt op maandag 20 april 2026 van 15:00 tot 16:00.",
        ],
        ["client_off", "same", "same"],
    ),
    "two that were heard apart, kept back at one hour and cancelled there are both said to be off": (
        [
            lambda w: w.book(f"{DAY} 13:15").book(f"{DAY} 15:00", id="b"),
            lambda w: w.consent(channels=[]).book(f"{DAY} 17:00", rev=2).book(f"{DAY} 17:00", id="b", rev=2),
            lambda w: w.consent().book(f"{DAY} 17:00", rev=3, status="cancelled")
            .book(f"{DAY} 17:00", id="b", rev=3, status="cancelled"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}. Er is een afspraak met u gemaakt op {LATER}.",
            f"Uw afspraak op {FROM_TO} is geannuleerd. Uw afspraak op {LATER} is geannuleerd.",
        ],
        ["client_off"],
    ),
    "one that takes the place of another behind a closed gate is known there": (
        [
            lambda w: w.consent(channels=[]).book(f"{DAY} 13:15").book("2026-04-20 15:00", id="b"),
            lambda w: w.book("2026-04-20 15:00", id="b", rev=2, status="cancelled").book("2026-04-20 15:00", rev=2),
            lambda w: w.consent().book("2026-04-21 15:00", id="c"),
        ],
        ["Er is een afspraak met u gemaakt op dinsdag 21 april 2026 van 15:00 tot 16:00."],
        ["client_off", "client_off", "client_off", "same"],
    ),
    "who is absent is told of nothing, and of what then is so when present again": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 14:00", rev=2, clients=ABSENT),
            lambda w: w.book(f"{DAY} 15:00", rev=3),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."], ["absent"],
    ),
}  # fmt: skip


def chain(world: World, steps: int) -> None:
    """Cancel the first, and book the last of so many that each replace the one before; those between are cancelled again."""
    world.book(f"{DAY} 13:15", rev=2, status="cancelled")
    for number in range(1, steps):
        id_, before = f"b{number}", f"b{number - 1}" if number > 1 else "a"
        world.book(f"{DAY} 14:00", id=id_, replaces=before).book(
            f"{DAY} 14:00", id=id_, rev=2, status="cancelled", replaces=before
        )
    world.book(f"{DAY} 15:00", id="z", replaces=f"b{steps - 1}")


IDS: dict[str, tuple[list[Step], list[str], list[str]]] = {
    "two that swap their places say nothing": (
        [
            lambda w: w.book(f"{DAY} 13:15").book(f"{DAY} 15:00", id="b"),
            lambda w: w.book(f"{DAY} 15:00", rev=2).book(f"{DAY} 13:15", id="b", rev=2),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}. Er is een afspraak met u gemaakt op {LATER}."], ["same"],
    ),
    "one that takes the place of another leaves its own, which is cancelled": (
        [
            lambda w: w.book(f"{DAY} 13:15").book("2026-04-20 15:00", id="b"),
            lambda w: w.book("2026-04-20 15:00", rev=2),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}.",
            "Er is een afspraak met u gemaakt op maandag 20 april 2026 van 15:00 tot 16:00.",
            f"Uw afspraak op {FRIDAY} is geannuleerd.",
        ], [],
    ),
    "one that replaces another, through one that was never told, is a move": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, status="cancelled")
            .book(f"{DAY} 14:00", id="b", replaces="a").book(f"{DAY} 14:00", id="b", rev=2, status="cancelled", replaces="a")
            .book(f"{DAY} 15:00", id="c", replaces=["x", "b"]),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."], ["same"],
    ),
    "one that replaces what is still on is made": (
        [lambda w: w.book(f"{DAY} 13:15"), lambda w: w.book(f"{DAY} 15:00", id="c", replaces="a")],
        [f"Er is een afspraak met u gemaakt op {text}." for text in (FROM_TO, LATER)], [],
    ),
    "a link of the chain that comes after its end, and was never on for the client, is a link all the same": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 15:00", id="c", replaces="b")
            .book(f"{DAY} 14:00", id="b", rev=2, status="cancelled", replaces="a")
            .book(f"{DAY} 13:15", rev=2, status="cancelled"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."], ["same"],
    ),
    "what it replaces may be said in a later revision that changes nothing else": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 15:00", id="b").book(f"{DAY} 15:00", id="b", rev=2, replaces=["a"])
            .book(f"{DAY} 13:15", rev=2, status="cancelled"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."], ["same"],
    ),
    "of two that replace the same one the earlier is the move, and the other is made": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 16:00", id="b", replaces="a").book(f"{DAY} 15:00", id="c", replaces="a")
            .book(f"{DAY} 13:15", rev=2, status="cancelled"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}.",
            f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}. "
            f"Er is een afspraak met u gemaakt op {FRIDAY} van 16:00 tot 17:00.",
        ], ["same"],
    ),
    "two that replace each other and a third lead to it once": (
        [
            lambda w: w.book(f"{DAY} 13:15"),
            lambda w: w.book(f"{DAY} 14:00", id="b", status="cancelled", replaces=["c", "b", "a"])
            .book(f"{DAY} 15:00", id="c", replaces=["b", "c"]).book(f"{DAY} 13:15", rev=2, status="cancelled", replaces="c"),
        ],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."], ["same"],
    ),
    "a chain of ten is followed to its end": (
        [lambda w: w.book(f"{DAY} 13:15"), lambda w: chain(w, 10)],
        [f"Er is een afspraak met u gemaakt op {FROM_TO}.", f"Uw afspraak op {FROM_TO} is verplaatst naar {LATER}."], ["same"],
    ),
    "one of eleven is not": (
        [lambda w: w.book(f"{DAY} 13:15"), lambda w: chain(w, 11)],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}.",
            f"Uw afspraak op {FRIDAY} is geannuleerd. Er is een afspraak met u gemaakt op {LATER}.",
        ], [],
    ),
    "another one at the same times in another place is a change of place, whatever the ids": (
        [
            lambda w: w.book(f"{DAY} 13:15", location="De Linde"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, status="cancelled").book(f"{DAY} 13:15", id="b", location="De Boom"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}. Locatie: De Linde.",
            f"De locatie van uw afspraak op {FROM_TO} is gewijzigd naar De Boom.",
        ], ["same"],
    ),
    "one of two at the same times in two places is named with its place": (
        [
            lambda w: w.book(f"{DAY} 13:15", location="De Linde").book(f"{DAY} 13:15", id="b", location="De Boom"),
            lambda w: w.book(f"{DAY} 13:15", rev=2, status="cancelled"),
        ],
        [
            f"Er is een afspraak met u gemaakt op {FROM_TO}. Locatie: De Linde. "
            f"Er is een afspraak met u gemaakt op {FROM_TO}. Locatie: De Boom.",
            f"Uw afspraak op {FROM_TO} (De Linde) is geannuleerd.",
        ], [],
    ),
    "within the hour that a night has twice nothing is moved": (
        [
            lambda w: w.book("2026-10-25T02:15:00+02:00", "2026-10-25T02:45:00+02:00"),
            lambda w: w.book("2026-10-25T02:15:00+01:00", "2026-10-25T02:45:00+01:00", rev=2),
        ],
        ["Er is een afspraak met u gemaakt op zondag 25 oktober 2026 van 02:15 tot 02:45."], [],
    ),
}  # fmt: skip


def april(day: int) -> str:
    """A Friday in April."""
    return f"vrijdag {day} april 2026 van 13:15 tot 14:15"


def gone(*days: int) -> Step:
    """Cancel the appointments of these days in April."""

    def step(world: World) -> None:
        for day in days:
            world.book(f"2026-04-{day:02} 13:15", id=f"a{day}", rev=9, status="cancelled", series="S")

    return step


def made(*days: int, series: str = "S") -> Step:
    """Make an appointment on each of these days in April."""

    def step(world: World) -> None:
        for day in days:
            world.book(f"2026-04-{day:02} 13:15", id=f"a{day}", series=series)

    return step


EACH_WEEK = f"Er zijn herhalende afspraken met u gemaakt op {april(3)} en de daarop volgende."
MOVED = "Uw afspraak op {} is verplaatst naar {}."
SERIES: dict[str, tuple[list[Step], list[str], list[str]]] = {
    "one between those of every other week is not said to be cancelled by a sentence on those": (
        [made(3, 17), made(10, series="T"), gone(3, 10, 17)],
        [
            f"Er zijn herhalende afspraken met u gemaakt op {april(3)} en de daarop volgende, om de 2 weken.",
            f"Er is een afspraak met u gemaakt op {april(10)}.",
            *[f"Uw afspraak op vrijdag {day} april 2026 is geannuleerd." for day in (3, 10, 17)],
        ], [],
    ),
    "one that was moved away and then written anew in another series is still of the first": (
        [
            made(3, 10, 17, 24),
            lambda w: w.book("2026-04-24 15:00", id="a24", rev=2, series="S"),
            lambda w: w.book("2026-04-24 15:00", id="a24", rev=3, series="S", status="cancelled")
            .book("2026-04-24 15:00", id="b24", series="T", replaces="a24"),
            gone(3, 10, 17),
        ],
        [
            EACH_WEEK, MOVED.format(april(24), "vrijdag 24 april 2026 van 15:00 tot 16:00"),
            *[f"Uw afspraak op vrijdag {day} april 2026 is geannuleerd." for day in (3, 10, 17)],
        ], ["same"],
    ),
    "one that went its own way and moves as another does is not said to take its former series along": (
        [
            made(3, 17),
            lambda w: w.book("2026-04-04 13:15", id="a3", rev=2, series="S").book("2026-04-18 13:15", id="b", series="U"),
            lambda w: w.book("2026-04-05 13:15", id="a3", rev=3, series="S").book("2026-04-19 13:15", id="b", rev=2, series="U"),
        ],
        [
            f"Er zijn herhalende afspraken met u gemaakt op {april(3)} en de daarop volgende, om de 2 weken.",
            MOVED.format(april(3), "zaterdag 4 april 2026 van 13:15 tot 14:15"),
            "Er is een afspraak met u gemaakt op zaterdag 18 april 2026 van 13:15 tot 14:15.",
            MOVED.format("zaterdag 4 april 2026 van 13:15 tot 14:15", "zondag 5 april 2026 van 13:15 tot 14:15"),
            MOVED.format("zaterdag 18 april 2026 van 13:15 tot 14:15", "zondag 19 april 2026 van 13:15 tot 14:15"),
        ], [],
    ),
    "one that moves twice is still of the series in which it was": (
        [
            made(3, 10, 17, 24),
            lambda w: w.book("2026-04-24 15:00", id="a24", rev=2, series="S"),
            lambda w: w.book("2026-04-23 15:00", id="a24", rev=3, series=None),
            gone(3, 10, 17),
        ],
        [
            EACH_WEEK, MOVED.format(april(24), "vrijdag 24 april 2026 van 15:00 tot 16:00"),
            MOVED.format("vrijdag 24 april 2026 van 15:00 tot 16:00", "donderdag 23 april 2026 van 15:00 tot 16:00"),
            *[f"Uw afspraak op vrijdag {day} april 2026 is geannuleerd." for day in (3, 10, 17)],
        ], [],
    ),
    "one that moves away while the rest of its series moves is not said to move with it": (
        [
            made(3, 17, 24),
            lambda w: w.book("2026-04-17 15:00", id="a3", rev=2, series="S")
            .book("2026-05-01 13:15", id="a17", rev=2, series="S").book("2026-05-08 13:15", id="a24", rev=2, series="S"),
        ],
        [
            EACH_WEEK.replace("volgende.", "volgende, niet op vrijdag 10 april 2026."),
            MOVED.format(april(3), "vrijdag 17 april 2026 van 15:00 tot 16:00"),
            MOVED.format(april(17), "vrijdag 1 mei 2026 van 13:15 tot 14:15"),
            MOVED.format(april(24), "vrijdag 8 mei 2026 van 13:15 tot 14:15"),
        ], [],
    ),
    "one that went its own way before the rest was elsewhere is not said to go where the rest goes": (
        [
            made(3, 10, 17),
            lambda w: w.book("2026-04-10 13:15", id="a10", rev=2, series="S", location="De Linde")
            .book("2026-04-17 13:15", id="a17", rev=2, series="S", location="De Linde"),
            lambda w: w.book("2026-04-17 15:00", id="a3", rev=2, series="S")
            .book("2026-04-24 13:15", id="a10", rev=3, series="S", location="De Linde")
            .book("2026-05-01 13:15", id="a17", rev=3, series="S", location="De Linde"),
        ],
        [
            EACH_WEEK, f"De locatie van uw herhalende afspraken op {april(10)} en de daarop volgende is gewijzigd naar De Linde.",
            MOVED.format(april(3), "vrijdag 17 april 2026 van 15:00 tot 16:00"),
            MOVED.format(april(10), f"{april(24)}. Locatie: De Linde"),
            MOVED.format(april(17), "vrijdag 1 mei 2026 van 13:15 tot 14:15. Locatie: De Linde"),
        ], [],
    ),
    "one that was never of the series hinders no sentence on it, whatever its id says": (
        [
            made(3, 10, 17, 24),
            lambda w: w.book("2026-04-23 15:00", id="b", series="S"),
            gone(3, 10, 17, 24),
        ],
        [
            EACH_WEEK, "Er is een afspraak met u gemaakt op donderdag 23 april 2026 van 15:00 tot 16:00.",
            f"Uw herhalende afspraken op {april(3)} en de daarop volgende zijn geannuleerd.",
        ], [],
    ),
}  # fmt: skip

ROWS = GATES | IDS | SERIES


@pytest.mark.parametrize("name", ROWS)
def test_what_is_said_and_what_is_not(name: str) -> None:
    steps, sent, not_sent = ROWS[name]
    world = World().play(steps)
    assert (world.sent, [one["detail"] or one["status"] for one in world.log if one["status"] != "sent"]) == (sent, not_sent)


def test_a_record_of_silence_names_every_appointment() -> None:
    """Two ids of one thing: the second is told by the first one's message."""
    world = World().book(f"{DAY} 13:15").book(f"{DAY} 13:15", id="b").wait("2026-03-02 10:00")
    assert [(one["status"], one["notices"][0]["kind"], one["notices"][0]["appointment"]) for one in world.log] == [
        ("sent", "created", "a"),
        ("suppressed", "created", "b"),
    ]
    assert {item.ids for item in world.agenda().known or ()} == {("a", "b")}


class TestTimeZones:
    def test_a_change_of_zone_opens_the_window_of_who_has_something_ahead(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00").settings(time_zone="Europe/Athens")
        world.wait("2026-03-02 10:00:29")
        assert len(world.log) == 1
        world.wait("2026-03-02 10:00:30")
        assert world.sent[1:] == [f"Uw afspraak op {FROM_TO} is verplaatst naar {FRIDAY} van 14:15 tot 15:15."]
        assert world.agenda().zone == "Europe/Athens"

    def test_and_back_again_is_told_again_each_as_a_notice_of_its_own(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        for hour, zone in ((11, "Europe/Athens"), (12, AMSTERDAM), (13, "Europe/Athens")):
            world.settings(time_zone=zone).wait(f"2026-03-02 {hour}:00")
        assert len(world.sent) == 4
        assert len({record["message"] for record in world.log}) == 4

    def test_what_nobody_said_is_not_corrected(self) -> None:
        world = World(notifications=False).book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        world.settings(time_zone="Europe/Athens").wait("2026-03-02 11:00")
        assert world.outcomes == ["suppressed organisation_off"]

    def test_what_is_over_is_not_corrected(self) -> None:
        world = World().book("2026-03-02 10:30").wait("2026-03-03 10:00").settings(time_zone="Europe/Athens")
        assert len(world.wait("2026-03-04 10:00").log) == 1


@pytest.mark.parametrize(
    ("days", "rhythm"),
    [
        (["2026-04-03", "2026-04-10", "2026-04-17"], Rhythm(1)),
        (["2026-04-03", "2026-04-17", "2026-05-01"], Rhythm(2)),
        (["2026-04-03", "2026-05-03", "2026-06-03"], Rhythm(0)),
        (["2026-01-31", "2026-03-31"], None),
        (["2026-04-03", "2026-04-17", "2026-04-24"], Rhythm(1, ("2026-04-10",))),
        (["2026-04-03", "2026-04-10", "2026-05-15"], None),  # four days missing
        (["2026-04-03", "2026-04-06", "2026-04-10"], None),
        (["2026-04-03", "2026-04-03"], None),
        (["2026-12-25", "2027-01-01"], Rhythm(1)),
        (["2026-12-25", "2027-01-25"], Rhythm(0)),
    ],
)
def test_the_rhythm_of_days(days: list[str], rhythm: Rhythm | None) -> None:
    assert rhythm_of(days) == rhythm


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ({"weeks": 2}, {"2026-04-03", "2026-04-17", "2026-05-01"}),
        ({"weeks": 1, "end": "2026-04-17"}, {"2026-04-03", "2026-04-10"}),
        ({"weeks": 0}, {"2026-04-03", "2026-05-03"}),
        ({"weeks": 0, "shift": 1}, {"2026-04-03", "2026-05-03"}),
    ],
)
def test_the_days_of_a_rule(rule: dict[str, object], days: set[str]) -> None:
    found = Rule(series="s", at="13:15", until="14:15", first="2026-04-03", notice="n", **rule)  # type: ignore[arg-type]
    all_days = [f"2026-{month:02}-{day:02}" for month in (3, 4, 5) for day in range(1, 31)]
    assert {day for day in all_days if day <= "2026-05-03" and is_on(found, day)} == days


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-04-17 13:15", "2026-04-17 14:15", Words("2026-04-17", "13:15", "14:15")),
        ("2026-04-17 13:15:59", "2026-04-17 14:15:01", Words("2026-04-17", "13:15", "14:15")),
        ("2026-04-17 13:15", "2026-04-17 13:15", Words("2026-04-17", "13:15", "")),
        ("2026-04-17 00:00", "2026-04-18 00:00", Words("2026-04-17", "", "")),
        ("2026-04-17 00:00", "2026-04-19 00:00", Words("2026-04-17", "", "", "2026-04-18")),
        ("2026-04-17 22:00", "2026-04-18 00:00", Words("2026-04-17", "22:00", "24:00")),
        ("2026-04-17 00:00:20", "2026-04-18 00:00:40", Words("2026-04-17", "", "")),
        ("2026-04-17 22:00:59", "2026-04-18 00:00:59", Words("2026-04-17", "22:00", "24:00")),
        ("2026-04-17 22:00", "2026-04-18 06:00", Words("2026-04-17", "22:00", "06:00", "2026-04-18")),
    ],
)
def test_words_are_what_a_sentence_says(start: str, end: str, words: Words) -> None:
    assert words_of(View(at(start), at(end)), AMSTERDAM) == words
    minutes = [moment.replace(second=0) for moment in (at(start), at(end))]
    assert [start_of(words, AMSTERDAM), end_of(words, AMSTERDAM)] == minutes


@pytest.mark.parametrize("place", ["De Linde", " De  Linde\t", "De\nLinde"])
def test_a_place_is_as_it_is_said(place: str) -> None:
    """Rows of before have it as it came."""
    assert words_of(View(at(f"{DAY} 13:15"), at(f"{DAY} 14:15"), place), AMSTERDAM).place == "De Linde"


class TestRowsOfBefore:
    """The rows of 61a36ae: what was told of each appointment, and the shapes of series."""

    def agenda(self) -> Agenda:
        file = Path(__file__).parents[2] / "golden" / "rows" / "61a36ae.jsonl"
        rows = {row["key"]: row["row"] for row in map(orjson.loads, file.read_bytes().splitlines())}
        found: Agenda = DECODERS["notices", "agendas"](orjson.dumps(rows[AGENDAS.row("zorg/anna").decode()]))
        return found

    def test_what_was_told_is_known_and_a_series_has_the_rhythm_of_its_told_days(self) -> None:
        agenda, now = self.agenda(), at("2026-03-04 22:10")
        known = known_of(agenda, AMSTERDAM, now)
        assert {id_: words for words, item in known.items.items() for id_ in item.ids} == {
            id_: words_of(entry.told, AMSTERDAM) for id_, entry in agenda.appointments.items() if entry.told is not None
        }
        (rule,) = known.rules
        assert (rule.series, rule.at, rule.until, rule.place, rule.first, rule.weeks, rule.off, rule.end) == (
            "s", "13:15", "14:15", "De Linde", "2026-04-03", 1, ("2026-04-10",), None,
        )  # fmt: skip

    def test_it_is_pure_and_repeatable_and_says_nothing_anew(self) -> None:
        """A worker of before drops what it does not know: then it is understood from what was told once more."""
        agenda, now = self.agenda(), at("2026-03-04 22:10")
        known = known_of(agenda, AMSTERDAM, now)
        after = kept(agenda, known, known, AMSTERDAM)
        assert after.appointments == agenda.appointments
        assert known_of(DECODERS["notices", "agendas"](encode(after)), AMSTERDAM, now) == known
        plain = orjson.loads(encode(after))
        before = {name: value for name, value in plain.items() if name in orjson.loads(encode(agenda))}
        assert known_of(DECODERS["notices", "agendas"](orjson.dumps(before)), AMSTERDAM, now).items == known.items
