"""Who looks: written to `access-log`, and there, before a byte of an answer goes out that has data of clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import uuid4

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from agents.access.table import Rule, rule_of
from agents.kafka.publisher import Publisher, UnavailableError
from agents.kafka.writer import Event
from agents.projection.access import session_hash, user_hash
from agents.projection.projection import Projection
from agents.projection.queries import Queries
from agents.projection.tables import moment
from schemas.access import EVERY, SIGN_OUT, AccessOutcome, AccessRecord, Change
from schemas.topics import ACCESS_LOG
from schemas.wire import encode
from streams.notices.settings import apply_override

from .sessions import Session

log = structlog.get_logger(__name__)

LOGGED = web.RequestKey("logged", AccessRecord)
"""Of a request: its last record is there, so its answer may go out."""


class UnloggedError(Exception):
    """A route that shows clients' data answers, and nothing was written of it: a fault of ours."""


class AccessLog:
    """Writes the records. All raise UnavailableError where Kafka does not acknowledge: then nothing may be shown or done."""

    def __init__(self, publisher: Publisher, queries: Queries, clock: Callable[[], datetime]) -> None:
        self.publisher, self.queries, self.clock = publisher, queries, clock
        self.projection = Projection(queries.engine)

    async def shown(self, request: web.Request, session: Session, clients: Iterable[str], filter_: str = "") -> None:
        """Write that a user is shown these clients' data by the route that was asked for."""
        action = rule_of_request(request).shows
        request[LOGGED] = await self.write(session, action or request.path, "shown", clients, filter_)

    async def done(self, request: web.Request, session: Session, filter_: str, changes: Sequence[Change] = ()) -> AccessRecord:
        """Write that a user is about to change something by the route that was asked for; return the record."""
        action = rule_of_request(request).changes
        record = await self.write(session, action or request.path, "done", filter_=filter_, changes=changes)
        request[LOGGED] = record
        return record

    async def failed(self, request: web.Request) -> None:
        """Write that what was written of a request broke off; where Kafka is away, a line of the log has to do."""
        record = request.get(LOGGED)
        if record is None:
            return
        try:
            await self.publish(replace(record, id=uuid4().hex, at=self.clock(), outcome="failed"))
        except UnavailableError:
            log.warning("what broke off has no record of that in access-log", action=record.action, record=record.id)

    @web.middleware
    async def broken_off(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Have a record of what breaks off: whoever was said to be shown something may have seen none of it, or a part."""
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            await self.failed(request)
            raise

    async def write(
        self, session: Session, action: str, outcome: AccessOutcome, clients: Iterable[str] = (), filter_: str = "",
        changes: Sequence[Change] = (),
    ) -> AccessRecord:  # fmt: skip
        """Write what a user was shown, did, or was refused; return the record."""
        return await self.publish(
            AccessRecord(
                id=uuid4().hex, at=self.clock(), organisation=session.organisation or EVERY, user=session.user,
                user_name=session.name or None, role=",".join(session.roles), action=action,
                clients=tuple(sorted(set(clients))), filter=filter_ or None, outcome=outcome,
                session=session_hash(session.nonce) if session.nonce else None, changes=tuple(changes),
            )
        )  # fmt: skip

    async def publish(self, record: AccessRecord) -> AccessRecord:
        """Write a record, and wait until Kafka has it."""
        await self.publisher.publish(Event(ACCESS_LOG.name, record.organisation, encode(record)))
        return record

    async def end(self, session: Session) -> None:
        """End a session: in this process's database at once, in others' as soon as they read it."""
        record = await self.write(session, SIGN_OUT, "done")
        try:
            await asyncio.to_thread(self.projection.note_access, record)
        except SQLAlchemyError as error:  # it comes from the topic
            log.warning("the projection waits", error=type(error).__name__)

    async def is_silent(self, organisation: str) -> bool:
        """Tell whether an organisation's messages are off, for all its pages to say so. Raises UnavailableError."""
        known = await self.queries.settings(organisation)
        return known.upstream is not None and not apply_override(known.upstream, known.override).notifications

    async def is_ended(self, session: Session) -> bool:
        """Tell whether a session was ended. Raises UnavailableError where the database does not say."""
        mine, users = session_hash(session.nonce), user_hash(session.organisation, session.user)
        found = await self.queries.ended([mine, users])
        began = moment(datetime.fromtimestamp(session.since, self.clock().tzinfo))
        return mine in found or found.get(users, "") >= began


def rule_of_request(request: web.Request) -> Rule:
    """Return the rule of the route that was asked for."""
    resource = request.match_info.route.resource
    return rule_of(request.method, resource.canonical if resource is not None else "-")


async def nothing_unlogged(request: web.Request, response: web.StreamResponse) -> None:
    """Let no answer with data of clients begin of which nothing was written. Raises UnloggedError."""
    resource = request.match_info.route.resource
    if response.status >= 300 or resource is None or LOGGED in request:
        return
    if rule_of_request(request).shows is not None:
        log.critical("an answer was held back: it has no record in access-log", route=resource.canonical)
        raise UnloggedError
