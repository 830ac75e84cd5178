"""Show an organisation its messages. These pages change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import structlog
from aiohttp import web

from agents.kafka.publisher import UnavailableError
from agents.projection.days import ZONE
from agents.projection.queries import PAGE, Filter, Place, Queries
from agents.projection.reduce import Row

from ..http import pages
from ..sign_in.pages import SignIn, home_of
from ..sign_in.sessions import Session
from . import dutch, spreadsheets

log = structlog.get_logger(__name__)

EXPORT_PAGE = 1000

MOST_CLIENTS = 50
"""Clients whose number begins as was asked: of more, the first."""

KEPT = ("client", "van", "tot", "kanaal", "status", "reden")
"""What an address has of a filter; `client` sealed."""

_PLACE = re.compile(r"([0-9T:.Z-]{27})_([0-9a-zA-Z_-]{1,64})")

pages.ENVIRONMENT.filters.update(
    when=dutch.when, money=lambda row: dutch.money(row["micros"], row["currency"]), kinds=dutch.kinds, about=dutch.about,
    cause=dutch.cause_of,
)  # fmt: skip
pages.ENVIRONMENT.globals.update(OUTCOMES=dutch.OUTCOMES, MEANINGS=dutch.MEANINGS, CHANNELS=dutch.CHANNELS, CAUSES=dutch.CAUSES)


class Search(NamedTuple):
    """What is looked for. `typed`: the beginning of a client's number; `more`: more clients begin so than are shown."""

    wanted: Filter
    typed: str = ""
    more: bool = False

    @property
    def wrong(self) -> bool:
        """Tell whether the days are in the wrong order."""
        return self.wanted.since is not None and self.wanted.until is not None and self.wanted.since > self.wanted.until


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
        ]

    async def home(self, request: web.Request) -> web.Response:
        """Redirect to the first page that the user may see."""
        raise web.HTTPSeeOther(home_of(await self.sign_in.session(request)))

    async def messages(self, request: web.Request) -> web.Response:
        """Show the list. A client stands in the address sealed, so filters with a client come by `search`."""
        session = await self.sign_in.session(request)
        asked = await self._search(request, session)
        after, before = place(request.query.get("na")), place(request.query.get("voor"))
        rows: list[Row] = []
        counts: dict[str, int] = {}
        if not asked.wrong:
            rows = await self.queries.messages(session.organisation, asked.wanted, after, PAGE + 1, before)
            counts = await self.queries.counts(session.organisation, asked.wanted)
        more = len(rows) > PAGE
        rows = rows[:PAGE] if before is None else rows[-PAGE:]
        await self._log(request, session, asked, rows)
        return self.sign_in.page(
            session, "messages.html", rows=rows, asked=asked, wanted=asked.wanted, counts=counts,
            total=sum(counts.values()) if asked.wanted.outcome is None else counts.get(asked.wanted.outcome, 0),
            first=after is None and (before is None or not more), most=MOST_CLIENTS, query=_kept(request),
            older=_to(request, "na", rows[-1]) if rows and (more or before is not None) else None,
            newer=_to(request, "voor", rows[0]) if rows and (after is not None or (before is not None and more)) else None,
            chips={name: _kept(request, status=name) for name in dutch.OUTCOMES}, all_=_kept(request, status=None),
            link=lambda client: self.sign_in.sessions.client(session.organisation, client),
        )  # fmt: skip

    async def search(self, request: web.Request) -> web.Response:
        """Take the filter's form: no id of a client may stand in an address, so it is posted and comes back sealed."""
        session, fields = await self.sign_in.form(request)
        query = {name: fields.get(name, "").strip() for name in KEPT}
        query["client"] = self.sign_in.sealed(session, fields.get("client", ""))
        raise web.HTTPSeeOther("/berichten?" + urlencode({name: value for name, value in query.items() if value}))

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Send the filtered messages as CSV, however many."""
        session = await self.sign_in.session(request)
        asked = await self._search(request, session)
        if asked.wrong:
            raise web.HTTPBadRequest
        rows = await self.queries.messages(session.organisation, asked.wanted, None, EXPORT_PAGE)
        await self._log(request, session, asked, rows)
        today = self.clock().astimezone(ZONE).date()
        since, until = asked.wanted.since, asked.wanted.until or today
        name = file_name("berichten", session.organisation, f"{since or 'begin'}-tot-{until}")
        response = web.StreamResponse(
            headers={"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
        )
        await response.prepare(request)
        try:
            await response.write(spreadsheets.messages(rows, head=True))
            while len(rows) == EXPORT_PAGE:
                after = rows[-1]["first"], rows[-1]["message"]
                rows = await self.queries.messages(session.organisation, asked.wanted, after, EXPORT_PAGE)
                await self._log(request, session, asked, rows)
                await response.write(spreadsheets.messages(rows))
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

    async def _log(self, request: web.Request, session: Session, asked: Search, rows: Sequence[Row]) -> None:
        """Write whose messages are about to be shown, and by which filter; who looks for a client looked at it, found or not."""
        clients = {row["client"] for row in rows} | set(asked.wanted.clients or ()) | ({asked.typed} if asked.typed else set())
        names = ("van", "tot", "kanaal", "status", "reden", "na", "voor")
        given = {name: request.query[name] for name in names if request.query.get(name)}
        await self.sign_in.access.shown(request, session, clients, urlencode(given))

    async def _search(self, request: web.Request, session: Session) -> Search:
        """Read what is looked for. Raises HTTPNotFound for a client's token of others, and HTTPBadRequest."""
        query = request.query
        wanted = Filter(
            since=day(query.get("van")), until=day(query.get("tot")), channel=one_of(query.get("kanaal"), dutch.CHANNELS),
            outcome=one_of(query.get("status"), dutch.OUTCOMES), cause=one_of(query.get("reden"), dutch.CAUSES),
        )  # fmt: skip
        if not (token := query.get("client")):
            return Search(wanted)
        typed = self.sign_in.client(session, token)
        found = await self.queries.clients(session.organisation, typed, MOST_CLIENTS + 1)
        chosen = Filter(**{**vars(wanted), "clients": tuple(found[:MOST_CLIENTS])})
        return Search(chosen, typed, len(found) > MOST_CLIENTS)


def _kept(request: web.Request, **others: str | None) -> str:
    """Return the filter of an address for another one; `others`: with these instead, None: without."""
    kept: dict[str, Any] = {name: request.query[name] for name in KEPT if request.query.get(name)}
    return urlencode({name: value for name, value in {**kept, **others}.items() if value})


def _to(request: web.Request, name: str, row: Row) -> str:
    """Return the query of a page that goes on from a row."""
    here = urlencode({name: f"{row['first']}_{row['message']}"})
    return "&".join(filter(None, (_kept(request), here)))


def file_name(what: str, organisation: str, which: str) -> str:
    """Return the name of a file for whoever keeps several: of letters that every system takes."""
    return re.sub(r"[^a-z0-9-]+", "-", f"{what}-{organisation}-{which}".lower()).strip("-") + ".csv"


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


def one_of(text: str | None, known: dict[str, Any]) -> str | None:
    """Read a choice of a form; 400 for what is none."""
    if not text:
        return None
    if text not in known:
        raise web.HTTPBadRequest
    return text


def place(text: str | None) -> Place | None:
    """Read where a page goes on; 400 for what is no place."""
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise web.HTTPBadRequest
    return found[1], found[2]
