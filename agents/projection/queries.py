"""What pages and the API ask of the projection. Each question is one indexed query, for one organisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, case, func, select, tuple_

from schemas.access import EVERY
from schemas.held import HeldRecord
from schemas.keys import CLIENT

from . import organisations, states, waiting
from .asking import Asking
from .days import midnight
from .forgetting import client_hash
from .page_tables import CLIENTS, OPT_OUTS, STATES, TALLIES
from .reduce import Row
from .requests import RequestState
from .tables import CHANGES, DOUBTS, ENDED, HELD, LOOKS, MESSAGES, RECORDS, REQUESTS, SETTINGS, VOLUMES, moment

PAGE = 50

LAST = "\U0010ffff"
"""After whatever begins alike."""

Place = tuple[str, str]
"""Where a message stands in the list: when it began, and its id."""

STEPS = ("retrying", "unknown", "sent", "delivered", "failed", "suppressed", "superseded", "expired")
"""In which order things become of a message, where the clock does not tell."""


@dataclass(frozen=True)
class Filter:
    """Which messages; days are local and both included. None: any. `clients`: one of these. `outcome`, `cause`: `causes.py`."""

    clients: tuple[str, ...] | None = None
    since: date | None = None
    until: date | None = None
    channel: str | None = None
    outcome: str | None = None
    cause: str | None = None


class Doubted(NamedTuple):
    """Of how many clients something is doubted, and since when."""

    clients: int
    since: str


class Held(NamedTuple):
    """How much waits in a hold: messages, about so many clients, and those of days that begin within 24 hours.

    `records`: to so many recipients.
    """

    messages: int
    clients: int
    near: int
    records: int


class Waits(NamedTuple):
    """How many messages wait in a hold: to a client, and to those who act for the client."""

    own: int
    others: int


class Queries(Asking):
    """Questions to the projection. UnavailableError where the database does not answer."""

    async def request_state(self, organisation: str, party: str, request: str) -> RequestState | None:
        """Return what became of a third party's request."""
        asked = await self._rows(select(REQUESTS.c.message).where(_request(organisation, party, request)))
        if not asked:
            return None
        message = asked[0]["message"]
        found = await self._rows(select(MESSAGES).where(MESSAGES.c.organisation == organisation, MESSAGES.c.message == message))
        if not found:
            return RequestState(request=request, message=message, state="accepted")
        row = found[0]
        return RequestState(
            request=request, message=message, state=row["status"], detail=row["detail"], channel=row["channel"], at=row["at"]
        )

    async def fingerprint(self, organisation: str, party: str, request: str) -> str | None:
        """Return the fingerprint of what was asked under this id."""
        rows = await self._rows(select(REQUESTS.c.fingerprint).where(_request(organisation, party, request)))
        return rows[0]["fingerprint"] if rows else None

    async def waiting(self, organisation: str, client: str) -> int:
        """Count the requests for a client of which nothing has become yet."""
        became = (MESSAGES.c.organisation == REQUESTS.c.organisation) & (MESSAGES.c.message == REQUESTS.c.message)
        rows = await self._rows(
            select(func.count().label("waiting"))
            .select_from(REQUESTS.outerjoin(MESSAGES, became))
            .where(REQUESTS.c.organisation == organisation, REQUESTS.c.client == client_hash(organisation, client))
            .where(MESSAGES.c.message.is_(None))
        )
        return int(rows[0]["waiting"])

    async def settings(self, organisation: str) -> organisations.OrganisationState:
        """Return an organisation's settings, upstream's and its own."""
        return organisations.known(await self._rows(select(SETTINGS).where(SETTINGS.c.organisation == organisation)))

    async def ended(self, sessions: Sequence[str]) -> dict[str, str]:
        """Return when sessions were ended, of these hashes; those that were."""
        rows = await self._rows(select(ENDED).where(ENDED.c.session.in_(sessions)))
        return {row["session"]: row["at"] for row in rows}

    async def changes(self, organisation: str, limit: int = 50) -> list[Row]:
        """Return who changed which settings, the last one first."""
        mine = select(CHANGES).where(CHANGES.c.organisation == organisation)
        return await self._rows(mine.order_by(CHANGES.c.at.desc(), CHANGES.c.id).limit(limit))

    async def looks(self, organisation: str, client: str, limit: int = 500) -> list[Row]:
        """Return who looked at a client, the last day first; also by a command over all organisations that named the client."""
        mine = LOOKS.c.organisation.in_([organisation, EVERY]) & (LOOKS.c.client == client)
        return await self._rows(select(LOOKS).where(mine).order_by(LOOKS.c.last.desc()).limit(limit))

    async def held(self, organisation: str, now: datetime, limit: int) -> tuple[Held, list[HeldRecord]]:
        """Return how much waits in a hold of an organisation, and the records of the first; without what is over."""
        mine = (HELD.c.organisation == organisation) & (HELD.c.until > moment(now))
        sums = select(
            func.coalesce(func.sum(HELD.c.messages), 0).label("messages"), func.count(HELD.c.client.distinct()).label("clients"),
            func.count().label("records"),
            func.coalesce(func.sum(HELD.c.near), 0).label("near"),
        )  # fmt: skip
        first = select(HELD.c.value).where(mine).order_by(HELD.c.at, HELD.c.client, HELD.c.recipient).limit(limit)

        def asked(connection: Connection) -> tuple[Held, list[HeldRecord]]:
            row = connection.execute(sums.where(mine)).mappings().one()
            found = [waiting.read(dict(one)) for one in connection.execute(first).mappings()]
            return Held(*[int(row[name]) for name in Held._fields]), found

        return await self._ask(asked)

    async def doubted(self, organisation: str, now: datetime) -> Doubted | None:
        """Return of how many clients snapshots miss so much that it is not believed; None where all are."""
        mine = (DOUBTS.c.organisation == organisation) & (DOUBTS.c.until > moment(now))
        sums = select(func.sum(DOUBTS.c.clients).label("clients"), func.min(DOUBTS.c.since).label("since"))
        (row,) = await self._rows(sums.where(mine))
        return Doubted(int(row["clients"]), row["since"]) if row["clients"] else None

    async def waits(self, organisation: str, client: str) -> Waits:
        """Count the messages that wait in a hold: to a client, and to those who act for the client."""
        mine = (HELD.c.organisation == organisation) & (HELD.c.client == client)
        rows = await self._rows(select(HELD.c.recipient, HELD.c.messages).where(mine))
        own = sum(row["messages"] for row in rows if row["recipient"] == CLIENT)
        return Waits(own, sum(row["messages"] for row in rows) - own)

    async def parties(self, organisation: str, since: datetime) -> dict[str, int]:
        """Return the third parties that asked something since then, and how many of their requests nothing has become of yet."""
        became = (MESSAGES.c.organisation == REQUESTS.c.organisation) & (MESSAGES.c.message == REQUESTS.c.message)
        waits = func.sum(case((MESSAGES.c.message.is_(None), 1), else_=0))
        rows = await self._rows(
            select(REQUESTS.c.party, waits.label("waits"))
            .select_from(REQUESTS.outerjoin(MESSAGES, became))
            .where(REQUESTS.c.organisation == organisation, REQUESTS.c.at >= moment(since))
            .group_by(REQUESTS.c.party)
            .order_by(REQUESTS.c.party)
        )
        return {row["party"]: int(row["waits"]) for row in rows}

    async def lately(self, since: int) -> list[tuple[str, str]]:
        """Return of whom messages went out since these ten minutes: organisation and reason."""
        rows = await self._rows(select(VOLUMES.c.organisation, VOLUMES.c.reason).where(VOLUMES.c.ten_minutes >= since).distinct())
        return sorted((row["organisation"], row["reason"]) for row in rows)

    async def volumes(self, organisation: str, reason: str) -> dict[int, int]:
        """Count the messages of an organisation that went out, by ten minutes."""
        mine = (VOLUMES.c.organisation == organisation) & (VOLUMES.c.reason == reason)
        rows = await self._rows(select(VOLUMES.c.ten_minutes, VOLUMES.c.messages).where(mine))
        return {int(row["ten_minutes"]): int(row["messages"]) for row in rows}

    async def messages(
        self, organisation: str, wanted: Filter, after: Place | None = None, limit: int = PAGE, before: Place | None = None
    ) -> list[Row]:
        """Return messages, the newest first; of those that follow on a place, or of the last that stand before one.

        `opted_out`: of one that the client's wish held back, whether a channel was off then, at the client's own word.
        """
        some = _messages(organisation, wanted, after, before).limit(limit)  # their ids first: whole rows are slow to sort
        mine = (MESSAGES.c.organisation == organisation) & MESSAGES.c.message.in_(some)
        rows = await self._rows(select(MESSAGES).where(mine).order_by(MESSAGES.c.first.desc(), MESSAGES.c.message.desc()))
        return await self._opted_out(organisation, rows)

    async def counts(self, organisation: str, wanted: Filter) -> dict[str, int]:
        """Count messages by outcome, of whatever outcome."""
        if wanted.clients is not None:
            rows = await self._rows(
                _chosen(select(MESSAGES.c.outcome, func.count().label("messages")), organisation, replace(wanted, outcome=None))
                .group_by(MESSAGES.c.outcome)
            )  # fmt: skip
        else:
            query = select(TALLIES.c.outcome, func.sum(TALLIES.c.messages).label("messages"))
            rows = await self._rows(_tallied(query, organisation, wanted).group_by(TALLIES.c.outcome))
        return {row["outcome"]: int(row["messages"]) for row in rows}

    async def clients(self, organisation: str, beginning: str, limit: int) -> list[str]:
        """Return the clients whose number begins so, whatever its case."""
        first = beginning.casefold()
        mine = (CLIENTS.c.organisation == organisation) & (CLIENTS.c.folded >= first) & (CLIENTS.c.folded < first + LAST)
        rows = await self._rows(select(CLIENTS.c.client).where(mine).order_by(CLIENTS.c.folded, CLIENTS.c.client).limit(limit))
        return [row["client"] for row in rows]

    async def history(self, organisation: str, client: str, limit: int = 200) -> list[Row]:
        """Return a client's last messages, the oldest first, each with its `records`."""
        rows = await self.messages(organisation, Filter(clients=(client,)), limit=limit)
        ids = [row["message"] for row in rows]
        records = await self._rows(select(RECORDS).where(RECORDS.c.message.in_(ids)))
        records.sort(key=lambda one: (one["at"], one["attempt"], STEPS.index(one["status"])))
        found: dict[str, list[Row]] = {message: [] for message in ids}
        for one in records:
            found[one["message"]].append(one)
        return [{**row, "records": found[row["message"]]} for row in reversed(rows)]

    async def rows_of(self, organisation: str, client: str) -> dict[bytes, bytes]:
        """Return the workers' rows of a client and its organisation (`states.py`)."""
        mine = (STATES.c.organisation == organisation) & STATES.c.client.in_([client, ""])
        return states.rows_of(await self._rows(select(STATES).where(mine)))

    async def opt_outs(self, organisation: str, clients: Iterable[str]) -> dict[str, list[Row]]:
        """Return by client when channels were turned off and on again, the first one first."""
        hashes = {client_hash(organisation, client): client for client in clients}
        mine = (OPT_OUTS.c.organisation == organisation) & OPT_OUTS.c.client.in_(list(hashes))
        found: dict[str, list[Row]] = {}
        for row in await self._rows(select(OPT_OUTS).where(mine).order_by(OPT_OUTS.c.at)):
            found.setdefault(hashes[row["client"]], []).append(row)
        return found

    async def _opted_out(self, organisation: str, rows: list[Row]) -> list[Row]:
        asked = {row["client"] for row in rows if row["cause"] == "client_off"}
        known = await self.opt_outs(organisation, asked) if asked else {}
        return [{**row, "opted_out": _was_off(known.get(row["client"], []), row["first"])} for row in rows]


def _request(organisation: str, party: str, request: str) -> Any:
    return and_(REQUESTS.c.organisation == organisation, REQUESTS.c.party == party, REQUESTS.c.request == request)


def _messages(organisation: str, wanted: Filter, after: Place | None, before: Place | None) -> Select[Any]:
    query = _chosen(select(MESSAGES.c.message), organisation, wanted)
    place: Sequence[Any] = (MESSAGES.c.first, MESSAGES.c.message)
    if before is not None:
        return query.where(tuple_(*place) > tuple_(*before)).order_by(*place)
    if after is not None:
        query = query.where(tuple_(*place) < tuple_(*after))
    return query.order_by(*(column.desc() for column in place))


def _chosen(query: Select[Any], organisation: str, wanted: Filter) -> Select[Any]:
    query = query.where(MESSAGES.c.organisation == organisation, MESSAGES.c.client != "")  # an employee's has none
    if wanted.clients is not None:
        query = query.where(MESSAGES.c.client.in_(wanted.clients))
    for name in ("channel", "outcome", "cause"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(MESSAGES.c[name] == value)
    if wanted.since is not None:
        query = query.where(MESSAGES.c.first >= midnight(wanted.since))
    if wanted.until is not None:
        query = query.where(MESSAGES.c.first < midnight(wanted.until + timedelta(days=1)))
    return query


def _tallied(query: Select[Any], organisation: str, wanted: Filter) -> Select[Any]:
    query = query.where(TALLIES.c.organisation == organisation)
    for name in ("channel", "cause"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(TALLIES.c[name] == value)
    if wanted.since is not None:
        query = query.where(TALLIES.c.day >= wanted.since.isoformat())
    if wanted.until is not None:
        query = query.where(TALLIES.c.day <= wanted.until.isoformat())
    return query


def _was_off(turns: Iterable[Row], at: str) -> bool:
    """Tell whether the client had turned a channel off by then."""
    off: dict[str, bool] = {}
    for turn in turns:
        if turn["at"] <= at:
            off[turn["channel"]] = bool(turn["off"])
    return any(off.values())
