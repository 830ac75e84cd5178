"""What a person sees and a program does not."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import pytest

from agents.terminal import agreed, aside, counted, moment, progress, silent

AUTUMN = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""The hour that comes twice in Amsterdam: here for the first time."""


@pytest.mark.parametrize(("number", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records")])
def test_one_is_singular(number: int, said: str) -> None:
    assert counted(number, "record") == said


@pytest.mark.parametrize(
    ("terminal", "said"), [(True, "2026-10-25 02:30:00 CEST"), (False, "2026-10-25T00:30:00+00:00")], ids=["person", "program"]
)
def test_an_instant_is_local_with_its_zone_on_a_terminal(terminal: bool, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert moment(AUTUMN) == said


def test_a_bar_does_not_mix_with_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert aside() is silent
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert aside() is progress


@pytest.mark.parametrize(
    ("typed", "answer"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False), ("yesterday\n", False)]
)
def test_only_yes_is_yes(typed: str, answer: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert agreed("Sure?") is answer
    assert capsys.readouterr() == ("", "Sure? [y/N] ")
