"""Bounds of strings that hold for what comes in and not for rows: `wire.check` enforces them, msgspec does not.

Rows hold inputs as they came, and must load for ever, whatever became forbidden since. And msgspec's patterns are `re.search`,
where `$` also matches before a final line break. So patterns stand in `extra_json_schema`: published, and enforced here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

KEYS = "keys{}"
PARTS = {"[]": "items", "{}": "values", KEYS: "keys"}

Bound = tuple[tuple[str, ...], re.Pattern[str]]
"""Where (names of fields; `[]` for each element, `{}` for each value and `keys{}` for each key of a mapping), and the pattern."""


def bounds(now: dict[str, Any], **kept: Any) -> msgspec.Meta:
    """Return the bounds of a string: `now` in JSON Schema's words for what comes in, `kept` in msgspec's for rows as well."""
    return msgspec.Meta(**kept, extra_json_schema=now)


def about(description: str, *examples: Any) -> msgspec.Meta:
    """Return what a field's JSON Schema says of it."""
    return msgspec.Meta(description=description, examples=list(examples))


def whole(pattern: str, **kept: Any) -> msgspec.Meta:
    """Return the bounds of a string that is `pattern` from its begin to its end, in Python's dialect and in JSON Schema's."""
    return bounds({"pattern": f"^{pattern}$(?!\\n)"}, **kept)


@cache
def rules(type_: Any) -> tuple[Bound, ...]:
    """Return all such bounds of a type, wherever in it they stand."""
    return tuple(_rules(inspect.type_info(type_), ()))


def _rules(info: inspect.Type, path: tuple[str, ...]) -> Iterator[Bound]:
    match info:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            if extra and "pattern" in extra:
                yield path, re.compile(extra["pattern"])
            yield from _rules(inner, path)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _rules(field.type, (*path, field.encode_name))
        case inspect.ListType(item_type=item):
            yield from _rules(item, (*path, "[]"))
        case inspect.DictType(key_type=key, value_type=value):
            yield from _rules(key, (*path, KEYS))
            yield from _rules(value, (*path, "{}"))
        case inspect.UnionType(types=types):
            for one in types:
                yield from _rules(one, path)
        case _:
            pass


class _Shape(msgspec.Struct):
    """The bounds of one place in a record and of the places below it: the same as `rules`, to be walked once."""

    patterns: list[re.Pattern[str]] = []
    fields: dict[str, _Shape] = {}
    items: _Shape | None = None
    keys: _Shape | None = None
    values: _Shape | None = None

    def at(self, name: str) -> _Shape:
        """Return the place below it, made where there is none yet."""
        if name in PARTS:
            setattr(self, PARTS[name], found := getattr(self, PARTS[name]) or _Shape())
            return found
        return self.fields.setdefault(name, _Shape())

    def keeps(self, plain: Any) -> bool:
        """Tell whether decoded JSON keeps them all."""
        if isinstance(plain, str):
            return None not in [pattern.search(plain) for pattern in self.patterns]
        if isinstance(plain, dict):
            for name, shape in self.fields.items():
                if name in plain and not shape.keeps(plain[name]):
                    return False
            if self.keys is not None and not all(map(self.keys.keeps, plain)):
                return False
            return self.values is None or all(map(self.values.keeps, plain.values()))
        return self.items is None or not isinstance(plain, list) or all(map(self.items.keeps, plain))


@cache
def _shape(type_: Any) -> _Shape:
    whole = _Shape()
    for path, pattern in rules(type_):
        shape = whole
        for name in path:
            shape = shape.at(name)
        shape.patterns.append(pattern)
    return whole


def broken(type_: Any, plain: Any) -> str | None:
    """Return the first such bound that decoded JSON of this type does not keep, in msgspec's words; None where it keeps all."""
    if _shape(type_).keeps(plain):
        return None
    for path, pattern in rules(type_):
        for place, text in _strings(plain, path, "$"):
            if pattern.search(text) is None:
                return f"Expected `str` matching regex {pattern.pattern!r} - at `{place}`"
    return None


def _strings(plain: Any, path: tuple[str, ...], place: str) -> Iterator[tuple[str, str]]:
    if not path:
        if isinstance(plain, str):
            yield place, plain
    elif path[0] == "[]":
        for number, item in enumerate(plain if isinstance(plain, list) else ()):
            yield from _strings(item, path[1:], f"{place}[{number}]")
    elif path[0] in ("{}", KEYS):
        for key, value in plain.items() if isinstance(plain, dict) else ():
            yield from _strings(key if path[0] == KEYS else value, path[1:], f"{place}[...]")
    elif isinstance(plain, dict) and path[0] in plain:
        yield from _strings(plain[path[0]], path[1:], f"{place}.{path[0]}")
