"""The outbox: a decision's outputs, kept in the changelog beside its rows until they are sent.

The engine's own keys start with a NUL byte, which a processor's row keys may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from streams.processing.turn import EVERY, Output

from ..transport.partitioner import partition_for

RESERVED = b"\0"
AFTER_RESERVED = b"\1"
"""The least key that a row may have."""
FENCE_KEY = b"\0fence"
OUTBOX_KEY = b"\0outbox"
FORMAT_KEY = b"\0format"
OFFSET_PREFIX = b"\0offset/"
TOPIC_PREFIX = b"\0topic/"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Output])


def encode_outputs(outputs: list[Output]) -> bytes | None:
    """Return an outbox row; None, a tombstone, where there is nothing to send."""
    return _encoder.encode(outputs) if outputs else None


def decode_outputs(value: bytes | None) -> list[Output]:
    """Return the outputs of an outbox row."""
    return _decoder.decode(value) if value else []


def offset_key(topic: str) -> bytes:
    """Return the key of the row that holds the next offset of an input topic."""
    return OFFSET_PREFIX + topic.encode()


def topic_key(topic: str) -> bytes:
    """Return the key of the row that holds the id of the input topic whose offset is kept. Earlier versions wrote none."""
    return TOPIC_PREFIX + topic.encode()


def encode_offset(offset: int) -> bytes:
    """Encode in eight bytes, big-endian."""
    return offset.to_bytes(8, "big")


def decode_offset(value: bytes) -> int:
    """Return the offset in such a row."""
    return int.from_bytes(value, "big")


def by_destination(outputs: Iterable[Output], own: int, n: int) -> dict[tuple[str, int], list[Output]]:
    """Group outputs by topic and partition, in their order.

    One without key and partition goes to `own`, the writer's partition.
    """
    grouped: dict[tuple[str, int], list[Output]] = {}
    for output in outputs:
        partition = output.partition
        if partition == EVERY:
            for each in range(n):
                grouped.setdefault((output.topic, each), []).append(output)
            continue
        if partition is None:
            partition = own if output.key is None else partition_for(output.key, n)
        grouped.setdefault((output.topic, partition), []).append(output)
    return grouped


def largest(entries: Mapping[bytes, bytes | None]) -> str:
    """Name the largest row by the first word of its key, which names its table: the rest may name a person."""
    key, value = max(entries.items(), key=lambda entry: len(entry[1] or b""))
    what = "the outbox" if key == OUTBOX_KEY else key.split(b"/")[0].decode(errors="replace")
    return f"the largest of {len(entries)} rows is {what} with {len(value or b'')} bytes"
