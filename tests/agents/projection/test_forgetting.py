"""What the projection forgets: erased clients, texts and addresses with their time, facts with theirs."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.projection.projection import Projection, TopicEntry
from agents.projection.requests import message_of
from agents.projection.tables import open_database
from schemas.inputs import Request
from schemas.topics import DELIVERY_LOG, ERASURES, HELD, REQUESTS
from schemas.wire import encode, read
from tests.agents.web.samples import NOW, entries, held, record

from .test_projection import content

ASKED = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def projection(tmp_path: Path) -> Projection:
    return Projection(open_database(None, tmp_path))


def erasure(at: str = "2026-03-02T12:00:00Z", client: str = "anna") -> TopicEntry:
    return TopicEntry(0, orjson.dumps({"organisation": "linde", "client": client, "at": at}), ASKED)


def request(client: str = "anna", offset: int = 0) -> TopicEntry:
    value = {"organisation": "linde", "client": client, "request": f"r-{client}", "party": "roqua", "text": "Vul de lijst in."}
    return TopicEntry(offset, orjson.dumps(value), ASKED)


RECORDS: list[dict[str, Any]] = [
    record("m1"),
    record("m1", status="delivered"),
    record("m2", client="bert", address="+31******99"),
    record("m3", organisation="plein"),
    record("m4", at="2026-03-03T09:00:00Z"),
]
"""Anna of linde, bert, an anna of another organisation, and anna a day later."""

ORDERS = [(DELIVERY_LOG.name, ERASURES.name), (ERASURES.name, DELIVERY_LOG.name)]


@pytest.mark.parametrize("order", ORDERS)
def test_an_erased_client_is_forgotten_whichever_topic_is_read_first(projection: Projection, order: tuple[str, str]) -> None:
    for topic in order:
        projection.take(topic, 0, 0, entries(RECORDS) if topic == DELIVERY_LOG.name else [erasure()])

    found = content(projection)
    assert {(row["organisation"], row["client"], row["message"]) for row in found["messages"]} == {
        ("linde", "bert", "m2"), ("plein", "anna", "m3"), ("linde", "anna", "m4"),
    }  # fmt: skip
    assert {(row["message"], row["status"]): row["address"] for row in found["records"]} == {
        ("m1", "sent"): None, ("m1", "delivered"): None, ("m2", "sent"): "+31******99", ("m3", "sent"): "+31******78",
        ("m4", "sent"): "+31******78",
    }  # fmt: skip


def test_what_was_counted_stays_counted_once(projection: Projection) -> None:
    projection.take(DELIVERY_LOG.name, 0, 0, entries(RECORDS))
    before = content(projection)["days"]
    projection.take(ERASURES.name, 0, 0, [erasure()])
    projection.take(DELIVERY_LOG.name, 0, len(RECORDS), entries(RECORDS, len(RECORDS)))
    assert content(projection)["days"] == before


@pytest.mark.parametrize(
    "order",
    [
        (REQUESTS.name, DELIVERY_LOG.name, ERASURES.name), (ERASURES.name, REQUESTS.name),
        (REQUESTS.name, ERASURES.name),  # while it waits: the worker's word on it comes later
    ],
)  # fmt: skip
def test_requests_of_an_erased_client_go_too(projection: Projection, order: tuple[str, ...]) -> None:
    message = message_of(read(Request, request().value or b""))
    given = {
        REQUESTS.name: [request(), request("bert", 1)],
        DELIVERY_LOG.name: entries([record(message, reason="request", text=None)]),
        ERASURES.name: [erasure()],
    }
    for topic in order:
        projection.take(topic, 0, 0, given[topic])
    assert [row["request"] for row in content(projection)["requests"]] == ["r-bert"]


def test_what_the_erasure_itself_logged_names_nobody(projection: Projection) -> None:
    late = record("m5", status="suppressed", detail="erased", at="2026-03-02T12:00:05Z", address=None)
    projection.take(DELIVERY_LOG.name, 0, 0, entries([late]))
    assert content(projection)["messages"] == []
    assert [row["status"] for row in content(projection)["days"]] == ["suppressed"]


def test_the_word_that_all_is_done_covers_what_was_written_until_then(projection: Projection) -> None:
    projection.take(ERASURES.name, 0, 0, [erasure("2026-03-02T08:00:00Z")])
    projection.take(DELIVERY_LOG.name, 0, 0, entries(RECORDS))
    assert "m1" in str(content(projection)["messages"])
    done = orjson.dumps({"organisation": "linde", "client": "anna", "at": "2026-03-02T12:00:00Z", "stage": "done"})
    projection.take(ERASURES.name, 0, 1, [TopicEntry(1, done, ASKED)])
    assert "m1" not in str(content(projection)["messages"])
    projection.take(ERASURES.name, 1, 0, [erasure("2026-03-02T08:00:00Z")])
    assert [row["at"] for row in content(projection)["erased"]] == ["2026-03-02T12:00:00.000000Z"]


def test_the_file_has_nothing_of_an_erased_client(projection: Projection, tmp_path: Path) -> None:
    mark = secrets.token_hex(20)
    fill = [record(f"f{number}", client=f"c{number}", text="x" * 500) for number in range(200)]
    projection.take(DELIVERY_LOG.name, 0, 0, entries([*fill, record("m1", client=mark, text=mark, address=mark)]))
    assert mark.encode() in files(tmp_path)
    projection.take(ERASURES.name, 0, 0, [erasure(client=mark)])
    assert mark.encode() not in files(tmp_path)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("overview.db*"))


def test_texts_go_with_their_time_and_facts_with_theirs(projection: Projection, tmp_path: Path) -> None:
    mark = secrets.token_hex(20)
    old, older = record("m5", at="2025-01-02T09:00:00Z", text=mark), record("m6", at="2020-01-02T09:00:00Z")
    projection.take(DELIVERY_LOG.name, 0, 0, entries([*RECORDS, old, older]))
    forgotten = projection.expire(datetime(2025, 6, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))

    found = content(projection)
    kept = {row["message"]: (row["text"], row["address"], row["status"]) for row in found["messages"]}
    assert kept["m5"] == (None, None, "sent")
    assert kept["m2"] == ("Er is een afspraak met u gemaakt.", "+31******99", "sent")
    assert "m6" not in kept
    assert "m6" not in {row["message"] for row in found["records"]}
    assert (forgotten.messages, forgotten.records) == (3, 3)  # m5 and m6 blanked, then m6 deleted
    assert mark.encode() not in files(tmp_path)
    assert not any(projection.expire(datetime(2025, 6, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize("order", [(HELD.name, ERASURES.name), (ERASURES.name, HELD.name)])
def test_what_waits_of_an_erased_client_is_forgotten_whichever_topic_is_read_first(
    projection: Projection, order: tuple[str, str]
) -> None:
    at = held("anna").at
    gone = TopicEntry(0, orjson.dumps({"organisation": "linde", "client": "anna", "at": at.isoformat()}), at)
    records = [held("anna"), held("bert")]
    waits = [TopicEntry(number, encode(one), NOW, f"linde/{one.client}".encode()) for number, one in enumerate(records)]
    for topic in order:
        projection.take(topic, 0, 0, waits if topic == HELD.name else [gone])
    assert [row["client"] for row in content(projection)["held"]] == ["bert"]
