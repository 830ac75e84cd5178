"""The rows of one partition as its changelog has them, fenced by epoch.

Taking a partition starts with a fence record in its changelog. The fence's offset is the owner's *epoch*, and each of the
owner's records carries it as a header. A reader ignores a record whose epoch is below the last fence before it: a worker wrote it
that was frozen, lost the partition and woke up, and no broker checks a group's generation on a write. The fence is also the last
record to read, so that an empty, expired or compacted changelog cannot make a load wait for an offset that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from .outbox import FENCE_KEY, OUTBOX_KEY, RESERVED, decode_offset, offset_key, topic_key

EPOCH_HEADER = "e"


class UnfitError(Exception):
    """A copy on disk is of another changelog than the broker has."""


def encode_epoch(offset: int) -> bytes:
    """Encode in eight bytes, big-endian, so that they compare as the numbers do."""
    return offset.to_bytes(8, "big")


class Partition:
    """One partition of a node's changelog, as far as it was read and written here. `rocksdb.py` has one that outlives its worker.

    Attributes:
        rows: the processor's rows.
        meta: the engine's own rows: offsets, the ids of the topics that they are of, and the outbox.
        epoch: the offset of the fence under which this worker writes.
        end: the next offset of the changelog, as far as only this worker writes.
        stale: keys that a former owner wrote after its time. Compaction may keep such a record and drop the fence that
            shows it to be stale, so these are written again.
        writing: an append is under way, so `end` is behind.
        changelog: the id of the changelog; None where nobody knows it.
    """

    changelog: bytes | None = None

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
        """Take in the engine's own rows of these records; what they change of the processor's rows comes into `changes`."""
        epoch = self.epoch
        for record in records:
            key = record.key
            if key == FENCE_KEY:
                self.epoch = epoch = encode_epoch(record.offset)
            elif key is None:
                continue  # no row's, and Kafka takes none into a compacted topic
            elif record.headers and (record.headers[0][1] or b"") < epoch:
                self.stale.add(key)
            elif key[:1] == RESERVED:
                self._put(self.meta, key, record.value)
            else:
                changes[key] = record.value

    def start(self, beginning: int, end: int) -> int:
        """Return from where to read the changelog, which has the offsets from `beginning` up to `end`."""
        return beginning

    def close(self) -> None:
        """Stop using it."""

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
        """Leave former values of these rows nowhere in this copy. In memory there are none."""

    def value(self, key: bytes) -> bytes | None:
        """Return the true value of a row, the engine's own included."""
        return self.meta.get(key) if key[:1] == RESERVED else self.rows.get(key)

    def offset(self, topic: str) -> int | None:
        """Return the next offset of an input topic; None where no turn took in any of it."""
        value = self.meta.get(offset_key(topic))
        return None if value is None else decode_offset(value)

    def topic_id(self, topic: str) -> bytes | None:
        """Return the id of the topic that `offset` is of; None where rows of an earlier version do not say it."""
        return self.meta.get(topic_key(topic))

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
