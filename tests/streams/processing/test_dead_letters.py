"""Dead letters of every size: what is set aside must be taken by its topic, or the worker stops at it for ever."""

from __future__ import annotations

import hashlib

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.topics import CLIENT_EVENTS, DEAD_LETTERS
from streams.intake.intake import Intake
from streams.processing.dead_letters import dead_letter, fitting
from streams.processing.turn import Output, Record, Turn
from tests.world import at

NOW = at("2026-03-02 09:00")
MIB = 1 << 20
LARGEST = DEAD_LETTERS.largest


def batch_of(output: Output) -> int:
    """Bytes of the record batch that the producer makes of one record."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 64 * MIB)
    assert builder.append(0, 2**40, output.key, output.value, list(output.headers)) is not None
    return int(builder.size())


def left_out(what: str, value: bytes) -> dict[str, bytes]:
    return {f"{what}size": str(len(value)).encode(), f"{what}sha256": hashlib.sha256(value).hexdigest().encode()}


SIZES = [
    ("an ordinary one", 20, 300, True, True),
    ("just below the topic's bound", 20, LARGEST - 500, True, True),
    ("a value that fits alone, but not with its key, headers and frame", 20, 4 * MIB - 20, True, False),
    ("a key of 3 MB and a value of 2 MB", 3_000_000, 2_000_000, True, False),
    ("a value of 5 MB", 20, 5_242_938, True, False),
    ("a value of 64 MB", 20, 64 * MIB, True, False),
    ("a key of 5 MB", 5_000_000, 0, False, False),
    ("a key and a value of 5 MB", 5_000_000, 5_000_000, False, False),
]


@pytest.mark.parametrize(("name", "key", "value", "key_stays", "value_stays"), SIZES)
def test_a_dead_letter_has_what_fits_and_tells_the_size_of_the_rest(
    name: str, key: int, value: int, key_stays: bool, value_stays: bool
) -> None:
    record = Record("appointments", 3, 7, b"k" * key, b"x" * value if value else None, 1_772_000_000_000)
    letter = dead_letter(record, "not JSON")

    expected = {"topic": b"appointments", "partition": b"3", "offset": b"7", "written": b"1772000000000", "reason": b"not JSON"}
    if not value_stays and record.value is not None:
        expected |= left_out("", record.value)
    if not key_stays:
        expected |= left_out("key-", record.key or b"")
    assert (letter.topic, letter.key, letter.value, dict(letter.headers)) == (
        "dead-letters", record.key if key_stays else None, record.value if value_stays else None, expected,
    )  # fmt: skip
    assert batch_of(letter) <= letter.size <= LARGEST


TRACED: list[tuple[str, bytes | None]] = [("ce_id", b"1"), ("traceparent", b"00-a-b-01")]
HEADERS: list[tuple[str, list[tuple[str, bytes | None]], dict[str, bytes]]] = [
    ("none", [], {}),
    ("of CloudEvents and a trace", TRACED, {"event-ce_id": b"1", "event-traceparent": b"00-a-b-01"}),
    ("a name of ours cannot be taken for ours", [("reason", b"all is well")], {"event-reason": b"all is well"}),
    ("baggage goes nowhere", [("Baggage", b"client=anna"), ("ce_id", b"1")], {"event-ce_id": b"1"}),
    ("one without a value", [("ce_id", None)], {"event-ce_id": b""}),
    ("16 KiB at most", [("a", b"x" * (16 << 10)), ("b", b"1")], {"event-headers-left-out": b"2"}),
    ("many that are empty", [(f"{n}", b"") for n in range(1000)], {"event-headers-left-out": b"1000"}),
]


@pytest.mark.parametrize(("name", "own", "kept"), HEADERS, ids=[row[0] for row in HEADERS])
def test_a_dead_letter_has_the_headers_of_its_record_beside_ours(
    name: str, own: list[tuple[str, bytes]], kept: dict[str, bytes]
) -> None:
    letter = dead_letter(Record("appointments", 3, 7, b"k", b"x", headers=tuple(own)), "not JSON")
    ours = {"topic": b"appointments", "partition": b"3", "offset": b"7", "written": b"0", "reason": b"not JSON"}
    assert dict(letter.headers) == ours | kept
    assert batch_of(letter) <= letter.size


@pytest.mark.parametrize(("name", "key", "value", "key_stays", "value_stays"), SIZES)
def test_intake_sets_aside_an_event_of_any_size(name: str, key: int, value: int, key_stays: bool, value_stays: bool) -> None:
    decision = Intake(4, {}).decide(Turn(NOW, [Record("appointments", 3, 7, b"k" * key, b"x" * value)]))

    (letter,) = decision.outputs
    assert (decision.taken, letter.topic) == (1, "dead-letters")
    assert batch_of(letter) <= LARGEST


def test_an_output_that_its_topic_does_not_take_becomes_a_dead_letter() -> None:
    """A null value would be a deletion or an erasure to who reads that topic."""
    output = Output(CLIENT_EVENTS.name, b"zorg/anna", b"x" * (5 * MIB), 3)

    assert fitting(output) == Output(
        "dead-letters", b"zorg/anna", None, None,
        (
            ("topic", b"client-events"), ("reason", f"an output of {output.size} bytes; the topic takes 4194304".encode()),
            *left_out("", b"x" * (5 * MIB)).items(),
        ),
    )  # fmt: skip


def test_an_output_that_fits_stays_as_it_is() -> None:
    output = Output(CLIENT_EVENTS.name, b"zorg/anna", b"x" * (4 * MIB - 200))
    assert fitting(output) is output
