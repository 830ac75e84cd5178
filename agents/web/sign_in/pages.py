"""Sign in and out: by OpenID Connect where it is set up, else by a local account."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn
from urllib.parse import quote, unquote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from agents.kafka.publisher import UnavailableError
from agents.monitoring.web_metrics import METRICS
from schemas.access import Role

from ..http import forms, pages
from ..http.middleware import FOR_MACHINES
from . import attempts, ways_back
from .access import AccessLog, rule_of_request
from .accounts import Account, Accounts
from .attempts import Attempts
from .oidc import Identity, Provider, RefusedError
from .pools import FullError, Pool
from .sessions import COOKIE, HOURS, RENEW_SECONDS, Session, Sessions, named

log = structlog.get_logger(__name__)

AWAY = "afspraakbericht-terug"
AWAY_SECONDS = 600

AT_A_TIME, MOST_WAITING = 2, 20
"""Passwords that are checked at a time, each in 32 MB, and that wait for it; for known browsers as many again."""

BUSY_SECONDS = 5
"""When to come again if too many wait."""

RENEWED = web.RequestKey("renewed", Session)
"""Of a request: the session, of which the answer has a new cookie."""

NOBODY = Session("", "", 0, "")

OUTSIDE = (*FOR_MACHINES, "/u/", "/static/")
"""Whoever asks for a path that starts so is not in the office."""

HOMES: tuple[tuple[Role, str], ...] = (("inzage", "/berichten"), ("kosten", "/kosten"), ("beheer", "/instellingen"))
"""The first page of whoever has a role; the first that fits."""


class NotAllowedError(web.HTTPForbidden):
    """Who asks is known, and has not the role for this."""

    page = "role"


class SignIn:
    """The pages, and what other pages ask of them. `provider` None: local accounts."""

    def __init__(
        self, sessions: Sessions, accounts: Accounts, provider: Provider | None, access: AccessLog, *, https: bool,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.access = access
        self.sessions, self.accounts, self.provider, self.https, self.clock = sessions, accounts, provider, https, clock
        self.attempts = Attempts(sessions.keys)
        self.checking = Pool("passwords", AT_A_TIME, MOST_WAITING)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to sign in and out."""
        return [
            web.get("/aanmelden", self.ask),
            web.post("/aanmelden", self.check),
            web.get("/aanmelden/start", self.leave, allow_head=False),
            web.get("/aanmelden/terug", self.back, allow_head=False),
            web.post("/afmelden", self.out),
        ]

    def close(self) -> None:
        """Let go of the threads."""
        self.checking.close()
        if self.provider is not None:
            self.provider.close()

    async def session(self, request: web.Request) -> Session:
        """Return who asks; a browser without a session is sent to sign in. Raises NotAllowedError without the route's role."""
        session = self._any(request)
        if session is None or not session.signed_in:
            raise web.HTTPSeeOther(ways_back.sign_in(request))
        session = self._now_allowed(session)
        if session is None or await self.access.is_ended(session):
            log.info("a session is over: it was ended, or its account is not as it was")
            raise web.HTTPSeeOther(ways_back.sign_in(request))
        if self._now() - session.seen >= RENEW_SECONDS:
            session = session._replace(seen=int(self._now()))
            request[RENEWED] = session
        rule = rule_of_request(request)
        if rule.who != "user" and rule.who not in session.roles:
            await self.access.write(session, rule.shows or rule.changes or "page", "refused", filter_=_route(request))
            log.warning("refused: not the role for it", organisation=session.organisation, route=_route(request))
            raise NotAllowedError
        return session._replace(silent=await self.access.is_silent(session.organisation))

    async def renew(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give an answer the new cookie of a session that is in use; before it begins."""
        session = request.get(RENEWED)
        if session is not None:
            holder = web.Response()
            self._keep(holder, session)
            response.headers.add("Set-Cookie", next(iter(holder.cookies.values())).OutputString())

    async def form(self, request: web.Request, *, anybody: bool = False) -> tuple[Session, dict[str, str]]:
        """Return who sent a form, and its fields; 403 for a form that is not of our page for this session."""
        session = self._any(request) if anybody else await self.session(request)
        try:
            fields = forms.fields(request.headers.get("Content-Type", ""), await request.read())
        except forms.NotAFormError as error:
            raise (web.HTTPUnsupportedMediaType if error.status == 415 else web.HTTPBadRequest) from None
        if session is None or not self.sessions.is_ours(session, fields.get("formulier", "")):
            raise web.HTTPForbidden
        return session, fields

    async def ask(self, request: web.Request) -> web.Response:
        """Show the page to sign in."""
        session = self._any(request)
        if session is not None and session.signed_in:
            allowed = self._now_allowed(session)
            if allowed is not None and not await self.access.is_ended(allowed):
                raise web.HTTPSeeOther("/")
            session = None
        session = session or self.sessions.new("", "", self._now())
        response = self._asked(session, ways_back.asked(request), lost="verlopen" in request.query)
        self._keep(response, session)
        return response

    async def check(self, request: web.Request) -> web.Response:
        """Check a local account."""
        if self.provider is not None:
            raise web.HTTPNotFound
        session, fields = await self.form(request, anybody=True)
        user, password = fields.get("gebruiker", "").strip()[:200], fields.get("wachtwoord", "")[:1000]
        known = self._try(request, "local", user)
        try:
            account = await self.checking.run(self.accounts.check, user, password, spare=MOST_WAITING if known else 0)
        except FullError:
            self._busy(request, "local")
        if account is None:
            log.warning("sign-in refused", error="user or password")
            request.app[METRICS].sign_ins_refused.labels("local").inc()
            there = self.accounts.find(user)  # a name that is nobody's is not written: it may be a password
            await self._refused(Identity(there.organisation, user, "", ()) if there is not None else None)
            return self._asked(session, ways_back.checked(fields.get(ways_back.NAME)), wrong=True, user=user)
        back = ways_back.checked(fields.get(ways_back.NAME))
        return await self._in(Identity(account.organisation, user, "", account.roles, account.email), account, back)

    async def leave(self, request: web.Request) -> web.Response:
        """Redirect to the identity provider."""
        if self.provider is None:
            raise web.HTTPNotFound
        self._try(request, "start")
        try:
            start = await self.provider.start()
        except FullError:
            self._busy(request, "oidc")
        response = web.Response(status=303, headers={"Location": start.url})
        back = quote(ways_back.asked(request), safe="")
        kept = self.sessions.start(start.state, start.nonce, start.verifier, str(int(self._now())), back)
        self._set(response, AWAY, kept, AWAY_SECONDS)
        return response

    async def back(self, request: web.Request) -> web.Response:
        """Come back from the identity provider."""
        kept = self.sessions.started(request.cookies.get(self._name(AWAY), ""), 5)
        if self.provider is None:
            raise web.HTTPNotFound
        if kept is None or not 0 <= self._now() - int(kept[3]) < AWAY_SECONDS:
            self._refuse(request)
        state, nonce, verifier, _, back = kept
        if not hmac.compare_digest(request.query.get("state", "").encode(), state.encode()) or not request.query.get("code"):
            self._refuse(request)
        self._try(request, "back")
        try:
            identity = await self.provider.finish(request.query["code"], nonce, verifier)
        except RefusedError:
            await self._refused(None)
            self._refuse(request)
        except FullError:
            self._busy(request, "oidc")
        response = await self._in(identity, back=ways_back.checked(unquote(back)))
        self._drop(response, AWAY)
        return response

    def page(self, session: Session, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Return a page of the office, with what its forms carry."""
        body = pages.page(template, session=session, form=self.sessions.form(session), **values)
        return web.Response(status=status, body=body, content_type="text/html", charset="utf-8")

    def sealed(self, session: Session, client: str) -> str:
        """Return for an address the id of a client that somebody typed; an empty text where there is none."""
        client = client.strip()[:200].replace("/", "")
        return self.sessions.client(session.organisation, client) if client else ""

    def client(self, session: Session, token: str) -> str:
        """Return the client that an address names; 404 where that is none of the session's organisation."""
        client = self.sessions.open_client(session.organisation, token)
        if client is None:
            raise web.HTTPNotFound
        return client

    async def out(self, request: web.Request) -> web.Response:
        """Sign out: the session counts no more, whoever has its cookie."""
        session, _ = await self.form(request)
        await self.access.end(session)
        request.pop(RENEWED, None)
        response = web.Response(status=303, headers={"Location": "/aanmelden"})
        self._drop(response, COOKIE)
        return response

    @web.middleware
    async def inside(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse with the menu of the office where somebody is signed in: what is not there, or not for this user."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            name = getattr(error, "page", None)
            if (error.status != 404 and name is None) or request.path.startswith(OUTSIDE):
                raise
            session = await self._there(request)
            if session is None:
                raise
            title, text = pages.OTHERWISE[name or "missing"]
            return self.page(session, "missing.html", status=error.status, title=title, text=text)

    async def _there(self, request: web.Request) -> Session | None:
        """Return who asks, where that is known and its session is not over; of a page that shows nothing."""
        session = self._any(request)
        allowed = self._now_allowed(session) if session is not None and session.signed_in else None
        try:
            return allowed if allowed is not None and allowed.roles and not await self.access.is_ended(allowed) else None
        except UnavailableError:
            return None

    def _asked(
        self, session: Session, back: str = "", *, wrong: bool = False, lost: bool = False, user: str = ""
    ) -> web.Response:  # fmt: skip
        """Return the page to sign in. `lost`: what was sent by a form is not saved; `user`: whom it was tried for."""
        status = 403 if wrong else 200
        return self.page(
            session, "sign_in.html", status=status, wrong=wrong, oidc=self.provider is not None, back=back, lost=lost, user=user
        )  # fmt: skip

    async def _in(self, identity: Identity, account: Account | None = None, back: str = "") -> web.Response:
        mark = account.mark if account is not None else ""
        session = self.sessions.new(
            identity.organisation, identity.user, self._now(), identity.roles, identity.name, mark, identity.email
        )
        if not session.roles:
            log.warning("sign-in refused", error="no role", organisation=session.organisation)
            await self.access.write(session, "sign-in", "refused")
            raise NotAllowedError
        await self.access.write(session, "sign-in", "done")
        response = web.Response(status=303, headers={"Location": back or home_of(session)})
        self._keep(response, session)
        known = self.attempts.remember(session.user, self._now())
        self._set(response, attempts.COOKIE, known, attempts.DAYS * 86400)
        log.info("signed in", organisation=session.organisation)
        return response

    async def _refused(self, identity: Identity | None) -> None:
        """Write that somebody could not sign in; who, where that is known."""
        organisation, user = (identity.organisation, identity.user) if identity is not None else ("", "")
        await self.access.write(NOBODY._replace(organisation=organisation, user=user), "sign-in", "refused")

    def _now_allowed(self, session: Session) -> Session | None:
        """Return a session with the roles that its account has now; None where the account went, or has another password."""
        if self.provider is not None:
            return session if not session.mark else None
        account = self.accounts.find(session.user)
        if account is None or (account.organisation, account.mark) != (session.organisation, session.mark):
            return None
        return session._replace(roles=account.roles, email=account.email)

    def _try(self, request: web.Request, way: str, user: str | None = None) -> bool:
        """Tell whether a known browser tries; answers 429 where it, or everybody, has tried too often."""
        browser = self.attempts.known(request.cookies.get(self._name(attempts.COOKIE), ""), self._now(), user)
        wait = self.attempts.take(way, browser, asyncio.get_running_loop().time(), user)
        if wait:
            request.app[METRICS].sign_ins_turned_away.labels("local" if way == "local" else "oidc").inc()
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(math.ceil(wait))})
        return browser is not None

    def _keep(self, response: web.Response, session: Session) -> None:
        self._set(response, COOKIE, self.sessions.seal(session), HOURS * 3600)

    def _set(self, response: web.Response, cookie: str, value: str, seconds: int) -> None:
        name = self._name(cookie)
        response.set_cookie(name, value, max_age=seconds, httponly=True, secure=self.https, samesite="Lax", path="/")

    def _drop(self, response: web.Response, cookie: str) -> None:
        """Have the browser forget a cookie; one of `__Host-` is not touched by an answer that does not say Secure."""
        response.del_cookie(self._name(cookie), path="/", secure=self.https, httponly=True, samesite="Lax")

    def _name(self, cookie: str) -> str:
        return named(cookie, https=self.https)

    def _any(self, request: web.Request) -> Session | None:
        return self.sessions.open(request.cookies.get(self._name(COOKIE), ""), self._now())

    def _now(self) -> float:
        return self.clock().timestamp()

    @staticmethod
    def _busy(request: web.Request, way: str) -> NoReturn:
        request.app[METRICS].sign_ins_turned_away.labels(way).inc()
        raise web.HTTPServiceUnavailable(headers={"Retry-After": str(BUSY_SECONDS)})

    @staticmethod
    def _refuse(request: web.Request) -> NoReturn:
        request.app[METRICS].sign_ins_refused.labels("oidc").inc()
        raise web.HTTPForbidden


def home_of(session: Session) -> str:
    """Return the first page that a user may see."""
    return next((page for role, page in HOMES if role in session.roles), "/aanmelden")


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource is not None else '-'}"
