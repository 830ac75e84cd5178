"""Record batches that can be read whatever bytes the names of their records' headers are.

Kafka calls the name a string, and no broker looks at it; aiokafka decodes it as UTF-8 (aiokafka/record/default_records.py:291,
and its compiled twin), so one record of another library would stop whoever comes to it, for as long as the topic keeps it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = struct.Struct(">8xi")
"""What every batch begins with: its offset, and how many bytes follow."""


class ReadableRecords(MemoryRecords):  # type: ignore[misc]
    """The batches of a partition in one answer of the broker, compiled as they were, with their bytes beside them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data, self._at = data, 0

    def next_batch(self) -> Any:
        """Return the next batch."""
        batch, begin = super().next_batch(), self._at
        self._at += _LENGTH.size + _LENGTH.unpack_from(self._data, begin)[0]
        return _Readable(batch, memoryview(self._data)[begin : self._at])


class _Readable:
    """A batch that is read by aiokafka's compiled parser, and where that fails on a name by its slow one."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(_Lenient(self._raw))

    def __next__(self) -> Any:
        """Return the first record: aiokafka looks at that of a control batch."""
        return next(self._batch)


class _Lenient(_DefaultRecordBatchPy):  # type: ignore[misc]
    r"""A batch in which what is no UTF-8 stands as Python writes it: `na\xff`."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Bytes(self._buffer)


class _Bytes(bytearray):
    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Bytes(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def install() -> None:
    """Make every consumer of this process read so: a fetcher makes its records itself (aiokafka/consumer/fetcher.py:833)."""
    fetcher.MemoryRecords = ReadableRecords
