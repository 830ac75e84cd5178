"""The API for third parties: a message of their own, through the same gates and channels (`streams/README.md`, "Requests").

It answers `202` only once Kafka has the request. A party may repeat the same request as often as it likes: it is one message. The
same id with other content is refused, as far as this process or the projection knows of the first one.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Protocol
from urllib.parse import quote

import msgspec
import orjson
from aiohttp import web

from agents.kafka.publisher import Publisher
from agents.kafka.writer import Event
from agents.projection.requests import RequestState, as_json, fingerprint, message_of
from schemas.inputs import Request
from schemas.keys import ClientKey
from schemas.topics import REQUESTS
from schemas.wire import BadRecordError
from streams.intake.checks import request_of
from streams.processing.caps import MOST_REQUESTS

from ..http.problems import ProblemError
from .admission import admitted
from .keys import ApiKeys, Party
from .openapi import document
from .rate_limit import TokenBuckets

FIELDS = frozenset(Request.__struct_fields__)

REMEMBERED = 10_000

RETRY_SECONDS = 3600
"""When to ask again for a client for whom as many requests wait as may."""

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")


class States(Protocol):
    """Where the states are looked up."""

    async def request_state(self, organisation: str, party: str, request: str) -> RequestState | None:
        """Return what became of a request; None where the party has no such request."""

    async def fingerprint(self, organisation: str, party: str, request: str) -> str | None:
        """Return the fingerprint of what was asked under this id."""

    async def waiting(self, organisation: str, client: str) -> int:
        """Count the requests for a client of which nothing has become yet."""


def is_json(content_type: str) -> bool:
    """Tell whether a Content-Type is JSON in UTF-8; type and charset in any case, the charset quoted or not (RFC 9110 8.3)."""
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    charsets = [value.strip('"') for name, _, value in (part.partition("=") for part in parameters) if name == "charset"]
    return kind == "application/json" and all(charset in ("utf-8", "utf8") for charset in charsets)


def read_request(body: bytes, party: Party) -> Request:
    """Read the request in a body, by intake's checks; its party and organisation are the key's. Raises ProblemError."""
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
        return request_of({**given, "organisation": party.organisation, "party": party.party})
    except BadRecordError as error:
        raise refused(str(error)) from None


def refused(text: str) -> ProblemError:
    """Return a refusal of intake as a problem that points at the field."""
    if (missing := _MISSING.match(text)) is not None:
        return ProblemError(422, "the field is missing", field=f"/{pointer(missing['name'])}")
    found = _AT.match(text)
    what, path = (found["what"], found["path"]) if found is not None else (text, None)
    return ProblemError(422, what, field="/" + pointer(path) if path else "")


def pointer(name: str) -> str:
    """Write a field's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


class Requests:
    """The routes under `/v1`."""

    def __init__(self, publisher: Publisher, api_keys: ApiKeys, limits: TokenBuckets, states: States) -> None:
        self.publisher, self.api_keys, self.limits, self.states = publisher, api_keys, limits, states
        self._taken: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """Return the API and its document."""
        return [
            web.post("/v1/requests", self.post),
            web.get("/v1/requests/{id}", self.get),
            web.get("/openapi.json", self.openapi),
        ]

    async def post(self, request: web.Request) -> web.Response:
        """Take a request."""
        party = admitted(request, self.api_keys, self.limits, "requests")
        if not is_json(request.headers.get("Content-Type", "")):
            raise ProblemError(415)
        asked = read_request(await request.read(), party)
        await self._claim(asked)
        await self.publisher.publish(Event(REQUESTS.name, str(ClientKey(asked.organisation, asked.client)), as_json(asked)))
        where = f"/v1/requests/{quote(asked.request, safe='')}"
        state = RequestState(request=asked.request, message=message_of(asked), state="accepted")
        return web.Response(
            status=202, body=msgspec.json.encode(state), content_type="application/json", headers={"Location": where}
        )

    async def get(self, request: web.Request) -> web.Response:
        """Answer with what became of a request."""
        party = admitted(request, self.api_keys, self.limits, "requests")
        id_ = request.match_info["id"]
        state = await self.states.request_state(party.organisation, party.party, id_)
        if state is None:
            raise ProblemError(404, "this party has no request with this id, or it has not been taken in yet")
        return web.Response(body=msgspec.json.encode(state), content_type="application/json")

    async def openapi(self, request: web.Request) -> web.Response:
        """Answer with the document."""
        return web.Response(
            body=orjson.dumps(document()), content_type="application/json", headers={"Cache-Control": "public, max-age=300"}
        )

    async def _claim(self, asked: Request) -> None:
        """Keep the id for this content from now on, even if Kafka's answer does not come: the event may be there."""
        key = (asked.organisation, asked.party, asked.request)
        known = self._taken.get(key) or await self.states.fingerprint(*key) or self._taken.get(key)
        content = fingerprint(asked)
        if known not in (None, content):
            raise ProblemError(409, "this id is used for another request", field="/request")
        if known is None and asked.send_at is not None:
            await self._check_room(asked)
        self._taken[key] = content
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)

    async def _check_room(self, asked: Request) -> None:
        """Refuse a request that would wait where as many wait as may: the worker would set it aside (`processing/caps.py`).

        Raises ProblemError. The projection is seconds behind, so a few more may pass.
        """
        if await self.states.waiting(asked.organisation, asked.client) >= MOST_REQUESTS:
            raise ProblemError(
                429, f"{MOST_REQUESTS} requests wait for this client: no more may", field="/client",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )  # fmt: skip
