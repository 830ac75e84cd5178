"""Which templates stand around a message: those of its kind, of one of several kinds those of the first in their order."""

from __future__ import annotations

from typing import Any

import pytest

from renderers.email import email
from renderers.gsm7 import measure
from renderers.sms import texts
from schemas.inputs import Organisation, OrganisationOverride
from schemas.notices import Notice
from schemas.wire import check
from streams.notices.settings import apply_override
from streams.processing.log_records import template_of
from tests.renderers.samples import AT_13, AT_13_IN_DE_LINDE, AT_14, SENT, delivery, notice, request
from tests.world import organisation

CREATED, MOVED = notice("created", now=AT_13), notice("moved", AT_13, AT_14)
CANCELLED, RELOCATED = notice("cancelled", AT_13), notice("relocated", AT_13, AT_13_IN_DE_LINDE)
REMINDER, SERIES_CANCELLED = notice("reminder", now=AT_13), notice("series_cancelled", AT_13, others=2)
GENERAL = {"sms": {"originator": "Zorg", "before": "Zorg:", "after": "Kunt u niet? Bel.", "unit_price": 0.08}}


def settings(**templates: Any) -> Organisation:
    """An organisation with a pair for all messages, and for each kind that is named its own: an SMS of it says so."""
    named = {name: {"sms": value} for name, value in templates.items()}
    return check(Organisation, organisation(**GENERAL, **({"templates": named} if named else {})))


def around(organisation: Organisation, *notices: Notice, asked: bool = False) -> tuple[str, str]:
    """What an SMS begins with and what it ends in, without its sentences."""
    told = request("Vraag") if asked else delivery(*notices)
    first, last = ("Vraag", "Vraag") if asked else ("Er is|Uw|De locatie|U heeft", "gemaakt|15.|geannuleerd.|Linde.|13:15.")
    text = texts(told, organisation, SENT).text
    begins = min(text.index(one) for one in first.split("|") if one in text)
    ends = max(text.rindex(one) + len(one) for one in last.split("|") if one in text)
    return text[:begins].strip(), text[ends:].strip()


PAIR = ("Zorg:", "Kunt u niet? Bel.")
OWN: dict[str, tuple[dict[str, Any], tuple[Notice, ...], tuple[str, str]]] = {
    "with none all have the same": ({}, (CANCELLED,), PAIR),
    "a reminder has its own": ({"reminder": {"before": "Let op:", "after": ""}}, (REMINDER,), ("Let op:", "")),
    "what a kind leaves out is as for all": ({"reminder": {"before": "Let op:"}}, (REMINDER,), ("Let op:", PAIR[1])),
    "another kind's are not its": ({"reminder": {"before": "Let op:"}}, (CREATED,), PAIR),
    "a cancellation without its own has what all have": ({"created": {"after": "Tot dan."}}, (CANCELLED,), PAIR),
    "a series is of its kind": ({"cancelled": {"after": "Jammer."}}, (SERIES_CANCELLED,), ("Zorg:", "Jammer.")),
    "another place is a move": ({"moved": {"after": "Zie ook."}}, (RELOCATED,), ("Zorg:", "Zie ook.")),
    "of several a move comes first": (
        {"moved": {"after": "M"}, "created": {"after": "N"}, "cancelled": {"after": "G"}}, (CANCELLED, CREATED, MOVED),
        ("Zorg:", "M"),
    ),
    "then what is made": ({"created": {"after": "N"}, "cancelled": {"after": "G"}}, (CANCELLED, CREATED), ("Zorg:", "N")),
    "a message with a move whose kind has none of its own has what all have": (
        {"created": {"after": "N"}}, (CREATED, MOVED), PAIR
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_around_a_message(name: str) -> None:
    own, notices, then = OWN[name]
    assert around(settings(**own), *notices) == then


@pytest.mark.parametrize(
    ("what", "own", "then"),
    [
        ("as ever while there are none by kind", {}, PAIR),
        ("no end, where there are, for that is about appointments", {"reminder": {"before": "Let op:"}}, ("Zorg:", "")),
        ("its own", {"request": {"before": "Namens een ander:", "after": "Zorg"}}, ("Namens een ander:", "Zorg")),
    ],
)
def test_around_what_a_third_party_asks(what: str, own: dict[str, Any], then: tuple[str, str]) -> None:
    assert around(settings(**own), asked=True) == then


def test_an_email_has_its_own_subject_and_what_a_third_party_says_stands_before_it() -> None:
    upstream = check(Organisation, organisation(templates={
        "moved": {"email": {"subject": "Verplaatst", "before": "Let op", "after": "Dag"}},
        "request": {"email": {"subject": "Vraag"}}
    }))  # fmt: skip
    mail = email(delivery(MOVED, channel="email"), upstream, SENT, None)
    assert (mail.subject, mail.plain.splitlines()[0], mail.plain.splitlines()[-1]) == ("Verplaatst", "Let op", "Dag")
    assert email(delivery(CREATED, channel="email"), upstream, SENT, None).subject == "Bericht over uw afspraak"
    assert email(request("x"), upstream, SENT, None).subject == "Vraag"
    assert email(request("x", "Uw lijst"), upstream, SENT, None).subject == "Uw lijst"


@pytest.mark.parametrize(
    ("what", "after", "parts"),
    [
        ("nothing", "", 1), ("200 characters", "x" * 200, 2), ("emoji", "\U0001f600" * 100, 4),
        ("from right to left", "\u0634\u0643\u0631\u0627" * 5, 2), ("line breaks", "Tot dan.\n\nDe Linde", 1),
    ],
)  # fmt: skip
def test_parts_are_of_the_text_with_its_templates(what: str, after: str, parts: int) -> None:
    said = texts(delivery(REMINDER), settings(reminder={"after": after}), SENT)
    assert (said.parts, measure(said.text).parts) == (parts, parts)
    assert said.text.endswith(after)


def test_what_is_chosen_lies_over_upstreams_field_by_field() -> None:
    upstream = settings(moved={"before": "ECD:", "after": "ECD."}, created={"after": "N"})
    over = check_override(templates={"moved": {"sms": {"after": "Wij."}}, "reminder": {"sms": {"before": "Wij:"}}})
    counts = apply_override(upstream, over)
    assert around(counts, MOVED) == ("ECD:", "Wij.")
    assert around(counts, CREATED) == ("Zorg:", "N")
    assert around(counts, REMINDER) == ("Wij:", PAIR[1])


def check_override(**fields: Any) -> OrganisationOverride:
    return check(OrganisationOverride, {"organisation": "zorg", **fields})


def test_the_log_names_the_templates_of_the_kind_and_those_of_before_have_the_same_name() -> None:
    """Which words were used can be found again in the log. The digest is of a worker of before."""
    plain, own = settings(), settings(reminder={"before": "Let op:"})
    assert (
        template_of(plain, "sms", [REMINDER])
        == template_of(plain, "sms", [CREATED])
        == template_of(own, "sms", [CREATED])
        == "3466c8a91954"
    )
    assert template_of(own, "sms", [REMINDER]) not in (None, template_of(own, "sms", [CREATED]))
