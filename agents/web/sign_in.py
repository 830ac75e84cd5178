"""Signing in and out: by OpenID Connect where it is set up, else by a local account."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

import structlog
from aiohttp import web

from . import forms, pages
from .accounts import Accounts
from .guard import HEADERS
from .limits import Limits
from .oidc import Provider, RefusedError
from .sessions import COOKIE, HOURS, Session, Sessions

log = structlog.get_logger(__name__)

AWAY = "afspraakbericht-terug"
AWAY_SECONDS = 600

TRIES_A_MINUTE = 10


class SignIn:
    """The pages, and what other pages ask of them. `provider` None: local accounts."""

    def __init__(
        self, sessions: Sessions, accounts: Accounts, provider: Provider | None, *, https: bool, clock: Callable[[], datetime]
    ) -> None:
        self.sessions, self.accounts, self.provider, self.https, self.clock = sessions, accounts, provider, https, clock
        self.tries = Limits(TRIES_A_MINUTE)
        self.checking = asyncio.Semaphore(2)

    def routes(self) -> list[web.RouteDef]:
        """Where somebody signs in and out."""
        return [
            web.get("/aanmelden", self.ask),
            web.post("/aanmelden", self.check),
            web.get("/aanmelden/start", self.leave, allow_head=False),
            web.get("/aanmelden/terug", self.back, allow_head=False),
            web.post("/afmelden", self.out),
        ]

    def session(self, request: web.Request) -> Session:
        """Who asks; a browser without a session is sent to sign in."""
        session = self._any(request)
        if session is None or not session.signed_in:
            raise web.HTTPSeeOther("/aanmelden")
        return session

    async def form(self, request: web.Request, *, anybody: bool = False) -> tuple[Session, dict[str, str]]:
        """Who sent a form, and its fields; 403 for a form that is not of our page for this session."""
        session = self._any(request) if anybody else self.session(request)
        try:
            fields = forms.fields(request.headers.get("Content-Type", ""), await request.read())
        except forms.NotAFormError as error:
            raise (web.HTTPUnsupportedMediaType if error.status == 415 else web.HTTPBadRequest) from None
        if session is None or not self.sessions.is_ours(session, fields.get("formulier", "")):
            raise web.HTTPForbidden
        return session, fields

    def guarded(self, response: web.StreamResponse) -> None:
        """The headers of every answer, for one that is sent as it is made."""
        response.headers.update(HEADERS)

    async def ask(self, request: web.Request) -> web.Response:
        """The page to sign in."""
        session = self._any(request)
        if session is not None and session.signed_in:
            raise web.HTTPSeeOther("/berichten")
        session = session or self.sessions.new("", "", self._now())
        response = self._asked(session)
        self._keep(response, session)
        return response

    async def check(self, request: web.Request) -> web.Response:
        """A local account."""
        if self.provider is not None:
            raise web.HTTPNotFound
        session, fields = await self.form(request, anybody=True)
        user, password = fields.get("gebruiker", "").strip()[:200], fields.get("wachtwoord", "")[:1000]
        wait = self.tries.take(user, asyncio.get_running_loop().time())
        if wait:
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(math.ceil(wait))})
        async with self.checking:  # each takes 32 MB for a moment
            organisation = await asyncio.to_thread(self.accounts.organisation, user, password)
        if organisation is None:
            log.warning("sign-in refused", error="user or password")
            return self._asked(session, wrong=True)
        return self._in(organisation, user)

    async def leave(self, request: web.Request) -> web.Response:
        """To the identity provider."""
        if self.provider is None:
            raise web.HTTPNotFound
        start = await self.provider.start()
        response = web.Response(status=303, headers={"Location": start.url})
        kept = self.sessions.start(start.state, start.nonce, start.verifier, str(int(self._now())))
        response.set_cookie(
            AWAY, kept, max_age=AWAY_SECONDS, httponly=True, secure=self.https, samesite="Lax", path="/aanmelden/terug"
        )
        return response

    async def back(self, request: web.Request) -> web.Response:
        """From the identity provider."""
        kept = self.sessions.started(request.cookies.get(AWAY, ""), 4)
        if self.provider is None:
            raise web.HTTPNotFound
        if kept is None or not 0 <= self._now() - int(kept[3]) < AWAY_SECONDS:
            self._refuse()
        state, nonce, verifier, _ = kept
        if not hmac.compare_digest(request.query.get("state", "").encode(), state.encode()) or not request.query.get("code"):
            self._refuse()
        try:
            organisation, user = await self.provider.finish(request.query["code"], nonce, verifier)
        except RefusedError:
            self._refuse()
        response = self._in(organisation, user)
        response.del_cookie(AWAY, path="/aanmelden/terug")
        return response

    async def out(self, request: web.Request) -> web.Response:
        """Sign out."""
        await self.form(request)
        response = web.Response(status=303, headers={"Location": "/aanmelden"})
        response.del_cookie(COOKIE)
        return response

    def _asked(self, session: Session, *, wrong: bool = False) -> web.Response:
        body = pages.page("sign_in.html", form=self.sessions.form(session), wrong=wrong, oidc=self.provider is not None)
        return web.Response(status=403 if wrong else 200, body=body, content_type="text/html", charset="utf-8")

    def _in(self, organisation: str, user: str) -> web.Response:
        session = self.sessions.new(organisation, user, self._now())
        response = web.Response(status=303, headers={"Location": "/berichten"})
        self._keep(response, session)
        log.info("signed in", organisation=organisation)
        return response

    def _keep(self, response: web.Response, session: Session) -> None:
        response.set_cookie(
            COOKIE, self.sessions.seal(session), max_age=HOURS * 3600, httponly=True, secure=self.https, samesite="Lax"
        )

    def _any(self, request: web.Request) -> Session | None:
        return self.sessions.open(request.cookies.get(COOKIE, ""), self._now())

    def _now(self) -> float:
        return self.clock().timestamp()

    @staticmethod
    def _refuse() -> NoReturn:
        raise web.HTTPForbidden
