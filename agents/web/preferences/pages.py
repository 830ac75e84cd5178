"""The settings page of an organisation: what it chooses itself, over what upstream says; with a preview of the messages.

It saves an event of its own (`organisation-overrides`), for the session's organisation only. The last write wins, but a save over
somebody else's newer save is refused with a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from aiohttp import web

from agents.projection.organisations import OrganisationState
from agents.projection.queries import Queries
from schemas.inputs import OrganisationOverride
from schemas.topics import OVERRIDES
from schemas.wire import encode
from streams.notices.settings import apply_override

from ..http import pages
from ..saving import Saver
from ..sign_in.pages import SignIn
from ..sign_in.sessions import Session
from . import form as choices
from .preview import preview

pages.ENVIRONMENT.globals.update(
    upstream_says=choices.upstream_says,
    is_own=choices.is_own,
    label_of=choices.label_of,
    heading=choices.heading,
    messages=choices.MESSAGES,
    of_message=choices.OF_MESSAGE,
    reminder_rows=choices.REMINDER_ROWS,
    languages=choices.CHOICES["talen"],
    in_languages=choices.in_languages,
)

_VERSION = re.compile(r"-?[0-9]{1,18}")


class Preferences:
    """`/instellingen`."""

    def __init__(self, saver: Saver, queries: Queries, sign_in: SignIn, clock: Callable[[], datetime]) -> None:
        self.saver, self.queries, self.sign_in, self.clock = saver, queries, sign_in, clock

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. All of them need a session. The preview shows what a form says and saves nothing."""
        return [
            web.get("/instellingen", self.show),
            web.post("/instellingen", self.save),
            web.post("/instellingen/voorbeeld", self.preview),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the settings as they are."""
        session = await self.sign_in.session(request)
        known = await self.queries.settings(session.organisation)
        return self._page(session, known, saved=request.query.get("opgeslagen") == str(known.version))

    async def preview(self, request: web.Request) -> web.Response:
        """Show the page again as the form says, with its preview: for a script, and for a browser without one."""
        session, form = await self.sign_in.form(request)
        known = await self.queries.settings(session.organisation)
        override, wrong = choices.chosen(session.organisation, form)
        override = choices.keeping(override, known.override)
        return self._page(session, known, form, override, wrong, version=version(form))

    async def save(self, request: web.Request) -> web.Response:
        """Write what the form says; the page again where that cannot be, or was overtaken."""
        session, form = await self.sign_in.form(request)
        seen, known = version(form), await self.queries.settings(session.organisation)
        if known.upstream is None:
            return self._page(session, known, status=409)
        override, wrong = choices.chosen(session.organisation, form)
        override = choices.keeping(override, known.override)
        if wrong:
            return self._page(session, known, form, override, wrong, version=seen, status=422)
        if seen != known.version:
            return self._page(session, known, form, override, stale=True, status=409)
        if override != known.override:
            await self.sign_in.access.done(request, session, ", ".join(choices.changed(known.override, override)))
            value = encode(override) if override is not None else None
            known = known._replace(version=await self.saver.save(OVERRIDES.name, session.organisation, value))
        raise web.HTTPSeeOther(f"/instellingen?opgeslagen={known.version}")

    def _page(
        self, session: Session, known: OrganisationState, form: Mapping[str, str] | None = None,
        override: OrganisationOverride | None = None, wrong: Mapping[str, str] | None = None, *, version: int | None = None,
        saved: bool = False, stale: bool = False, status: int = 200,
    ) -> web.Response:  # fmt: skip
        """Render the page: with what a form said, or with what counts."""
        sample, shown = None, {}
        if known.upstream is not None:
            counts = apply_override(known.upstream, known.override if form is None else override)
            shown = choices.values(counts, known.override)
            if form is not None:
                shown = {name: form.get(name, "" if name.startswith(choices.OWN) else value) for name, value in shown.items()}
            sample = preview(counts, self.clock())
        return self.sign_in.page(
            session, "settings.html", status=status, known=known, values=shown, fields=choices.FIELDS, wrong=wrong or {},
            version=known.version if version is None else version, saved=saved, stale=stale, preview=sample,
        )  # fmt: skip


def version(form: Mapping[str, str]) -> int:
    """Read the version that a form was made of; 400 for what is none."""
    text = form.get("versie", "")
    if not _VERSION.fullmatch(text):
        raise web.HTTPBadRequest
    return int(text)
