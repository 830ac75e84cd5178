"""Show an organisation its figures, on a page and each as a CSV. They name no client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from agents.projection.days import ZONE
from agents.projection.figures import FigureQueries

from ..http import pages
from ..sign_in.pages import SignIn
from ..sign_in.sessions import Session
from . import charts, spreadsheets
from .figures import PERIODS, Figure, Period, csv_of, figures, period
from .pages import file_name, one_of

MONTHS = timedelta(days=366)
"""How far back the tables by month go, from the month that this is in."""

pages.ENVIRONMENT.globals.update(WIDTH=charts.WIDTH, HEIGHT=charts.HEIGHT, PERIODS=PERIODS)


class FiguresPage:
    """`/kosten`. Asked for the organisation of the session, never for one that an address names."""

    def __init__(self, queries: FigureQueries, sign_in: SignIn, clock: Callable[[], datetime]) -> None:
        self.queries, self.sign_in, self.clock = queries, sign_in, clock

    def routes(self) -> list[web.RouteDef]:
        """Return the routes (`agents/access/table.py` has who may)."""
        return [web.get("/kosten", self.show), web.get("/kosten/{figure}.csv", self.export)]

    async def show(self, request: web.Request) -> web.Response:
        """Show all figures of a period."""
        session = await self.sign_in.session(request)
        found, of = await self._figures(request, session)
        return self.sign_in.page(session, "figures.html", figures=found, period=of)

    async def export(self, request: web.Request) -> web.Response:
        """Send one figure as CSV."""
        session = await self.sign_in.session(request)
        found, of = await self._figures(request, session)
        figure = next((one for one in found if one.name == request.match_info["figure"]), None)
        if figure is None:
            raise web.HTTPNotFound
        head, rows = csv_of(figure)
        name = file_name(figure.name, session.organisation, f"{of.since}-tot-{of.until}")
        return web.Response(
            body=spreadsheets.lines(rows, head), content_type="text/csv", charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip

    async def _figures(self, request: web.Request, session: Session) -> tuple[list[Figure], Period]:
        today = self.clock().astimezone(ZONE).date()
        of = period(one_of(request.query.get("dagen"), PERIODS) or "30", today)
        sums, months = await asyncio.gather(
            self.queries.sums(session.organisation, of.since, of.until),
            self.queries.months(session.organisation, today - MONTHS),
        )
        return figures(sums, months, of), of
