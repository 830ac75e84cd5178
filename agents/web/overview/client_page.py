"""Show how things stand with one client, and what was said to it (`standing.py`). The page changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from agents.projection.causes import REFUSED, REPORTED, cause_of, outcome_of
from agents.projection.queries import Queries
from agents.projection.reduce import Row
from agents.projection.states import STORE
from schemas.deliveries import LoggedNotice, LogRecord
from schemas.keys import ClientKey
from streams.explain.client import snapshot_of

from ..http import pages
from ..sign_in.pages import SignIn
from . import dutch
from .reach import SOURCES, WAYS
from .standing import standing

_notices = msgspec.json.Decoder(tuple[LoggedNotice, ...]).decode

pages.ENVIRONMENT.filters.update(long_day=dutch.long_day)


class Turn(NamedTuple):
    """A channel was turned off or on, for the conversation."""

    at: str
    text: str


class ClientPage:
    """`/clienten/{client}`. Asked for the organisation of the session, never for one that an address names."""

    def __init__(self, queries: Queries, sign_in: SignIn, clock: Callable[[], datetime]) -> None:
        self.queries, self.sign_in, self.clock = queries, sign_in, clock

    def routes(self) -> list[web.RouteDef]:
        """Return the route (`agents/access/table.py` has who may)."""
        return [web.get("/clienten/{client}", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Show whether the client can be reached, what is ahead with what was told of it, what waits, and the conversation."""
        session = await self.sign_in.session(request)
        client = self.sign_in.client(session, request.match_info["client"])
        rows, kept, turns, held = await asyncio.gather(
            self.queries.history(session.organisation, client), self.queries.rows_of(session.organisation, client),
            self.queries.opt_outs(session.organisation, [client]), self.queries.waits(session.organisation, client),
        )  # fmt: skip
        key, mine = ClientKey(session.organisation, client), turns.get(client, [])
        await self.sign_in.access.shown(request, session, [client])
        known = snapshot_of({STORE: kept}, log_of(rows), key)
        opted_out = {row["message"] for row in rows if row["opted_out"]}
        unknown = known.client_facts[:3] == (None, None, None) and not known.agenda.appointments
        return self.sign_in.page(
            session, "client.html", client=client, token=request.match_info["client"],
            stands=standing(known, self.clock(), mine, held.own, opted_out) if not unknown else None, talk=talk(rows, mine),
            waits=held,
        )  # fmt: skip


def log_of(rows: Iterable[Row]) -> list[LogRecord]:
    """Return messages as their records, with what the projection keeps of these."""
    return [
        LogRecord(
            message=row["message"], organisation=row["organisation"], client=row["client"], channel=one["channel"],
            reason=row["reason"], status=one["status"], detail=one["detail"], at=datetime.fromisoformat(one["at"]),
            notices=_notices(row["notices"]), attempt=one["attempt"],
        )
        for row in rows
        for one in row["records"]
    ]  # fmt: skip


def talk(rows: Iterable[Row], turns: Iterable[Mapping[str, Any]]) -> list[Turn | Row]:
    """Return messages and what the client turned off and on, in the order in which they were.

    Each of a message's `records` has its outcome, and as `code` what the provider said, for whoever must ask there.
    """
    said: list[Turn | Row] = [Turn(turn["at"], _turned(turn)) for turn in turns]
    shown = [{**row, "records": [_step(one, record) for one, record in _steps(row)]} for row in rows]
    return sorted([*said, *shown], key=lambda one: one.at if isinstance(one, Turn) else one["first"])


def _steps(row: Row) -> Iterable[tuple[Row, LogRecord]]:
    return zip(row["records"], log_of([row]), strict=True)


def _step(one: Row, record: LogRecord) -> Row:
    code = one["detail"] if cause_of(record) in (*REPORTED, *REFUSED, "retrying", "unknown", "failed") else None
    return {**one, "outcome": outcome_of(record), "code": code}


def _turned(turn: Mapping[str, Any]) -> str:
    way = WAYS[turn["channel"]]
    if not turn["off"]:
        return f"De cliënt krijgt weer berichten per {way}."
    return f"De cliënt heeft zich afgemeld voor {way}, {SOURCES.get(turn['source'], turn['source'])}."
