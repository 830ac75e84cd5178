"""The rows of one partition as its changelog has them, fenced by epoch.

Taking a partition starts with a fence record in its changelog. The fence's offset is the owner's *epoch* and goes as a header
with each of its records. A reader ignores a record whose epoch is below the last fence before it: a worker that was frozen,
lost the partition and woke up wrote it, and no broker checks a group's generation on a write. The fence is also the last
record to read, so an empty, expired or compacted changelog cannot make a load wait for an offset that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from .outbox import FENCE_KEY, OFFSET_PREFIX, OUTBOX_KEY, RESERVED, decode_offset

EPOCH_HEADER = "e"


class UnfitError(Exception):
    """A copy on disk is of another changelog than the broker has."""


def encode_epoch(offset: int) -> bytes:
    """Eight bytes, big-endian, so that they compare as the numbers do."""
    return offset.to_bytes(8, "big")


class Partition:
    """One partition of a node's changelog, as far as it was read and written here. `disk.py` has one that outlives its worker.

    Attributes:
        rows: the shard's rows.
        meta: the engine's own rows: offsets and the outbox.
        epoch: the offset of the fence under which this worker writes.
        end: the next offset of the changelog, as far as only this worker writes.
        stale: keys that a former owner wrote after its time. Compaction may keep such a record and drop the fence that
            shows it to be stale, so these are written again.
        writing: an append is under way, so `end` is behind.
    """

    def __init__(self, rows: MutableMapping[bytes, bytes]) -> None:
        self.rows = rows
        self.meta: dict[bytes, bytes] = {}
        self.epoch = encode_epoch(0)
        self.end = 0
        self.stale: set[bytes] = set()
        self.writing = False

    def read(self, records: Iterable[Any]) -> None:
        """Take in consumer records, in order."""
        changes: dict[bytes, bytes | None] = {}
        self.take(records, changes)
        self.apply(changes)

    def take(self, records: Iterable[Any], changes: dict[bytes, bytes | None]) -> None:
        """Take in the engine's own rows of these records; what they change of the shard's rows comes into `changes`."""
        epoch = self.epoch
        for record in records:
            key = record.key
            if key == FENCE_KEY:
                self.epoch = epoch = encode_epoch(record.offset)
            elif record.headers and record.headers[0][1] < epoch:
                self.stale.add(key)
            elif key[:1] == RESERVED:
                self._put(self.meta, key, record.value)
            else:
                changes[key] = record.value

    def start(self, beginning: int, end: int) -> int:
        """From where to read the changelog, which has the offsets from `beginning` up to `end`."""
        return beginning

    def close(self) -> None:
        """It is not used any more."""

    def apply(self, entries: Mapping[bytes, bytes | None]) -> None:
        """Take in what is durable now."""
        meta, rows = self.meta, self.rows
        for key, value in entries.items():
            where = meta if key[:1] == RESERVED else rows
            if value is None:
                where.pop(key, None)
            else:
                where[key] = value

    def scrub(self, keys: Iterable[bytes]) -> None:
        """Former values of these rows are to be nowhere in this copy. In memory they are not."""

    def value(self, key: bytes) -> bytes | None:
        """The true value of a row, the engine's own included."""
        return self.meta.get(key) if key[:1] == RESERVED else self.rows.get(key)

    def offset(self, topic: str) -> int | None:
        """The next offset of an input topic, None where no turn took in any of it."""
        value = self.meta.get(OFFSET_PREFIX + topic.encode())
        return None if value is None else decode_offset(value)

    @property
    def outbox(self) -> bytes | None:
        """The last decision's outputs; None once they are known to be sent."""
        return self.meta.get(OUTBOX_KEY)

    @staticmethod
    def _put(where: MutableMapping[bytes, bytes], key: bytes, value: bytes | None) -> None:
        if value is None:
            where.pop(key, None)
        else:
            where[key] = value
