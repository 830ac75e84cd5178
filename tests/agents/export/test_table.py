"""The log as a table for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.export.output import ExportFile
from agents.export.table import Table


def value(at: str, client: str = "anna", **more: Any) -> bytes:
    entry: dict[str, Any] = {
        "at": at, "organisation": "linde", "client": client, "channel": "sms", "status": "sent", "detail": None,
        "text": "Uw afspraak op dinsdag\nis verplaatst naar woensdag.", "notices": [],
    }  # fmt: skip
    return orjson.dumps(entry | more)


LATE = value("2026-10-25T01:30:00.5Z")
EARLY = value("2026-10-25T00:30:00Z", "bram", text=None, channel=None, status="suppressed", detail="client_off")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def written(columns: int, *batches: list[bytes], **more: Any) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        with ExportFile(tmp_path / "x") as target:
            form = Table(target, **more)
            for batch in batches:
                form.write(batch)
            form.close()
        return (tmp_path / "x").read_text().splitlines()

    return written


def test_it_has_a_head_and_is_in_the_order_of_time_in_local_time(table: Any) -> None:
    assert table(120, [LATE], [EARLY]) == [
        "when                      client      channel  status      what",
        "2026-10-25 02:30:00 CEST  linde/bram  -        suppressed  client_off",
        "2026-10-25 02:30:00 CET   linde/anna  sms      sent        Uw afspraak op dinsdag is verplaatst naar woensdag.",
    ]


def test_it_is_as_wide_as_the_terminal(table: Any) -> None:
    *_, last = table(95, [LATE], [EARLY])
    assert last.endswith("Uw afspraak op dinsdag is verplaats…")
    assert len(last) == 95


def test_on_a_narrow_terminal_what_was_said_has_its_own_line(table: Any) -> None:
    assert table(60, [value("2026-10-25T01:30:00Z", "a-very-long-name")]) == [
        "when                     client              channel  status",
        "  what",
        "2026-10-25 02:30:00 CET  linde/a-very-long…  sms      sent",
        "  Uw afspraak op dinsdag is verplaatst naar woensdag.",
    ]


def test_another_zone_names_itself(table: Any) -> None:
    assert table(100, [LATE], zone="America/Curacao")[1].startswith("2026-10-24 21:30:00 AST  ")


def test_while_it_follows_each_comes_as_it_comes(table: Any) -> None:
    shown = table(120, [LATE], [EARLY], follow=True)
    assert [line.split()[0] for line in shown] == ["when", "2026-10-25", "2026-10-25"]
    assert "linde/anna" in shown[1]


def test_nothing_has_no_head(table: Any) -> None:
    assert table(80) == []


def test_what_is_written_in_it_does_not_steer_the_terminal(table: Any) -> None:
    assert "\\u001b[31m" in table(120, [value("2026-10-25T01:30:00Z", text="\x1b[31m")])[1]
