"""`afspraakbericht translate`, as a user calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.main import main
from tests.streams.translate.origins import said
from tests.streams.translate.test_fhir import APPOINTMENT, BOOKED, bundle
from tests.streams.translate.test_siu import message


def translate(folder: Path, standard: str, value: bytes, *more: str, producers: Any = None) -> int:
    file = folder / "record"
    file.write_bytes(value)
    if producers is not None:
        (folder / "producers.json").write_bytes(orjson.dumps(producers))
        more = (*more, "--producers", str(folder / "producers.json"))
    return main(["translate", standard, str(file), *more])


def test_records_are_printed_as_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert translate(tmp_path, "fhir", orjson.dumps(APPOINTMENT), "--organisation", "zorg") == 0
    assert [said(orjson.loads(line)) for line in capsys.readouterr().out.splitlines()] == [BOOKED]


def test_a_message_by_what_was_agreed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert translate(tmp_path, "siu", message(), producers=[{"organisation": "zorg", "clients": "ZORG"}]) == 0
    assert said(orjson.loads(capsys.readouterr().out))["clients"] == [{"client": "12345", "present": True}]


def test_what_is_refused_or_ignored_is_said_beside_the_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = APPOINTMENT | {"status": "geheim"}
    value = orjson.dumps(bundle({"resource": bad}, {"resource": APPOINTMENT}, {"resource": {"resourceType": "Slot"}}))
    assert translate(tmp_path, "fhir", value, "--organisation", "zorg") == 2
    said = capsys.readouterr()
    assert (len(said.out.splitlines()), said.err.splitlines()) == (
        1, ["Invalid enum value - at `Bundle.entry[0].resource.status`", "1 ignored: type"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("producers", "more", "line"),
    [
        (None, (), "--organisation: expected one that the file of producers has, or any without that file"),
        ([{"organisation": "a"}, {"organisation": "b"}], (), "--organisation: expected one that the file of producers has"),
        ([{"organisation": "a"}], ("--organisation", "b"), "--organisation: expected one that the file of producers has"),
        ([{"organisation": "a", "time_zone": "X"}], (), "producers.json: unknown time zone - at `$[0].time_zone`"),
        ({}, (), "producers.json: Expected `array`, got `object`"),
    ],
)
def test_without_knowing_whose_it_is_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], producers: Any, more: tuple[str, ...], line: str
) -> None:
    assert translate(tmp_path, "siu", message(), *more, producers=producers) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert line in said.err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["translate", "siu", str(tmp_path / "none"), "--organisation", "zorg"]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none'}: No such file or directory\n"
