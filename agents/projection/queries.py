"""What pages and the API ask of the projection. Each question is one indexed query, for one organisation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select, and_, case, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from schemas.access import EVERY
from schemas.held import HeldRecord

from ..kafka.publisher import UnavailableError
from . import organisations, waiting
from .forgetting import client_hash
from .reduce import ZONE, Row
from .requests import RequestState
from .tables import CHANGES, DAYS, DOUBTS, ENDED, HELD, LOOKS, MESSAGES, RECORDS, REQUESTS, SETTINGS, VOLUMES, moment

log = structlog.get_logger(__name__)

T = TypeVar("T")

PAGE = 50

STEPS = ("retrying", "unknown", "sent", "delivered", "failed", "suppressed", "superseded", "expired")
"""In which order things become of a message, where the clock does not tell."""


@dataclass(frozen=True)
class Filter:
    """Which messages; days are local and both included. None: any."""

    client: str | None = None
    since: date | None = None
    until: date | None = None
    channel: str | None = None
    status: str | None = None


class Doubted(NamedTuple):
    """Of how many clients something is doubted, and since when."""

    clients: int
    since: str


class Held(NamedTuple):
    """How much waits in a hold: messages, to so many clients, and those of days that begin within 24 hours."""

    messages: int
    clients: int
    near: int


class Queries:
    """Questions to the projection. UnavailableError where the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

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
        """Return how much waits in a hold of an organisation, and the records of the first clients; without what is over."""
        mine = (HELD.c.organisation == organisation) & (HELD.c.until > moment(now))
        sums = select(
            func.coalesce(func.sum(HELD.c.messages), 0).label("messages"), func.count().label("clients"),
            func.coalesce(func.sum(HELD.c.near), 0).label("near"),
        )  # fmt: skip
        first = select(HELD.c.value).where(mine).order_by(HELD.c.at, HELD.c.client).limit(limit)

        def asked(connection: Connection) -> tuple[Held, list[HeldRecord]]:
            row = connection.execute(sums.where(mine)).mappings().one()
            found = [waiting.read(dict(one)) for one in connection.execute(first).mappings()]
            return Held(int(row["messages"]), int(row["clients"]), int(row["near"])), found

        return await self._ask(asked)

    async def doubted(self, organisation: str, now: datetime) -> Doubted | None:
        """Return of how many clients snapshots miss so much that it is not believed; None where all are."""
        mine = (DOUBTS.c.organisation == organisation) & (DOUBTS.c.until > moment(now))
        sums = select(func.sum(DOUBTS.c.clients).label("clients"), func.min(DOUBTS.c.since).label("since"))
        (row,) = await self._rows(sums.where(mine))
        return Doubted(int(row["clients"]), row["since"]) if row["clients"] else None

    async def waits(self, organisation: str, client: str) -> int:
        """Count the messages to a client that wait in a hold."""
        mine = (HELD.c.organisation == organisation) & (HELD.c.client == client)
        rows = await self._rows(select(HELD.c.messages).where(mine))
        return int(rows[0]["messages"]) if rows else 0

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
        self, organisation: str, wanted: Filter, after: tuple[str, str] | None = None, limit: int = PAGE
    ) -> list[Row]:
        """Return messages, the newest first; `after`: (first, message) of the last one of the page before."""
        return await self._rows(_messages(organisation, wanted, after).limit(limit))

    async def history(self, organisation: str, client: str, limit: int = 200) -> list[Row]:
        """Return a client's last messages, the oldest first, each with its `records`."""
        rows = await self.messages(organisation, Filter(client=client), limit=limit)
        ids = [row["message"] for row in rows]
        records = await self._rows(select(RECORDS).where(RECORDS.c.message.in_(ids)))
        records.sort(key=lambda one: (one["at"], one["attempt"], STEPS.index(one["status"])))
        found: dict[str, list[Row]] = {message: [] for message in ids}
        for one in records:
            found[one["message"]].append(one)
        return [{**row, "records": found[row["message"]]} for row in reversed(rows)]

    async def months(self, organisation: str, count: int = 13) -> list[Row]:
        """Return totals a month, the newest first: what was sent by channel, SMS parts and cost, and what was not sent."""
        month = func.substr(DAYS.c.day, 1, 7).label("month")
        return await self._rows(
            select(
                month, DAYS.c.channel, DAYS.c.status, DAYS.c.currency, func.sum(DAYS.c.records).label("records"),
                func.sum(DAYS.c.parts).label("parts"), func.sum(DAYS.c.micros).label("micros"),
            )
            .where(DAYS.c.organisation == organisation)
            .group_by(month, DAYS.c.channel, DAYS.c.status, DAYS.c.currency)
            .order_by(month.desc())
        )  # fmt: skip

    async def days(self, organisation: str, since: date, until: date) -> dict[tuple[str, str], int]:
        """Count messages sent, by local day and channel."""
        rows = await self._rows(
            select(DAYS.c.day, DAYS.c.channel, func.sum(DAYS.c.records).label("records"))
            .where(DAYS.c.organisation == organisation, DAYS.c.status == "sent")
            .where(DAYS.c.day.between(since.isoformat(), until.isoformat()))
            .group_by(DAYS.c.day, DAYS.c.channel)
        )
        return {(row["day"], row["channel"]): int(row["records"]) for row in rows}

    async def _rows(self, query: Select[Any]) -> list[Row]:
        return await self._ask(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    async def _ask(self, question: Callable[[Connection], T]) -> T:
        def asked() -> T:
            with self.engine.connect() as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(asked)
        except SQLAlchemyError as error:
            log.error("the projection does not answer", error=type(error).__name__)
            raise UnavailableError from None


def _request(organisation: str, party: str, request: str) -> Any:
    return and_(REQUESTS.c.organisation == organisation, REQUESTS.c.party == party, REQUESTS.c.request == request)


def _messages(organisation: str, wanted: Filter, after: tuple[str, str] | None) -> Select[Any]:
    query = select(MESSAGES).where(MESSAGES.c.organisation == organisation)
    for name in ("client", "channel", "status"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(MESSAGES.c[name] == value)
    if wanted.since is not None:
        query = query.where(MESSAGES.c.first >= midnight(wanted.since))
    if wanted.until is not None:
        query = query.where(MESSAGES.c.first < midnight(wanted.until + timedelta(days=1)))
    place: Sequence[Any] = (MESSAGES.c.first, MESSAGES.c.message)
    if after is not None:
        query = query.where(tuple_(*place) < tuple_(*after))
    return query.order_by(*(column.desc() for column in place))


def midnight(day: date) -> str:
    """Return the instant at which a local day begins, as the tables hold it."""
    return moment(datetime.combine(day, time(), ZONE))
