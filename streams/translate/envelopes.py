"""What others put around a record: Confluent's wire format, CloudEvents (structured mode), Kafka Connect's schema, Debezium.

Each says what it is, and none can be a record of ours, which has `organisation` at its top. So nothing chooses.

| around it | how it is known | inside |
|---|---|---|
| Confluent | the first byte is 0 | what follows 5 bytes, as JSON; of the key too |
| CloudEvents | `specversion` | `data`, or the bytes in `data_base64` |
| Kafka Connect | `schema` and `payload`, and nothing else | `payload` |
| Debezium | `op`, with `before` or `after` | c, u, r: `after`; d: a deletion, of an appointment a cancellation; else nothing |
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from schemas.topics import APPOINTMENTS, CONSENTS, CONTACTS, EMPLOYEES, ORGANISATIONS, OVERRIDES
from schemas.wire import BadRecordError, loads

from ..processing.turn import Record

MAGIC, HEADER = b"\0", 5
"""Confluent's first byte; how many there are before the content: it, and the number of a schema."""

OWN = b'{"organisation"'
"""What begins like this is a record of ours, and needs no second look: all that an envelope has stands at its top without it."""

EVENT, CHANGE, SCHEMA = b'"specversion"', b'"op"', b'"payload"'
"""Without one of these a record that begins with no magic byte has no envelope: looked for before anything is decoded."""

NESTED = ("clients", "location", "replaces", "keep", "channels", "sms", "email", "appointments", "gone", "employees")
"""Fields that a table has as a column of JSON, which Debezium hands on as text."""

FORGETTING = (CONSENTS.name, CONTACTS.name, ORGANISATIONS.name, OVERRIDES.name, EMPLOYEES.name)
"""Topics on which a null value deletes."""


def opened(record: Record, names: Sequence[str]) -> Record | None:
    """Return a record of an input as it is without its envelope; None where the envelope says that nothing changed.

    `names`: of the ids in the topic's key, in which an empty one stands for nothing.

    Raises BadRecordError where the envelope cannot be read.
    """
    key, value = record.key, record.value
    if value is None:
        return with_key(record, names) if key is not None and key[:1] in (MAGIC, b"{") else record
    if value.startswith(OWN):
        return record
    framed = value[:1] == MAGIC
    if framed:
        value = value[HEADER:]
    elif EVENT not in value and CHANGE not in value and SCHEMA not in value:
        return record
    plain = loads(value)
    inner = _without_schema(plain)
    if (change := _debezium(inner)) is not None:
        return _changed(with_key(record, names), names, *change)
    inner = _event_data(inner)
    if inner is plain and not framed:
        return record
    return msgspec.structs.replace(with_key(record, names), value=inner if isinstance(inner, bytes) else orjson.dumps(inner))


def opened_value(value: bytes) -> bytes:
    """Return a record in another standard as it is without its envelope: of JSON its bytes, of a text the text."""
    if value[:1] == MAGIC:
        value = value[HEADER:]
    if EVENT not in value or not value.lstrip().startswith(b"{"):
        return value
    plain = loads(value)
    inner = _event_data(plain)
    if isinstance(inner, bytes):
        return inner
    return inner.encode() if isinstance(inner, str) else value if inner is plain else orjson.dumps(inner)


def with_key(record: Record, names: Sequence[str]) -> Record:
    """Return the record with its key as ours are, where that is said in JSON; else as it is, for the check to name it."""
    key = record.key or b""
    if key[:1] == MAGIC:
        key = key[HEADER:]
    try:
        plain = _without_schema(orjson.loads(key))
    except orjson.JSONDecodeError:
        plain = None
    if isinstance(plain, dict) and all(isinstance(plain.get(name), str) for name in names if name):
        key = "/".join(plain[name] if name else "" for name in names).encode()
    elif isinstance(plain, str):
        key = plain.encode()
    return msgspec.structs.replace(record, key=key)


def _without_schema(plain: Any) -> Any:
    return plain["payload"] if isinstance(plain, dict) and plain.keys() == {"schema", "payload"} else plain


def _event_data(plain: Any) -> Any:
    """Return what a CloudEvent carries: decoded JSON, or bytes. Anything else is returned as it is."""
    if not isinstance(plain, dict) or not isinstance(plain.get("specversion"), str) or "organisation" in plain:
        return plain
    if "data_base64" in plain:
        try:
            return base64.b64decode(plain["data_base64"], validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise BadRecordError("not Base64 - at `$.data_base64`") from None
    if plain.get("data") is None:
        raise BadRecordError("the event has no data - at `$.data`")
    return plain["data"]


Change = tuple[str, dict[str, Any] | None, dict[str, Any] | None, int | None]
"""What Debezium says: the operation, the row before and after, and when the database had it, in milliseconds."""


def _debezium(plain: Any) -> Change | None:
    """Return the change that an envelope tells; None where it is none."""
    if not isinstance(plain, dict) or not isinstance(plain.get("op"), str) or "organisation" in plain:
        return None
    if "after" not in plain and "before" not in plain and plain["op"] not in ("t", "m"):
        return None
    before, after, source = (plain.get(name) for name in ("before", "after", "source"))
    at = source.get("ts_ms") if isinstance(source, dict) else None
    if not isinstance(at, int):
        at = plain.get("ts_ms")
    return (
        plain["op"], before if isinstance(before, dict) else None, after if isinstance(after, dict) else None,
        at if isinstance(at, int) else None,
    )  # fmt: skip


def _changed(
    record: Record, names: Sequence[str], operation: str, before: dict[str, Any] | None, after: dict[str, Any] | None,
    at: int | None,
) -> Record | None:  # fmt: skip
    """Return a change of a row as a record of ours. Of two changes of one revision the later in the topic counts."""
    if operation in ("c", "u", "r"):
        if after is None:
            raise BadRecordError("Object missing required field `after`")
        row = {name: _decoded(value) if name in NESTED else value for name, value in after.items()}
        if record.topic == APPOINTMENTS.name:
            row = {"revision": at, "order": record.offset, **row}
        return msgspec.structs.replace(record, value=orjson.dumps(row))
    if operation != "d":
        return None
    if record.topic == APPOINTMENTS.name:
        said = before or {}
        ids = {name: said.get(name) for name in names}
        if None in ids.values():  # only its key is known
            ids = dict(zip(names, (record.key or b"").decode(errors="replace").split("/"), strict=False))
        gone = {**ids, "revision": said.get("revision", at), "order": record.offset, "status": "cancelled"}
        return msgspec.structs.replace(record, value=orjson.dumps(gone))
    return msgspec.structs.replace(record, value=None) if record.topic in FORGETTING else None


def _decoded(value: Any) -> Any:
    """Return a column of JSON as what it says."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
