"""Show an organisation its messages, what they cost, and one client's history. These pages change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

import structlog
from aiohttp import web

from agents.kafka.publisher import UnavailableError
from agents.projection.queries import PAGE, Filter, Queries
from agents.projection.reduce import ZONE, Row

from ..http import pages
from ..sign_in.pages import SignIn, home_of
from ..sign_in.sessions import Session
from . import charts, dutch

log = structlog.get_logger(__name__)

DAYS_SHOWN = 30
EXPORT_PAGE = 1000

_PLACE = re.compile(r"([0-9T:.Z-]{27})_([0-9a-zA-Z_-]{1,64})")

pages.ENVIRONMENT.filters.update(
    when=dutch.when, money=lambda row: dutch.money(row["micros"], row["currency"]), kinds=dutch.kinds,
    why=lambda row: dutch.why(row["status"], row["detail"]),
)  # fmt: skip
pages.ENVIRONMENT.globals.update(
    STATUSES=dutch.STATUSES, CHANNELS=dutch.CHANNELS, REASONS=dutch.REASONS, WIDTH=charts.WIDTH, GROUND=charts.GROUND
)


class Overview:
    """The pages. Every question is asked for the organisation of the session, never for one that an address names."""

    def __init__(self, queries: Queries, sign_in: SignIn, clock: Callable[[], datetime]) -> None:
        self.queries, self.sign_in, self.clock = queries, sign_in, clock

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. All of them need a session, and its role (`agents/access/table.py`)."""
        return [
            web.get("/", self.home),
            web.get("/berichten", self.messages),
            web.post("/berichten", self.search),
            web.get("/berichten.csv", self.export),
            web.get("/clienten/{client}", self.client),
            web.get("/kosten", self.costs),
        ]

    async def home(self, request: web.Request) -> web.Response:
        """Redirect to the first page that the user may see."""
        raise web.HTTPSeeOther(home_of(await self.sign_in.session(request)))

    async def messages(self, request: web.Request) -> web.Response:
        """Show the list. A client stands in the address sealed, so filters with a client come by `search`."""
        session = await self.sign_in.session(request)
        wanted = self._filter(request, session)
        rows = await self.queries.messages(session.organisation, wanted, place(request.query.get("na")), PAGE + 1)
        kept = {
            name: value for name, value in request.query.items() if name in ("client", "van", "tot", "kanaal", "status") and value
        }
        await self._log(request, session, wanted, rows[:PAGE])
        more = rows[PAGE - 1] if len(rows) > PAGE else None
        next_ = urlencode({**kept, "na": f"{more['first']}_{more['message']}"}) if more is not None else None
        return self.sign_in.page(
            session, "messages.html", rows=rows[:PAGE], wanted=wanted, next=next_, query=urlencode(kept),
            first=not request.query.get("na"), link=lambda client: self.sign_in.sessions.client(session.organisation, client),
        )  # fmt: skip

    async def search(self, request: web.Request) -> web.Response:
        """Take the filter's form: no id of a client may stand in an address, so it is posted and comes back sealed."""
        session, fields = await self.sign_in.form(request)
        query = {name: fields.get(name, "").strip() for name in ("van", "tot", "kanaal", "status")}
        query["client"] = self.sign_in.sealed(session, fields.get("client", ""))
        raise web.HTTPSeeOther("/berichten?" + urlencode({name: value for name, value in query.items() if value}))

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Send the filtered messages as CSV, however many."""
        session = await self.sign_in.session(request)
        wanted = self._filter(request, session)
        rows = await self.queries.messages(session.organisation, wanted, None, EXPORT_PAGE)
        await self._log(request, session, wanted, rows)
        response = web.StreamResponse(
            headers={"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="berichten.csv"'}
        )
        await response.prepare(request)
        try:
            await response.write(charts.csv_lines(rows, head=True))
            while len(rows) == EXPORT_PAGE:
                after = rows[-1]["first"], rows[-1]["message"]
                rows = await self.queries.messages(session.organisation, wanted, after, EXPORT_PAGE)
                await self._log(request, session, wanted, rows)
                await response.write(charts.csv_lines(rows))
            await response.write_eof()
        except ConnectionError:  # whoever asked for it is gone, or takes nothing of it
            log.warning("an export was cut off")
            await self.sign_in.access.failed(request)
        except UnavailableError:  # the file must not end as if it were whole
            log.error("an export was broken off")
            if request.transport is not None:
                request.transport.abort()
            await self.sign_in.access.failed(request)
        return response

    async def client(self, request: web.Request) -> web.Response:
        """Show what one client got, as a conversation."""
        session = await self.sign_in.session(request)
        client = self.sign_in.client(session, request.match_info["client"])
        rows, waits = (
            await self.queries.history(session.organisation, client),
            await self.queries.waits(session.organisation, client),
        )
        await self.sign_in.access.shown(request, session, [client])
        return self.sign_in.page(
            session, "client.html", client=client, token=request.match_info["client"], rows=rows, waits=waits
        )

    async def costs(self, request: web.Request) -> web.Response:
        """Show totals a month, and a chart of the last days."""
        session = await self.sign_in.session(request)
        today = self.clock().astimezone(ZONE).date()
        since = today - timedelta(days=DAYS_SHOWN - 1)
        months = charts.months(await self.queries.months(session.organisation))
        chart = charts.chart(await self.queries.days(session.organisation, since, today), since, today)
        return self.sign_in.page(session, "costs.html", months=months, chart=chart)

    async def _log(self, request: web.Request, session: Session, wanted: Filter, rows: Sequence[Row]) -> None:
        """Write whose messages are about to be shown, and by which filter; who looks for a client looked at it, found or not."""
        clients = {row["client"] for row in rows} | ({wanted.client} if wanted.client is not None else set())
        given = {name: request.query[name] for name in ("van", "tot", "kanaal", "status", "na") if request.query.get(name)}
        await self.sign_in.access.shown(request, session, clients, urlencode(given))

    def _filter(self, request: web.Request, session: Session) -> Filter:
        query = request.query
        client = query.get("client") or None
        return Filter(
            client=self.sign_in.client(session, client) if client is not None else None,
            since=day(query.get("van")), until=day(query.get("tot")),
            channel=one_of(query.get("kanaal"), dutch.CHANNELS), status=one_of(query.get("status"), dutch.STATUSES),
        )  # fmt: skip


def day(text: str | None) -> date | None:
    """Read a day of a form; 400 for what is none."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise web.HTTPBadRequest from None
    if not 2000 <= found.year <= 2199:
        raise web.HTTPBadRequest
    return found


def one_of(text: str | None, known: dict[str, str]) -> str | None:
    """Read a choice of a form; 400 for what is none."""
    if not text:
        return None
    if text not in known:
        raise web.HTTPBadRequest
    return text


def place(text: str | None) -> tuple[str, str] | None:
    """Read where a page goes on; 400 for what is no place."""
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise web.HTTPBadRequest
    return found[1], found[2]
