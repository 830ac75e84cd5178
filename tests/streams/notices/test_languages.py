"""The language of messages: the client's where the organisation uses it, else its first; it changes nothing but words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from renderers.email import email
from schemas.inputs import Organisation
from schemas.languages import Language
from schemas.notices import Notice
from schemas.wire import check
from streams.processing.log_records import template_of
from tests.renderers.samples import AT_13, SENT, notice
from tests.renderers.samples import delivery as delivered
from tests.streams.notices.test_notify import after_the_reminder, book
from tests.world import World, organisation

DUTCH = "Er is een afspraak met u gemaakt op donderdag 5 maart 2026 van 11:00 tot 12:00."
ENGLISH = "An appointment has been made for you on Thursday 5 March 2026 from 11:00 to 12:00."
EVENING = {"days_before": 1, "at": "18:00"}


def speaks(world: World, language: Any) -> World:
    """The client's consent, with a language."""
    value = {"organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"], "language": language}
    return world.feed("consents", "zorg/anna", value)


SPOKEN: list[tuple[str, Any, list[str] | None, str]] = [
    ("without settings Dutch, whatever the client speaks", "en", None, DUTCH),
    ("a client of no known language has the first", None, ["nl", "en"], DUTCH),
    ("the client's own", "en", ["nl", "en"], ENGLISH),
    ("whatever its region", "en-GB", ["nl", "en"], ENGLISH),
    ("whatever the case of its letters", "EN", ["nl", "en"], ENGLISH),
    ("one that the organisation does not use: its first", "tr", ["nl", "en"], DUTCH),
    ("an organisation may have another first", "tr", ["en", "nl"], ENGLISH),
    ("and Dutch second", "nl", ["en", "nl"], DUTCH),
]


@pytest.mark.parametrize(("name", "language", "used", "then"), SPOKEN, ids=[row[0] for row in SPOKEN])
def test_the_language_of_a_message(name: str, language: Any, used: list[str] | None, then: str) -> None:
    settings: dict[str, Any] = {"languages": used} if used is not None else {}
    world = World(**settings)
    assert speaks(world, language).play([book()]).sent == [then]


@pytest.mark.parametrize("language", [7, "", "e", "en_GB", "en\n", "x" * 36])
def test_a_language_that_is_none_is_unknown_and_the_rest_of_the_consent_counts(language: Any) -> None:
    world = speaks(World(languages=["nl", "en"]), language)
    assert ["at `$.language`" in one for one in world.refused] == [True]
    assert world.play([book()]).sent == [DUTCH]


def history(world: World, flips: bool) -> list[tuple[str, Any]]:
    """What becomes of a history, in which the client's language may change between any two of its events."""
    steps = [
        book(location="De Linde"), book(location="De Boom", rev=2), book("2026-03-05 15:00", id="b", series="s"),
        book("2026-03-12 15:00", id="c", series="s"), book("2026-03-06 11:00", rev=3, kind="phone"),
        book(id="b", rev=2, series="s"),        after_the_reminder, book(rev=4, status="cancelled"),
    ]  # fmt: skip
    for number, step in enumerate(steps):
        if flips:
            speaks(world, "en" if number % 2 else "nl")
        world.play([step])
    return [(f"{one['status']} {one['detail']}", one["notices"]) for one in world.log]


def test_a_language_that_changes_tells_nothing_anew_and_changes_nothing_that_is_told() -> None:
    settings: dict[str, Any] = {"reminder": EVENING, "languages": ["nl", "en"]}
    mixed = World("2026-03-02 09:00", **settings)
    assert history(mixed, flips=True) == history(World("2026-03-02 09:00", **settings), flips=False)
    assert {text.split()[0] for text in mixed.sent} >= {"Er", "The", "Your"}


TEXTS: dict[str, Any] = {
    "languages": ["nl", "en"],
    "sms": {"originator": "Zorg", "before": "Zorg:", "after": "Kunt u niet? Bel.", "unit_price": 0.08},
    "templates": {"cancelled": {"sms": {"after": "Jammer."}}},
    "labels": {"intake": {"templates": {"created": {"sms": {"after": "Neem uw pas mee."}}}}},
}
IN_ENGLISH = {
    "sms": {"after": "Can't come? Call us."}, "templates": {"cancelled": {"sms": {"after": "Sorry."}}},
    "labels": {"intake": {"created": {"sms": {"after": "Bring your card."}}}},
}  # fmt: skip
AROUND: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("none where there is none", {}, {}, ENGLISH),
    ("its own", {"translations": {"en": IN_ENGLISH}}, {}, f"{ENGLISH} Can't come? Call us."),
    ("its own by label", {"translations": {"en": IN_ENGLISH}}, {"label": "intake"}, f"{ENGLISH} Bring your card."),
]


@pytest.mark.parametrize(("name", "more", "fields", "then"), AROUND, ids=[row[0] for row in AROUND])
def test_texts_around_the_sentences_are_of_their_language(name: str, more: Any, fields: dict[str, Any], then: str) -> None:
    assert speaks(World(**TEXTS, **more), "en").play([book(**fields)]).sent == [then]


def test_texts_by_message_and_for_third_parties_are_of_their_language() -> None:
    world = speaks(World(**TEXTS, translations={"en": IN_ENGLISH}), "en").play([book(), book(rev=2, status="cancelled")])
    assert world.sent[-1] == "Your appointment on Thursday 5 March 2026 has been cancelled. Sorry."
    assert world.play([lambda world: world.request(text="How are you?")]).log[-1]["parts"] == 1


def test_what_an_organisation_chose_lies_over_upstreams_texts_of_a_language() -> None:
    world = World(**TEXTS, translations={"en": IN_ENGLISH})
    world.override(translations={"en": {"sms": {"before": "Care:"}}})
    assert speaks(world, "en").play([book()]).sent == [f"Care: {ENGLISH} Can't come? Call us."]
    world.override(languages=["nl"]).play([book("2026-03-06 11:00", id="b")])
    assert world.sent[-1].startswith("Zorg: Er is een afspraak")


CREATED: Notice = notice("created", now=AT_13)
SUBJECTS: list[tuple[Language | None, dict[str, Any], str, str]] = [
    (None, {}, "nl", "Bericht over uw afspraak"),
    ("en", {}, "en", "Message about your appointment"),
    ("en", {"translations": {"en": {"email": {"subject": "Your appointment"}}}}, "en", "Your appointment"),
]


@pytest.mark.parametrize(("language", "more", "lang", "subject"), SUBJECTS)
def test_an_email_says_its_language_and_has_a_subject_of_it(
    language: Language | None, more: Any, lang: str, subject: str
) -> None:
    settings = check(Organisation, organisation(languages=["nl", "en"], **more))
    delivery = delivered(CREATED, channel="email")
    mail = email(replace(delivery, language=language), settings, SENT, "https://x.example/y")
    assert (mail.subject, f'<html lang="{lang}">' in mail.html) == (subject, True)


def test_the_log_tells_the_templates_of_two_languages_apart() -> None:
    settings = check(Organisation, organisation(languages=["nl", "en"]))
    assert template_of(settings, "sms", [CREATED]) != template_of(settings, "sms", [CREATED], "en")
