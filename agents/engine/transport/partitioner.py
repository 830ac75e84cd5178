"""Which partition a key belongs to: CRC32, as librdkafka's `consistent` partitioner has it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


def partition_for(key: bytes, n: int) -> int:
    """Return the partition of `n` that `key` belongs to.

    It is fixed for life: a change would split a key's history over two workers.
    """
    return zlib.crc32(key) % n


def as_workers(key: bytes, all_: Sequence[int], available: Sequence[int]) -> int:
    """Choose the partition as workers do, for a producer of ours.

    A report must reach the worker that keeps its message's ledger; and what two of our processes write under one key stands in
    the order in which it was written.
    """
    return all_[partition_for(key, len(all_))]
