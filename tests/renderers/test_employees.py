"""Messages to employees (renderers/README.md): a sentence of each kind but a reminder, of their agenda and of nobody else."""

from __future__ import annotations

import os
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from msgspec.structs import replace

from renderers.email import email
from renderers.languages import WORDINGS
from renderers.sentences import WORDS, sentence
from renderers.sms import texts
from schemas.languages import Language
from schemas.notices import Kind
from tests.renderers.samples import AMSTERDAM, AT_13, AT_13_IN_DE_LINDE, AT_14, SENT, delivery, notice, organisation
from tests.renderers.test_wording import ALL

GOLDEN = Path(__file__).parents[1] / "golden" / "employees"
KINDS = {kind for kind in get_args(Kind) if kind not in ("request", "reminder")}


@pytest.mark.parametrize("language", get_args(Language))
def test_employees_have_a_sentence_wherever_the_client_has_one_but_for_reminders(language: Language) -> None:
    own, theirs = WORDINGS[language], WORDINGS[language].for_employees()
    assert {remote: set(kinds) for remote, kinds in theirs.sentences.items()} == {
        remote: set(kinds) - {"reminder"} for remote, kinds in own.sentences.items()
    }
    assert set(theirs.sentences[None]) == KINDS
    assert (set(theirs.one), set(theirs.several)) == (set(own.one), set(own.several))
    for kinds in theirs.sentences.values():
        for said in kinds.values():
            assert {word for _, word, _, _ in Formatter().parse(said) if word} <= WORDS.keys()


def test_the_three_sentences_that_every_employee_knows() -> None:
    dutch = WORDINGS["nl"].for_employees()
    said = [sentence(one, AMSTERDAM, SENT, dutch) for one in (
        notice("created", now=AT_13_IN_DE_LINDE), notice("moved", AT_13, AT_14), notice("cancelled", AT_13),
    )]  # fmt: skip
    assert said == [
        "Er staat een afspraak in uw agenda op vrijdag 17 januari 2020 van 13:15 tot 14:15. Locatie: De Linde.",
        "De afspraak in uw agenda op vrijdag 17 januari 2020 van 13:15 tot 14:15 is verplaatst naar vrijdag 17 januari 2020 van "
        "14:15 tot 15:15.",
        "De afspraak in uw agenda op vrijdag 17 januari 2020 is vervallen.",
    ]


@pytest.mark.parametrize("language", WORDINGS)
def test_every_sentence_is_as_in_the_file(language: Language) -> None:
    wording, file = WORDINGS[language].for_employees(), GOLDEN / f"{language}.txt"
    told = {name: one for name, one in ALL.items() if one.kind != "reminder"}
    content = "".join(f"{name}: {sentence(one, AMSTERDAM, SENT, wording)}\n" for name, one in told.items())
    if os.environ.get("GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    assert content == file.read_text()


def test_neither_salutation_nor_subject_nor_closing_of_clients_is_theirs() -> None:
    told = replace(delivery(notice("created", now=AT_13), channel="email"), client="", recipient="e:mees")
    settings = replace(organisation("Beste cliënt,", "Bel ons.", subject="Bericht over uw afspraak"))
    found = email(told, settings, SENT, "https://zorg.example/u/x")
    assert found.subject == "Wijzigingen in uw agenda"
    assert found.plain == (
        "Er staat een afspraak in uw agenda op vrijdag 17 januari 2020 van 13:15 tot 14:15.\n\n"
        "Wilt u geen e-mail meer over uw agenda? Meld u af: https://zorg.example/u/x\n"
    )
    assert texts(replace(told, channel="sms"), settings, SENT).text == (
        "Er staat een afspraak in uw agenda op vrijdag 17 januari 2020 van 13:15 tot 14:15."
    )
