"""The body of an answer of `requests`, of which no more is read than we have use for, and which is never unpacked."""

from __future__ import annotations

import time

import requests

from . import MOST_BYTES


def body(response: requests.Response, end: float, most: int = MOST_BYTES) -> bytes | None:
    """Return a body of at most `most` bytes that came before `end` (`time.monotonic()`); None of one longer, slower or packed.

    We ask for none that is packed: what unpacks to gigabytes is never unpacked.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    found = b""
    while chunk := response.raw.read1(8192):
        found += chunk
        if len(found) > most or time.monotonic() > end:
            return None
    return found
