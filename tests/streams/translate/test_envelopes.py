"""What others put around our records: each row is a record as it comes, and what of it is taken in."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from streams.intake.intake import Intake
from streams.processing.turn import Decision, Record, Turn
from streams.translate.envelopes import opened, opened_value
from tests.world import appointment, at

NOW = at("2026-03-02 09:00")
GOOD = appointment("2026-04-17 13:15")
KEY = {"organisation": "zorg", "appointment": "a"}
NAMES = ("organisation", "appointment")
ROW = GOOD | {"clients": orjson.dumps(GOOD["clients"]).decode()}
"""As a table has it: a list is text."""


def dumps(plain: Any) -> bytes:
    return orjson.dumps(plain)


def debezium(op: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    return {"before": before, "after": after, "source": {"connector": "postgresql", "ts_ms": 1772442000000}, "op": op, **more}


def event(**more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/ecd",
        "type": "afspraak",
        "datacontenttype": "application/json",
        **more,
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(b"zorg/a", dumps(GOOD), id="none"),
        pytest.param(b"zorg/a", b"\0\0\0\0\x07" + dumps(GOOD), id="Confluent's five bytes"),
        pytest.param(b'\0\0\0\0\x06"zorg/a"', b"\0\0\0\0\x07" + dumps(GOOD), id="before the key too, a JSON string"),
        pytest.param(b"zorg/a", dumps(event(data=GOOD)), id="a CloudEvent in structured mode"),
        pytest.param(b"zorg/a", dumps(event(data_base64=base64.b64encode(dumps(GOOD)).decode())), id="with its data as bytes"),
        pytest.param(b"zorg/a", dumps({"schema": {"type": "struct"}, "payload": GOOD}), id="Kafka Connect's schema"),
        pytest.param(dumps(KEY), dumps(debezium("c", after=ROW)), id="Debezium: a row that is new"),
        pytest.param(
            dumps({"schema": {}, "payload": KEY}), dumps({"schema": {}, "payload": debezium("u", after=ROW)}), id="with schemas"
        ),
        pytest.param(dumps(KEY), dumps(debezium("r", after=ROW)), id="a row that it finds at its start"),
        pytest.param(b"\0\0\0\0\x01" + dumps(KEY), b"\0\0\0\0\x02" + dumps(debezium("u", after=ROW)), id="several at once"),
    ],
)
def test_a_record_counts_whatever_is_around_it(key: bytes, value: bytes) -> None:
    decision = take(key, value)
    assert [(output.topic, output.key) for output in decision.outputs] == [("client-events", b"zorg/anna")]
    assert list(decision.rows) == [b"appointments/zorg/a"]


def take(
    key: bytes, value: bytes | None, rows: dict[bytes, bytes] | None = None, offset: int = 7, topic: str = "appointments"
) -> Decision:
    return Intake(4, rows if rows is not None else {}).decide(Turn(NOW, [Record(topic, 0, offset, key, value)]))


def after(*values: Any) -> dict[str, Any]:
    """The row of the appointment after these records under Debezium's key, one behind another."""
    rows: dict[bytes, bytes] = {}
    for offset, value in enumerate(values):
        decision = take(dumps(KEY), None if value is None else dumps(value), rows, offset)
        assert [output.topic for output in decision.outputs if output.topic == "dead-letters"] == []
        rows |= {key: row for key, row in decision.rows.items() if row is not None}
    return dict(orjson.loads(rows[b"appointments/zorg/a"]))


@pytest.mark.parametrize(
    ("before", "revision"),
    [
        pytest.param(ROW, 1, id="the row before is known"),
        pytest.param(KEY, 1772442000000, id="of it the key alone: then when the database deleted it"),
        pytest.param(None, 1772442000000, id="nothing of it"),
    ],
)
def test_a_row_that_is_deleted_is_cancelled_and_the_null_behind_it_deletes_it(before: Any, revision: int) -> None:
    row = after(debezium("c", after=ROW), debezium("d", before=before))
    assert (row["booked"], row["revision"], row.get("deleted", False)) == (False, revision, False)
    assert after(debezium("c", after=ROW), debezium("d", before=before), None)["deleted"]


def test_a_table_without_revisions_has_those_of_the_database() -> None:
    bare = {name: value for name, value in ROW.items() if name != "revision"}
    row = after(debezium("c", after=bare), debezium("u", after=bare | {"location": '{"name":"Noord"}'}))
    assert (row["revision"], row["order"], row["view"]["location"]) == (1772442000000, 1, "Noord")


@pytest.mark.parametrize("op", ["t", "m"])
def test_what_is_no_change_of_a_row_is_ignored_and_counted(op: str) -> None:
    decision = take(dumps(KEY), dumps(debezium(op)))
    assert (decision.outputs, decision.tally) == (
        [],
        {("events", "appointments"): 1, ("ignored", "appointments", "operation"): 1},
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (event(), "the event has no data - at `$.data`"),
        (event(data_base64="?"), "not Base64 - at `$.data_base64`"),
        (event(data=[]), "Expected `object`, got `array`"),
        (debezium("u"), "Object missing required field `after`"),
    ],
)
def test_an_envelope_that_cannot_be_opened_is_set_aside_as_it_came(value: Any, reason: str) -> None:
    (output,) = take(b"zorg/a", dumps(value)).outputs
    assert (output.topic, output.value, dict(output.headers)["reason"].decode()) == ("dead-letters", dumps(value), reason)


def test_a_consent_that_is_deleted_is_unknown() -> None:
    key = {"organisation": "zorg", "client": "anna"}
    (output,) = take(dumps(key), dumps(debezium("d", before=key)), topic="consents").outputs
    assert b'"forget":"consent"' in (output.value or b"")


def test_a_record_of_ours_is_never_opened_whatever_its_fields_are_called() -> None:
    value = dumps(GOOD | {"specversion": "1.0", "data": {}, "op": "d", "before": None, "payload": 1})
    record = Record("appointments", 0, 7, b"zorg/a", value)
    assert opened(record, NAMES) == record


@pytest.mark.parametrize(
    ("value", "inner"),
    [
        (b"MSH|^~\\&|", b"MSH|^~\\&|"),
        (b'{"resourceType":"Patient"}', b'{"resourceType":"Patient"}'),
        (b'\0\0\0\0\x07{"resourceType":"Patient"}', b'{"resourceType":"Patient"}'),
        (dumps(event(data={"resourceType": "Patient"})), b'{"resourceType":"Patient"}'),
        (dumps(event(data="MSH|^~\\&|")), b"MSH|^~\\&|"),
        (dumps(event(data_base64=base64.b64encode(b"MSH|").decode())), b"MSH|"),
    ],
)
def test_other_standards_come_in_envelopes_too(value: bytes, inner: bytes) -> None:
    assert opened_value(value) == inner
