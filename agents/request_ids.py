"""The id of a request, from the proxy through the lines of the log to the headers of what is written to Kafka.

Nobody's word is taken for it: what is not 32 hexadecimal digits, as nginx's `$request_id` is, counts as none. What others write
may have ids of its own (`traceparent`, W3C Trace Context; `ce_id`, CloudEvents): those are told, on `debug`, where they have such
a form too, for an id of another form might name a person.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

NAME = "request-id"
"""Of the header on Kafka."""

FORMS = {
    NAME: re.compile(rb"[0-9a-f]{32}"),
    "traceparent": re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "ce_id": re.compile(rb"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
}
"""Headers by which an event can be followed, and what they must look like."""

current: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is answered now."""


def taken(said: str | None) -> str:
    """Return the id that a proxy gave a request, or a new one where it gave none that can be."""
    if said is not None and said.isascii() and FORMS[NAME].fullmatch(said.encode()):
        return said
    return secrets.token_hex(16)


def headers() -> list[tuple[str, bytes]]:
    """Return the headers of what is written for the request that is answered now."""
    request_id = current.get()
    return [] if request_id is None else [(NAME, request_id.encode())]


def of(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Return the ids among a record's headers, as fields of a line."""
    return {
        name.replace("-", "_"): value.decode()
        for name, value in headers
        if name in FORMS and value is not None and FORMS[name].fullmatch(value)
    }
