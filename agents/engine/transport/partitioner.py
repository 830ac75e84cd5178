"""Which partition a key belongs to: CRC32, as librdkafka's `consistent` partitioner has it."""

from __future__ import annotations

import zlib


def partition_for(key: bytes, n: int) -> int:
    """Return the partition of `n` that `key` belongs to.

    It is fixed for life: a change would split a key's history over two workers.
    """
    return zlib.crc32(key) % n
