"""State larger than memory: the rows of a partition in RocksDB, and how far in the changelog they are.

Rows, the engine's own rows and the position in the changelog change in one write, so a copy never has more than it says; after
a crash it may have less, and the rest is read from the changelog. The changelog is the truth: a copy that does not fit it, or is
so old that deletions after it may have been compacted away, is thrown away and loaded anew.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout
from rocksdict import (
    BlockBasedOptions,
    BottommostLevelCompaction,
    Cache,
    CompactOptions,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
)

from ..readiness import NotYetError
from ..topic_ids import is_other
from .changelog import Partition, UnfitError
from .outbox import AFTER_RESERVED, OUTBOX_KEY, RESERVED

log = logging.getLogger("engine")

CACHE = 64 << 20
"""Bytes of read cache of a whole worker."""

WRITE_BUFFERS = 64 << 20
"""Bytes of what is not on disk yet, of a whole worker."""

OPEN_FILES = 32
"""Of one partition of a node."""

MOST_AGE = 6 * 24 * 3600
"""Seconds after which a copy is not used: less than the changelogs' delete.retention.ms of seven days."""

POSITION_KEY = b"\0place"

_WHOLLY = CompactOptions()
_WHOLLY.set_bottommost_level_compaction(BottommostLevelCompaction.force())


class CopyPosition(msgspec.Struct, array_like=True):
    """How far in the changelog a copy is: the next offset, the epoch there, the key of the last record, when that was, and the
    changelog's id, which copies of before do not have.
    """

    end: int
    epoch: bytes
    key: bytes
    at: float
    changelog: bytes | None = None


class DiskRows(MutableMapping[bytes, bytes]):
    """A processor's rows in RocksDB. Only its partition writes."""

    def __init__(self, db: Rdict) -> None:
        self.db = db

    def __getitem__(self, key: bytes) -> bytes:
        if (value := self.db.get(key)) is None:
            raise KeyError(key)
        return value  # type: ignore[no-any-return]

    def get(self, key: bytes, default: Any = None) -> Any:
        """Return a row as a dict does, without an exception for what is not there."""
        return self.db.get(key, default)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the rows whose keys begin like this, in order of their keys."""
        for key, value in self.db.items(from_key=prefix or AFTER_RESERVED):
            if not key.startswith(prefix):
                return
            yield key, value

    def __iter__(self) -> Iterator[bytes]:
        for key, _ in self.scan(b""):
            yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("rows on disk are written by their partition, with its place in the changelog")

    __delitem__ = __setitem__  # type: ignore[assignment]


class RocksDbBackend:
    """The folder of a worker's partitions. No two workers may have the same one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise NotYetError(f"another worker keeps its state in {folder}; give each a data folder of its own") from None
        self.cache = Cache(CACHE)
        self.buffers = WriteBufferManager(WRITE_BUFFERS, allow_stall=False)

    def path(self, node: str, partition: int) -> Path:
        """Return the folder of a node's partition."""
        return self.folder / f"{node}-{partition}"

    def open(self, node: str, partition: int) -> DiskPartition:
        """Open a partition with what is on disk of it; an empty one where that is too old, or cannot be read."""
        path = self.path(node, partition)
        try:
            part = DiskPartition(self._db(path))
        except Exception as error:  # noqa: BLE001 - RocksDB says what is wrong with a bare Exception
            log.warning("a copy on disk cannot be read and is loaded anew", extra={"path": str(path), "error": str(error)})
            return self.discard(node, partition)
        if part.position is None or time.time() - part.position.at > MOST_AGE:
            part.close()
            return self.discard(node, partition)
        return part

    def discard(self, node: str, partition: int) -> DiskPartition:
        """Delete what is on disk of a partition, and return it empty."""
        path = self.path(node, partition)
        shutil.rmtree(path, ignore_errors=True)
        return DiskPartition(self._db(path))

    def _db(self, path: Path) -> Rdict:
        blocks = BlockBasedOptions()
        blocks.set_block_cache(self.cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_bloom_filter(10, False)
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self.buffers)
        options.set_write_buffer_size(8 << 20)
        options.set_max_open_files(OPEN_FILES)
        options.set_keep_log_file_num(2)
        options.set_max_manifest_file_size(1)  # a new one with each change: an old one names keys of files that are gone
        return Rdict(str(path), options)


class DiskPartition(Partition):
    """A partition whose rows, and all the engine has to know of them, survive its worker on disk.

    `place` is that of the rows on disk; None where there are none, or where they may not be used after a crash: while keys
    that a former owner wrote late wait to be written again, for a later load would not meet them any more.
    """

    def __init__(self, db: Rdict) -> None:
        super().__init__(DiskRows(db))
        self.db = db
        self.position: CopyPosition | None = None
        self._unclean: set[bytes] = set()
        if (found := db.get(POSITION_KEY)) is not None:
            self.position = msgspec.msgpack.decode(found, type=CopyPosition)
            self.epoch, self.end = self.position.epoch, self.position.end
        for key, value in db.items(from_key=RESERVED):
            if key[:1] != RESERVED:
                break
            if key != POSITION_KEY:
                self.meta[key] = value

    def start(self, beginning: int, end: int) -> int:
        """Return from where to read the changelog: the last record that is on disk, to see that it is still that changelog."""
        if self.position is None:
            return beginning
        if is_other(self.position.changelog, self.changelog):
            raise UnfitError("the copy on disk is of another changelog of that name")
        if not beginning < self.position.end <= end:
            raise UnfitError(f"the copy on disk goes to {self.position.end}; the changelog goes from {beginning} to {end}")
        return self.position.end - 1

    def read(self, records: Iterable[Any]) -> None:
        """Take in consumer records, in order."""
        records = list(records)
        if self.position is not None and records and records[0].offset == self.position.end - 1:
            if records[0].key != self.position.key:
                raise UnfitError(f"record {records[0].offset} of the changelog is not the one that the copy on disk ends with")
            records = records[1:]
        if not records:
            return
        before = set(self.meta)
        changes: dict[bytes, bytes | None] = {}
        self.take(records, changes)
        changes |= self.meta
        changes |= dict.fromkeys(before - set(self.meta))
        self._write(changes, records[-1].offset + 1, records[-1].key)

    def apply(self, entries: Mapping[bytes, bytes | None]) -> None:
        """Take in what is durable now."""
        for key, value in entries.items():
            if key[:1] == RESERVED:
                self._put(self.meta, key, value)
        self._write(entries, self.end, list(entries)[-1])
        if self._unclean and OUTBOX_KEY in entries:
            self._clean()

    def scrub(self, keys: Iterable[bytes]) -> None:
        """Write the files that hold these keys anew: RocksDB only covers a former value up, until it compacts by itself.

        The outbox may name what was erased, so it is done when that has changed. Small ranges, so that it takes milliseconds.
        """
        self._unclean.update(keys)
        if self.outbox is None:
            self._clean()

    def _clean(self) -> None:
        self.db.flush()  # it ends the write-ahead log that has them, too
        self.db.compact_range(RESERVED, AFTER_RESERVED, _WHOLLY)
        for key in sorted(self._unclean):
            self.db.compact_range(key, key + b"\0", _WHOLLY)
        self._unclean.clear()

    def close(self) -> None:
        """Close the files, so that another may open them."""
        self.db.close()

    def _write(self, changes: Mapping[bytes, bytes | None], end: int, last: bytes) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if self.stale:
            self.position = None
            batch.delete(POSITION_KEY)
        else:
            self.position = CopyPosition(end, self.epoch, last, time.time(), self.changelog)
            batch.put(POSITION_KEY, msgspec.msgpack.encode(self.position))
        self.db.write(batch)
