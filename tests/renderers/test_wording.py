"""Each kind of appointment x each kind of notice, of one and of a series, in each language, against a file: read it aloud.

`GOLDEN=1 pytest tests/renderers/test_wording.py` rewrites them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from renderers.languages import WORDINGS
from renderers.sentences import sentence
from schemas.events import Remote, View
from schemas.known import Member
from schemas.languages import LANGUAGES, Language
from schemas.notices import Kind, Notice
from streams.notices.words import words_of
from tests.belief.dutch import sentences
from tests.renderers.samples import AMSTERDAM, AT_13, AT_14, SENT, view

WORDS = Path(__file__).parents[1] / "golden" / "words"
OTHERS = WORDS.parent / "others"
"""The same to those who act for a client: with the client's name, then without."""

KINDS: tuple[Remote | None, ...] = (None, *get_args(Remote))


def at(one: View, kind: Remote | None, place: str | None = "De Linde") -> View:
    """On site at De Linde, else without a place that is said; the address of a client may stand there."""
    return replace(one, kind=kind, location=place if kind is None else "Kerkstraat 12")


def told(kind: Kind, was: View | None, now: View | None, others: int = 0) -> Notice:
    """A notice as the closing makes it."""
    old, new = (words_of(one, AMSTERDAM) if one is not None else None for one in (was, now))
    members = tuple(Member(f"a{number}", old, new) for number in range(1 + others))
    ids = tuple(member.id for member in members[1:])
    return Notice(id="n", kind=kind, appointment="a0", others=ids, was=was, now=now, members=members)


def notices() -> Iterator[tuple[str, Notice]]:
    """All that can be told, by name."""
    for number, prefix in ((0, ""), (2, "series_")):
        for kind in KINDS:
            here, later = at(AT_13, kind), at(AT_14, kind)
            name = f"{kind or 'on_site'} {prefix}"
            yield f"{name}created", told(f"{prefix}created", None, here, number)  # type: ignore[arg-type]
            yield f"{name}moved", told(f"{prefix}moved", here, later, number)  # type: ignore[arg-type]
            yield f"{name}cancelled", told(f"{prefix}cancelled", here, None, number)  # type: ignore[arg-type]
            if kind is None:
                other = at(AT_13, kind, "De Boom")
                yield f"{name}relocated", told(f"{prefix}relocated", here, other, number)  # type: ignore[arg-type]
        for was, now in product(KINDS, KINDS):
            if was != now:
                name = f"{was or 'on_site'} to {now or 'on_site'} {prefix}"
                here, later = at(AT_13, was), at(AT_14, now)
                yield f"{name}changed", told(f"{prefix}changed", here, at(AT_13, now), number)  # type: ignore[arg-type]
                yield f"{name}moved", told(f"{prefix}moved", here, later, number)  # type: ignore[arg-type]
    for kind, others in product(KINDS, (0, 2)):
        one = replace(at(AT_13, kind), location="De Linde" if kind is None else None)
        ids = tuple(f"a{number}" for number in range(1, 1 + others))
        name = f"{kind or 'on_site'} reminder" + (" of several" if others else "")
        yield name, Notice(id="n", kind="reminder", appointment="a0", others=ids, now=one)


ALL = dict(notices())

DAYS = {
    "a day": ("2020-01-17 00:00", "2020-01-18 00:00"), "days": ("2020-01-17 00:00", "2020-01-19 00:00"),
    "days of two months": ("2020-01-31 00:00", "2020-02-02 00:00"), "days of two years": ("2019-12-31 00:00", "2020-01-02 00:00"),
    "no duration": ("2020-01-17 13:15", "2020-01-17 13:15"), "until midnight": ("2020-01-17 22:00", "2020-01-18 00:00"),
    "into the next day": ("2020-01-17 22:00", "2020-01-18 06:00"),
    "until a later midnight": ("2020-01-17 22:00", "2020-01-19 00:00"),
}  # fmt: skip


def spoken_otherwise() -> Iterator[tuple[str, Notice]]:
    """What is said of times, series and twins that are not the usual ones."""
    for name, times in DAYS.items():
        one = view(*times)
        yield f"created, {name}", told("created", None, one)
        yield f"moved, {name}", told("moved", AT_13, one)
        yield f"cancelled beside others, {name}", replace(told("cancelled", one, None), timed=True)
        yield f"reminder, {name}", Notice(id="n", kind="reminder", appointment="a0", now=one)
    there = at(AT_13, None)
    yield "cancelled, two places", replace(told("cancelled", there, None), timed=True, placed=True)
    yield "cancelled, no place", replace(told("cancelled", AT_13, None), timed=True, placed=True)
    series = told("series_created", None, there, 2)
    yield "every two weeks", replace(series, weeks=2)
    yield "every month", replace(series, weeks=0)
    yield "days left out", replace(series, off=("2020-01-24", "2020-01-31"))
    yield (
        "reminder of next year",
        Notice(id="n", kind="reminder", appointment="a0", now=view("2021-01-17 13:15", "2021-01-17 14:15")),
    )
    for name, notice in ALL.items():
        if " to " not in name and notice.now is not None:
            yield f"arrival, {name}", replace(notice, now=replace(notice.now, arrival=True))
    for name in ("no duration", "until midnight", "into the next day"):
        yield f"arrival, {name}", told("created", None, replace(view(*DAYS[name]), arrival=True))


OTHERWISE = dict(spoken_otherwise())


@pytest.mark.parametrize("language", WORDINGS)
def test_every_sentence_is_as_in_the_file(language: Language) -> None:
    wording, file = WORDINGS[language], WORDS / f"{language}.txt"
    content = "".join(f"{name}: {sentence(notice, AMSTERDAM, SENT, wording)}\n" for name, notice in (ALL | OTHERWISE).items())
    if os.environ.get("GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    assert content == file.read_text()


@pytest.mark.parametrize("language", WORDINGS)
def test_every_sentence_to_others_is_as_in_the_file(language: Language) -> None:
    file, named, nameless = OTHERS / f"{language}.txt", *map(WORDINGS[language].for_others, ("Anna", None))
    content = "".join(
        f"{name}: {sentence(notice, AMSTERDAM, SENT, named)}\n{name}: {sentence(notice, AMSTERDAM, SENT, nameless)}\n"
        for name, notice in (ALL | OTHERWISE).items()
    )
    if os.environ.get("GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    assert content == file.read_text()


@pytest.mark.parametrize("folder", [WORDS, OTHERS])
def test_every_language_has_its_file_and_every_file_its_language(folder: Path) -> None:
    assert {file.stem for file in folder.iterdir()} == {*WORDINGS} == {*LANGUAGES}


def matrix() -> set[tuple[Remote | None, str]]:
    """Every kind of notice of every kind of appointment; of what has no place none says that it changed."""
    spoken = [kind for kind in get_args(Kind) if kind != "request"]
    return {(kind, notice) for kind in KINDS for notice in spoken if kind is None or not notice.endswith("relocated")}


@pytest.mark.parametrize("language", WORDINGS)
def test_the_matrix_has_no_hole(language: Language) -> None:
    sentences = WORDINGS[language].sentences
    assert {(kind, notice) for kind, table in sentences.items() for notice in table} == matrix()
    assert matrix() == {((notice.was or notice.now or AT_13).kind, notice.kind) for notice in ALL.values()}


@pytest.mark.parametrize("language", WORDINGS)
def test_no_language_says_a_word_of_another(language: Language) -> None:
    others = {
        "nl": ("afspra", " op ", " van ", " tot ", " om ", "januari"),
        "en": ("appointment", " from ", " until ", "January"),
    }
    for name, notice in (ALL | OTHERWISE).items():
        text = sentence(notice, AMSTERDAM, SENT, WORDINGS[language])
        assert not [word for other, words in others.items() if other != language for word in words if word in text], name


@pytest.mark.parametrize("name", [name for name in ALL if "on_site" not in name or " to " in name])
def test_what_is_not_on_site_names_no_place(name: str) -> None:
    text = sentence(ALL[name], AMSTERDAM, SENT)
    assert "Kerkstraat" not in text
    assert ("De Linde" in text) == ("to on_site" in name)


@pytest.mark.parametrize("name", ALL)
def test_who_reads_our_texts_understands_it(name: str) -> None:
    assert len(sentences(sentence(ALL[name], AMSTERDAM, SENT))) == 1
