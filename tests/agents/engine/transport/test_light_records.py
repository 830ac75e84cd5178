"""What the client fetches comes without aiokafka's wrapping, and is else the same."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from agents.engine.transport.light_records import LightRecords, LightResponses, use_light_records
from agents.engine.transport.producer import RecordBatch

TP = TopicPartition("t", 0)


class Fetcher:
    def __init__(self) -> None:
        self._records: dict[Any, Any] = {}


class Consumer:
    def __init__(self) -> None:
        self._fetcher = Fetcher()


def answer(*entries: tuple[bytes, bytes | None, list[tuple[str, bytes]]]) -> Any:
    batch = RecordBatch(1 << 20, 0)
    assert batch.fill(entries) is None
    records = PartitionRecords(TP, MemoryRecords(bytes(batch._build())), [], 0, None, None, False, 1)
    return FetchResult(TP, assignment=None, partition_records=records, backoff=0)


def test_records_have_what_is_used_of_them() -> None:
    consumer = Consumer()
    use_light_records(consumer)
    consumer._fetcher._records[TP] = answer((b"a", b"1", [("e", b"7")]), (b"b", None, []))

    found = list(consumer._fetcher._records[TP]._partition_records)

    assert [(record.offset, record.key, record.value, list(record.headers)) for record in found] == [
        (0, b"a", b"1", [("e", b"7")]),
        (1, b"b", None, []),
    ]
    assert all(record.timestamp > 0 for record in found)


def test_the_position_goes_on_as_records_are_taken() -> None:
    answers = LightResponses()
    answers[TP] = answer((b"a", b"1", []), (b"b", b"2", []))
    records = answers[TP]._partition_records

    assert records.next_fetch_offset == 0
    assert isinstance(records, LightRecords)
    next(iter(records))
    assert [record.offset for record in records] == [1]
    assert records.next_fetch_offset == 2


def test_what_waits_already_is_made_light_and_errors_stay() -> None:
    consumer = Consumer()
    error = FetchError(error=ValueError(), backoff=0)
    waiting = answer((b"a", b"1", []))
    consumer._fetcher._records |= {TP: waiting, TopicPartition("t", 1): error}

    use_light_records(consumer)
    use_light_records(consumer)

    assert type(waiting._partition_records) is LightRecords
    assert consumer._fetcher._records == {TP: waiting, TopicPartition("t", 1): error}


def test_a_batch_takes_its_first_record_whatever_its_size_and_no_more_than_fit() -> None:
    batch = RecordBatch(100, 0)

    entries = [(b"key", b"v" * 1000, ()), (b"key", b"v", ()), (b"key", b"w", ())]
    left = iter(entries)

    assert batch.fill(left) == entries[1]
    assert list(left) == entries[2:]
    assert batch.record_count() == 1


@pytest.mark.parametrize("headers", [(), [], (("e", b"7"),), [("e", b"7"), ("f", b"8")]])
def test_headers_are_of_any_sequence(headers: Any) -> None:
    records = answer((b"a", b"1", headers))._partition_records

    assert [list(record.headers) for record in records] == [list(headers)]
