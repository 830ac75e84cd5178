"""The settings page of an organisation: what it chooses itself, over what upstream says; with a preview of the messages.

It saves an event of its own (`organisation-overrides`), for the organisation of the session and no other. Last write wins,
but who saves a page that somebody else's save has overtaken is told so first.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from schemas.inputs import OrganisationOverride
from schemas.topics import OVERRIDES
from schemas.wire import encode
from streams.overrides import laid_over

from ..feeding import Event
from . import choices, organisations, pages
from .organisations import Known
from .preview import preview
from .projection import Projection
from .publishing import Publisher
from .queries import Queries
from .sessions import Session
from .sign_in import SignIn

log = structlog.get_logger(__name__)

pages.ENVIRONMENT.globals.update(upstream_says=choices.upstream_says, is_own=choices.is_own, label_of=choices.label_of)

_VERSION = re.compile(r"-?[0-9]{1,18}")


class Preferences:
    """`/instellingen`."""

    def __init__(
        self, publisher: Publisher, projection: Projection, queries: Queries, sign_in: SignIn, clock: Callable[[], datetime]
    ) -> None:
        self.publisher, self.projection, self.queries, self.sign_in = publisher, projection, queries, sign_in
        self.clock = clock

    def routes(self) -> list[web.RouteDef]:
        """All of them need a session. The preview shows what a form says and saves nothing."""
        return [
            web.get("/instellingen", self.show),
            web.post("/instellingen", self.save),
            web.post("/instellingen/voorbeeld", self.preview),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The settings as they are."""
        session = self.sign_in.session(request)
        known = await self.queries.settings(session.organisation)
        return self._page(session, known, saved=request.query.get("opgeslagen") == str(known.version))

    async def preview(self, request: web.Request) -> web.Response:
        """The page again as the form says, with its preview: for a script, and for a browser without one."""
        session, form = await self.sign_in.form(request)
        known = await self.queries.settings(session.organisation)
        override, wrong = choices.chosen(session.organisation, form)
        return self._page(session, known, form, override, wrong, version=version(form))

    async def save(self, request: web.Request) -> web.Response:
        """Write what the form says; the page again where that cannot be, or was overtaken."""
        session, form = await self.sign_in.form(request)
        seen, known = version(form), await self.queries.settings(session.organisation)
        if known.upstream is None:
            return self._page(session, known, status=409)
        override, wrong = choices.chosen(session.organisation, form)
        if wrong:
            return self._page(session, known, form, override, wrong, version=seen, status=422)
        if seen != known.version:
            return self._page(session, known, form, override, stale=True, status=409)
        if override != known.override:
            known = known._replace(version=await self._write(session.organisation, override))
        raise web.HTTPSeeOther(f"/instellingen?opgeslagen={known.version}")

    async def _write(self, organisation: str, override: OrganisationOverride | None) -> int:
        """The event, acknowledged; then what the page shows. Gives its version."""
        value = encode(override) if override is not None else None
        place = await self.publisher.publish(Event(OVERRIDES.name, organisation, value))
        log.info("settings saved", organisation=organisation)
        row = organisations.row(OVERRIDES.name, *place, organisation.encode(), value, self.clock())
        try:
            await asyncio.to_thread(self.projection.note, row)
        except SQLAlchemyError as error:  # it comes from the topic
            log.warning("the projection waits", error=type(error).__name__)
        return place.offset

    def _page(
        self, session: Session, known: Known, form: Mapping[str, str] | None = None,
        override: OrganisationOverride | None = None, wrong: Mapping[str, str] | None = None, *, version: int | None = None,
        saved: bool = False, stale: bool = False, status: int = 200,
    ) -> web.Response:  # fmt: skip
        """The page: with what a form said, or with what counts."""
        sample, shown = None, {}
        if known.upstream is not None:
            counts = laid_over(known.upstream, known.override if form is None else override)
            shown = choices.values(counts, known.override)
            if form is not None:
                shown = {name: form.get(name, "" if name.startswith(choices.OWN) else value) for name, value in shown.items()}
            sample = preview(counts, self.clock())
        body = pages.page(
            "settings.html", session=session, form=self.sign_in.sessions.form(session), known=known, values=shown,
            fields=choices.FIELDS, wrong=wrong or {}, version=known.version if version is None else version, saved=saved,
            stale=stale, preview=sample,
        )  # fmt: skip
        return web.Response(status=status, body=body, content_type="text/html", charset="utf-8")


def version(form: Mapping[str, str]) -> int:
    """The version that a form was made of; 400 for what is none."""
    text = form.get("versie", "")
    if not _VERSION.fullmatch(text):
        raise web.HTTPBadRequest
    return int(text)
