"""The command line with manners: help with groups and examples, the nearest name, completion, Ctrl-C, a pipe that closes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from agents.commands import schema
from agents.commands.completion import script
from agents.main import COMMANDS, GROUPS, main, parse
from agents.manual import EXAMPLES
from agents.settings.settings import names, variable

ROOT = Path(__file__).parents[2]
TYPED = [(name, words) for name, rows in EXAMPLES.items() for words, _ in rows]


def test_each_command_has_a_group_and_two_examples() -> None:
    assert sum(len(group) for group in GROUPS.values()) == len(COMMANDS), "one is in two groups"
    assert list(EXAMPLES) == list(COMMANDS), "give it two examples in agents/manual.py, in the order of agents/main.py"
    assert {name for name, rows in EXAMPLES.items() if len({words for words, _ in rows}) < 2} == set()


@pytest.mark.parametrize(("name", "words"), TYPED, ids=[words for _, words in TYPED])
def test_an_example_is_one_that_the_parser_takes(name: str, words: str) -> None:
    """What stands before the program are settings, what stands behind `|`, `<` or `>` is the shell's."""
    (ours,) = [part for part in re.split(r" [|] ", words) if "afspraakbericht " in part]
    typed = shlex.split(re.split(r" >+ | < ", ours)[0])
    at = typed.index("afspraakbericht")
    assert {text.partition("=")[0] for text in typed[:at]} <= set(map(variable, names()))
    assert parse(typed[at + 1 :]).command == name


def test_the_help_of_a_command_has_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["schema", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for words, what in EXAMPLES["schema"]:
        assert f"\n  {words}\n      {what}\n" in shown


@pytest.mark.parametrize("words", [[], ["--help"]], ids=["nothing typed", "--help"])
def test_the_help_lists_every_command_by_group_to_the_terminals_width(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    assert (ended.value.code, bool(out)) == ((0, True) if words else (2, False))
    shown = out or err
    places = [shown.index(f"\n{title}:\n") for title in GROUPS]
    assert places == sorted(places)
    for name in COMMANDS:
        assert len(re.findall(rf"^  {name} +\S", shown, re.MULTILINE)) == 1
    assert max(map(len, shown.splitlines())) <= 60
    assert "\nexit codes:\n" in shown


TYPOS = (
    ("lgo", "afspraakbericht: error: there is no command lgo; the nearest is log"),
    ("dead-leters", "afspraakbericht: error: there is no command dead-leters; the nearest is dead-letters"),
    ("xyzzy", "afspraakbericht: error: there is no command xyzzy (see"),
    ("log --orgnisation linde", "afspraakbericht log: error: there is no option --orgnisation; the nearest is --organisation"),
    ("log --sinse=2026-11", "afspraakbericht log: error: there is no option --sinse; the nearest is --since"),
    ("why linde/anna --qqq", "afspraakbericht why: error: there is no option --qqq (see"),
    ("graph twice", "afspraakbericht graph: error: there is no argument twice (see"),
    (
        "why linde/anna --since gisteren",
        "afspraakbericht why: error: argument --since: 'gisteren' is no time: expected",
    ),
)


@pytest.mark.parametrize(("words", "said"), TYPOS, ids=[words for words, _ in TYPOS])
def test_of_what_is_not_there_the_nearest_is_named_in_one_line(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(said)


COMPLETED = (
    ("afspraakbericht dead-", {"dead-letters"}),
    ("afspraakbericht log --o", {"--organisation", "--outcomes", "--output"}),
    ("afspraakbericht dead-letters a", {"again"}),
    ("afspraakbericht simulate tests/examples/fi", {"tests/examples/first.jsonl"}),
)


def test_bash_completes_commands_options_words_and_files(tmp_path: Path) -> None:
    file = tmp_path / "completion"
    file.write_text(script("bash"))
    asked = [
        f"COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}; _shtab_afspraakbericht; echo ${{COMPREPLY[@]}}"
        for line, _ in COMPLETED
    ]
    lines = "; ".join([f". {file}", "compopt() { :; }", *asked])
    done = subprocess.run(["bash", "-c", lines], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert [set(line.split()) for line in done.stdout.splitlines()] == [found for _, found in COMPLETED]


def test_zsh_has_every_command_and_option(tmp_path: Path) -> None:
    shown = script("zsh")
    assert shown.startswith("#compdef afspraakbericht\n")
    for name in COMMANDS:
        assert f"    {name}:'" in shown
    assert "--end-sessions" in shown
    if (zsh := shutil.which("zsh")) is not None:
        file = tmp_path / "_afspraakbericht"
        file.write_text(shown)
        assert subprocess.run([zsh, "-n", str(file)], capture_output=True, timeout=60, check=True).stderr == b""


def test_ctrl_c_is_one_line_and_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "run", run)
    assert main(["schema", "appointments"]) == 130
    assert capsys.readouterr() == ("", "stopped\n")


def test_whoever_reads_our_output_may_go_away() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "agents", "graph"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


NEED_KAFKA = (
    "log", "costs", "why linde/anna", "replay --dry-run", "access linde/anna", "hold", "dead-letters", "erase linde/anna --yes",
    "retention", "feed tests/examples/first.jsonl", "mend-row afspraakbericht-notices-changelog 0 0", "topics", "status",
)  # fmt: skip
CODES = {"topics": 75, "status": 3}


@pytest.mark.parametrize("words", NEED_KAFKA)
def test_no_kafka_is_one_line_without_its_clients_own(
    words: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", "127.0.0.1:1")
    assert main(words.split()) == CODES.get(words, 2)
    assert capsys.readouterr() == ("", "no Kafka answers at 127.0.0.1:1: start one, or set AFSPRAAKBERICHT_BOOTSTRAP\n")
    assert caplog.records == []


def test_no_kafka_is_one_line_of_the_command_that_logs(tmp_path: Path) -> None:
    environ = {"AFSPRAAKBERICHT_BOOTSTRAP": "127.0.0.1:1", "AFSPRAAKBERICHT_DATA": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", "agents", "project"],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "no Kafka answers at 127.0.0.1:1: start one, or set AFSPRAAKBERICHT_BOOTSTRAP\n"
