"""A kind of notice that is forgotten somewhere is named here (`CONTRIBUTING.md`, "A kind of notice")."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agents.web.overview.dutch import KINDS
from renderers.dutch import SENTENCES
from renderers.sentences import sentence
from schemas.notices import Kind, Notice
from tests.belief.dutch import Unreadable, sentences
from tests.renderers.samples import AMSTERDAM, SENT
from tests.renderers.test_golden import CASES
from tests.renderers.test_sentences import TEXTS
from tests.scenarios.test_kinds import HISTORIES, NOT_DECIDED

ALL: tuple[Kind, ...] = get_args(Kind)
OF_ONE = [kind for kind in ALL if kind not in ("reminder", "request") and not kind.startswith("series_")]
PAGE = (Path(__file__).parents[2] / "renderers" / "README.md").read_text()


def test_what_is_said_of_one_appointment_is_said_of_a_series_too() -> None:
    """`streams/notices/gathering.py` puts `series_` before it; a sender could not read a kind that is not in `Kind`."""
    assert {f"series_{kind}" for kind in OF_ONE} == {kind for kind in ALL if kind.startswith("series_")}


def test_a_history_leads_to_every_kind() -> None:
    assert set(HISTORIES) | NOT_DECIDED == set(ALL), "add the shortest history to tests/scenarios/test_kinds.py"


def test_every_kind_but_a_request_which_brings_its_text_has_a_sentence() -> None:
    places = {"relocated", "series_relocated"}  # of what is not on site no place is said
    holes = {
        (appointment, kind)
        for appointment, table in SENTENCES.items()
        for kind in {*ALL} - {"request"} - (places if appointment is not None else set())
        if kind not in table
    }
    assert holes == set(), "add its sentence to the file of each language"


def test_every_kind_has_a_line_in_the_guide_to_the_words() -> None:
    told = re.findall(r"^- (\w+): ", PAGE, re.MULTILINE)
    assert set(told) == {*OF_ONE, "series", "reminder"}, "add its sentence to renderers/README.md"


def test_every_kind_stands_in_a_golden_message() -> None:
    told = {notice.kind for delivery, _ in CASES.values() for notice in delivery.notices}
    assert told == set(ALL), "add it to the case `kinds` of tests/renderers/test_golden.py, and run `make golden`"


def test_every_kind_has_a_word_in_the_overview() -> None:
    assert set(KINDS) == set(ALL), "add its word to agents/web/overview/dutch.py"


@pytest.mark.parametrize("told", {notice.kind: notice for _, notice in TEXTS}.values(), ids=lambda told: told.kind)
def test_who_reads_our_texts_understands_the_sentence_of_every_kind(told: Notice) -> None:
    try:
        assert len(sentences(sentence(told, AMSTERDAM, SENT))) == 1
    except Unreadable as unreadable:
        pytest.fail(f"{unreadable}: add its form to tests/belief/dutch.py, and what it means to tests/belief/reader.py")
