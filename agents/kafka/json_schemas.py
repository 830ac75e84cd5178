"""JSON Schemas of our records, the same on every Python."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec


def schemas_of(records: Iterable[type], ref_template: str) -> dict[str, Any]:
    """Make the schema of each record and of what it holds, by name."""
    _, parts = msgspec.json.schema_components(records, ref_template=ref_template)
    return {name: _flush(part) for name, part in parts.items()}


def schema_of(record: type) -> dict[str, Any]:
    """Make one schema that needs no other."""
    made: dict[str, Any] = _flush(msgspec.json.schema(record))
    return made


def _flush(part: Any) -> Any:
    """Indent no description: msgspec takes docstrings as they are, and since Python 3.13 these come without their indentation."""
    if isinstance(part, list):
        return [_flush(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: inspect.cleandoc(value) if name == "description" and isinstance(value, str) else _flush(value)
        for name, value in part.items()
    }
