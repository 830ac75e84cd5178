"""Unsubscribe from e-mail: a page with one button, and the one-click POST of mailbox providers (RFC 8058), at one address.

GET says the same to everybody and does nothing, because scanners follow links. A POST writes an event, and answers once Kafka has
it. A token that is not ours, or was cut, gets the same answer as a good one: the page tells nobody whether somebody is a client.
"""

from __future__ import annotations

from typing import Any, Literal

import structlog
from aiohttp import web

from schemas.keys import ClientKey
from schemas.topics import OPT_OUTS

from ..kafka.publisher import Publisher
from ..kafka.writer import Event
from ..monitoring.web_metrics import METRICS
from ..tokens import OTHERS, Tokens
from .http import forms, pages

log = structlog.get_logger(__name__)

Choice = Literal["off", "on"]

ONE_CLICK = ("List-Unsubscribe", "One-Click")


def choice(fields: dict[str, str]) -> Choice | None:
    """Return what a form or a mailbox provider asks; None where it asks nothing that we know."""
    name, value = ONE_CLICK
    if fields.get(name, "").strip().lower() == value.lower() or fields.get("keuze") == "afmelden":
        return "off"
    return "on" if fields.get("keuze") == "aanmelden" else None


def opt_out(tokens: Tokens | None, token: str, chosen: Choice) -> Event | None:
    """Return the event for a token; None for one that is not ours."""
    said = tokens.open(token) if tokens is not None else None
    if said is None and tokens is not None and token.startswith(OTHERS):
        said = tokens.open(token.removeprefix(OTHERS))
    if said is None or len(said) not in (3, 5) or said[-1] != "email":
        return None
    organisation, client, *whose, channel = said
    value: dict[str, Any] = {"organisation": organisation, "client": client, "channel": channel, "off": chosen == "off"}
    value |= {"source": "link"} | ({"recipient": whose[0], "mark": whose[1]} if whose else {})
    return Event(OPT_OUTS.name, str(ClientKey(organisation, client)), value)


class Unsubscribe:
    """The pages. `tokens` None: no e-mail of ours has a link, and every token is a wrong one."""

    def __init__(self, publisher: Publisher, tokens: Tokens | None) -> None:
        self.publisher, self.tokens = publisher, tokens
        self.pages = {
            (name, others): pages.page("unsubscribe.html", state=name, others=others)
            for name in ("ask", "off", "on")
            for others in (False, True)
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the routes: `/u/{token}`."""
        return [web.get("/u/{token}", self.ask), web.post("/u/{token}", self.answer)]

    async def ask(self, request: web.Request) -> web.Response:
        """Show the page with the button. It does not look at the token."""
        return self._page("ask", request)

    async def answer(self, request: web.Request) -> web.Response:
        """Do it, then say so."""
        try:
            chosen = choice(forms.fields(request.headers.get("Content-Type", ""), await request.read()))
        except forms.NotAFormError as error:
            raise (web.HTTPUnsupportedMediaType if error.status == 415 else web.HTTPBadRequest) from None
        if chosen is None:
            raise web.HTTPBadRequest
        event = opt_out(self.tokens, request.match_info["token"], chosen)
        if event is not None:
            await self.publisher.publish(event)
        else:
            request.app[METRICS].tokens_unknown.labels("unsubscribe").inc()
            log.warning("an unsubscribe link that no key of ours sealed")
            await self.publisher.check()  # the same 503 as a good token's while Kafka is away
        return self._page(chosen, request)

    def _page(self, name: str, request: web.Request) -> web.Response:
        others = request.match_info["token"].startswith(OTHERS)
        return web.Response(body=self.pages[name, others], content_type="text/html", charset="utf-8")
