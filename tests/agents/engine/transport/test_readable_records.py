"""Batches are read whatever bytes the names of headers are: by the fast parser where they are UTF-8, else by the slow one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka import codec as codecs
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from agents.engine.transport import light_records
from agents.engine.transport.light_records import LightRecords
from agents.engine.transport.readable_records import ReadableRecords

TP = TopicPartition("t", 0)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

Entry = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def batch(entries: list[Entry], codec: int = 0, offset: int = 0) -> bytes:
    """A batch as a library in another language may write it: `name` in a header's name becomes bytes that are no UTF-8."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    for at, (key, value, headers) in enumerate(entries):
        assert builder.append(at, 1_772_000_000_000 + at, key, value, headers) is not None
    raw = bytearray(builder.build())
    while (place := raw.find(b"name")) >= 0:
        raw[place : place + 4] = b"na\xff\xfe"
    if codec:
        raw = bytearray(compressed(raw, codec))
    raw[:8] = offset.to_bytes(8, "big")
    raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def compressed(raw: bytearray, codec: int) -> bytes:
    encode: Callable[[bytes], bytes] = {
        1: codecs.gzip_encode,
        2: codecs.snappy_encode,
        3: codecs.lz4_encode,
        4: codecs.zstd_encode,
    }[codec]
    head, body = raw[:61], encode(bytes(raw[61:]))
    head[8:12] = (49 + len(body)).to_bytes(4, "big")
    head[21:23] = codec.to_bytes(2, "big")
    return bytes(head) + body


def read(data: bytes, begin: int = 0) -> list[Any]:
    """As a worker does."""
    records = PartitionRecords(TP, ReadableRecords(data), [], begin, None, None, True, 1)
    records.__class__ = LightRecords
    found = list(records)
    assert records.next_fetch_offset == max([begin, *(one.offset + 1 for one in found)])
    return [(one.offset, one.key, one.value, list(one.headers), one.timestamp) for one in found]


GOOD: list[Entry] = [(b"a", b"1", [("ce_id", b"7")]), (None, None, []), (b"c", b"3", [("x", None), ("é", b"")])]
ODD: list[Entry] = [(b"a", b"1", [("ce_id", b"7")]), (b"b", None, [("name", b"x"), ("name", None)]), (None, b"3", [])]


def expected(entries: list[Entry], offset: int = 0) -> list[Any]:
    return [
        (offset + at, key, value, [(name.replace("name", r"na\xff\xfe"), one) for name, one in headers], 1_772_000_000_000 + at)
        for at, (key, value, headers) in enumerate(entries)
    ]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("entries", [GOOD, ODD], ids=["good names", "odd names"])
def test_a_batch_is_read_whatever_its_names_and_its_codec(entries: list[Entry], codec: str) -> None:
    assert read(batch(entries, CODECS[codec])) == expected(entries)


def test_what_stands_around_an_odd_batch_is_read_as_ever_and_each_once() -> None:
    behind = batch(ODD, CODECS["gzip"], 3) + batch(ODD, 0, 6) + batch(GOOD, 0, 9)
    every = [*expected(GOOD), *expected(ODD, 3), *expected(ODD, 6), *expected(GOOD, 9)]
    assert read(batch(GOOD) + behind) == every
    assert read(behind, 5) == every[5:], "a fetch begins with the batch that has the place where it is to begin"


def test_without_it_aiokafka_reads_no_further() -> None:
    """The day on which it does, all of this can go."""
    with pytest.raises(UnicodeDecodeError):
        list(PartitionRecords(TP, MemoryRecords(batch(ODD)), [], 0, None, None, True, 1))


def test_a_checksum_is_still_looked_at() -> None:
    spoilt = bytearray(batch(ODD))
    spoilt[-1] ^= 1
    with pytest.raises(fetcher.Errors.CorruptRecordException):
        read(bytes(spoilt))


def test_every_consumer_of_ours_reads_so() -> None:
    assert light_records
    assert fetcher.MemoryRecords is ReadableRecords
