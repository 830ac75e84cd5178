"""Refuse with the menu of the office where somebody is signed in: what is not there, or not for this user."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ..http import pages
from ..http.middleware import FOR_MACHINES
from .pages import SignIn

OUTSIDE = (*FOR_MACHINES, "/u/", "/static/")
"""Whoever asks for a path that starts so is not in the office."""


def inside(sign_in: SignIn) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            name = getattr(error, "page", None)
            if (error.status != 404 and name is None) or request.path.startswith(OUTSIDE):
                raise
            session = await sign_in.there(request)
            if session is None:
                raise
            title, text = pages.OTHERWISE[name or "missing"]
            return sign_in.page(session, "missing.html", status=error.status, title=title, text=text)

    return middleware
