"""The routes of the web service, and what they need."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime

from aiohttp import web

from ..settings import Settings, SettingsError, variable
from ..tokens import Tokens
from . import pages
from .accounts import Accounts
from .forgetting import expire_forever
from .guard import LARGEST_BODY, guard
from .limits import Limits
from .oidc import Provider
from .overview import Overview
from .parties import Parties
from .preferences import Preferences
from .projection import Follower, Projection
from .publishing import Publisher
from .queries import Queries
from .requests import Requests
from .sessions import Sessions
from .sign_in import SignIn
from .tables import open_database
from .unsubscribe import Unsubscribe
from .webhook import Webhook


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def create_web(
    settings: Settings, publisher: Publisher, follower: Follower | None = None, clock: Callable[[], datetime] = utc_now
) -> web.Application:
    """The service on these settings. It stops the publisher, and the follower that keeps the projection up to date."""
    https = (settings.web_url or "").startswith("https://")
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[guard(settings.web_slow_seconds, https=https)])
    links = Tokens(settings.unsubscribe_keys, "unsubscribe") if settings.unsubscribe_keys else None
    engine = follower.projection.engine if follower is not None else open_database(settings.web_database, settings.data)
    queries = Queries(engine)
    app.add_routes([web.get("/static/{name}", static), web.get("/health", health)])
    app.add_routes(Unsubscribe(publisher, links).routes())
    app.add_routes(Webhook(publisher, settings, clock).routes())
    app.add_routes(Requests(publisher, _parties(settings), Limits(settings.api_per_minute), queries).routes())
    sign_in = _sign_in(settings, https, clock)
    app.add_routes(sign_in.routes())
    app.add_routes(Overview(queries, sign_in, clock).routes())
    app.add_routes(Preferences(publisher, Projection(engine), queries, sign_in, clock).routes())

    async def background(_: web.Application) -> AsyncIterator[None]:
        running = []
        if follower is not None:
            old = expire_forever(follower.projection.expire, settings.text_days, settings.audit_days, clock)
            running = [asyncio.create_task(follower.run()), asyncio.create_task(old)]
        yield
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await publisher.close()
        engine.dispose()

    app.cleanup_ctx.append(background)
    return app


def _parties(settings: Settings) -> Parties:
    try:
        return Parties(settings.api_keys)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable('api_keys')} is {settings.api_keys}, which cannot be read: {error}") from None


def _sign_in(settings: Settings, https: bool, clock: Callable[[], datetime]) -> SignIn:
    try:
        accounts = Accounts(settings.accounts)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable('accounts')} is {settings.accounts}, which cannot be read: {error}") from None
    provider = None
    if settings.oidc_issuer is not None:
        for needed in ("oidc_client", "oidc_secret", "web_url"):
            if getattr(settings, needed) is None:
                raise SettingsError(f"{variable(needed)} is not set: {variable('oidc_issuer')} needs it")
        provider = Provider(
            settings.oidc_issuer, settings.oidc_client or "", settings.oidc_secret or "", settings.oidc_claim,
            f"{settings.web_url}aanmelden/terug",
        )  # fmt: skip
    sessions = Sessions(settings.session_keys or (secrets.token_urlsafe(32),))
    return SignIn(sessions, accounts, provider, https=https, clock=clock)


async def static(request: web.Request) -> web.Response:
    """A file of ours, from memory."""
    found = pages.STATIC.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    body, kind = found
    return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "public, max-age=604800"})


async def health(request: web.Request) -> web.Response:
    """It runs. Kafka may be away: that is each page's to say."""
    return web.json_response({"status": "ok"})
