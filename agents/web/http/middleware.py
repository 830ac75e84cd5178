"""Apply to every request: headers, bounds on size and time, and an answer without a trace-back whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.kafka.publisher import UnavailableError
from agents.monitoring.web_metrics import METRICS

from ... import request_ids
from . import outcomes, pages, problems

log = structlog.get_logger(__name__)

REQUEST_ID = "X-Request-ID"
"""The proxy gives one to each request, in the place of whatever the client says; the answer has it again."""

LARGEST_BODY = 64 << 10

LARGEST_FHIR = 1 << 20
"""Bytes of a FHIR resource or Bundle: what the topic takes."""

LARGEST_SMALL_BODY = 4 << 10
"""Bytes of a body of the pages that anybody may post to: a choice of one word."""

LONGEST_TYPE = 200
"""Characters of a Content-Type. A longer one is nobody's, and costs more to read than it is long."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "afspraakbericht",
}

FOR_MACHINES = ("/v1/", "/fhir/", "/webhooks/", "/openapi.json", "/health", "/live", "/ready")
"""Whoever asks for a path that starts so wants JSON, not a page."""

FHIR = "/fhir/"


def headers_of(*, https: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return what sets every answer's headers, a streamed one's too; with `https`, browsers are told to keep to it."""
    headers = HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})

    async def prepare(_: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = HEADERS["Server"]  # aiohttp's own is there already

    return prepare


def guard(slow_seconds: float) -> Middleware:
    """Return the middleware. A body must have come in within `slow_seconds`."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = perf_counter()
        request_id = request_ids.taken(request.headers.get(REQUEST_ID))
        request_ids.current.set(request_id)  # each request of a connection sets its own
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if request.path.startswith(FHIR):
            request = request.clone(client_max_size=LARGEST_FHIR)
        response = await _whole(request, slow_seconds) or await _answer(request, handler)
        seconds, route = perf_counter() - began, _route(request)
        if not response.prepared:
            response.headers[REQUEST_ID] = request_id
        request.app[METRICS].on_answer(route, response.status, seconds)
        log.info("request", method=request.method, route=route, status=response.status, milliseconds=round(seconds * 1000, 1))
        return response

    return middleware


async def _whole(request: web.Request, slow_seconds: float) -> web.Response | None:
    """Wait until the body is in; a refusal where it does not come, or is too large."""
    if len(request.headers.get("Content-Type", "")) > LONGEST_TYPE:
        return _last(refusal(request, 415))
    small = request.path.startswith("/u/")
    if small and (request.content_length or 0) > LARGEST_SMALL_BODY:
        return _last(refusal(request, 413))
    if not request.can_read_body:
        return None
    try:
        async with asyncio.timeout(slow_seconds):
            body = await request.read()
        if small and len(body) > LARGEST_SMALL_BODY:
            return _last(refusal(request, 413))
    except TimeoutError:
        return _last(refusal(request, 408))
    except web.HTTPRequestEntityTooLarge:
        return _last(refusal(request, 413))
    except web.RequestPayloadError:  # a wrong chunk, or what says that it is compressed and is not
        return _last(refusal(request, 400))
    return None


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnavailableError:
        response = refusal(request, 503)
        response.headers["Retry-After"] = "30"
        return response
    except problems.ProblemError as error:
        return as_asked(request, error)
    except web.HTTPException as error:
        if error.status < 400:  # returning the exception itself is deprecated
            return web.Response(status=error.status, headers={"Location": error.headers["Location"]})
        response = refusal(request, error.status, getattr(error, "page", None))
        for name in ("Allow", "Retry-After"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except Exception as error:
        log.exception("request failed", route=_route(request), error=type(error).__name__)
        return refusal(request, 500)


def refusal(request: web.Request, status: int, page: str | None = None) -> web.Response:
    """Refuse: with a page for people, of this name if there is more to say than the status, with a problem for machines."""
    if request.path.startswith(FOR_MACHINES):
        return as_asked(request, problems.ProblemError(status))
    return web.Response(status=status, body=pages.refused(status, page), content_type="text/html", charset="utf-8")


def as_asked(request: web.Request, problem: problems.ProblemError) -> web.Response:
    """Return a problem as whoever asks reads it: FHIR has a resource for it."""
    return outcomes.of_problem(problem) if request.path.startswith(FHIR) else problem.response()


def _last(response: web.Response) -> web.Response:
    """Close the connection after this answer, without waiting for the rest of the body."""
    response.force_close()
    return response


def _route(request: web.Request) -> str:
    """Return the route's pattern. Never the path: it holds tokens and ids."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
