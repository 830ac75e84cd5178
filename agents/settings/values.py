"""Read a setting's text. Each reader takes the text and returns the value, or raises ValueError with what is expected."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
TOPIC_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}[._-]")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")
SHORTEST_KEY = 32

SHORTEST_WEBHOOK_KEY = 24
"""Bytes (standardwebhooks.com)."""


def setting(default: object, read: Callable[[str], object] | None = None, *, secret: bool = False) -> Any:
    """Declare a setting as a dataclass field: its default, how its text is read, and whether it may be shown."""
    return field(default=default, repr=not secret, metadata={"read": read or text, "secret": secret})


def text(raw: str) -> str:
    """Read anything."""
    return raw


def name(raw: str) -> str:
    """Read what Kafka takes as a topic's or a group's name."""
    if not NAME.fullmatch(raw):
        raise ValueError("a name of letters, digits, '.', '_' and '-', 200 at most")
    return raw


def prefix(raw: str) -> str:
    """Read what stands before names on Kafka, and is told apart from them by its last character."""
    if not TOPIC_PREFIX.fullmatch(raw):
        raise ValueError("letters, digits, '.', '_' and '-', 100 at most, of which '.', '_' or '-' comes last, as in test.")
    return raw


def host(raw: str) -> str:
    """Read a host name or an address, without a port."""
    if not HOST.fullmatch(raw):
        raise ValueError("a host name or an IP address, without a port")
    return raw


def addresses(raw: str) -> str:
    """Read comma-separated host:port, as Kafka's clients take it."""
    parts = [part.strip() for part in raw.split(",")]
    for part in parts:
        where, colon, port = part.rpartition(":")
        if not (colon and HOST.fullmatch(where) and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("host:port, or several with commas between them")
    return ",".join(parts)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within these bounds."""

    def read(raw: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", raw) or not low <= int(raw) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(raw)

    return read


def places(raw: str) -> tuple[tuple[str, int, int], ...]:
    """Read records as the log names them: topic, partition and offset."""
    found = []
    for place in filter(None, (part.strip() for part in raw.split(","))):
        topic, *numbers = place.split("/")
        if not topic or len(numbers) != 2 or not all(number.isascii() and number.isdigit() for number in numbers):
            raise ValueError("topic/partition/offset, or several with commas between them")
        found.append((topic, int(numbers[0]), int(numbers[1])))
    return tuple(found)


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of seconds within these bounds."""

    def read(raw: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", raw) or not low <= float(raw) <= high:
            raise ValueError(f"a number of seconds from {low:g} to {high:g}")
        return float(raw)

    return read


def rate(raw: str) -> float:
    """Read a rate, so many a second."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", raw) or not 0.01 <= float(raw) <= 100_000:
        raise ValueError("a number a second, from 0.01 to 100000")
    return float(raw)


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader of one of these words, in any case."""

    def read(raw: str) -> str:
        if raw.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return raw.lower()

    return read


def folder(raw: str) -> Path:
    """Read a folder, which need not exist yet; `~` is the user's home."""
    return Path(raw).expanduser()


def url(raw: str) -> str:
    """Read a base URL; it gets a slash at its end. Plain http only within a machine or a container network: keys go over it."""
    expected = "an https:// URL without query (http:// only for a host without a dot, or 127.0.0.1)"
    try:
        parts = urlsplit(raw)
        inside = parts.hostname is not None and ("." not in parts.hostname or parts.hostname == "127.0.0.1")
        fits = bool(parts.hostname) and (parts.port is None or parts.port > 0) and not (parts.query or parts.fragment)
    except ValueError:
        raise ValueError(expected) from None
    if not fits or parts.username or not (parts.scheme == "https" or (parts.scheme == "http" and inside)) or raw.split() != [raw]:
        raise ValueError(expected)
    return raw if raw.endswith("/") else f"{raw}/"


def keys(raw: str) -> tuple[str, ...]:
    """Read secret keys, the newest first."""
    parts = tuple(part.strip() for part in raw.split(","))
    if any(len(part) < SHORTEST_KEY for part in parts) or len(set(parts)) < len(parts):
        raise ValueError(f"different keys of {SHORTEST_KEY} characters or more, with commas between them")
    return parts


def webhook_secrets(raw: str) -> tuple[bytes, ...]:
    """Read secrets of webhooks as standardwebhooks.com writes them."""
    try:
        found = tuple(base64.b64decode(part.strip().removeprefix("whsec_"), validate=True) for part in raw.split(","))
    except binascii.Error:
        found = ()
    if not found or any(len(key) < SHORTEST_WEBHOOK_KEY for key in found):
        raise ValueError(f"whsec_ and {SHORTEST_WEBHOOK_KEY} bytes or more in Base64, with commas between them")
    return found
