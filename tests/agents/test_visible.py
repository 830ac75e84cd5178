"""What an organisation or a party writes is no command to the terminal of who reads it; what we write is for our user alone."""

from __future__ import annotations

import io
import os
import stat
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.commands import schema
from agents.export.formats import line
from agents.main import main
from agents.visible import Visible, visible

SHOWN = [
    ("a text", "Uw afspraak: é, 漢, 🙂", "Uw afspraak: é, 漢, 🙂"),
    ("a line break and a tab", "a\n\tb", "a\n\tb"),
    ("a line break of CSV", "a,b\r\n", "a,b\r\n"),
    ("colour", "\x1b[31mrood", "\\u001b[31mrood"),
    ("a title, ended by a bell", "\x1b]0;pwn\x07", "\\u001b]0;pwn\\u0007"),
    ("the same in one byte", "\x9b31m\x9d0;pwn\x9c", "\\u009b31m\\u009d0;pwn\\u009c"),
    ("what writes over the line", "goed\rfout", "goed\\u000dfout"),
    ("a backspace, NUL and DEL", "a\x08\x00\x7f", "a\\u0008\\u0000\\u007f"),
    ("another direction of writing", "\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
]


@pytest.mark.parametrize(("what", "text", "shown"), SHOWN, ids=[what for what, *_ in SHOWN])
def test_control_characters_are_shown_and_not_obeyed(what: str, text: str, shown: str) -> None:
    assert visible(text) == shown
    out = io.StringIO()
    print(text, end="", file=Visible(out))
    assert out.getvalue() == shown


@pytest.mark.parametrize("text", [text for _, text, _ in SHOWN])
def test_json_stays_json_and_means_the_same(text: str) -> None:
    assert orjson.loads(visible(orjson.dumps({"text": text}).decode())) == {"text": text}


def test_every_command_prints_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: Namespace) -> int:
        print("\x1b]0;pwn\x07")
        return 0

    monkeypatch.setattr(schema, "run", run)
    assert main(["schema", "appointments"]) == 0
    assert capsys.readouterr().out == "\\u001b]0;pwn\\u0007\n"
    assert not isinstance(sys.stdout, Visible)


def test_a_line_of_the_log_is_written_so() -> None:
    entry: dict[str, Any] = {
        "at": "2026-03-02T09:00:00Z",
        "organisation": "a\x1b",
        "client": "b",
        "channel": None,
        "status": "sent",
        "notices": [],
    }
    assert line(entry | {"text": "\x1b]0;pwn\x07"}).split() == [
        "2026-03-02T09:00:00",
        "a\\u001b/b",
        "-",
        "sent",
        "\\u001b]0;pwn\\u0007",
    ]


def test_what_a_command_writes_is_for_our_user_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        file = tmp_path / "keys.toml"
        assert main(["api-key", "roqua", "linde", "--file", str(file)]) == 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        assert os.umask(before) == 0o022, "whoever calls it keeps its own"
