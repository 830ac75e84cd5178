"""The reader by itself: texts in, belief out. Most sentences stand here as NEXT has them, others as they are said today."""

from __future__ import annotations

from datetime import date

import pytest

from tests.belief.dutch import Reminder, Sentence, Unreadable, When, sentences
from tests.belief.oracle import said
from tests.belief.reader import READINGS, Reader, Reading
from tests.belief.rules import rhythm_of

FRIDAY, SATURDAY = date(2020, 1, 17), date(2020, 1, 18)
AT_13 = When(FRIDAY, "13:15", "14:15", FRIDAY)
AT_14 = When(FRIDAY, "14:15", "15:15", FRIDAY)
ALL_DAY = When(FRIDAY, "00:00", "24:00", FRIDAY)

ON_13 = "op vrijdag 17 januari 2020 van 13:15 tot 14:15"
TO_14 = "vrijdag 17 januari 2020 van 14:15 tot 15:15"
SERIES = f"Er zijn herhalende afspraken met u gemaakt {ON_13} en de daarop volgende"
OFF = (date(2020, 1, 24), date(2020, 2, 7))

FORMS: list[tuple[str, Sentence | Reminder]] = [
    (f"Er is een afspraak met u gemaakt {ON_13}.", Sentence("created", now=AT_13)),
    (f"Er is een afspraak met u gemaakt {ON_13}. Locatie: De Linde.", Sentence("created", now=AT_13, place="De Linde")),
    (f"Er is een afspraak met u gemaakt {ON_13}. Locatie: Dr. Vos e.a.", Sentence("created", now=AT_13, place="Dr. Vos e.a")),
    ("Er is een afspraak met u gemaakt op vrijdag 17 januari 2020.", Sentence("created", now=ALL_DAY)),
    (
        "Er is een afspraak met u gemaakt van vrijdag 17 tot en met zaterdag 18 januari 2020.",
        Sentence("created", now=When(FRIDAY, "00:00", "24:00", SATURDAY)),
    ),
    (
        "Er is een afspraak met u gemaakt van vrijdag 31 januari tot en met zaterdag 1 februari 2020.",
        Sentence("created", now=When(date(2020, 1, 31), "00:00", "24:00", date(2020, 2, 1))),
    ),
    (
        "Er is een afspraak met u gemaakt van dinsdag 31 december 2019 tot en met woensdag 1 januari 2020.",
        Sentence("created", now=When(date(2019, 12, 31), "00:00", "24:00", date(2020, 1, 1))),
    ),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 22:00 tot zaterdag 18 januari 2020 06:00.",
        Sentence("created", now=When(FRIDAY, "22:00", "06:00", SATURDAY)),
    ),
    (
        "Wij komen bij u langs op vrijdag 17 januari 2020 tussen 13:15 en 14:15.",
        Sentence("created", now=AT_13, place="(at home)"),
    ),
    (
        f"Uw afspraak {ON_13} is verplaatst naar vrijdag 17 januari 2020 tussen 14:15 en 15:15.",
        Sentence("moved", was=AT_13, now=AT_14),
    ),
    ("U heeft een afspraak op 11 juni tussen 11:00 en 13:00.", Reminder(1, 11, 6, None, "11:00", None)),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 22:00 tot middernacht.",
        Sentence("created", now=When(FRIDAY, "22:00", "24:00", FRIDAY)),
    ),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 22:00 tot en met zaterdag 18 januari 2020.",
        Sentence("created", now=When(FRIDAY, "22:00", "24:00", SATURDAY)),
    ),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 om 13:15.",
        Sentence("created", now=When(FRIDAY, "13:15", "13:15", FRIDAY)),
    ),
    (f"Uw afspraak {ON_13} is verplaatst naar {TO_14}.", Sentence("moved", was=AT_13, now=AT_14)),
    (
        f"Uw afspraak {ON_13} (zonder locatie) is verplaatst naar {TO_14}. Locatie: De Boom.",
        Sentence("moved", was=AT_13, place_was="", now=AT_14, place="De Boom"),
    ),
    (
        "Uw afspraak op vrijdag 17 januari 2020 is verplaatst naar vrijdag 17 januari 2020 van 14:15 tot 15:15.",
        Sentence("moved", was=ALL_DAY, now=AT_14),
    ),
    ("Uw afspraak op vrijdag 17 januari 2020 is geannuleerd.", Sentence("cancelled", day=FRIDAY)),
    (
        "Uw afspraak op vrijdag 17 januari 2020 (De Linde) is geannuleerd.",
        Sentence("cancelled", day=FRIDAY, place_was="De Linde"),
    ),
    ("Uw afspraak op vrijdag 17 januari 2020 (de hele dag) is geannuleerd.", Sentence("cancelled", was=ALL_DAY)),
    (f"Uw afspraak {ON_13} is geannuleerd.", Sentence("cancelled", was=AT_13)),
    (f"Uw afspraak {ON_13} (De Linde) is geannuleerd.", Sentence("cancelled", was=AT_13, place_was="De Linde")),
    (
        "Uw afspraak van vrijdag 17 tot en met zaterdag 18 januari 2020 is geannuleerd.",
        Sentence("cancelled", was=When(FRIDAY, "00:00", "24:00", SATURDAY)),
    ),
    (
        f"De locatie van uw afspraak {ON_13} (De Linde) is gewijzigd naar De Boom.",
        Sentence("relocated", was=AT_13, place_was="De Linde", place="De Boom"),
    ),
    (f"{SERIES}.", Sentence("created", True, now=AT_13)),
    (f"{SERIES}, om de 2 weken. Locatie: De Linde.", Sentence("created", True, now=AT_13, place="De Linde", weeks=2)),
    (f"{SERIES}, elke maand.", Sentence("created", True, now=AT_13, weeks=0)),
    (
        f"{SERIES}, om de 2 weken, niet op vrijdag 24 januari 2020, vrijdag 7 februari 2020.",
        Sentence("created", True, now=AT_13, weeks=2, off=OFF),
    ),
    (
        f"{SERIES}, niet op vrijdag 24 januari 2020 en vrijdag 7 februari 2020.",
        Sentence("created", True, now=AT_13, off=OFF),
    ),
    (
        f"Uw herhalende afspraken {ON_13} en de daarop volgende zijn verplaatst naar {TO_14}.",
        Sentence("moved", True, was=AT_13, now=AT_14),
    ),
    (f"Uw herhalende afspraken {ON_13} en de daarop volgende zijn geannuleerd.", Sentence("cancelled", True, was=AT_13)),
    (
        f"De locatie van uw herhalende afspraken {ON_13} en de daarop volgende is gewijzigd naar De Boom.",
        Sentence("relocated", True, was=AT_13, place="De Boom"),
    ),
    ("U heeft een afspraak op 11 juni om 11:00. Locatie: De Linde.", Reminder(1, 11, 6, None, "11:00", "De Linde")),
    ("U heeft 2 afspraken op 11 juni 2020.", Reminder(2, 11, 6, 2020, None, None)),
]


@pytest.mark.parametrize(("text", "means"), FORMS, ids=[text for text, _ in FORMS])
def test_each_form_of_a_sentence_is_understood(text: str, means: Sentence | Reminder) -> None:
    assert sentences(text) == [means]


def test_all_forms_in_one_message_are_told_apart() -> None:
    assert sentences(" ".join(text for text, _ in FORMS)) == [means for _, means in FORMS]


@pytest.mark.parametrize(
    "text",
    [
        "En nog 5 wijzigingen.",
        "Er is een afspraak met u gemaakt op zaterdag 17 januari 2020 van 13:15 tot 14:15.",
        "Er is een afspraak met u gemaakt op zondag 30 februari 2020 van 13:15 tot 14:15.",
        f"Er is een afspraak met u gemaakt {ON_13}. Tot ziens",
    ],
)
def test_what_names_nothing_cannot_be_read(text: str) -> None:
    with pytest.raises(Unreadable):
        sentences(text)


# --- belief ---------------------------------------------------------------------------------------------------------------


def on(day: int, times: str = "13:15 tot 14:15") -> str:
    """A Friday in April 2026, the 3rd, 10th, 17th or 24th, or another day of that month."""
    weekday = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")[date(2026, 4, day).weekday()]
    return f"{weekday} {day} april 2026 van {times}"


WEEKLY = f"Er zijn herhalende afspraken met u gemaakt op {on(3)} en de daarop volgende."
FORTNIGHTLY = f"Er zijn herhalende afspraken met u gemaakt op {on(3)} en de daarop volgende, om de 2 weken."
LATE = "15:00 tot 16:00"


def heard(reading: Reading, *messages: str) -> Reader:
    """A reader of these messages; each series was planned until 24 April."""
    reader = Reader(reading)
    for message in messages:
        reader.message(message, [date(2026, 4, 24)] * 9, date(2026, 1, 6))
    return reader


def belief(reader: Reader) -> list[str]:
    """What it believes, `3 13:15`, with the place where one is known; and what was unclear."""
    items = [
        f"{when.day.day} {when.at}" + (f" {place}" if place else "") for when, places in reader.items.items() for place in places
    ]
    return sorted(items, key=lambda item: (int(item.split()[0]), item)) + [fault.split(":")[0] for fault in reader.faults]


BELIEFS: list[tuple[str, list[str], list[str]]] = [
    ("nothing was said", [], []),
    ("one was made", [f"Er is een afspraak met u gemaakt op {on(3)}. Locatie: De Linde."], ["3 13:15 De Linde"]),
    (
        "one was made and moved, and its place is said no more",
        [
            f"Er is een afspraak met u gemaakt op {on(3)}. Locatie: De Linde.",
            f"Uw afspraak op {on(3)} is verplaatst naar {on(4, LATE)}.",
        ],
        ["4 15:00"],
    ),
    ("every week as far as it was planned", [WEEKLY], ["3 13:15", "10 13:15", "17 13:15", "24 13:15"]),
    ("every other week", [FORTNIGHTLY], ["3 13:15", "17 13:15"]),
    (
        "not on the day that is left out",
        [f"Er zijn herhalende afspraken met u gemaakt op {on(3)} en de daarop volgende, niet op vrijdag 10 april 2026."],
        ["3 13:15", "17 13:15", "24 13:15"],
    ),
    (
        "one of a series cancelled",
        [WEEKLY, "Uw afspraak op vrijdag 10 april 2026 is geannuleerd."],
        ["3 13:15", "17 13:15", "24 13:15"],
    ),
    (
        "the rest of a series cancelled",
        [WEEKLY, f"Uw herhalende afspraken op {on(17)} en de daarop volgende zijn geannuleerd."],
        ["3 13:15", "10 13:15"],
    ),
    (
        "the rest of a series moved by a day and to another hour",
        [
            WEEKLY,
            f"Uw herhalende afspraken op {on(17)} en de daarop volgende zijn verplaatst naar {on(18, LATE)}. Locatie: De Boom.",
        ],
        ["3 13:15", "10 13:15", "18 15:00 De Boom", "25 15:00 De Boom"],
    ),
    (
        "the place of the rest changed",
        [WEEKLY, f"De locatie van uw herhalende afspraken op {on(17)} en de daarop volgende is gewijzigd naar De Boom."],
        ["3 13:15", "10 13:15", "17 13:15 De Boom", "24 13:15 De Boom"],
    ),
    (
        "the seed: one of two on a day cancelled, the other moved in the same message",
        [
            f"Er is een afspraak met u gemaakt op {on(3, '09:00 tot 10:00')}. Er is een afspraak met u gemaakt op {on(3)}.",
            f"Uw afspraak op vrijdag 3 april 2026 is geannuleerd. Uw afspraak op {on(3)} is verplaatst naar {on(3, LATE)}.",
        ],
        ["3 15:00"],
    ),
    (
        "one of two on a day cancelled without saying which",
        [
            f"Er is een afspraak met u gemaakt op {on(3, '09:00 tot 10:00')}. Er is een afspraak met u gemaakt op {on(3)}.",
            "Uw afspraak op vrijdag 3 april 2026 is geannuleerd.",
        ],
        ["3 09:00", "3 13:15", "two of them"],
    ),
    (
        "one of two at one time, told apart by the place",
        [
            f"Er is een afspraak met u gemaakt op {on(3)}. Er is een afspraak met u gemaakt op {on(3)}. Locatie: De Boom.",
            f"Uw afspraak op {on(3)} (zonder locatie) is geannuleerd.",
        ],
        ["3 13:15 De Boom"],
    ),
    (
        "one of two at one time moved, and nobody knows which",
        [
            f"Er is een afspraak met u gemaakt op {on(3)}. Locatie: De Linde. "
            f"Er is een afspraak met u gemaakt op {on(3)}. Locatie: De Boom.",
            f"Uw afspraak op {on(3)} is verplaatst naar {on(4)}. Locatie: De Boom.",
        ],
        ["3 13:15 De Boom", "3 13:15 De Linde", "two of them"],
    ),
    ("what nobody made is cancelled", ["Uw afspraak op vrijdag 3 april 2026 is geannuleerd."], ["none such"]),
    (
        "one is made that is known",
        [WEEKLY, f"Er is een afspraak met u gemaakt op {on(10)}."],
        ["3 13:15", "10 13:15", "17 13:15", "24 13:15", "known already"],
    ),
    (
        "one is moved to where another is",
        [WEEKLY, f"Uw afspraak op {on(3)} is verplaatst naar {on(10)}."],
        ["10 13:15", "17 13:15", "24 13:15", "known already"],
    ),
    (
        "one is moved to where it is",
        [f"Er is een afspraak met u gemaakt op {on(3)}.", f"Uw afspraak op {on(3)} is verplaatst naar {on(3)}."],
        ["3 13:15", "no news"],
    ),
    (
        "one is cancelled by itself after its series was",
        [
            WEEKLY,
            f"Uw herhalende afspraken op {on(10)} en de daarop volgende zijn geannuleerd.",
            "Uw afspraak op vrijdag 24 april 2026 is geannuleerd.",
        ],
        ["3 13:15"],
    ),
    ("some changes are not said", [WEEKLY + " En nog 2 wijzigingen."], ["unreadable"]),
    (
        "reminded of one of two",
        [WEEKLY + f" Er is een afspraak met u gemaakt op {on(10, LATE)}.", "U heeft een afspraak op 10 april om 13:15."],
        ["3 13:15", "10 13:15", "10 15:00", "17 13:15", "24 13:15", "reminded of something else"],
    ),
    (
        "reminded of what is known",
        [WEEKLY, "U heeft een afspraak op 10 april om 13:15."],
        ["3 13:15", "10 13:15", "17 13:15", "24 13:15"],
    ),
]


@pytest.mark.parametrize(("messages", "believed"), [row[1:] for row in BELIEFS], ids=[row[0] for row in BELIEFS])
def test_every_reader_believes_what_was_said(messages: list[str], believed: list[str]) -> None:
    assert {reading: belief(heard(reading, *messages)) for reading in READINGS} == dict.fromkeys(READINGS, believed)


BETWEEN = f"Er is een afspraak met u gemaakt op {on(10)}."
MOVED_AWAY = f"Uw afspraak op {on(17)} is verplaatst naar {on(18, LATE)}."
CANCELLED = f"Uw herhalende afspraken op {on(3)} en de daarop volgende zijn geannuleerd."

MEANT: list[tuple[str, list[str], dict[Reading, list[str]]]] = [
    (
        "another one between two of a fortnightly series",
        [FORTNIGHTLY, BETWEEN, CANCELLED],
        {"narrowest": ["10 13:15"], "narrow": [], "broad": [], "broadest": []},
    ),
    (
        "one that was moved away from the series",
        [WEEKLY, MOVED_AWAY, CANCELLED],
        {"narrowest": ["18 15:00"], "narrow": ["18 15:00"], "broad": ["18 15:00"], "broadest": []},
    ),
    (
        "one that was moved away from the series to where another one is, elsewhere, and from there",
        [
            WEEKLY,
            f"Er is een afspraak met u gemaakt op {on(18, LATE)}. Locatie: De Boom.",
            MOVED_AWAY,
            "Uw afspraak op zaterdag 18 april 2026 van 15:00 tot 16:00 (zonder locatie) is geannuleerd.",
            CANCELLED,
        ],
        {reading: ["18 15:00 De Boom"] for reading in READINGS},
    ),
]


@pytest.mark.parametrize(("messages", "left"), [row[1:] for row in MEANT], ids=[row[0] for row in MEANT])
def test_what_follows_can_be_meant_more_or_less_widely(messages: list[str], left: dict[Reading, list[str]]) -> None:
    assert {reading: belief(heard(reading, *messages)) for reading in READINGS} == left


def friday(day: int, month: int = 4) -> When:
    return When(date(2026, month, day), "13:15", "14:15", date(2026, month, day))


PLANNED: list[tuple[str, list[str], When, bool]] = [
    ("the next week of a weekly series", [WEEKLY], friday(1, 5), True),
    ("the next week of a fortnightly one", [FORTNIGHTLY], friday(24), False),
    ("the week after that", [FORTNIGHTLY], friday(1, 5), True),
    ("a day that was cancelled by itself", [WEEKLY, "Uw afspraak op vrijdag 10 april 2026 is geannuleerd."], friday(10), False),
    (
        "a day that was cancelled by itself and made again",
        [WEEKLY, "Uw afspraak op vrijdag 10 april 2026 is geannuleerd.", BETWEEN],
        friday(10),
        True,
    ),
    ("what follows a series that was cancelled", [WEEKLY, CANCELLED], friday(1, 5), False),
    (
        "what follows a series that went to another hour, at the old one",
        [WEEKLY, f"Uw herhalende afspraken op {on(10)} en de daarop volgende zijn verplaatst naar {on(11)}."],
        friday(1, 5),
        False,
    ),
    ("what no series has", [f"Er is een afspraak met u gemaakt op {on(3)}."], friday(10), False),
]


@pytest.mark.parametrize(("messages", "when", "believed"), [row[1:] for row in PLANNED], ids=[row[0] for row in PLANNED])
def test_what_goes_without_saying_is_believed_if_a_series_has_it(messages: list[str], when: When, believed: bool) -> None:
    for reading in READINGS:
        reader = heard(reading, *messages)
        reader.planned(when, None)
        assert (reading, said(when), when in reader.items) == (reading, said(when), believed)


RHYTHMS: list[tuple[list[tuple[int, int]], int | None]] = [
    ([(4, 3), (4, 10), (4, 17)], 1),
    ([(4, 3), (4, 17), (4, 24)], 1),
    ([(4, 3), (4, 17), (5, 1)], 2),
    ([(4, 3), (5, 3), (6, 3)], 0),
    ([(4, 3), (5, 8), (5, 15)], None),
    ([(4, 3), (4, 5)], None),
]


@pytest.mark.parametrize(("days", "weeks"), RHYTHMS)
def test_the_rhythm_that_days_have(days: list[tuple[int, int]], weeks: int | None) -> None:
    assert rhythm_of([date(2026, month, day) for month, day in days]) == weeks
