"""Messages to those who act for a client (renderers/README.md): a sentence of each kind, with the client's name and without."""

from __future__ import annotations

import re
from string import Formatter
from typing import get_args

import pytest
from msgspec.structs import replace

from renderers.email import email
from renderers.languages import WORDINGS
from renderers.sentences import WORDS
from schemas.languages import Language
from schemas.notices import Kind
from schemas.texts import EmailTexts, MessageTexts
from tests.renderers.samples import AT_13, SENT, delivery, notice, organisation

KINDS = [kind for kind in get_args(Kind) if kind != "request"]
NAMED = ("with_name", "of_name", "at_name", "there_is", "there_are")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("name", ["Anne-Fleur", None], ids=["named", "nameless"])
def test_others_have_a_sentence_wherever_the_client_has_one(language: Language, name: str | None) -> None:
    own, others = WORDINGS[language], WORDINGS[language].for_others(name)
    assert {remote: set(kinds) for remote, kinds in others.sentences.items()} == {
        remote: set(kinds) for remote, kinds in own.sentences.items()
    }
    assert set(others.sentences[None]) == set(KINDS)
    assert (set(others.one), set(others.several)) == (set(own.one), set(own.several))
    for kinds in others.sentences.values():
        for sentence in kinds.values():
            assert {word for _, word, _, _ in Formatter().parse(sentence) if word} <= WORDS.keys()
            assert ("Anne-Fleur" in sentence) == (name is not None)


@pytest.mark.parametrize("language", get_args(Language))
def test_others_are_never_spoken_to_as_if_they_were_the_client(language: Language) -> None:
    others = WORDINGS[language].others
    said = [sentence for kinds in others.sentences.values() for sentence in kinds.values()]
    said += [
        *others.one.values(),
        *others.several.values(),
        *others.there_are.values(),
        others.unsubscribe,
        others.there_is,
        others.subject,
    ]
    for sentence in said:
        first, _, rest = re.sub(r"\{.*?\}", "", sentence).partition("Wilt u")
        assert not re.search(r"(?i)\b(u|uw|you|your)\b", f"{first}{rest}".replace("Do you", ""))


def test_every_word_for_a_name_is_one_that_a_sentence_has() -> None:
    for wording in WORDINGS.values():
        said = " ".join(sentence for kinds in wording.others.sentences.values() for sentence in kinds.values())
        assert all(f"{{{word}}}" in said for word in NAMED)


@pytest.mark.parametrize("language", get_args(Language))
def test_the_subject_of_an_email_to_others_is_their_own(language: Language) -> None:
    told = replace(delivery(notice("created", now=AT_13), channel="email"), recipient="p:moeder", language=language)
    settings = replace(organisation("Beste cliënt,", subject="Bericht over uw afspraak"), languages=["nl", "en"])
    assert email(told, settings, SENT, None).subject == WORDINGS[language].others.subject
    assert "Beste" not in email(told, settings, SENT, None).plain
    own = replace(settings, languages=[language, "nl"], to_others=MessageTexts(email=EmailTexts(subject="Over Anna")))
    assert email(told, own, SENT, None).subject == "Over Anna"
