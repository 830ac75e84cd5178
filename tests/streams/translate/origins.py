"""Who sends what the tests of the translators translate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import orjson

from schemas.wire import encode
from streams.translate.producers import Producer
from streams.translate.results import Ignored, Origin, Result, Translated

PRODUCER = Producer(organisation="zorg", clients="ZORG")
"""In HL7 v2 the authority that names clients; in FHIR see `SYSTEM`."""

SYSTEM = "https://zorg.example/client"


def origin(written: int = 0, order: int = 0, **agreed: Any) -> Origin:
    return Origin(msgspec.structs.replace(PRODUCER, **agreed), written, order)


ALWAYS = {"start", "end", "location", "series", "replaces", "keep", "order", "sms", "email", "confirmed"}


def said(plain: Any) -> Any:
    """A record without the fields that say nothing, but for those that are always told."""
    if isinstance(plain, list):
        return [said(one) for one in plain]
    if isinstance(plain, dict):
        return {name: said(value) for name, value in plain.items() if name in ALWAYS or value is not None}
    return plain


def told(translate: Callable[[bytes, Origin], Iterator[Result]], value: bytes, of: Origin) -> list[Any]:
    """Records as their JSON, what is ignored as its reason in brackets, what is refused as its text."""
    found: list[Any] = []
    for result in translate(value, of):
        match result:
            case Translated(record):
                found.append(said(orjson.loads(encode(record))))
            case Ignored(reason):
                found.append(f"({reason})")
            case _:
                found.append(result.text)
    return found
