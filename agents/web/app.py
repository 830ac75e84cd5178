"""The routes of the web service, and what they need."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import structlog
from aiohttp import web

from ..clock import utc_now
from ..kafka.publisher import Measured, Publisher
from ..monitoring.web_metrics import METRICS, WebMetrics
from ..projection.figures import FigureQueries
from ..projection.follower import Follower
from ..projection.forgetting import expire_forever
from ..projection.projection import Projection
from ..projection.queries import Queries
from ..projection.tables import open_database
from ..providers.smtp import mail_server
from ..settings.agreed import agreed_producers
from ..settings.settings import Settings, SettingsError, variable
from ..tokens import Tokens
from .api.fhir import Fhir
from .api.keys import ApiKeys
from .api.rate_limit import TokenBuckets
from .api.requests import Requests
from .busy import Busy
from .http import pages
from .http.middleware import LARGEST_BODY, guard, headers_of
from .overview.client_page import ClientPage
from .overview.figures_page import FiguresPage
from .overview.holds import HoldsPage
from .overview.looks import Looks
from .overview.pages import Overview
from .preferences.pages import Preferences
from .preferences.trial import Trial
from .saving import Saver
from .sign_in.access import AccessLog, nothing_unlogged
from .sign_in.accounts import Accounts
from .sign_in.oidc import Provider
from .sign_in.pages import SignIn
from .sign_in.sessions import Sessions
from .unsubscribe import Unsubscribe
from .watching import DIED, Watching, tasks
from .webhook import Webhook

log = structlog.get_logger(__name__)


def create_web(
    settings: Settings, publisher: Publisher, follower: Follower | None = None, clock: Callable[[], datetime] = utc_now
) -> web.Application:
    """Build the service on these settings. It stops the publisher, and the follower that keeps the projection up to date."""
    https = (settings.web_url or "").startswith("https://")
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[guard(settings.web_slow_seconds)])
    app.on_response_prepare.append(headers_of(https=https))
    metrics = app[METRICS] = follower.metrics if follower is not None else WebMetrics()
    app[DIED] = asyncio.Event()
    publisher = Measured(publisher, metrics)
    watching = Watching(metrics, follower)
    links = Tokens(settings.unsubscribe_keys, "unsubscribe") if settings.unsubscribe_keys else None
    engine = follower.projection.engine if follower is not None else open_database(settings.web_database, settings.data)
    queries = Queries(engine)
    app.add_routes([web.get("/static/{name}", static), *watching.routes()])
    app.add_routes(Unsubscribe(publisher, links, queries).routes())
    app.add_routes(Webhook(publisher, settings, clock).routes())
    keys, limits = _api_keys(settings), TokenBuckets(settings.api_per_minute)
    app.add_routes(Requests(publisher, keys, limits, queries).routes())
    app.add_routes(Fhir(publisher, keys, limits, agreed_producers(settings.producers)).routes())
    access = AccessLog(publisher, queries, clock)
    app.middlewares.append(access.broken_off)
    sign_in = _sign_in(settings, https, access, clock)
    app.middlewares.append(sign_in.inside)
    app.on_response_prepare.extend([nothing_unlogged, sign_in.renew])
    app.add_routes(sign_in.routes())
    app.add_routes(Overview(queries, sign_in, clock).routes())
    app.add_routes(ClientPage(queries, sign_in, clock).routes())
    app.add_routes(FiguresPage(FigureQueries(engine), sign_in, clock).routes())
    app.add_routes(Looks(queries, sign_in).routes())
    saver = Saver(publisher, Projection(engine), clock)
    server = mail_server(settings, 1)
    mails = settings.smtp_user is None or settings.smtp_password is not None  # else each try is a failed login
    app.add_routes(Preferences(saver, queries, sign_in, clock, Trial(server if mails else None)).routes())
    app.add_routes(HoldsPage(saver, queries, sign_in, clock, watching.behind).routes())

    async def background(_: web.Application) -> AsyncIterator[None]:
        running = {"beat": watching.beat()}
        if follower is not None:
            running["follower"] = follower.run()
            mail = server if mails else None
            running["volumes"] = Busy(queries, mail, metrics, clock, settings.web_url, watching.behind).run()
            running["expiry"] = expire_forever(follower.projection.expire, settings.text_days, settings.audit_days, clock)
        async with tasks(app, **running):
            yield
        await publisher.close()
        sign_in.close()
        await server.close()
        engine.dispose()

    app.cleanup_ctx.append(background)
    return app


def _api_keys(settings: Settings) -> ApiKeys:
    try:
        return ApiKeys(settings.api_keys)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable('api_keys')} is {settings.api_keys}, which cannot be read: {error}") from None


def _sign_in(settings: Settings, https: bool, access: AccessLog, clock: Callable[[], datetime]) -> SignIn:
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
            f"{settings.web_url}aanmelden/terug", settings.oidc_roles_claim,
        )  # fmt: skip
        if settings.oidc_roles_claim is None:
            log.warning("every user has all roles", setting=variable("oidc_roles_claim"))
    sessions = Sessions(settings.session_keys or (secrets.token_urlsafe(32),))
    return SignIn(sessions, accounts, provider, access, https=https, clock=clock)


async def static(request: web.Request) -> web.Response:
    """Answer with a file of ours, from memory."""
    found = pages.STATIC.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    body, kind = found
    return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "public, max-age=604800"})
