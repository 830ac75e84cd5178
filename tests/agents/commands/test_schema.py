"""`afspraakbericht schema`: of each topic that others write or read one that stands alone and takes what is on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from agents.commands.schema import RECORDS
from agents.main import main

LOG = Path(__file__).parents[2] / "schemas" / "delivery-log.jsonl"


def printed(topic: str, capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(["schema", topic]) == 0
    return orjson.loads(capsys.readouterr().out)


@pytest.mark.parametrize("topic", RECORDS)
def test_a_schema_has_a_name_of_its_own_and_is_one(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    schema = printed(topic, capsys)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:afspraakbericht:{topic}"


def test_that_of_the_log_takes_records_of_every_version_and_not_what_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    validator = Draft202012Validator(printed("delivery-log", capsys))
    lines = LOG.read_bytes().splitlines()
    assert [list(validator.iter_errors(orjson.loads(line))) for line in lines] == [[]] * len(lines)
    (error,) = validator.iter_errors(orjson.loads(lines[-1]) | {"status": "lost"})
    assert error.json_path == "$.status"


def test_what_upstream_and_readers_have_is_there_and_what_is_our_own_is_not() -> None:
    assert {"appointments", "delivery-log", "audit-log", "outcomes", "access-log"} <= set(RECORDS)
    assert set(RECORDS) & {"client-events", "deliveries-sms", "delivery-reports", "dead-letters", "fhir"} == set()
