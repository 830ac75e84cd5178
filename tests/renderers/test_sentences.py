from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from renderers.dutch import ON_SITE
from renderers.sentences import joined, sentence, sentences
from schemas.events import View
from schemas.known import Member, Words
from schemas.notices import Kind, Notice
from tests.renderers.samples import (
    AMSTERDAM,
    AT_13,
    AT_13_IN_DE_LINDE,
    AT_14,
    SENT,
    delivery,
    instant,
    notice,
    organisation,
    request,
    view,
)

AT_14_IN_DE_LINDE = view("2020-01-17 14:15", "2020-01-17 15:15", "De Linde")
BY_PHONE = replace(AT_13, kind="phone")
JUNE = view("2020-06-11 11:00", "2020-06-11 12:00")
JUNE_IN_DE_LINDE = view("2020-06-11 11:00", "2020-06-11 12:00", "De Linde")
NIGHT = view("2020-01-17 22:00", "2020-01-18 06:00")
FRIDAY = view("2020-01-17 00:00", "2020-01-18 00:00")
SATURDAY = view("2020-01-18 00:00", "2020-01-19 00:00")

TEXTS: list[tuple[str, Notice]] = [
    (
        "Uw afspraak op vrijdag 17 januari 2020 van 13:15 tot 14:15 is nu een telefonische afspraak.",
        notice("changed", AT_13, BY_PHONE),
    ),
    (
        "Uw herhalende telefonische afspraken op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende zijn nu "
        "afspraken op locatie. Locatie: De Linde.",
        notice("series_changed", BY_PHONE, AT_13_IN_DE_LINDE, others=2),
    ),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15.",
        notice("created", now=AT_13),
    ),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15. Locatie: De Linde.",
        notice("created", now=AT_13_IN_DE_LINDE),
    ),
    (
        "Uw afspraak op vrijdag 17 januari 2020 van 13:15 tot 14:15 is verplaatst naar "
        "vrijdag 17 januari 2020 van 14:15 tot 15:15.",
        notice("moved", AT_13_IN_DE_LINDE, AT_14),
    ),
    (
        "Uw afspraak op vrijdag 17 januari 2020 van 13:15 tot 14:15 is verplaatst naar "
        "vrijdag 17 januari 2020 van 14:15 tot 15:15. Locatie: De Linde.",
        notice("moved", AT_13, AT_14_IN_DE_LINDE),
    ),
    ("Uw afspraak op vrijdag 17 januari 2020 is geannuleerd.", notice("cancelled", AT_13_IN_DE_LINDE)),
    (
        "De locatie van uw afspraak op vrijdag 17 januari 2020 van 13:15 tot 14:15 is gewijzigd naar De Linde.",
        notice("relocated", AT_13, AT_13_IN_DE_LINDE),
    ),
    (
        "Er zijn herhalende afspraken met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende.",
        notice("series_created", now=AT_13, others=3),
    ),
    (
        "Er zijn herhalende afspraken met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende."
        " Locatie: De Linde.",
        notice("series_created", now=AT_13_IN_DE_LINDE, others=3),
    ),
    (
        "Uw herhalende afspraken op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende zijn verplaatst naar "
        "vrijdag 17 januari 2020 van 14:15 tot 15:15.",
        notice("series_moved", AT_13, AT_14, others=1),
    ),
    (
        "Uw herhalende afspraken op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende zijn verplaatst naar "
        "vrijdag 17 januari 2020 van 14:15 tot 15:15. Locatie: De Linde.",
        notice("series_moved", AT_13, AT_14_IN_DE_LINDE, others=1),
    ),
    (
        "Uw herhalende afspraken op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende zijn geannuleerd.",
        notice("series_cancelled", AT_13_IN_DE_LINDE, others=1),
    ),
    (
        "De locatie van uw herhalende afspraken op vrijdag 17 januari 2020 van 13:15 tot 14:15 en de daarop volgende "
        "is gewijzigd naar De Linde.",
        notice("series_relocated", AT_13, AT_13_IN_DE_LINDE, others=1),
    ),
    ("U heeft een afspraak op 11 juni om 11:00.", notice("reminder", now=JUNE)),
    ("U heeft een afspraak op 11 juni om 11:00. Locatie: De Linde.", notice("reminder", now=JUNE_IN_DE_LINDE)),
    ("U heeft 2 afspraken op 11 juni om 11:00.", notice("reminder", now=JUNE_IN_DE_LINDE, others=1)),
    ("U heeft 3 afspraken op 11 juni om 11:00.", notice("reminder", now=JUNE, others=2)),
    (
        "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 22:00 tot zaterdag 18 januari 2020 06:00.",
        notice("created", now=NIGHT),
    ),
    (
        "Uw afspraak op vrijdag 17 januari 2020 van 22:00 tot zaterdag 18 januari 2020 06:00 is verplaatst naar "
        "vrijdag 17 januari 2020 van 13:15 tot 14:15.",
        notice("moved", NIGHT, AT_13),
    ),
    ("Uw afspraak op vrijdag 17 januari 2020 is geannuleerd.", notice("cancelled", NIGHT)),
    ("Er is een afspraak met u gemaakt op vrijdag 17 januari 2020.", notice("created", now=FRIDAY)),
    (
        "Uw afspraak op vrijdag 17 januari 2020 is verplaatst naar zaterdag 18 januari 2020.",
        notice("moved", FRIDAY, SATURDAY),
    ),
    (
        "Uw afspraak op vrijdag 17 januari 2020 is verplaatst naar vrijdag 17 januari 2020 van 13:15 tot 14:15.",
        notice("moved", FRIDAY, AT_13),
    ),
    (
        "Er zijn herhalende afspraken met u gemaakt op vrijdag 17 januari 2020 en de daarop volgende.",
        notice("series_created", now=FRIDAY, others=1),
    ),
    (
        "Uw herhalende afspraken op vrijdag 17 januari 2020 en de daarop volgende zijn geannuleerd.",
        notice("series_cancelled", FRIDAY, others=1),
    ),
    ("U heeft een afspraak op 17 januari.", notice("reminder", now=FRIDAY)),
    ("U heeft 2 afspraken op 17 januari.", notice("reminder", now=FRIDAY, others=1)),
]


@pytest.mark.parametrize(("expected", "told"), TEXTS, ids=[text for text, _ in TEXTS])
def test_each_kind_of_notice_says(expected: str, told: Notice) -> None:
    assert sentence(told, AMSTERDAM, SENT) == expected


DAYS = View(instant("2020-01-17 00:00"), instant("2020-01-19 00:00"))
NIGHT = View(instant("2020-01-17 22:00"), instant("2020-01-18 00:00"))
POINT = View(instant("2020-01-17 13:15"), instant("2020-01-17 13:15"))


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("Er is een afspraak met u gemaakt van vrijdag 17 tot en met zaterdag 18 januari 2020.", notice("created", now=DAYS)),
        ("Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 22:00 tot middernacht.", notice("created", now=NIGHT)),
        ("Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 om 13:15.", notice("created", now=POINT)),
        (
            "Uw afspraak van vrijdag 17 tot en met zaterdag 18 januari 2020 is verplaatst naar vrijdag 17 januari 2020 om 13:15.",
            notice("moved", DAYS, POINT),
        ),
        (
            "Uw afspraak op vrijdag 17 januari 2020 om 13:15 is verplaatst naar vrijdag 17 tot en met zaterdag 18 januari 2020.",
            notice("moved", POINT, DAYS),
        ),
        ("Uw afspraak op vrijdag 17 januari 2020 is geannuleerd.", notice("cancelled", DAYS)),
        (
            "Er zijn herhalende afspraken met u gemaakt op vrijdag 17 januari 2020 om 13:15 en de daarop volgende.",
            notice("series_created", now=POINT),
        ),
        ("U heeft een afspraak op 17 januari.", notice("reminder", now=DAYS)),
    ],
)
def test_no_sentence_ends_at_00_00_or_where_it_begins(expected: str, told: Notice) -> None:
    assert sentence(told, AMSTERDAM, SENT) == expected


def test_every_kind_has_a_row_above() -> None:
    assert {told.kind for _, told in TEXTS} == set(ON_SITE)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2020-01-01 00:00", "U heeft een afspraak op 11 juni om 11:00."),
        ("2020-12-31 23:59", "U heeft een afspraak op 11 juni om 11:00."),
        ("2019-12-31 23:59", "U heeft een afspraak op 11 juni 2020 om 11:00."),
        ("2019-06-11 11:00", "U heeft een afspraak op 11 juni 2020 om 11:00."),
        ("2019-12-31T23:30+00:00", "U heeft een afspraak op 11 juni om 11:00."),  # 1 January in Amsterdam
        ("2020-01-01T00:30+02:00", "U heeft een afspraak op 11 juni 2020 om 11:00."),  # 31 December in Amsterdam
    ],
)
def test_a_reminder_names_the_year_if_it_is_not_that_of_sending(sent: str, expected: str) -> None:
    assert sentence(notice("reminder", now=JUNE), AMSTERDAM, instant(sent)) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("De Linde", " Locatie: De Linde."),
        ("Gebouw 4, 2e etage", " Locatie: Gebouw 4, 2e etage."),
        ("Zorgcentrum e.o.", " Locatie: Zorgcentrum e.o."),  # one full stop ends an abbreviation and the sentence
        ("{now} %s", " Locatie: {now} %s."),
        ("Café 't Hœk", " Locatie: Café 't Hœk."),
        (" ", ""),
        (None, ""),
    ],
)
def test_a_location_is_named_literally(location: str | None, expected: str) -> None:
    said = sentence(notice("reminder", now=View(JUNE.start, JUNE.end, location)), AMSTERDAM, SENT)
    assert said == f"U heeft een afspraak op 11 juni om 11:00.{expected}"


@pytest.mark.parametrize("kind", ["created", "moved", "cancelled", "relocated", "reminder", "request", "series_moved"])
def test_a_notice_that_lacks_what_it_speaks_of_is_refused(kind: Kind) -> None:
    with pytest.raises(ValueError, match="notice"):
        sentence(notice(kind), AMSTERDAM, SENT)


def test_a_dropped_location_is_not_told() -> None:
    with pytest.raises(ValueError, match="dropped"):
        sentence(notice("relocated", AT_13_IN_DE_LINDE, AT_13), AMSTERDAM, SENT)


THAT_DAY = "vrijdag 17 januari 2020"
THEN = Words("2020-01-17", "13:15", "14:15")
IN_DE_LINDE = Words("2020-01-17", "13:15", "14:15", place="De Linde")
WHOLE = Words("2020-01-17", "", "")


@pytest.mark.parametrize(
    ("kind", "was", "now", "more", "said"),
    [
        ("cancelled", THEN, None, {}, f"Uw afspraak op {THAT_DAY} is geannuleerd."),
        ("cancelled", THEN, None, {"timed": True}, f"Uw afspraak op {THAT_DAY} van 13:15 tot 14:15 is geannuleerd."),
        ("cancelled", IN_DE_LINDE, None, {"timed": True, "placed": True},
         f"Uw afspraak op {THAT_DAY} van 13:15 tot 14:15 (De Linde) is geannuleerd."),
        ("cancelled", THEN, None, {"timed": True, "placed": True},
         f"Uw afspraak op {THAT_DAY} van 13:15 tot 14:15 (zonder locatie) is geannuleerd."),
        ("cancelled", WHOLE, None, {"timed": True}, f"Uw afspraak op {THAT_DAY} (de hele dag) is geannuleerd."),
        ("cancelled", Words("2020-01-17", "13:15", ""), None, {"timed": True},
         f"Uw afspraak op {THAT_DAY} om 13:15 is geannuleerd."),
        ("cancelled", Words("2020-01-17", "", "", "2020-01-18"), None, {"timed": True},
         "Uw afspraak van vrijdag 17 tot en met zaterdag 18 januari 2020 is geannuleerd."),
        ("moved", IN_DE_LINDE, Words("2020-01-18", "22:00", "24:00"), {"placed": True},
         f"Uw afspraak op {THAT_DAY} van 13:15 tot 14:15 (De Linde) is verplaatst naar zaterdag 18 januari 2020 van 22:00 tot "
         "middernacht."),
        ("relocated", THEN, IN_DE_LINDE, {"placed": True},
         f"De locatie van uw afspraak op {THAT_DAY} van 13:15 tot 14:15 (zonder locatie) is gewijzigd naar De Linde."),
        ("series_created", None, IN_DE_LINDE, {"weeks": 1},
         f"Er zijn herhalende afspraken met u gemaakt op {THAT_DAY} van 13:15 tot 14:15 en de daarop volgende. Locatie: De "
         "Linde."),
        ("series_created", None, THEN, {"weeks": 2},
         f"Er zijn herhalende afspraken met u gemaakt op {THAT_DAY} van 13:15 tot 14:15 en de daarop volgende, om de 2 weken."),
        ("series_created", None, THEN, {"weeks": 0},
         f"Er zijn herhalende afspraken met u gemaakt op {THAT_DAY} van 13:15 tot 14:15 en de daarop volgende, elke maand."),
        ("series_created", None, THEN, {"weeks": 1, "off": ("2020-01-24",)},
         f"Er zijn herhalende afspraken met u gemaakt op {THAT_DAY} van 13:15 tot 14:15 en de daarop volgende, niet op vrijdag "
         "24 januari 2020."),
    ],
)  # fmt: skip
def test_words_say_what_they_must_and_no_more(
    kind: Kind, was: Words | None, now: Words | None, more: dict[str, Any], said: str
) -> None:
    """The zone is that of their telling: what is said does not hang on the one that is now."""
    one = Notice(id="n", kind=kind, appointment="a", members=(Member("a", was, now),), **more)
    at = AT_13_IN_DE_LINDE if now is not None and now.place is not None else AT_13
    one = replace(one, was=AT_13 if was is not None else None, now=at if now is not None else None)
    assert sentence(one, "Asia/Kathmandu", SENT) == said


@pytest.mark.parametrize("count", [1, 20, 21])
def test_every_notice_has_its_sentence(count: int) -> None:
    """Nothing is left to a number ("En nog 1 wijziging."): what is too much for one message is decided as another."""
    said = sentences(delivery(*[notice("cancelled", AT_13)] * count), organisation(), SENT)
    assert said == ["Uw afspraak op vrijdag 17 januari 2020 is geannuleerd."] * count


def test_the_sentence_of_a_request_is_its_text() -> None:
    text = "  Vul {in} 100%:\nhttps://roqua.example/?token=a&b\\n  "
    assert sentences(request(text), organisation(), SENT) == [text]


def test_a_delivery_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="says nothing"):
        sentences(delivery(), organisation(), SENT)


def test_texts_are_joined_by_one_space_and_empty_ones_skipped() -> None:
    assert joined("", "Eén.", " ", "Twee.", "") == "Eén. Twee."
