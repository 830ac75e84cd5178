"""That truth is not bought with a flood: what plain cases say, sentence by sentence, and no more than this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

import pytest

from tests.belief.driver import Driver, Message, Planned
from tests.belief.histories import opening, organisation
from tests.belief.planner import Booking, Planner, Times

FIRST = date(2026, 4, 3)
AT_13, AT_15, AT_9, AT_14 = Times("13:15", "14:15"), Times("15:00", "16:00"), Times("09:00", "10:00"), Times("14:15", "15:15")
TEN = tuple(f"a{number}" for number in range(10))
ANEW = tuple(f"b{number}" for number in range(10))

Edit = Callable[[Planner], None]


class Closing(NamedTuple):
    """What one window said: its sentences, and how many occurrences go without saying."""

    sentences: tuple[str, ...]
    planned: int = 0


def make(
    *ids: str, every: int = 7, times: Times = AT_13, series: str | None = "S", first: int = 0, place: str | None = None
) -> Edit:
    """Make appointments, `every` so many days from `first` days after 3 April on."""

    def edit(planner: Planner) -> None:
        for number, id_ in enumerate(ids):
            if id_:
                planner.put(Booking(id_, FIRST + timedelta(days=first + every * number), times, place, series))

    return edit


def cancel(*ids: str) -> Edit:
    """Cancel these; without ids all."""

    def edit(planner: Planner) -> None:
        for id_ in ids or list(planner.agenda):
            planner.put(replace(planner.agenda[id_], booked=False))

    return edit


def move(times: Times = AT_15, days: int = 0, ids: tuple[str, ...] = ()) -> Edit:
    """Move what is booked of these, or of all."""

    def edit(planner: Planner) -> None:
        for one in [planner.agenda[id_] for id_ in ids or list(planner.agenda)]:
            if one.booked:
                planner.put(replace(one, day=one.day + timedelta(days=days), times=times))

    return edit


def restore(id_: str) -> Edit:
    """Book again what was cancelled."""
    return lambda planner: planner.put(replace(planner.agenda[id_], booked=True))


def swap(one: str, other: str) -> Edit:
    """Give two appointments each other's times."""

    def edit(planner: Planner) -> None:
        before = planner.agenda[one], planner.agenda[other]
        for mine, its in (before, before[::-1]):
            planner.put(replace(mine, day=its.day, times=its.times))

    return edit


def replace_tail(planner: Planner) -> None:
    """Make the last five anew under other ids and at another hour, as replacing the old ones ("deze en volgende")."""
    for old in TEN[5:]:
        planner.put(replace(planner.agenda[old], id=f"b{old}", booked=True, times=AT_15, series="T", replaces=old))


def together(*edits: Edit) -> Edit:
    """Do several things in one window."""

    def edit(planner: Planner) -> None:
        for one in edits:
            one(planner)

    return edit


def closings(edits: tuple[Edit, ...]) -> list[Closing]:
    """What each window says."""
    planner = Planner(Random(1), "Europe/Amsterdam", FIRST)
    planner.steps += opening(organisation())
    driver, played, said = Driver(1), 0, []
    for edit in edits:
        edit(planner)
        before = len(driver.heard)
        driver.play([*planner.steps[played:], {"do": "wait", "seconds": 200}])
        played = len(planner.steps)
        heard = driver.heard[before:]
        texts = [one.text for one in heard if isinstance(one, Message)]
        sentences = [f"{part}." for text in texts for part in text.removesuffix(".").split(". ")]
        said.append(Closing(tuple(_with_places(sentences)), sum(isinstance(one, Planned) for one in heard)))
    return said


def _with_places(parts: list[str]) -> list[str]:
    """A place belongs to the sentence before it."""
    found: list[str] = []
    for part in parts:
        if part.startswith("Locatie: "):
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def made(day: str, more: str = "", place: str = "") -> str:
    return f"Er zijn herhalende afspraken met u gemaakt op {day} en de daarop volgende{more}.{place}"


def one_made(day: str) -> str:
    return f"Er is een afspraak met u gemaakt op {day}."


def gone(day: str) -> str:
    return f"Uw afspraak op {day} is geannuleerd."


def all_gone(day: str) -> str:
    return f"Uw herhalende afspraken op {day} en de daarop volgende zijn geannuleerd."


def moved(day: str, to: str) -> str:
    return f"Uw afspraak op {day} is verplaatst naar {to}."


def all_moved(day: str, to: str) -> str:
    return f"Uw herhalende afspraken op {day} en de daarop volgende zijn verplaatst naar {to}."


WRITTEN_ANEW = together(cancel(), make(*ANEW))
TWICE = together(make(*TEN[:5]), make(*TEN[5:], first=3))
TWO_SERIES = together(make(*TEN[:5]), make(*TEN[5:], first=3, series="T"))
WEEK_ABOUT = together(make(*TEN[:5], every=14, place="De Linde"), make(*TEN[5:], every=14, first=7, series="T", place="De Boom"))
TWO_ON_A_DAY = together(make("a", series=None, times=AT_9), make("b", series=None))


def april(day: int, times: str = "") -> str:
    """A Friday in April."""
    return f"vrijdag {day} april 2026{times}"


def may(day: int, times: str = "") -> str:
    """A Friday in May."""
    return f"vrijdag {day} mei 2026{times}"


def june(day: int, times: str = "") -> str:
    """A Friday in June."""
    return f"vrijdag {day} juni 2026{times}"


EARLY, AFTER = " van 09:00 tot 10:00", " van 13:15 tot 14:15"
FRIDAY, MONDAY, SATURDAY = april(3, AFTER), f"maandag 6 april 2026{AFTER}", f"zaterdag 4 april 2026{AFTER}"
LATE = " van 15:00 tot 16:00"
NOTHING, PLANNED = Closing(()), Closing((), planned=1)
MADE, GONE = Closing((made(FRIDAY),)), Closing((all_gone(FRIDAY),))
MADE_TWICE = Closing((made(FRIDAY), made(MONDAY)))
BOTH_MADE = Closing((one_made(april(3, EARLY)), one_made(FRIDAY)))


class Case(NamedTuple):
    """A plain case: what is done, window by window, and what each window says."""

    name: str
    edits: tuple[Edit, ...]
    said: tuple[Closing, ...]


CASES = (
    Case(
        "a weekly series of ten made, moved by hours, cancelled",
        (make(*TEN), move(), cancel()),
        (MADE, Closing((all_moved(FRIDAY, april(3, LATE)),)), Closing((all_gone(april(3, LATE)),))),
    ),
    Case("moved to the day after", (make(*TEN), move(AT_13, 1)), (MADE, Closing((all_moved(FRIDAY, SATURDAY),)))),
    Case(
        "one holiday in it",
        (make(*TEN[:4], "", *TEN[5:]), cancel()),
        (Closing((made(FRIDAY, ", niet op vrijdag 1 mei 2026"),)), GONE),
    ),
    Case(
        "every other week",
        (make(*TEN, every=14), cancel()),
        (Closing((made(FRIDAY, ", om de 2 weken"),)), GONE),
    ),
    Case("written anew under other ids in one window", (make(*TEN), WRITTEN_ANEW), (MADE, NOTHING)),
    Case(
        "written anew under other ids and series, then extended",
        (make(*TEN), together(cancel(), make(*ANEW, series="T")), make("n", series="T", first=70)),
        (MADE, NOTHING, PLANNED),
    ),
    Case("moved there and back in one window", (make(*TEN), together(move(), move(AT_13))), (MADE, NOTHING)),
    Case("two change places", (TWO_ON_A_DAY, swap("a", "b")), (BOTH_MADE, NOTHING)),
    Case(
        "the tail written anew at another hour, each replacing an old one",
        (make(*TEN), together(cancel(*TEN[5:]), replace_tail)),
        (MADE, Closing((all_moved(may(8, AFTER), may(8, LATE)),))),
    ),
    Case(
        "one cancelled, then restored",
        (make(*TEN), cancel("a3"), restore("a3")),
        (MADE, Closing((gone(april(24)),)), Closing((one_made(april(24, AFTER)),))),
    ),
    Case(
        "extended by one at its end, three times",
        (make(*TEN), *(make(f"n{n}", first=70 + 7 * n) for n in range(3))),
        (MADE, PLANNED, PLANNED, PLANNED),
    ),
    Case(
        "twice a week in one series, all cancelled",
        (TWICE, cancel()),
        (MADE_TWICE, Closing((all_gone(FRIDAY), all_gone(MONDAY)))),
    ),
    Case("twice a week in two series, one cancelled", (TWO_SERIES, cancel(*TEN[:5])), (MADE_TWICE, GONE)),
    Case(
        "two series week about at one hour, one cancelled",
        (WEEK_ABOUT, cancel(*TEN[:5])),
        (
            Closing(
                (
                    made(FRIDAY, ", om de 2 weken", " Locatie: De Linde."),
                    made(april(10, AFTER), ", om de 2 weken", " Locatie: De Boom."),
                )
            ),
            Closing((gone(april(3)), gone(april(17)), gone(may(1)), gone(may(15)), gone(may(29)))),
        ),
    ),
    Case(
        "one moved to another hour, then the rest of the series cancelled",
        (make(*TEN[:5]), move(AT_15, 0, ("a3",)), cancel("a0", "a1", "a2", "a4")),
        (
            MADE,
            Closing((moved(april(24, AFTER), april(24, LATE)),)),
            Closing((gone(april(3)), gone(april(10)), gone(april(17)), gone(may(1)))),
        ),
    ),
    Case(
        "a twin made, then one of the two cancelled",
        (make("a", series=None), make("b", series=None), cancel("a")),
        (Closing((one_made(FRIDAY),)), NOTHING, NOTHING),
    ),
    Case(
        "the seed: one cancelled, another of that day moved",
        (TWO_ON_A_DAY, together(cancel("a"), move(AT_14, 0, ("b",)))),
        (BOTH_MADE, Closing((gone(april(3)), moved(FRIDAY, april(3, " van 14:15 tot 15:15"))))),
    ),
    Case(
        "one cancelled, the others moved by hours, and one made at the new hour on its day: that is none of the moved series",
        (make(*TEN), cancel("a3"), move(), make("x", first=21, times=AT_15)),
        (MADE, Closing((gone(april(24)),)), Closing((all_moved(FRIDAY, april(3, LATE)),)), Closing((one_made(april(24, LATE)),))),
    ),
    Case(
        "moved by hours, and one more at the new hour: nobody said yet that there is a series then",
        (make(*TEN), together(move(), make("n", first=70, times=AT_15))),
        (MADE, Closing((all_moved(FRIDAY, april(3, LATE)), one_made(june(12, LATE))))),
    ),
    Case(
        "one is cancelled on a day that gets an occurrence without a word: its times are said",
        (make(*TEN), make("x", series=None, times=AT_9, first=70), together(make("n", first=70), cancel("x"))),
        (MADE, Closing((one_made(june(12, EARLY)),)), Closing((gone(june(12, EARLY)),), planned=1)),
    ),
    Case(
        "on the same day of three months, of three weekdays, told one by one: no series is cancelled",
        (make("a"), make("b", first=30), make("c", first=61), cancel()),
        (
            Closing((one_made(FRIDAY),)),
            Closing((one_made(f"zondag 3 mei 2026{AFTER}"),)),
            Closing((one_made(f"woensdag 3 juni 2026{AFTER}"),)),
            Closing((gone(april(3)), gone("zondag 3 mei 2026"), gone("woensdag 3 juni 2026"))),
        ),
    ),
    Case(
        "written anew without its place, it has the one that was told",
        (make("a", series=None, place="De Linde"), together(cancel("a"), make("b", series=None))),
        (Closing((f"{one_made(FRIDAY)} Locatie: De Linde.",)), NOTHING),
    ),
    Case(
        "of two on a day one cancelled",
        (TWO_ON_A_DAY, cancel("a")),
        (BOTH_MADE, Closing((gone(april(3, EARLY)),))),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_plain_case_says_more_than_this(case: Case) -> None:
    assert closings(case.edits) == list(case.said)
