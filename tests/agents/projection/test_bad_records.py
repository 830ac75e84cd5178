"""One record that cannot be used is set aside; it stops neither its organisation's others nor anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from agents.kafka.reader import written
from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import ERASED, MESSAGES, REQUESTS, SETTINGS, open_database
from schemas.deliveries import NewerSchemaError
from schemas.topics import DELIVERY_LOG, ERASURES, ORGANISATIONS
from schemas.topics import REQUESTS as REQUESTS_TOPIC
from tests.agents.web.samples import NOW, record
from tests.world import organisation

LOG = DELIVERY_LOG.name
GOOD = record("good")
YEAR_1 = "0001-01-01T00:00:00+14:00"
"""An instant whose moment in UTC is in no year."""

NO_TIMES = [-(10**15), -1, 10**15, 2**63 - 1]


@pytest.fixture
def projection(database: str, tmp_path: Path) -> Projection:
    return Projection(open_database(database, tmp_path))


def values(projection: Projection, column: Any) -> list[Any]:
    with projection.engine.connect() as connection:
        return sorted(connection.execute(select(column)).scalars())


def batch(*values: Any, at: datetime | None = NOW, start: int = 0, key: bytes | None = None) -> list[TopicEntry]:
    raw = [value if isinstance(value, bytes) or value is None else orjson.dumps(value) for value in values]
    return [TopicEntry(start + number, value, at, key) for number, value in enumerate(raw)]


@pytest.mark.parametrize(
    ("what", "bad"),
    [
        ("a value that is null", None),
        ("no JSON", b"{"),
        ("no UTF-8", b'{"message":"\xff"}'),
        ("a moment that is none in UTC", record("bad", at=YEAR_1)),
        ("a count of parts that no integer holds", orjson.dumps(record("bad", parts=7)).replace(b':7,', b':' + b"9" * 30 + b",")),
        ("a count of parts that no column holds", record("bad", parts=2**63)),
        ("a cost that no column holds", record("bad", cost={"amount": 1e300, "currency": "EUR"})),
        ("JSON that is nested 100,000 deep", b'{"message":' + b"[" * 100_000),
    ],
)  # fmt: skip
def test_a_bad_record_of_the_log_is_named_and_the_others_are_taken_in(projection: Projection, what: str, bad: Any) -> None:
    entries = batch(record("before"), bad, GOOD, start=40)
    projection.take(LOG, 3, 0, entries[:1])
    with capture_logs() as told:
        assert projection.take(LOG, 3, 41, entries[1:]) == 1, what
    assert [(line["event"], line["topic"], line["partition"], line["offset"]) for line in told] == [
        ("set aside by the projection", LOG, 3, 41)
    ]
    assert values(projection, MESSAGES.c.message) == ["before", "good"]
    assert projection.positions() == {(LOG, 3): 43}


def test_one_organisation_with_a_currency_of_four_characters_does_not_stop_the_others(projection: Projection) -> None:
    bad = record("bad", cost={"amount": "0.075", "currency": "EUR\n"})
    skipped = projection.take(LOG, 0, 0, batch(GOOD, bad, record("other", organisation="zorg")))
    sqlite = projection.engine.dialect.name == "sqlite"  # it holds any width
    assert skipped == (0 if sqlite else 1)
    assert set(values(projection, MESSAGES.c.message)) >= {"good", "other"}


@pytest.mark.parametrize("at", [YEAR_1, "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "2026-03-22T12:00:00Z"])
def test_an_erasure_of_no_possible_time_is_passed_over_and_the_next_one_counts(projection: Projection, at: str) -> None:
    one = {"organisation": "linde", "client": "niemand", "at": at}
    good = {"organisation": "linde", "client": "anna", "at": "2026-03-20T11:00:00Z"}
    projection.take(LOG, 0, 0, batch(GOOD))
    assert projection.take(ERASURES.name, 0, 0, batch(one, good)) == 0, "it is in dead-letters"
    assert len(values(projection, ERASED.c.client)) == 1
    assert values(projection, MESSAGES.c.message) == []


@pytest.mark.parametrize("timestamp", NO_TIMES)
def test_a_record_time_that_is_no_time_is_unknown_and_the_record_counts(projection: Projection, timestamp: int) -> None:
    asked = {"organisation": "linde", "client": "anna", "request": "r", "party": "p", "text": "Dag."}
    at = written(timestamp)
    assert at is None
    assert projection.take(REQUESTS_TOPIC.name, 0, 0, batch(asked, at=at)) == 0
    assert projection.take(ORGANISATIONS.name, 0, 0, batch(organisation(), at=at, key=b"zorg")) == 0
    assert values(projection, REQUESTS.c.request) == ["r"]
    assert values(projection, SETTINGS.c.organisation) == ["zorg"]


def test_a_time_is_what_it_says() -> None:
    assert written(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert written(1_772_445_600_000) == datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("what", "newer"),
    [("all that we know", record("new", schema=99)), ("a status that we do not", record("new", schema=99, status="read"))],
)
def test_what_comes_before_a_record_of_a_newer_schema_is_taken_in_and_it_is_not(
    projection: Projection, what: str, newer: Any
) -> None:
    with pytest.raises(NewerSchemaError, match="schema 99"):
        projection.take(LOG, 0, 0, batch(GOOD, newer, record("after")))
    assert (values(projection, MESSAGES.c.message), projection.positions()) == (["good"], {(LOG, 0): 1}), what
