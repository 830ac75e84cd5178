"""The command that says what is done with a provider's answer."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from agents.main import main


class Stdin:
    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr(sys, "stdin", Stdin(text))


def test_the_command_classes_a_line_at_a_time(stdin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    stdin('{"code":450,"text":"4.1.1 user unknown","phase":"rcpt"}\n\n{"code":550,"enhanced":null,"text":null,"phase":null}\n')

    assert main(["provider-answer", "smtp", "--json"]) == 0
    assert capsys.readouterr().out == '{"class":"retry"}\n{"class":"permanent_address"}\n'


def test_the_command_goes_on_after_a_bad_line(stdin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    stdin('{"status":201,"body":{"id":"6fe6"}}\nnonsense\n{"body":{}}\n{"status":null}\n')

    assert main(["provider-answer", "messagebird", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == '{"class":"sent"}\n{"class":"unknown"}\n'
    assert [line.split(":")[0] for line in err.splitlines()] == ["line 2", "line 3"]


def test_the_command_explains_a_single_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provider-answer", "smtp", "552", "Mailbox full"]) == 0
    assert main(["provider-answer", "messagebird", "none"]) == 0
    assert main(["provider-answer", "messagebird", "422", '{"errors":[{"code":25}]}']) == 0
    assert main(["provider-answer", "smtp", "-1"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["retry", "unknown", "account_stop", "retry"]


def test_the_command_wants_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provider-answer", "smtp"]) == 2
    assert main(["provider-answer", "smtp", "none"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
