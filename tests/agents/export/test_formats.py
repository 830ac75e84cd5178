"""The forms: what stands in them is what stands on the topic; a file is whole or not there."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyarrow import parquet

from agents.export.formats import COLUMNS, Csv, JsonLines, Lines
from agents.export.output import ExportFile
from agents.export.parquet import Parquet
from agents.kafka.junk import NotARecordError
from schemas.wire import to_json

from .records import record

SAMPLE = [to_json(record(random.Random(number), number)) for number in range(300)]
SERIES = orjson.dumps(
    orjson.loads(SAMPLE[0])
    | {
        "at": "2026-11-10T09:00:00.25+01:00", "parts": 3, "cost": {"amount": 1e-05, "currency": "EUR"}, "text": "=1+1\n\"a\", ë",
        "notices": [
            {"id": "n1", "kind": "series_created", "appointment": "a", "others": ["b", "c"]},
            {"id": "n2", "kind": "request", "appointment": None},
        ],
    }
)  # fmt: skip


def written(form: Any, path: Path, *handfuls: list[bytes]) -> bytes:
    with ExportFile(path) as target:
        one = form(target)
        for values in handfuls:
            one.write(values)
        one.close()
    return path.read_bytes()


def test_json_lines_are_the_bytes_of_the_topic(tmp_path: Path) -> None:
    assert written(JsonLines, tmp_path / "x", SAMPLE[:10], SAMPLE[10:]) == b"".join(value + b"\n" for value in SAMPLE)


def test_parquet_has_every_field_with_its_type(tmp_path: Path) -> None:
    written(Parquet, tmp_path / "x", SAMPLE[:200], SAMPLE[200:], [SERIES])
    table = parquet.read_table(tmp_path / "x")

    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("parts").type) == "int64"
    assert parquet.ParquetFile(tmp_path / "x").metadata.num_row_groups == 3
    for row, value in zip(table.to_pylist(), [*SAMPLE, SERIES], strict=True):
        wanted = orjson.loads(value)
        wanted["at"] = datetime.fromisoformat(wanted["at"])
        wanted["notices"] = [{"others": None, "items": None, **notice} for notice in wanted["notices"]]
        wanted["recipient"] = None
        if wanted["cost"]:
            wanted["cost"]["amount"] = Decimal(str(wanted["cost"]["amount"]))
        assert row == wanted


def test_a_record_from_before_there_were_versions_is_of_the_first_in_parquet_and_csv(tmp_path: Path) -> None:
    old = orjson.dumps({name: value for name, value in orjson.loads(SAMPLE[0]).items() if name != "schema"})
    written(Parquet, tmp_path / "x", [old])
    assert parquet.read_table(tmp_path / "x").column("schema").to_pylist() == [1]
    assert written(Csv, tmp_path / "y", [old]).endswith(b",1,\r\n")


def test_what_the_types_cannot_hold_is_named_by_its_message(tmp_path: Path) -> None:
    wrong = orjson.dumps(orjson.loads(SAMPLE[1]) | {"message": "m7", "at": "yesterday"})
    with pytest.raises(NotARecordError, match=r"^message m7: "):
        written(Parquet, tmp_path / "x", [SAMPLE[0], wrong])
    assert list(tmp_path.iterdir()) == []


def test_csv_is_flat_and_no_formula(tmp_path: Path) -> None:
    text = written(Csv, tmp_path / "x", [SERIES], SAMPLE).decode()
    head, row, *rest = csv.reader(io.StringIO(text, newline=""))
    cells = dict(zip(head, row, strict=True))

    assert tuple(head) == COLUMNS
    assert len(rest) == len(SAMPLE)
    assert cells | {
        "kinds": "series_created/request", "appointments": "a/b/c", "notices": "n1/n2", "cost_amount": "1e-05",
        "cost_currency": "EUR", "parts": "3", "text": "'=1+1\n\"a\", ë",
    } == cells  # fmt: skip
    assert cells["at"] == "2026-11-10T09:00:00.25+01:00"


def test_a_line_for_eyes_has_no_address_and_the_begin_of_the_text(tmp_path: Path) -> None:
    values = [value for value in SAMPLE if orjson.loads(value)["status"] == "sent"]
    lines = written(Lines, tmp_path / "x", values).decode().splitlines()

    assert len(lines) == len(values)
    assert all("De Linde: Uw afspraak" in line and "***" not in line for line in lines)


def break_off(path: Path) -> None:
    with ExportFile(path) as target:
        target.write(b"half")
        raise NotARecordError


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("the one before")
    with pytest.raises(NotARecordError):
        break_off(path)
    assert path.read_text() == "the one before"

    with ExportFile(path) as target:
        target.write(b"whole")
        assert path.read_text() == "the one before"
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_the_time_is_kept_to_the_microsecond(tmp_path: Path) -> None:
    exact = orjson.dumps(orjson.loads(SAMPLE[0]) | {"at": "2026-11-10T09:00:00.123456Z"})
    written(Parquet, tmp_path / "x", [exact])
    assert parquet.read_table(tmp_path / "x").column("at").to_pylist() == [datetime(2026, 11, 10, 9, 0, 0, 123456, tzinfo=UTC)]
