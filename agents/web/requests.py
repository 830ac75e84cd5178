"""The API for third parties: a message of their own, through the same gates and channels (DESIGN.md "Requests").

`202` only after Kafka has it. A party may send the same request again as often as it likes: it is one message. The same id with
other content is refused, as far as this process or the projection knows of the first one.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections import OrderedDict
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
import orjson
from aiohttp import web

from schemas.inputs import Request
from schemas.notices import message_id, request_id
from schemas.topics import REQUESTS
from schemas.wire import BadRecordError, check
from streams.checks import check_request

from ..feeding import Event
from .limits import Limits
from .openapi import document
from .parties import Parties, Party
from .problems import ProblemError
from .publishing import Publisher

FIELDS = frozenset(Request.__struct_fields__)

REMEMBERED = 10_000

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: `accepted`, or a status of the delivery log with its detail."""

    request: str
    message: str
    state: str
    detail: str | None = None
    channel: str | None = None
    at: str | None = None


class States(Protocol):
    """Where the states are looked up."""

    async def request_state(self, organisation: str, party: str, request: str) -> State | None:
        """None where the party has no such request."""

    async def fingerprint(self, organisation: str, party: str, request: str) -> str | None:
        """The fingerprint of what was asked under this id."""


def read_request(body: bytes, party: Party) -> Request:
    """The request in a body, by intake's checks; its party and organisation are the key's. Raises ProblemError."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    if not isinstance(given, dict):
        raise ProblemError(422, "the body must be an object", field="")
    for name in ("organisation", "party"):
        if given.get(name, getattr(party, name)) != getattr(party, name):
            raise ProblemError(403, f"the key is for another {name}", field=f"/{name}")
    if unknown := sorted(set(given) - FIELDS):
        raise ProblemError(422, "there is no such field", field="/" + pointer(unknown[0][:100]))
    try:
        return check_request(check(Request, {**given, "organisation": party.organisation, "party": party.party}))
    except BadRecordError as error:
        raise refused(str(error)) from None


def refused(text: str) -> ProblemError:
    """A refusal of intake as a problem that points at the field."""
    if (missing := _MISSING.match(text)) is not None:
        return ProblemError(422, "the field is missing", field=f"/{pointer(missing['name'])}")
    found = _AT.match(text)
    what, path = (found["what"], found["path"]) if found is not None else (text, None)
    return ProblemError(422, what, field="/" + pointer(path) if path else "")


def pointer(name: str) -> str:
    """A field's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def fingerprint(request: Request) -> str:
    """The same for the same content, however it was written."""
    return hashlib.sha256(orjson.dumps(as_json(request), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def as_json(request: Request) -> dict[str, Any]:
    """A request as it goes on the topic: instants in UTC."""
    found: dict[str, Any] = msgspec.to_builtins(request)
    return found


def message_of(request: Request) -> str:
    """The id of the message that the request will be."""
    return message_id([request_id(request.organisation, request.client, request.party, request.request)])


class Requests:
    """The routes under `/v1`."""

    def __init__(self, publisher: Publisher, parties: Parties, limits: Limits, states: States) -> None:
        self.publisher, self.parties, self.limits, self.states = publisher, parties, limits, states
        self._taken: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """The API and its document."""
        return [
            web.post("/v1/requests", self.post),
            web.get("/v1/requests/{id}", self.get),
            web.get("/openapi.json", self.openapi),
        ]

    async def post(self, request: web.Request) -> web.Response:
        """Take a request."""
        party = self._party(request)
        if request.content_type != "application/json" or request.charset not in (None, "utf-8"):
            raise ProblemError(415)
        asked = read_request(await request.read(), party)
        await self._claim(asked)
        await self.publisher.publish(Event(REQUESTS.name, f"{asked.organisation}/{asked.client}", as_json(asked)))
        where = f"/v1/requests/{quote(asked.request, safe='')}"
        state = State(request=asked.request, message=message_of(asked), state="accepted")
        return web.Response(
            status=202, body=msgspec.json.encode(state), content_type="application/json", headers={"Location": where}
        )

    async def get(self, request: web.Request) -> web.Response:
        """What became of one."""
        party = self._party(request)
        id_ = request.match_info["id"]
        state = await self.states.request_state(party.organisation, party.party, id_)
        if state is None:
            raise ProblemError(404, "this party has no request with this id, or it has not been taken in yet")
        return web.Response(body=msgspec.json.encode(state), content_type="application/json")

    async def openapi(self, request: web.Request) -> web.Response:
        """The document."""
        return web.Response(
            body=orjson.dumps(document()), content_type="application/json", headers={"Cache-Control": "public, max-age=300"}
        )

    def _party(self, request: web.Request) -> Party:
        """Who asks, within their limit."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        party = self.parties.find(key.strip()) if scheme.lower() == "bearer" else None
        if party is None:
            raise ProblemError(401, headers={"WWW-Authenticate": "Bearer"})
        wait = self.limits.take(party.key, asyncio.get_running_loop().time())
        if wait:
            raise ProblemError(429, headers={"Retry-After": str(math.ceil(wait))})
        return party

    async def _claim(self, asked: Request) -> None:
        """The id is this content's from now on, even if Kafka's answer does not come: the event may be there."""
        key = (asked.organisation, asked.party, asked.request)
        known = self._taken.get(key) or await self.states.fingerprint(*key) or self._taken.get(key)
        content = fingerprint(asked)
        if known not in (None, content):
            raise ProblemError(409, "this id is used for another request", field="/request")
        self._taken[key] = content
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
