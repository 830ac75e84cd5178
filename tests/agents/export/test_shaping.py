"""An export with outcomes, without texts, and with amounts of one type."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyarrow import parquet

from agents.export.formats import Csv, Form, JsonLines
from agents.export.output import ExportFile
from agents.export.parquet import Parquet
from agents.export.shaping import OutcomeLogRecord, Outcomes, Shape, Shaped, shape
from schemas.outcomes import OutcomeRecord

GOLDEN = (Path(__file__).parents[2] / "schemas" / "delivery-log.jsonl").read_bytes().splitlines()
EXACT = [line for line in GOLDEN if b'"amount":0' not in line]
"""Those whose amount is a string, as all are that are written now."""

SERIES = next(line for line in GOLDEN if b'"others"' in line)
AT = datetime(2026, 11, 2, tzinfo=UTC)


def said(*of: tuple[str, int, Any], client: str = "c-2001") -> Outcomes:
    """What upstream said of appointments: id, revision, outcome."""
    found = Outcomes()
    for appointment, revision, outcome in of:
        found.take(OutcomeRecord(
            organisation="linde", client=client, appointment=appointment, revision=revision, outcome=outcome, start=AT, end=AT,
            at=AT,
        ))  # fmt: skip
    return found


def written(path: Path, form: Any, shaping: Shape | None, *values: bytes) -> bytes:
    with ExportFile(path) as target:
        one: Form = form(target)
        Shaped(one, shaping).write(values)
        one.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (said(), [None, None, None]),
        (said(("a-80", 1, "arrived"), ("a-82", 1, "noshow")), ["arrived", None, "noshow"]),
        (said(("a-80", 1, "arrived"), ("a-80", 2, "noshow")), ["noshow", None, None]),
        (said(("a-80", 2, "noshow"), ("a-80", 1, "arrived")), ["noshow", None, None]),
        (said(("a-80", 1, "noshow"), ("a-80", 2, None)), [None, None, None]),
        (said(("a-80", 1, "noshow"), client="another"), [None, None, None]),
    ],
    ids=["nothing is said", "of two", "the last one", "the highest revision", "taken back", "another client"],
)
def test_a_record_has_what_became_of_each_of_its_appointments(known: Outcomes, wanted: list[str | None], tmp_path: Path) -> None:
    (line,) = written(tmp_path / "x", JsonLines, shape(outcomes=known), SERIES).splitlines()
    found = orjson.loads(line)
    assert found.pop("outcomes") == [
        {"appointment": id_, "outcome": one} for id_, one in zip(("a-80", "a-81", "a-82"), wanted, strict=True)
    ]
    assert found == orjson.loads(SERIES)


def test_csv_has_them_in_a_last_column_in_the_order_of_the_appointments(tmp_path: Path) -> None:
    text = written(tmp_path / "x", partial(Csv, outcomes=True), shape(outcomes=said(("a-80", 1, "noshow"))), SERIES).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (list(row)[-1], row["appointments"], row["outcomes"]) == ("outcomes", "a-80/a-81/a-82", "noshow//")


def test_parquet_has_them_as_a_list_of_structs(tmp_path: Path) -> None:
    written(tmp_path / "x", partial(Parquet, record=OutcomeLogRecord), shape(outcomes=said(("a-81", 1, "noshow"))), *GOLDEN)
    table = parquet.read_table(tmp_path / "x")
    assert str(table.schema.field("outcomes").type) == "list<element: struct<appointment: string, outcome: string>>"
    assert table.column("outcomes").to_pylist()[GOLDEN.index(SERIES)][1] == {"appointment": "a-81", "outcome": "noshow"}


def test_without_texts_nothing_is_said_of_what_was_said_or_where_it_went(tmp_path: Path) -> None:
    lines = written(tmp_path / "x", JsonLines, shape(texts=False), *EXACT).splitlines()
    for line, before in zip(lines, EXACT, strict=True):
        assert orjson.loads(line) == orjson.loads(before) | {"text": None, "address": None}


def test_amounts_of_before_that_are_numbers_become_strings_and_nothing_else_changes(tmp_path: Path) -> None:
    texts = ['0.15,"cost":{"amount":0.15', 'hij zei "cost":{"amount":0.15']
    for amount, text in zip(("0.15", "1e-05"), texts, strict=True):
        now = orjson.dumps(orjson.loads(GOLDEN[0]) | {"text": text}).replace(b'"0.075"', f'"{amount}"'.encode())
        before = now.replace(f'"{amount}"'.encode(), amount.encode())
        line = written(tmp_path / amount, JsonLines, None, before).strip()
        assert (before == now, line) == (False, now)
        assert orjson.loads(line)["cost"] == {"amount": amount, "currency": "EUR"}
        assert orjson.loads(line)["text"] == text


def test_what_needs_nothing_is_the_bytes_of_the_topic(tmp_path: Path) -> None:
    assert shape() is None
    assert written(tmp_path / "x", JsonLines, None, *EXACT) == b"".join(line + b"\n" for line in EXACT)
