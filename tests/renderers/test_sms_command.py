"""The subcommand `afspraakbericht sms`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from agents.main import main
from tests.world import organisation


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Uw afspraak"], "GSM-7, 1 part, 11 units of 160\n"),
        ([""], "GSM-7, 1 part, 0 units of 160\n"),
        (["a" * 161], "GSM-7, 2 parts, 161 units in parts of 153\n"),
        (["’s"], "GSM-7, 1 part, 2 units of 160\nsent as: 's\n"),
        (["€€"], "GSM-7, 1 part, 4 units of 160\n  € U+20AC EURO SIGN, 2 times: counts double\n"),
        (
            ["cliënt"],
            "UCS-2, 1 part, 6 units of 70\n"
            "  ë U+00EB LATIN SMALL LETTER E WITH DIAERESIS, 1 time: not in GSM-7: makes the whole message UCS-2\n"
            "with --replace: GSM-7, 1 part, 6 units: client\n",
        ),
        (["--replace", "cliënt"], "GSM-7, 1 part, 6 units of 160\nsent as: client\n"),
        (
            ["--keep", "e\u0301"],
            "UCS-2, 1 part, 2 units of 70\n"
            "  \u0301 U+0301 COMBINING ACUTE ACCENT, 1 time: not in GSM-7: makes the whole message UCS-2\n"
            "with --replace: GSM-7, 1 part, 1 unit: é\n",
        ),
    ],
)
def test_a_text_is_explained(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sms", *words]) == 0
    assert capsys.readouterr().out == expected


def stdin(monkeypatch: pytest.MonkeyPatch, lines: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], '{"encoding":"GSM-7","parts":1,"units":2}\n{"encoding":"UCS-2","parts":1,"units":1}\n'),
        (["--keep"], '{"encoding":"UCS-2","parts":1,"units":2}\n{"encoding":"UCS-2","parts":1,"units":1}\n'),
        (["--replace"], '{"encoding":"GSM-7","parts":1,"units":2}\n{"encoding":"GSM-7","parts":1,"units":1}\n'),
    ],
)
def test_json_lines_are_measured(
    options: list[str], expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, '"\\u2019s"\n"ë"'.encode())
    assert main(["sms", "--json", *options]) == 0
    assert capsys.readouterr().out == expected


def test_a_bad_line_is_named_and_the_good_ones_are_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, b'"a"\nb\n12\n"\xff"\n\n"\\ud83d"\n"c"\n')
    assert main(["sms", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == '{"encoding":"GSM-7","parts":1,"units":1}\n' * 2
    assert [line.split(":")[0] for line in err.splitlines()] == [f"line {n}" for n in (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("words", [[], ["--json", "a"], ["\udcff"]])
def test_what_cannot_be_measured_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sms", *words]) == 2
    assert capsys.readouterr().err


def test_settings_are_explained_by_kind_of_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(organisation(templates={"cancelled": {"sms": {"after": "Tot ziens."}}})))
    assert main(["sms", "--settings", str(file)]) == 0
    found = {line.partition(":")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(found) == [
        f"zorg, {name}"
        for name in (
            "created", "series_created", "moved", "relocated", "changed", "cancelled", "series_moved", "series_cancelled",
            "phone", "video", "home", "several", "reminder", "request",
        )
    ]  # fmt: skip
    assert found["zorg, cancelled"].endswith(" is geannuleerd. Tot ziens.")
    assert "GSM-7, 1 part, " in found["zorg, created"]
    assert ", 0.08 EUR: Er is een afspraak" in found["zorg, created"]


def test_settings_that_cannot_be_used_are_refused_by_their_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(organisation(templates={"moved": {"sms": {"after": "x" * 201}}})))
    assert main(["sms", "--settings", str(file)]) == 2
    assert "at `$.templates.moved.sms.after`" in capsys.readouterr().err
