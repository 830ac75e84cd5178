"""The commands of README.md work as they stand there."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from agents.main import COMMANDS, main
from agents.settings.settings import names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text()
ALONE, WITH_KAFKA = (
    [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    for block in re.findall(r"```\n(\.venv/bin/afspraakbericht .*?)\n```", PAGE, re.DOTALL)
)


@pytest.mark.parametrize("words", ALONE, ids=" ".join)
def test_what_needs_nothing_runs(words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    with suppress(SystemExit):  # --help; what is wrong is said on stderr
        assert main(words) == 0
    out, err = capfd.readouterr()
    assert (bool(out), err) == (True, "")


@pytest.mark.parametrize("words", WITH_KAFKA, ids=" ".join)
def test_what_needs_kafka_is_a_command_with_these_options(words: list[str]) -> None:
    assert words[0] in COMMANDS
    parser = ArgumentParser()
    import_module(f"agents.commands.{words[0].replace('-', '_')}").arguments(parser)
    parser.parse_args(words[1:])


def test_every_setting_of_the_table_has_a_variable() -> None:
    rows = re.findall(r"^\| (`AFSPRAAKBERICHT_.*?) \|", PAGE, re.MULTILINE)
    assert rows
    for row in rows:
        first, *others = re.findall(r"`(?:AFSPRAAKBERICHT|…)_([A-Z_]+)`", row)
        family = first.split("_", maxsplit=1)[0]
        for name in (first, *others):
            assert {name.lower(), f"{family}_{name}".lower()} & set(names()), name
