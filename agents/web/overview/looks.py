"""Show who looked at a client (*Wie keek*): for the officer who must answer that. Looking here is a look, too (NEN 7513)."""

from __future__ import annotations

from aiohttp import web

from agents.projection.queries import Queries

from ..http import pages
from ..sign_in.pages import SignIn
from . import dutch

MOST = 500
"""Rows of one page: a row is a user and a day. What is older is shown by `afspraakbericht access`."""

pages.ENVIRONMENT.filters.update(roles=dutch.roles, day=dutch.day, clock=dutch.clock)


class Looks:
    """The pages. Every question is asked for the organisation of the session, never for one that an address names."""

    def __init__(self, queries: Queries, sign_in: SignIn) -> None:
        self.queries, self.sign_in = queries, sign_in

    def routes(self) -> list[web.RouteDef]:
        """Return the routes (`agents/access/table.py` has who may)."""
        return [
            web.get("/wie-keek", self.ask),
            web.post("/wie-keek", self.search),
            web.get("/wie-keek/{client}", self.looks),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """Show the form that asks of whom."""
        return self.sign_in.page(await self.sign_in.session(request), "looks.html", client=None)

    async def search(self, request: web.Request) -> web.Response:
        """Take the form: no id of a client may stand in an address, so it comes back sealed."""
        session, fields = await self.sign_in.form(request)
        raise web.HTTPSeeOther(f"/wie-keek/{self.sign_in.sealed(session, fields.get('client', ''))}".rstrip("/"))

    async def looks(self, request: web.Request) -> web.Response:
        """Show who looked at a client, a row for each user and day, the last one first."""
        session = await self.sign_in.session(request)
        client = self.sign_in.client(session, request.match_info["client"])
        rows = await self.queries.looks(session.organisation, client, MOST + 1)
        await self.sign_in.access.shown(request, session, [client])
        return self.sign_in.page(session, "looks.html", client=client, rows=rows[:MOST], more=len(rows) > MOST)
