"""Say what became of a request of the API, in the words that the projection keeps."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import orjson

from schemas.inputs import Request
from schemas.notices import message_id, request_id


class RequestState(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: `accepted`, or a status of the delivery log with its detail."""

    request: str
    message: str
    state: str
    detail: str | None = None
    channel: str | None = None
    at: str | None = None


def fingerprint(request: Request) -> str:
    """Return the same for the same content, however it was written."""
    return hashlib.sha256(orjson.dumps(as_json(request), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def as_json(request: Request) -> dict[str, Any]:
    """Return a request as it goes on the topic: instants in UTC."""
    found: dict[str, Any] = msgspec.to_builtins(request)
    return found


def message_of(request: Request) -> str:
    """Return the id of the message that the request will be."""
    return message_id([request_id(request.organisation, request.client, request.party, request.request)])
