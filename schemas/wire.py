"""The one base of every record, and how bytes become a record and back (JSON, `schemas/README.md`).

Input is read in two passes: orjson says what is wrong with the JSON and where, msgspec says which field is wrong and why.
Our own rows and events are read by msgspec in one pass, which is several times faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
import orjson

from .strict import about, bounds, broken, whole

T = TypeVar("T")

_ENUM_VALUE = re.compile(r"^Invalid enum value .*?( - at `[^`]*`)?$", re.DOTALL)

Id = Annotated[str, whole("[^/\\x00-\\x1f]+", min_length=1, max_length=200)]
"""An identifier given by an upstream service: 1 to 200 characters, no `/` (it joins ids to keys), no control characters."""

OrganisationId = Annotated[Id, about("The care organisation.", "linde")]
ClientId = Annotated[
    Id, about("The client, by the organisation's own id: opaque, never a name or a number with a meaning.", "anna")
]

ClientIdIfAny = Annotated[
    Annotated[str, whole("[^/\\x00-\\x1f]*", max_length=200)],
    about("The client, by the organisation's own id; empty or absent: it is of an employee.", "anna"),
]

MOST_PEOPLE = 20
"""People who act for one client."""

PersonId = Annotated[str, whole("[^/\\x00-\\x1f]+", min_length=1, max_length=100)]
"""Somebody who acts for a client, by the organisation's own id: opaque, never a name or a number with a meaning."""

MOST_EMPLOYEES = 50
"""Employees on one appointment."""

EmployeeId = Annotated[
    Annotated[str, whole("[^/\\x00-\\x1f]+", min_length=1, max_length=100)],
    about("The employee, by the organisation's own id: opaque, never a name or a number with a meaning.", "m-204"),
]

RecipientId = Annotated[str, whole("[pe]:[^/\\x00-\\x1f]+", min_length=3, max_length=102)]
"""Who is told, where that is not the client: `p:` and a person's id, `e:` and an employee's."""

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset (RFC 3339). Inside it is always UTC."""

LocalTime = Annotated[str, whole("([01][0-9]|2[0-3]):[0-5][0-9]")]
"""Local wall time, `HH:MM`."""

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that every encoder can write."""

LINE = r"^[^\x00-\x1f\x7f]*$(?!\n)"

Line = Annotated[str, bounds({"pattern": LINE})]
"""Text that may stand in a mail header or a name: no control characters, so no line breaks."""


class BadRecordError(ValueError):
    """An event that cannot be used. Its text names the field and says what was expected; it holds no value of the event."""


class Wire(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A record of ours on a topic or in a table. Fields that have their default are left out."""


class Input(msgspec.Struct, frozen=True, gc=False):
    """A record that an upstream service writes. Unknown fields are ignored, wrong and missing ones refused."""


MOST = 1 << 20
"""Bytes of a record that somebody else wrote. A topic that keeps a producer's compression takes larger ones."""


def read(type_: type[T], value: bytes, most: int = MOST) -> T:
    """Read the record in `value`, which somebody else wrote.

    Raises:
        BadRecordError: it has more than `most` bytes, it is not JSON, or a field is missing or wrong.
    """
    return check(type_, loads(value, most))


def loads(value: bytes, most: int = MOST) -> Any:
    """Return the decoded JSON of a record that somebody else wrote. Raises BadRecordError where it is none, or too large."""
    if len(value) > most:
        raise BadRecordError(f"{len(value)} bytes; at most {most} are taken")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None


def check(type_: type[T], plain: Any) -> T:
    """Read the record in decoded JSON. Raises BadRecordError as `read` does."""
    try:
        record = msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        raise BadRecordError(_told(error)) from None
    if (fault := broken(type_, plain)) is not None:
        raise BadRecordError(fault)
    return record


def own(decode: Callable[[bytes], T], value: bytes | None) -> T:
    """Decode a record that one of our own programs wrote, in one pass.

    Raises:
        BadRecordError: it is not one. Whatever its bytes are, nothing else is raised.
    """
    if value is None:
        raise BadRecordError("a value is missing: null is not allowed here")
    try:
        return decode(value)
    except RecursionError:
        raise BadRecordError("it is nested too deeply") from None
    except UnicodeDecodeError:  # msgspec lets it through as it is
        raise BadRecordError("it is not UTF-8") from None
    except msgspec.MsgspecError as error:
        raise BadRecordError(_told(error)) from None


def _told(error: msgspec.MsgspecError) -> str:
    """Say what msgspec says, without the value that it quotes of an enum."""
    return _ENUM_VALUE.sub(r"Invalid enum value\1", str(error))


encode = msgspec.json.Encoder(decimal_format="number").encode
"""A record of ours as bytes."""


def to_json(record: Any) -> bytes:
    """Encode a record for readers outside this system: every field is there, null where it has no value.

    That is so of what is no `Wire`; of one within it those that have their default are left out.
    """
    return encode(record)


def utc(instant: datetime) -> datetime:
    """Return the same instant in UTC."""
    return instant.astimezone(UTC)
