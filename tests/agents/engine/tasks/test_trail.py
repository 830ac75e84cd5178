"""On `debug` one event can be followed from topic to topic; on `info` nothing is written of it, and never a key or a value."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from agents.engine.tasks.trail import tell_ids, tell_turn
from streams.processing.turn import Call, Decision, Output, Record

ID = b"0123456789abcdef0123456789abcdef"
RECORDS = [
    Record("requests", 1, 7, b"linde/anna", b"secret", headers=(("request-id", ID), ("baggage", b"anna"))),
    Record("requests", 1, 8, b"linde/bram", b"secret"),
]
DECISION = Decision(
    taken=2, rows={b"row/linde/anna": b"secret"}, calls=[Call(b"ledger/linde/anna/5f3a", None, "5f3a")],
    outputs=[Output("client-events", b"linde/anna", b"secret"), Output("client-events", b"linde/bram", b"secret")],
)  # fmt: skip


def fields(record: logging.LogRecord) -> dict[str, Any]:
    plain = logging.LogRecord("", 0, "", 0, "", None, None).__dict__
    return {name: value for name, value in record.__dict__.items() if name not in plain and name not in ("message", "asctime")}


def test_a_turn_and_a_record_with_an_id_have_a_line_each(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "engine"):
        tell_ids("intake", RECORDS)
        tell_turn("intake", 1, DECISION, [*RECORDS, Record("requests", 1, 9, b"linde/bram", b"left for the next turn")])
    assert [(record.getMessage(), fields(record)) for record in caplog.records] == [
        ("a record with an id", {"node": "intake", "topic": "requests", "partition": 1, "offset": 7, "request_id": ID.decode()}),
        ("a turn", {
            "node": "intake", "partition": 1, "of": "requests/1, offsets 7 to 8", "rows": 1, "to": {"client-events": 2},
            "message_ids": ["5f3a"],
        }),
    ]  # fmt: skip


def test_on_info_nothing_is_said_of_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "engine"):
        tell_ids("intake", RECORDS)
        tell_turn("intake", 1, DECISION, RECORDS)
    assert caplog.records == []
