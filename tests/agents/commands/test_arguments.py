"""What the arguments of `log` and `costs` mean, and what is said of those that cannot be."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from agents.commands import log
from agents.export.formats import Csv
from agents.export.output import ExportFile
from agents.export.periods import period
from agents.main import main

AMSTERDAM = "Europe/Amsterdam"

SPANS = (
    ("2026-11-01T00:00Z", "2026-11-01T00:00", "2026-11-01T00:00"),
    ("2026-11-01T00:00", "2026-10-31T23:00", "2026-10-31T23:00"),
    ("2026-11-01T00:00:30.5+05:45", "2026-10-31T18:15:30.500", "2026-10-31T18:15:30.500"),
    ("2026-11-01", "2026-10-31T23:00", "2026-11-01T23:00"),
    ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 hours
    ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 hours
    ("2026-11", "2026-10-31T23:00", "2026-11-30T23:00"),
    ("2026-12", "2026-11-30T23:00", "2026-12-31T23:00"),
    ("2026-11-01/2026-11-07", "2026-10-31T23:00", "2026-11-07T23:00"),
    ("2026-10/2026-11", "2026-09-30T22:00", "2026-11-30T23:00"),
    ("2026-11-01T08:00/2026-11-01T09:00Z", "2026-11-01T07:00", "2026-11-01T09:00"),
    ("2026-03-29T02:30", "2026-03-29T01:30", "2026-03-29T01:30"),  # does not exist: moves forward by the gap
    ("2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T00:30"),  # occurs twice: the first
)


@pytest.mark.parametrize(("text", "begin", "end"), SPANS, ids=[f"{text} is {begin}Z to {end}Z" for text, begin, end in SPANS])
def test_a_moment_is_a_span_in_the_zone(text: str, begin: str, end: str) -> None:
    found = period(text, AMSTERDAM)
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in found if moment] == [begin[:16], end[:16]]


def test_another_zone_has_other_days() -> None:
    assert str(period("2026-11-01", "America/Curacao").begin) == "2026-11-01 04:00:00+00:00"


BAD = (
    ("log --since yesterday", "--since is 'yesterday': expected an instant (2026-11-01T00:00Z), a local time"),
    ("log --since 2026-13", "--since is '2026-13': expected an instant"),
    ("log --since 2026-02-30", "--since is '2026-02-30': expected an instant"),
    ("log --since 2026-11-01/2026-11-02", "--since is '2026-11-01/2026-11-02': expected one time, not two"),
    ("log --until 2026-11-01T25:00Z", "--until is '2026-11-01T25:00Z': expected an instant"),
    ("log --since 2026-11-02 --until 2026-11-01", "--until is '2026-11-01': expected a time after --since"),
    ("log --period 2026-11-07/2026-11-01", "--period is '2026-11-07/2026-11-01': expected a period that ends after it begins"),
    ("log --period 2026-11-07T10:00", "--period is '2026-11-07T10:00': expected a day, a month, or FROM/TO"),
    ("log --zone Europe/Utrecht --since 2026-11", "--zone is 'Europe/Utrecht': expected the name of a time zone"),
    ("log --from 3", "--from is '3': expected PARTITION:OFFSET, such as 3:1200"),
    ("log --from 3:-1", "--from is '3:-1': expected PARTITION:OFFSET"),
    ("log --from 3:1 --from 3:2", "--from names partition 3 twice: expected one offset of it"),
    ("log --from 3:1 --since 2026-11", "--since and --from both say where to begin: expected one of them"),
    ("log --follow --until 2026-11", "--until ends what --follow never ends: expected one of them"),
    ("log --channel fax", "--channel is 'fax': expected one of email, sms"),
    ("log --status lost", "--status is 'lost': expected one of suppressed, superseded, expired, sent"),
    ("log --kind made", "--kind is 'made': expected one of created, moved"),
    ("log --reason whim", "--reason is 'whim': expected one of direct, reminder, request"),
    ("log --format xml", "--format is 'xml': expected one of table, lines, json, csv, parquet"),
    ("log --format csv --json", "--json is short for --format json, and --format is csv: expected one of them"),
    ("log --format parquet --follow", "--follow: a Parquet file has an end; expected another --format"),
    ("costs --month ", "--month is '': expected a month, such as 2026-11"),
    ("log --client linde/anna/a1", "--client is 'linde/anna/a1': expected two ids joined by '/', such as linde/anna"),
    ("log --outcomes", "--outcomes is not for a table or lines: expected --format json, csv or parquet"),
    ("replay --dry-run --limit -1", "--limit is -1: expected 0 or more"),
    ("erase linde/anna", "erase has no undo, and asks: expected --yes, or --dry-run, where stdin is no terminal"),
    ("costs --month 2026-11-01", "--month is '2026-11-01': expected a month, such as 2026-11"),
    ("costs --month november", "--month is 'november': expected a month, such as 2026-11"),
)


@pytest.mark.parametrize(("words", "said"), BAD, ids=[words for words, _ in BAD])
def test_an_argument_that_cannot_be_is_one_line_that_names_it(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split(" ")) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_parquet_is_not_for_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    assert main(["log", "--format", "parquet"]) == 2
    assert capsys.readouterr().err == "--format parquet is not for a terminal: expected --output FILE, or a pipe\n"


def test_without_pyarrow_parquet_is_one_line_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow" or name == "agents.export.parquet"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert main(["log", "--format", "parquet", "--output", "x.parquet"]) == 2
    assert capsys.readouterr().err.startswith("--format parquet needs the extra `analysis` of our own wheel")
    assert not Path("x.parquet").exists()
    parser = argparse.ArgumentParser()
    log.arguments(parser)
    with ExportFile(tmp_path / "x.csv") as target:
        assert isinstance(log._form(parser.parse_args(["--format", "csv"]))(target), Csv)
