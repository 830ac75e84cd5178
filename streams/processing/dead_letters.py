"""Dead letters: the records that could not be used, set aside so that nothing disappears (`schemas/README.md`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from schemas.topics import DEAD_LETTERS, MAX_BYTES, TOPICS
from schemas.wire import BadRecordError

from .turn import HEADER_FRAME, Decision, Output, Record, Turn

Refuse = Callable[[Decision, Record, str], None]

LARGEST = {topic.name: topic.largest for topic in TOPICS}
"""Bytes of the largest record of each topic. The broker refuses a larger one, after the decision has become durable."""

REASON = 1000
"""Characters of a reason."""

EVENT = "event-"
"""Begins the names of those headers of a dead letter that the record itself had."""

EVENT_HEADERS = 16 << 10
"""Bytes of a record's own headers that a dead letter keeps; of more it has their number alone."""

PRIVATE = "baggage"
"""A header that goes nowhere: any service before us may have put anything of a client there (W3C Baggage, 4)."""


def dead_letter(record: Record, reason: str) -> Output:
    """Set aside the bytes of a record, with where it came from, when, and why. `reason` holds no value of the record."""
    headers = (
        ("topic", record.topic.encode()),
        ("partition", str(record.partition).encode()),
        ("offset", str(record.offset).encode()),
        ("written", str(record.written).encode()),
        ("reason", reason[:REASON].encode()),
        *_own_headers(record),
    )
    return fitting(Output(DEAD_LETTERS.name, record.key, record.value, headers=headers))


def _own_headers(record: Record) -> tuple[tuple[str, bytes], ...]:
    """Return the record's own headers under names that cannot be taken for ours; of too many their number."""
    kept = [(f"{EVENT}{name}", value or b"") for name, value in record.headers if name.lower() != PRIVATE]
    if sum(len(name.encode(errors="replace")) + len(value) + HEADER_FRAME for name, value in kept) > EVENT_HEADERS:
        return (("event-headers-left-out", str(len(kept)).encode()),)
    return tuple(kept)


def fitting(output: Output) -> Output:
    """Return an output as its topic takes it: itself, or where it is too large a dead letter in its place.

    A dead letter that is too large goes without its value and, where that is not enough, without its key. Headers then tell
    the sizes in bytes and the SHA-256 of what is left out.
    """
    largest = LARGEST.get(output.topic, MAX_BYTES)
    if output.size <= largest:
        return output
    if output.topic != DEAD_LETTERS.name:
        reason = f"an output of {output.size} bytes; the topic takes {largest}"
        headers = (("topic", output.topic.encode()), ("reason", reason.encode()))
        return fitting(Output(DEAD_LETTERS.name, output.key, output.value, headers=headers))
    if output.value is not None:
        return fitting(Output(output.topic, output.key, None, output.partition, (*output.headers, *_measured("", output.value))))
    return Output(output.topic, None, None, output.partition, (*output.headers, *_measured("key-", output.key or b"")))


def _measured(what: str, value: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return headers that tell what is left out."""
    return (
        (f"{what}size", str(len(value)).encode()),
        (f"{what}sha256", hashlib.sha256(value).hexdigest().encode()),
    )


def where(record: Record) -> str:
    """Name a record for people, by nothing of its content."""
    return f"{record.topic}/{record.partition}, offset {record.offset}"


def set_aside(decision: Decision, record: Record, reason: str) -> None:
    """Set aside a record of one of our own topics: it is counted, told and alerted, since there should be none."""
    decision.count("poison", record.topic)
    decision.remarks.append(f"set aside {where(record)}: {reason}")
    decision.emit(dead_letter(record, reason))


def take_records(
    decision: Decision, turn: Turn, handle: Callable[[Decision, Record, Turn], None], refuse: Refuse = set_aside
) -> None:
    """Hand a turn's records to `handle`, one after another, until the decision is full.

    One that `handle` refuses by a BadRecordError goes to `refuse`, with the reason: before it decided anything of it, or after
    the parts that count. Any other exception is a fault of ours: it goes on, and says which record it met.
    """
    for record in turn.records:
        if decision.full:
            return
        decision.taken += 1
        try:
            if turn.skipped and (record.topic, record.partition, record.offset) in turn.skipped:
                raise BadRecordError("an operator has it skipped")
            handle(decision, record, turn)
        except BadRecordError as error:
            refuse(decision, record, str(error))
        except Exception as error:
            error.add_note(f"at {where(record)}")
            raise
