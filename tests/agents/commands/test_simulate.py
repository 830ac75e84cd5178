"""`afspraakbericht simulate`, as a user calls it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.main import main
from tests.world import appointment, organisation

CONSENT = {"organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"], "source": "ecd"}
CONTACT = {"organisation": "zorg", "client": "anna", "sms": {"number": "+31612345678", "confirmed": True}, "email": None}
AT = "2026-03-02T09:00:00+01:00"


def line(topic: str, key: str | None, value: Any, at: str = AT) -> bytes:
    return orjson.dumps({"at": at, "topic": topic, "key": key, "value": value})


SETUP = [
    line("organisations", "zorg", organisation(reminder={"days_before": 1, "at": "10:00"})),
    line("consents", "zorg/anna", CONSENT),
    line("contacts", "zorg/anna", CONTACT),
]
BOOK = line("appointments", "zorg/a", appointment("2026-03-10 13:15"))


def simulate(path: Path, lines: list[bytes], *more: str) -> int:
    file = path / "events.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return main(["simulate", str(file), *more])


def records(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [orjson.loads(text) for text in capfd.readouterr().out.splitlines()]


def test_by_default_time_ends_with_the_last_event(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path, [*SETUP, BOOK]) == 0
    assert records(capfd) == []


def test_until_is_included(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    simulate(tmp_path, [*SETUP, BOOK], "--until", "2026-03-02T09:00:29.999999+01:00")
    assert records(capfd) == []
    simulate(tmp_path, [*SETUP, BOOK], "--until", "2026-03-02T09:00:30+01:00")
    assert [record["status"] for record in records(capfd)] == ["sent"]


def test_a_record_has_every_field(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    simulate(tmp_path, [*SETUP, BOOK], "--until", "2026-03-11T00:00:00Z")
    created, reminder = records(capfd)
    ids = {"organisation": "zorg", "client": "anna", "channel": "sms"}
    assert created["template"] == reminder["template"], "the same words, version and all"
    assert created | {"message": "", "notices": [], "template": "-"} == {
        **ids, "message": "", "reason": "direct", "status": "sent", "detail": None, "at": "2026-03-02T08:00:30Z", "notices": [],
        "text": "Er is een afspraak met u gemaakt op dinsdag 10 maart 2026 van 13:15 tot 14:15.", "parts": 1,
        "cost": {"amount": "0.08", "currency": "EUR"}, "attempt": 1, "address": "+31*******78", "template": "-",
        "decided": "2026-03-02T08:00:30Z", "due": "2026-03-02T08:00:30Z", "start": "2026-03-10T12:15:00Z", "schema": 2,
    }  # fmt: skip
    assert list(created["notices"][0]) == ["id", "kind", "appointment"]
    assert (reminder["reason"], reminder["at"], reminder["start"]) == ("reminder", "2026-03-09T09:00:00Z", created["start"])


def test_a_final_report_that_a_number_takes_no_sms_is_a_line_as_any_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    both = {**CONTACT, "email": {"address": "anna@example.org", "confirmed": True}}
    setup = [
        SETUP[0],
        line("consents", "zorg/anna", CONSENT | {"channels": ["sms", "email"]}),
        line("contacts", "zorg/anna", both),
    ]
    simulate(tmp_path, [*setup, BOOK], "--until", "2026-03-02T09:01:00+01:00")
    (sent,) = records(capfd)
    report = {
        "organisation": "zorg", "client": "anna", "message": sent["message"], "attempt": 1, "status": "delivery_failed",
        "error": 1, "at": "2026-03-02T10:00:00+01:00",
    }  # fmt: skip
    assert simulate(tmp_path, [*setup, BOOK, line("delivery-reports", "zorg/anna", report, "2026-03-02T10:00:00+01:00")]) == 0
    assert [(one["channel"], one["status"], one["detail"]) for one in records(capfd)] == [
        ("sms", "sent", None), ("sms", "failed", "report: delivery_failed/1"), ("sms", "superseded", "rerouted"),
        ("email", "sent", None),
    ]  # fmt: skip


def test_what_is_refused_is_told_with_its_line_and_the_good_ones_are_done(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = [
        b"{",
        line("afspraken", "zorg/a", {}),
        line("appointments", "zorg/a", appointment("2026-03-10 13:15", "2026-03-10 13:00")),
        line("appointments", "zorg/b", appointment("2026-03-10 13:15")),
        line("organisations", "zorg", organisation(time_zone="Europe/Nergens")),
        line("consents", "zorg/anna", CONSENT, at="2026-03-02T08:00:00+01:00"),
        b'{"topic": "consents"}',
        line("consents", "zorg/anna", "no JSON"),
    ]
    assert simulate(tmp_path, [*SETUP, *wrong, BOOK], "--until", "2026-03-02T10:00:00+01:00") == 2
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1
    assert [text.split(":", 1)[0] for text in err.splitlines()] == [f"line {number}" for number in range(4, 12)]
    assert [text.split(": ", 1)[1][:30] for text in err.splitlines()] == [
        "not JSON: unexpected end of da",
        "unknown topic `afspraken`; it ",
        "the end is before the start - ",
        "the key does not match the val",
        "unknown time zone - at `$.time",
        "it is earlier than the line be",
        "Object missing required field ",
        "not JSON: invalid literal, exp",
    ]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(tmp_path / "none.jsonl")]) == 2
    assert capfd.readouterr().err.endswith("No such file or directory\n")


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n".join([*SETUP, BOOK]))))
    assert main(["simulate", "-", "--until", "2026-03-02T10:00:00+01:00"]) == 0
    assert len(records(capfd)) == 1


def test_the_reader_of_its_output_may_go_away(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    more = [
        line("appointments", f"zorg/a{number}", appointment("2026-03-10 13:15", appointment=f"a{number}")) for number in range(50)
    ]
    events.write_bytes(b"\n".join([*SETUP, *more]))
    command = f"{sys.executable} -m agents simulate {events} --until 2026-03-12T00:00:00Z | head -c 1"
    result = subprocess.run(command, shell=True, capture_output=True, check=False, timeout=60)
    assert result.stderr == b""


@pytest.mark.parametrize(("terminal", "named"), [(True, 20), (False, 30)], ids=["person", "program"])
def test_a_file_of_another_kind_does_not_flood_a_terminal(
    terminal: bool, named: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert simulate(tmp_path, [b"\xff"] * 30) == 2
    said = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("line ") for line in said) == named
    assert ("30 lines cannot be used; 2> FILE has them all" in said) is terminal


def test_until_is_a_local_time_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path, [*SETUP, BOOK], "--until", "2026-03-02T09:30") == 0
    assert [one["status"] for one in records(capfd)] == ["sent"]
    with pytest.raises(SystemExit):
        simulate(tmp_path, [*SETUP, BOOK], "--until", "2026-03")
    assert "'2026-03' is no time: expected an instant (" in capfd.readouterr().err
