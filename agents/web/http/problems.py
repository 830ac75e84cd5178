"""Problem details (RFC 9457): tell a program why its request is refused."""

from __future__ import annotations

import http

import orjson
from aiohttp import web

TITLES = {
    400: "The request cannot be read",
    401: "The key is missing or not known",
    403: "The key is not for this organisation",
    404: "There is no such thing",
    405: "This method is not for this address",
    408: "The request came in too slowly",
    409: "This id is used for another request",
    413: "The request is too large",
    415: "The body must be application/json",
    422: "A field is wrong",
    429: "Too many requests",
    503: "The request was not taken: try again",
}


class ProblemError(Exception):
    """A request that is refused.

    Args:
        status: the HTTP status.
        detail: what exactly is wrong, for the developer who reads it; no value of the request.
        field: a JSON pointer to the field that is wrong.
        headers: such as Retry-After.
    """

    def __init__(
        self, status: int, detail: str | None = None, *, field: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status, self.detail, self.field, self.headers = status, detail, field, headers or {}

    def response(self) -> web.Response:
        """Return it as an answer."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": TITLES.get(self.status) or http.HTTPStatus(self.status).phrase,
            "status": self.status,
        }
        if self.detail is not None:
            body["detail"] = self.detail
        if self.field is not None:
            body["errors"] = [{"pointer": self.field, "detail": self.detail}]
        return web.Response(
            status=self.status, body=orjson.dumps(body), content_type="application/problem+json", headers=self.headers
        )
