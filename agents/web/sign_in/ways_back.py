"""Where somebody goes on after signing in: to the page that was asked for, of this service alone."""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web

from agents.access.table import ROUTES

NAME = "naar"

_LOCAL = re.compile(r"/[A-Za-z0-9][A-Za-z0-9_.,:/?&=%+~-]{0,1500}")
"""A path of ours with its query: after the slash no other, nor a backslash, so that it names no host."""


def sign_in(request: web.Request) -> str:
    """Return where to sign in, with where to go on; of a form that was sent, to its page."""
    if request.method in ("GET", "HEAD"):
        back = checked(request.path_qs)
        return f"/aanmelden?{NAME}={quote(back, safe='')}" if back else "/aanmelden"
    resource = request.match_info.route.resource
    shown = resource is not None and f"GET {resource.canonical}" in ROUTES
    back = checked(request.path) if shown else ""
    return f"/aanmelden?{NAME}={quote(back, safe='')}&verlopen=1" if back else "/aanmelden?verlopen=1"


def asked(request: web.Request) -> str:
    """Return where to go on, as the address says; empty for what is no page of ours."""
    return checked(request.query.get(NAME))


def checked(text: str | None) -> str:
    """Return a path of ours; an empty text for anything else."""
    return text if text is not None and _LOCAL.fullmatch(text) else ""
