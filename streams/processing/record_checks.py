"""Check what every record has in common, upstream's and our own: a value, the ids in its key, instants."""

from __future__ import annotations

from datetime import datetime

from schemas.wire import BadRecordError, utc

from .turn import Record

FIRST_YEAR = 1970


LAST_YEAR = 2199


def present(record: Record) -> bytes:
    """Return the value of a record that must have one."""
    if record.value is None:
        raise BadRecordError("a value is missing: null is not allowed here")
    return record.value


def key_parts(record: Record, count: int) -> list[str]:
    """Return the ids in a key."""
    try:
        parts = (record.key or b"").decode().split("/")
    except UnicodeDecodeError:
        raise BadRecordError("the key is not UTF-8") from None
    if len(parts) != count or not all(parts):
        raise BadRecordError(f"the key does not have {count} ids joined by '/'")
    return parts


def instant(value: datetime, field: str) -> datetime:
    """Return an instant in UTC, in years that every zone can show."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise BadRecordError(f"the year must be {FIRST_YEAR} to {LAST_YEAR} - at `$.{field}`")
    return utc(value)
