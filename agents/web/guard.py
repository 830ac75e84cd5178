"""What holds for every request: headers, sizes, times, and an answer without a trace-back whatever happens."""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from . import pages, problems
from .publishing import UnavailableError

log = structlog.get_logger(__name__)

LARGEST_BODY = 64 << 10

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

FOR_MACHINES = ("/v1/", "/webhooks/", "/openapi.json", "/health")
"""Whoever asks for a path that starts so wants JSON, not a page."""


def guard(slow_seconds: float, *, https: bool) -> Middleware:
    """The middleware. A body must have come in within `slow_seconds`; with `https` browsers are told to keep to it."""
    headers = HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = perf_counter()
        response = await _whole(request, slow_seconds) or await _answer(request, handler)
        if not response.prepared:
            for name, value in headers.items():
                response.headers.setdefault(name, value)
        milliseconds = round((perf_counter() - began) * 1000, 1)
        log.info("request", method=request.method, route=_route(request), status=response.status, milliseconds=milliseconds)
        return response

    return middleware


async def _whole(request: web.Request, slow_seconds: float) -> web.Response | None:
    """Wait until the body is in; a refusal where it does not come, or is too large."""
    if not request.can_read_body:
        return None
    try:
        async with asyncio.timeout(slow_seconds):
            await request.read()
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
        return error.response()
    except web.HTTPException as error:
        if error.status < 400:  # returning the exception itself is deprecated
            return web.Response(status=error.status, headers={"Location": error.headers["Location"]})
        response = refusal(request, error.status)
        for name in ("Allow", "Retry-After"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except Exception as error:
        log.exception("request failed", route=_route(request), error=type(error).__name__)
        return refusal(request, 500)


def refusal(request: web.Request, status: int) -> web.Response:
    """A page for people, a problem for machines."""
    if request.path.startswith(FOR_MACHINES):
        return problems.ProblemError(status).response()
    return web.Response(status=status, body=pages.refused(status), content_type="text/html", charset="utf-8")


def _last(response: web.Response) -> web.Response:
    """The rest of the body is not waited for."""
    response.force_close()
    return response


def _route(request: web.Request) -> str:
    """The route's pattern. Never the path: it holds tokens and ids."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
