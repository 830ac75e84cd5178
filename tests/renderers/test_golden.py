"""Whole messages against files: `GOLDEN=1 pytest tests/renderers/test_golden.py` rewrites them; read the difference."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from renderers.email import email, message_bytes
from renderers.sms import texts
from schemas.deliveries import Delivery
from schemas.inputs import Organisation
from schemas.notices import WORDING
from schemas.texts import EmailTexts, SmsTexts, Translation
from tests.renderers.samples import AT_13, AT_13_IN_DE_LINDE, AT_14, SENT, delivery, notice, organisation, request, view

GOLDEN = Path(__file__).parents[1] / "golden"
LINK = "https://bericht.deboom.example/afmelden/3f9c2a7be1d04856a1c7e2f0b9d83546/ZG9ydW1paXBzdW1kb2xvcnNpdGFtZXQ"

TEMPLATES = organisation("Beste cliënt,", "Vragen? Bel 0800-1234.\nMet vriendelijke groet")
PLAIN = organisation()
BY_PHONE = replace(AT_13, kind="phone")

CASES: dict[str, tuple[Delivery, Organisation]] = {
    "created": (delivery(notice("created", now=AT_13_IN_DE_LINDE)), PLAIN),
    "several": (
        delivery(
            notice("cancelled", AT_13),
            notice("moved", AT_13, AT_14),
            notice("relocated", AT_13, AT_13_IN_DE_LINDE),
            notice("series_created", now=view("2020-01-17 22:00", "2020-01-18 06:00", "’t Höfke & <Co>"), others=3),
        ),
        TEMPLATES,
    ),
    "kinds": (
        delivery(
            notice("created", now=AT_13),
            notice("moved", AT_13_IN_DE_LINDE, AT_14),
            notice("cancelled", AT_13),
            notice("relocated", AT_13, AT_13_IN_DE_LINDE),
            notice("series_created", now=AT_13_IN_DE_LINDE, others=2),
            notice("series_moved", AT_13_IN_DE_LINDE, AT_14, others=2),
            notice("series_cancelled", AT_13, others=2),
            notice("series_relocated", AT_13, AT_13_IN_DE_LINDE, others=2),
            notice("reminder", now=AT_13_IN_DE_LINDE),
            notice("changed", AT_13, BY_PHONE),
            notice("series_changed", BY_PHONE, AT_13_IN_DE_LINDE, others=2),
        ),
        PLAIN,
    ),
    "reminder": (delivery(notice("reminder", now=AT_13, others=2)), TEMPLATES),
    "many": (delivery(*[notice("created", now=AT_13_IN_DE_LINDE, id_=f"n{n}") for n in range(20)]), TEMPLATES),
    "english": (
        replace(
            delivery(
                notice("cancelled", AT_13), notice("created", now=AT_13_IN_DE_LINDE), notice("reminder", now=AT_13, others=2)
            ),
            language="en",
        ),
        replace(
            TEMPLATES,
            languages=["nl", "en"],
            translations={
                "en": Translation(sms=SmsTexts(after="Questions? Call 0800-1234."), email=EmailTexts(before="Dear client,"))
            },
        ),
    ),
    "request": (
        request(
            "Er staat een vragenlijst voor u klaar: https://roqua.example/login?token=abc&lang=nl.\n\nWilt u deze vóór "
            "uw afspraak invullen?",
            "Een vragenlijst over uw gezondheid: wilt u die vóór uw volgende afspraak invullen, alstublieft?",
        ),
        PLAIN,
    ),
}


def golden(name: str, content: bytes) -> bytes:
    """What the file has, after rewriting it if that is asked for."""
    file = GOLDEN / name
    if os.environ.get("GOLDEN"):
        file.write_bytes(content)
    return file.read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_an_email_is_as_in_its_file(name: str) -> None:
    told, settings = CASES[name]
    content = message_bytes(
        email(told, settings, SENT, LINK),
        from_="Cliëntenbureau De Boom <post@deboom.example>",
        reply_to="balie@deboom.example",
        to="j.jansen@client.example",
        message_id=f"{name}@deboom.example",
        date=SENT,
        unsubscribe=LINK,
    )
    assert content == golden(f"{name}.eml", content)


@pytest.mark.parametrize("name", CASES)
def test_the_plain_text_and_page_are_as_in_their_files(name: str) -> None:
    said = email(*CASES[name], SENT, LINK)
    assert said.plain.encode() == golden(f"{name}.txt", said.plain.encode())
    assert said.html.encode() == golden(f"{name}.html", said.html.encode())


@pytest.mark.parametrize("name", CASES)
def test_an_sms_is_as_in_its_file(name: str) -> None:
    said = texts(*CASES[name], SENT)
    content = "".join(f"{piece}\n---\n" for piece in said.pieces) + f"parts: {said.parts}\n"
    assert content.encode() == golden(f"{name}.sms.txt", content.encode())


def test_every_file_belongs_to_a_case() -> None:
    expected = {f"{name}.{kind}" for name in CASES for kind in ("eml", "txt", "html", "sms.txt")}
    rooms = {".gitattributes", "employees", "others", "records", "rows", "words"}
    assert {file.name for file in GOLDEN.iterdir()} - rooms == expected


def test_other_words_are_another_version_in_the_audit_log() -> None:
    """Words changed on purpose? Raise `WORDING` in schemas/notices.py, and put the new digest here.

    A new case of words that were there already changes the digest alone.
    """
    words = b"".join(file.read_bytes() for file in sorted(GOLDEN.glob("*.txt")))
    assert (WORDING, hashlib.sha256(words).hexdigest()[:16]) == (2, "e3e5d4386ebc1337")
