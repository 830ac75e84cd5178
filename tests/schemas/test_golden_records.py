"""Records of our topics, as `tests/golden/records` has them of each revision: they load for ever, and mean what they meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from schemas.held import HeldRecord
from schemas.holds import Hold
from schemas.topics import DOUBTED, HELD, HOLDS
from schemas.wire import encode, read
from streams.intake.checks import hold_of
from streams.processing import own_records
from streams.processing.turn import Record
from tests.world import at

FILES = sorted((Path(__file__).parents[1] / "golden" / "records").glob("*.jsonl"))
NOW = at("2026-03-02 12:00")


def records(file: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_records_of_before_are_read_with_all_that_they_say(file: Path) -> None:
    for one in records(file):
        if one["value"] is None:
            continue
        value = orjson.dumps(one["value"])
        if one["topic"] == HOLDS.name:
            said = hold_of(Record(HOLDS.name, 0, 0, one["key"].encode(), value), NOW)
            assert read(Hold, encode(said)) == said
            assert {name for name in one["value"] if getattr(said, name) is None} == set(), one
        elif one["topic"] == DOUBTED.name:
            found = own_records.doubted(Record(DOUBTED.name, 0, 0, one["key"].encode(), value))
            assert orjson.loads(encode(found)) == one["value"]
        else:
            assert one["topic"] == HELD.name
            assert orjson.loads(encode(msgspec.json.decode(value, type=HeldRecord))) == one["value"]


def test_there_are_holds_of_every_kind() -> None:
    """As 353ffe3 took them in and wrote them: set, with a party, ended, with nothing said, taken back; and what waited."""
    (first,) = [file for file in FILES if file.stem == "353ffe3"]
    found = records(first)
    holds = [one["value"] for one in found if one["topic"] == HOLDS.name]
    waits = [one["value"] for one in found if one["topic"] == HELD.name]
    assert {name for one in holds if one for name in one} == {"organisation", "at", "notices", "parties", "seen_at", "by"}
    assert (None in holds, None in waits) == (True, True)
    assert {notice["kind"] for one in waits if one for message in one["messages"] for notice in message} == {"created", "moved"}
    assert any(one.get("near") for one in waits if one)


def test_there_is_one_of_what_waits_for_who_acts_for_a_client() -> None:
    """As f3d6c10 wrote them: a key of its own, which goes once it may not be told any more."""
    (third,) = [file for file in FILES if file.stem == "f3d6c10"]
    held, gone = records(third)
    assert (held["key"], held["value"]["recipient"]) == ("zorg/anna/p:moeder", "p:moeder")
    assert gone == {"topic": HELD.name, "key": held["key"], "value": None}
