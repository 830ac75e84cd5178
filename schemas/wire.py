"""The one base of every record, and how bytes become a record and back (JSON, DESIGN.md "Records").

Input is read in two passes: orjson says what is wrong with the JSON and where, msgspec says which field is wrong and why.
Our own rows and events are read by msgspec in one pass, which is several times faster.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
import orjson

T = TypeVar("T")

_ENUM_VALUE = re.compile(r"^Invalid enum value .*?( - at `[^`]*`)?$", re.DOTALL)

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern="^[^/\\x00-\\x1f]+$")]
"""An identifier given by an upstream service: 1 to 200 characters, no `/` (it joins ids to keys), no control characters."""

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset (RFC 3339). Inside it is always UTC."""

Line = Annotated[str, msgspec.Meta(pattern="^[^\\x00-\\x1f\\x7f]*$")]
"""Text that may stand in a mail header or a name: no control characters, so no line breaks."""


class BadRecordError(ValueError):
    """An event that cannot be used. Its text names the field and says what was expected; it holds no value of the event."""


class Wire(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A record of ours on a topic or in a table. Fields that have their default are left out."""


class Input(msgspec.Struct, frozen=True, gc=False):
    """A record that an upstream service writes. Unknown fields are ignored, wrong and missing ones refused."""


def read(type_: type[T], value: bytes) -> T:
    """The record in `value`, which somebody else wrote.

    Raises:
        BadRecordError: it is not JSON, or a field is missing or wrong.
    """
    try:
        plain = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    return check(type_, plain)


def check(type_: type[T], plain: Any) -> T:
    """The record in decoded JSON. Raises BadRecordError as `read` does."""
    try:
        return msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        raise BadRecordError(_ENUM_VALUE.sub(r"Invalid enum value\1", str(error))) from None


encode = msgspec.json.Encoder(decimal_format="number").encode
"""A record of ours as bytes."""


def to_json(record: Any) -> bytes:
    """A record for readers outside this system: every field is there, null where it has no value."""
    return orjson.dumps(record, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, Wire):  # nested, with its defaults left out
        return msgspec.to_builtins(value)
    if isinstance(value, msgspec.Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    raise TypeError(type(value).__name__)


def utc(instant: datetime) -> datetime:
    """The same instant in UTC."""
    return instant.astimezone(UTC)
