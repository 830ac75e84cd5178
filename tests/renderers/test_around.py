"""Whatever an organisation puts around the sentences, and as subject: parts, price, headers and bodies are right in each.

Parts are counted by a counter of its own (`test_gsm7.oracle`: the gsm0338 package and UTF-16, filled part by part): in the
renderer, in the preview, and in what is logged of the message that was sent.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest

from agents.web.preferences.preview import preview
from renderers.email import HeaderError, email, message_bytes
from renderers.gsm7 import measure, split
from renderers.sms import texts
from schemas.inputs import Organisation, OrganisationOverride
from schemas.wire import BadRecordError, check
from streams.notices.settings import apply_override
from tests.renderers.samples import AT_13, SENT, delivery, notice
from tests.renderers.test_gsm7 import oracle
from tests.world import World, organisation

TOLD = delivery(notice("created", now=AT_13))
SAID = "Er is een afspraak met u gemaakt op vrijdag 17 januari 2020 van 13:15 tot 14:15."

TEXTS: dict[str, str] = {
    "empty": "",
    "blank": "  \n ",
    "plain": "Kunt u niet? Bel 0544 123456.",
    "200 characters of GSM-7": "a" * 200,
    "200 that count double": "€" * 200,
    "200 of which one is not GSM-7": "a" * 199 + "ë",
    "200 emoji": "😀" * 200,
    "an emoji": "Tot dan 😀",
    "an emoji of several characters": "Tot dan 👩🏽‍⚕️👨‍👩‍👧",
    "Hebrew": "שלום, תור נקבע עבורך (10:00).",
    "Arabic with digits": "موعدك الساعة 10:30!",
    "from right to left, with a control that turns all that follows": "abc\u202edef",
    "line breaks": "Dag,\n\nWij zijn er\nvoor u.",
    "typographic": "‘Dag’ – tot dan…",
}


def with_texts(before: str, after: str, subject: str = "Uw afspraak") -> Organisation:
    sms = {"originator": "Zorg", "before": before, "after": after, "unit_price": "0.075"}
    mail = {"from": "zorg@linde.example", "subject": subject, "before": before, "after": after}
    return check(Organisation, organisation(sms=sms, email=mail))


@pytest.mark.parametrize("after", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("before", ["", *[TEXTS[name] for name in ("plain", "200 emoji", "Hebrew", "line breaks")]])
def test_an_sms_has_the_parts_that_another_counter_counts(before: str, after: str) -> None:
    found = texts(TOLD, with_texts(before, after), SENT)
    assert SAID in found.text, "the sentence is whole, and in one piece"
    assert found.parts == sum(oracle(piece).parts for piece in found.pieces)
    assert all(oracle(piece).parts <= 9 for piece in found.pieces)
    assert "\u202e" not in found.text, "what an organisation says turns no sentence of ours"
    if not before.strip() and not after.strip():
        assert found.text == SAID, "what is empty leaves no space behind"


@pytest.mark.parametrize("after", TEXTS.values(), ids=TEXTS)
def test_the_preview_and_the_message_that_is_sent_say_the_same_parts_and_price(after: str) -> None:
    settings = with_texts("", after)
    shown = {one.title: one for one in preview(settings, SENT).sms}["Nieuwe afspraak"]
    parts = oracle(shown.text).parts
    assert shown.parts == parts
    assert shown.cost == f"€\xa0{0.075 * parts:.3f}".replace(".", ",").rstrip("0").ljust(6, "0")
    world = World(sms={"originator": "Zorg", "before": "", "after": after, "unit_price": "0.075"})
    world.book("2026-04-17 13:15").wait("2026-03-02 10:00")
    (sent,) = [one for one in world.log if one["status"] == "sent"]
    assert (sent["parts"], sent["cost"]) == (oracle(sent["text"]).parts, price(oracle(sent["text"]).parts))


def price(parts: int) -> dict[str, Any]:
    return {"amount": f"{75 * parts // 1000}.{75 * parts % 1000:03d}", "currency": "EUR"}


@pytest.mark.parametrize("lead", range(60, 72))
@pytest.mark.parametrize("mark", ["😀", "👩🏽‍⚕️", "👨‍👩‍👧", "e\u0301\u0323", "שלום"])
def test_nothing_that_is_two_units_is_cut_at_a_parts_border(lead: int, mark: str) -> None:
    """A surrogate pair goes whole into the next part, so a part may have 66 units; what follows moves along."""
    text = "ë" + "x" * (lead - 1) + mark + "y" * 80
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == oracle(text).parts == measure(text).parts
    for part in parts:
        assert len(part.encode("utf-16-be")) <= 134, "140 octets less the header of a part"
        assert not 0xDC00 <= int.from_bytes(part.encode("utf-16-be", "surrogatepass")[:2]) < 0xE000, "half a pair"


# --- e-mail -------------------------------------------------------------------------------------------------------------------


def sent_mail(settings: Organisation) -> EmailMessage:
    words = email(TOLD, settings, SENT, None)
    data = message_bytes(
        words, from_="zorg@linde.example", reply_to=None, to="anna@client.example", message_id="a@b", date=SENT, unsubscribe=None
    )
    found = message_from_bytes(data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_both_bodies_of_an_email_have_what_stands_around_as_it_is(text: str) -> None:
    mail = sent_mail(with_texts(text, text))
    blocks = body(mail, "plain").rstrip("\n")
    assert blocks == "\n\n".join([text, SAID, text] if text.strip() else [SAID])
    html = body(mail, "html")
    seen = [
        unescape(re.sub("<br>\n", "\n", re.sub("<(?!br)[^>]*>", "", one)))
        for one in re.findall("<p[^>]*>(.*?)</p>", html, re.DOTALL)
    ]
    there = [one for one in re.split(r"(?:\n[ \t]*){2,}", text.strip()) if one]
    assert seen == [*there, SAID, *there]


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("שלום", ' dir="rtl"'), ("10:00 שלום", ' dir="rtl"'), ("موعدك", ' dir="rtl"'), ("Dag שלום", ""), ("Dag,", ""),
        ("😀", ""), ("123", ""),
    ],
)  # fmt: skip
def test_a_paragraph_from_right_to_left_says_so_and_the_sentence_after_it_does_not(text: str, way: str) -> None:
    html = email(TOLD, with_texts(text, ""), SENT, None).html
    assert f"<p{way}>{text}</p>" in html
    assert f"<p>{SAID}" in re.sub("</?strong>", "", html)


SUBJECTS = {
    "of 200 characters": "a" * 200,
    "of 200 emoji": "😀" * 200,
    "with an emoji": "Uw afspraak 😀",
    "from right to left": "שלום, תור חדש",
    "with a colon and what looks like a header": "Bcc: iedereen@example.org",
    "that looks encoded": "=?utf-8?q?Bcc:_x?=",
    "of one character": "x",
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_subject_comes_out_as_it_was_chosen_in_one_header(subject: str) -> None:
    mail = sent_mail(with_texts("", "", subject))
    assert mail["Subject"] == subject
    assert mail.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    head = mail.as_bytes().partition(b"\n\n")[0]
    assert max(map(len, head.split(b"\n"))) <= 78


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85"])
def test_what_is_a_line_break_to_some_makes_no_second_header(mark: str) -> None:
    """They are no control characters of mail; the package that encodes takes them for ends of lines."""
    mail = sent_mail(with_texts("", "", f"Dag{mark}Bcc: iedereen@example.org"))
    assert mail["Bcc"] is None
    assert mail.keys().count("Subject") == 1
    assert "Bcc: iedereen@example.org" in mail["Subject"]


@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n", "\x00", "\x0b", "\x1f", "\x7f"])
def test_a_line_break_in_a_subject_is_refused_at_intake_and_by_whoever_writes_the_header(mark: str) -> None:
    subject = f"Dag{mark}Bcc: iedereen@example.org"
    for own in ({"email": {"subject": subject}}, {"templates": {"moved": {"email": {"subject": subject}}}},
                {"labels": {"a": {"templates": {"moved": {"email": {"subject": subject}}}}}},
                {"translations": {"en": {"email": {"subject": subject}}}}):  # fmt: skip
        with pytest.raises(BadRecordError):
            check(OrganisationOverride, {"organisation": "zorg", **own})
    words = email(TOLD, with_texts("", ""), SENT, None)._replace(subject=subject)
    with pytest.raises(HeaderError):
        message_bytes(words, from_="a@b.nl", reply_to=None, to="c@d.nl", message_id="a@b", date=SENT, unsubscribe=None)


# --- empty, and absent --------------------------------------------------------------------------------------------------------


def test_an_empty_text_is_a_choice_and_an_absent_one_is_none() -> None:
    upstream = with_texts("Van het ECD:", "Groet")
    absent = apply_override(upstream, check(OrganisationOverride, {"organisation": "zorg", "sms": {"after": "Dag"}}))
    empty = apply_override(upstream, check(OrganisationOverride, {"organisation": "zorg", "sms": {"before": ""}}))
    assert texts(TOLD, absent, SENT).text == f"Van het ECD: {SAID} Dag"
    assert texts(TOLD, empty, SENT).text == f"{SAID} Groet"
    own = check(OrganisationOverride, {"organisation": "zorg", "templates": {"created": {"sms": {"before": ""}}}})
    assert texts(TOLD, apply_override(upstream, own), SENT).text == f"{SAID} Groet"


def test_a_text_of_201_characters_is_refused_wherever_it_stands_and_an_empty_subject_too() -> None:
    for own in ({"sms": {"before": "x" * 201}}, {"email": {"after": "😀" * 201}}, {"email": {"subject": ""}},
                {"email": {"subject": "x" * 201}}):  # fmt: skip
        with pytest.raises(BadRecordError):
            check(OrganisationOverride, {"organisation": "zorg", **own})
    check(OrganisationOverride, {"organisation": "zorg", "email": {"after": "😀" * 200}})
