"""The outbox: a decision's outputs, kept in the changelog beside its rows until they are sent.

The engine's own keys start with a NUL byte, which a shard's row keys may not.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.turn import Output

from .partitioner import partition_for

RESERVED = b"\0"
AFTER_RESERVED = b"\1"
"""The least key that a row may have."""
FENCE_KEY = b"\0fence"
OUTBOX_KEY = b"\0outbox"
OFFSET_PREFIX = b"\0offset/"

MAX_OUTPUT = 4 << 20
"""Bytes of one output. Larger ones would be refused by the broker after the decision had become durable."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Output])


def encode_outputs(outputs: list[Output]) -> bytes | None:
    """An outbox row; None, a tombstone, where there is nothing to send."""
    return _encoder.encode(outputs) if outputs else None


def decode_outputs(value: bytes | None) -> list[Output]:
    """The outputs of an outbox row."""
    return _decoder.decode(value) if value else []


def offset_key(topic: str) -> bytes:
    """The key of the row that holds the next offset of an input topic."""
    return OFFSET_PREFIX + topic.encode()


def encode_offset(offset: int) -> bytes:
    """Eight bytes, big-endian."""
    return offset.to_bytes(8, "big")


def decode_offset(value: bytes) -> int:
    """The inverse."""
    return int.from_bytes(value, "big")


def by_destination(outputs: Iterable[Output], own: int, n: int) -> dict[tuple[str, int], list[Output]]:
    """Outputs by topic and partition, in their order. One without key and partition goes to `own`, the writer's partition."""
    grouped: dict[tuple[str, int], list[Output]] = {}
    for output in outputs:
        partition = output.partition
        if partition is None:
            partition = own if output.key is None else partition_for(output.key, n)
        grouped.setdefault((output.topic, partition), []).append(output)
    return grouped
