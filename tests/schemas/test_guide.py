"""The guide for producers (`schemas/README.md`): its examples are records that are taken in."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.worker.wording import succeed
from schemas.topics import DAY, INPUTS, TOPICS
from streams.simulation import Simulation
from streams.translate.producers import Producer, read_producers

PAGE = (Path(__file__).parents[2] / "schemas" / "README.md").read_text()
EXAMPLES = re.findall(r"^## `([a-z-]+)`\n.*?```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
KEYS = {topic.name: topic.key.split("/") for topic in INPUTS}


def test_the_guide_has_an_example_of_each_input() -> None:
    assert [topic for topic, _ in EXAMPLES] == list(KEYS)


def test_the_table_has_every_topic_that_others_read_or_write_with_its_key() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| `?([a-z/ ]+)`? \| .+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert {name: key for name, key, _ in rows} == {
        topic.name: topic.key for topic in TOPICS if topic.role in ("input", "foreign", "output")
    }
    days = {topic.name: topic.retention_ms // DAY for topic in TOPICS if topic.retention_ms is not None}
    for name, _, kept in rows:
        assert ("compacted" in kept) == (name not in days)
        if said := re.fullmatch(r"(\d+) days", kept):
            assert int(said[1]) == days[name]


@pytest.mark.parametrize(("topic", "value"), EXAMPLES, ids=[topic for topic, _ in EXAMPLES])
def test_each_example_is_taken_in(topic: str, value: str) -> None:
    """`feed` raises where intake sets a record aside."""
    plain = json.loads(value)
    key = "/".join(plain[name] if name else "" for name in KEYS[topic])
    list(Simulation(succeed).feed(topic, key.encode(), value.encode(), datetime(2026, 11, 26, 12, tzinfo=UTC)))


def test_what_is_agreed_with_a_producer_can_be_read() -> None:
    found = re.search(r"^## What is agreed with a producer\n.*?```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert list(read_producers(found[1].encode())) == ["linde", "plein"]


def test_the_page_has_every_setting_of_a_producer() -> None:
    part = PAGE.split("## What is agreed with a producer")[1].split("\n## ")[0]
    assert [name for name in Producer.__struct_fields__ if name not in part] == []


def test_a_bridge_of_ones_own_writes_what_is_taken_in() -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    assert len(found[1].splitlines()) <= 40
    written: list[tuple[str, str, str]] = []

    class Kafka:
        def produce(self, topic: str, *, key: str, value: str) -> None:
            written.append((topic, key, value))

    names: dict[str, Any] = {}
    code = found[1].replace("from confluent_kafka import Producer", "")
    exec(re.sub(r"kafka = Producer\(.*\)", "", code), names)
    names["kafka"] = Kafka()
    at = "2026-12-02T13:15:00+01:00"
    change = {"id": "a", "version": 1, "deleted": False, "startsAt": at, "endsAt": at, "place": "De Linde"}
    names["tell"](change | {"clients": [{"id": "anna", "expected": True}]})
    ((topic, key, value),) = written
    list(Simulation(succeed).feed(topic, key.encode(), value.encode(), datetime(2026, 11, 26, 12, tzinfo=UTC)))
