"""Unsubscribe from e-mail: a page with one button, and the one-click POST of mailbox providers (RFC 8058), at one address.

GET does nothing, because scanners follow links, and says of which organisation the e-mail is: who has the link has its e-mail.
A POST writes an event, and answers once Kafka has it. A token that is cut or not ours is told so. Nobody learns by that who is a
client: a token cannot be made without a key of ours, and nothing is looked up by the client in it, nor by one that does not open.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal, NamedTuple

import structlog
from aiohttp import web

from schemas.keys import RecipientKey
from schemas.topics import OPT_OUTS

from ..kafka.publisher import Publisher, UnavailableError
from ..kafka.writer import Event
from ..monitoring.web_metrics import METRICS
from ..projection.queries import Queries
from ..tokens import Tokens
from .http import forms, pages

log = structlog.get_logger(__name__)

Choice = Literal["off", "on"]

ONE_CLICK = ("List-Unsubscribe", "One-Click")


NAME_SECONDS = 1.0
"""How long a page waits for the organisation's name."""


class NotCompleteError(web.HTTPNotFound):
    """A link that no key of ours sealed: cut, or made up."""

    page = "link"


def choice(fields: dict[str, str]) -> Choice | None:
    """Return what a form or a mailbox provider asks; None where it asks nothing that we know."""
    name, value = ONE_CLICK
    if fields.get(name, "").strip().lower() == value.lower() or fields.get("keuze") == "afmelden":
        return "off"
    return "on" if fields.get("keuze") == "aanmelden" else None


class Link(NamedTuple):
    """Whose link it is; of one who acts for a client the mark of the address that it went to."""

    whose: RecipientKey
    mark: str = ""


def opened(tokens: Tokens | None, token: str) -> Link | None:
    """Return whose e-mail a token is about; None for one that is not ours, or was cut."""
    said = tokens.open(token) if tokens is not None else None
    if said is None or len(said) not in (3, 5) or said[-1] != "email":
        return None
    organisation, client, *whose, _ = said
    return Link(RecipientKey(organisation, client, *whose[:1]), *whose[1:])


def opt_out(link: Link, chosen: Choice) -> Event:
    """Return the event of a choice."""
    whose = link.whose
    value: dict[str, Any] = {"organisation": whose.organisation, "client": whose.client, "channel": "email"}
    value |= {"off": chosen == "off", "source": "link"}
    value |= {"recipient": whose.recipient, "mark": link.mark} if whose.recipient else {}
    return Event(OPT_OUTS.name, whose.of_topics, value)


class Unsubscribe:
    """The pages. `tokens` None: no e-mail of ours has a link, and every token is a wrong one."""

    def __init__(self, publisher: Publisher, tokens: Tokens | None, queries: Queries) -> None:
        self.publisher, self.tokens, self.queries = publisher, tokens, queries

    def routes(self) -> list[web.RouteDef]:
        """Return the routes: `/u/{token}`."""
        return [web.get("/u/{token}", self.ask), web.post("/u/{token}", self.answer)]

    async def ask(self, request: web.Request) -> web.Response:
        """Show the page with the button."""
        return await self._page("ask", self._link(request))

    async def answer(self, request: web.Request) -> web.Response:
        """Do it, then say so."""
        try:
            chosen = choice(forms.fields(request.headers.get("Content-Type", ""), await request.read()))
        except forms.NotAFormError as error:
            raise (web.HTTPUnsupportedMediaType if error.status == 415 else web.HTTPBadRequest) from None
        if chosen is None:
            raise web.HTTPBadRequest
        link = self._link(request)
        await self.publisher.publish(opt_out(link, chosen))
        return await self._page(chosen, link)

    def _link(self, request: web.Request) -> Link:
        """Return whose link it is; a refusal that says that it is not complete."""
        link = opened(self.tokens, request.match_info["token"])
        if link is None:
            request.app[METRICS].tokens_unknown.labels("unsubscribe").inc()
            log.warning("an unsubscribe link that no key of ours sealed")
            raise NotCompleteError
        return link

    async def _page(self, name: str, link: Link) -> web.Response:
        whose = link.whose
        organisation = await self._name(whose.organisation)
        body = pages.page(
            "unsubscribe.html", state=name, organisation=organisation, others=bool(whose.recipient and whose.client),
            own=not whose.client,
        )  # fmt: skip
        return web.Response(body=body, content_type="text/html", charset="utf-8")

    async def _name(self, organisation: str) -> str | None:
        """Return an organisation's name; None where it is not known: then the page does without."""
        try:
            async with asyncio.timeout(NAME_SECONDS):
                upstream = (await self.queries.settings(organisation)).upstream
        except (UnavailableError, TimeoutError):  # the projection's database: who wants to unsubscribe does not wait for it
            log.warning("the page to unsubscribe does without the organisation's name")
            return None
        return upstream.name if upstream is not None else None
