"""The settings pages of an organisation: what it chooses itself, over what upstream says; with a preview of the messages.

They save an event of its own (`organisation-overrides`), for the session's organisation only. The last write wins, but a save
over somebody else's newer save is refused with a message. One page has all that is of all messages; others the texts of a label,
and those in another language.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from agents.projection.organisations import OrganisationState
from agents.projection.queries import Queries
from schemas.access import Change
from schemas.inputs import Organisation, OrganisationOverride
from schemas.languages import DEFAULT
from schemas.topics import OVERRIDES
from schemas.wire import BadRecordError, Id, check, encode
from streams.notices.settings import apply_override

from ..http import pages
from ..http.middleware import HEADERS
from ..saving import Saver
from ..sign_in.pages import SignIn
from ..sign_in.sessions import Session
from . import fields as choices
from . import form as forms
from .fields import LANGUAGE_NAMES, Scope
from .form import Chosen
from .history import changes
from .preview import TITLES, preview
from .strip import strip
from .trial import Trial, sample_of

pages.ENVIRONMENT.globals.update(
    upstream_says=forms.said,
    is_own=choices.is_own,
    label_of=forms.label_of,
    heading=choices.heading,
    messages=choices.MESSAGES,
    reminder_rows=choices.REMINDER_ROWS,
    choices=choices.CHOICES,
    told=choices.TOLD,
    in_languages=choices.in_languages,
    language_names=LANGUAGE_NAMES,
    most_characters=choices.MOST_CHARACTERS,
    titles=TITLES,
    named=lambda fields: {field.name: field for field in fields},
)

_VERSION = re.compile(r"-?[0-9]{1,18}")

_SHEET = re.compile("<style[^>]*>(.*?)</style>", re.DOTALL)

SURE = "zeker"
"""The field that says that somebody is sure."""

LATEST = 20
"""Changes that the page shows."""

TRIED = {
    "sent": "De proef is verstuurd naar {email}.",
    "unsent": "De proef kon niet worden verstuurd. Probeer het later nog eens.",
    "wait": "U heeft het vaak achter elkaar geprobeerd. Wacht een minuut en probeer het nog eens.",
    "sender": "De proef kan niet worden verstuurd: de afzender of het onderwerp klopt niet.",
}


class Preferences:
    """`/instellingen`, and below it the pages of other texts."""

    def __init__(
        self, saver: Saver, queries: Queries, sign_in: SignIn, clock: Callable[[], datetime], trial: Trial
    ) -> None:  # fmt: skip
        self.saver, self.queries, self.sign_in, self.clock, self.trial = saver, queries, sign_in, clock, trial

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. All of them need a session. The preview shows what a form says and saves nothing."""
        return [
            web.get("/instellingen", self.show),
            web.get("/instellingen/teksten", self.show_texts),
            web.post("/instellingen", self.save),
            web.post("/instellingen/voorbeeld", self.preview),
            web.post("/instellingen/proef", self.try_out),
            web.post("/instellingen/weg", self.take_away),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the settings as they are."""
        session = await self.sign_in.session(request)
        known = await self.queries.settings(session.organisation)
        return await self._page(session, known, Scope(), saved=request.query.get("opgeslagen") == str(known.version))

    async def show_texts(self, request: web.Request) -> web.Response:
        """Show the texts of a label, in another language, or both."""
        session = await self.sign_in.session(request)
        known = await self.queries.settings(session.organisation)
        if known.upstream is None:
            return await self._page(session, known, Scope())
        scope = scope_of(request.query, apply_override(known.upstream, known.override))
        if scope is None:
            no_label = "Een soort afspraak heeft een naam van 1 tot en met 200 tekens, zonder schuine streep."
            return await self._page(session, known, Scope(), whole=no_label, status=422)
        return await self._page(session, known, scope, saved=request.query.get("opgeslagen") == str(known.version))

    async def preview(self, request: web.Request) -> web.Response:
        """Show the page again as the form says, with its preview: for a script, and for a browser without one."""
        session, form, known, scope = await self._asked(request)
        return await self._page(session, known, scope, form, self._chosen(known, scope, form), version=version(form))

    async def save(self, request: web.Request) -> web.Response:
        """Write what the form says; the page again where that cannot be, was overtaken, or must be confirmed first."""
        session, form, known, scope = await self._asked(request)
        seen = version(form)
        if known.upstream is None:
            return await self._page(session, known, scope, status=409)
        chosen = self._chosen(known, scope, form)
        if chosen.wrong or chosen.whole:
            return await self._page(session, known, scope, form, chosen, version=seen, status=422)
        if seen != known.version:
            return await self._page(session, known, scope, form, chosen, stale=True, status=409)
        if form.get(SURE) != "1" and _goes_silent(known.upstream, known.override, chosen.override):
            return await self._page(session, known, scope, form, chosen, confirm=True)
        known = await self._keep(request, session, known, known.upstream, chosen.override)
        raise web.HTTPSeeOther(address(scope, known.version))

    async def take_away(self, request: web.Request) -> web.Response:
        """Take back all that the organisation chose of a label."""
        session, form, known, scope = await self._asked(request)
        if known.upstream is None or known.override is None or scope.label is None:
            raise web.HTTPSeeOther("/instellingen")
        if version(form) != known.version:
            return await self._page(session, known, scope, form, self._chosen(known, scope, form), stale=True, status=409)
        known = await self._keep(request, session, known, known.upstream, forms.taken_away(known.override, scope.label))
        raise web.HTTPSeeOther(address(Scope(), known.version))

    async def try_out(self, request: web.Request) -> web.Response:
        """Send a sample of what the form says to the officer's own address."""
        session, form, known, scope = await self._asked(request)
        if known.upstream is None or not session.email:
            raise web.HTTPForbidden
        chosen, name = self._chosen(known, scope, form), sample_of(form.get("proef", ""))
        outcome = "wait"
        if self.trial.allows(session.organisation, session.user, asyncio.get_running_loop().time()):
            await self.sign_in.access.done(request, session, name)
            counts = apply_override(known.upstream, chosen.override)
            outcome = await self.trial(counts, scope, name, session.email, self.clock())
        tried = TRIED[outcome].format(email=session.email)
        status = 429 if outcome == "wait" else 200
        return await self._page(
            session, known, scope, form, chosen, version=version(form), tried=tried, is_tried=outcome == "sent", status=status
        )

    async def _asked(self, request: web.Request) -> tuple[Session, dict[str, str], OrganisationState, Scope]:
        """Return who sent a form, the form, what is known, and of which texts it is; 400 for what is of none."""
        session, form = await self.sign_in.form(request)
        known = await self.queries.settings(session.organisation)
        if known.upstream is None:
            return session, form, known, Scope()
        scope = scope_of(form, apply_override(known.upstream, known.override))
        if scope is None:
            raise web.HTTPBadRequest
        return session, form, known, scope

    @staticmethod
    def _chosen(known: OrganisationState, scope: Scope, form: Mapping[str, str]) -> Chosen:
        organisation = known.upstream.organisation if known.upstream is not None else ""
        return forms.chosen(organisation, form, known.override, scope)

    async def _keep(
        self, request: web.Request, session: Session, known: OrganisationState, upstream: Organisation,
        override: OrganisationOverride | None,
    ) -> OrganisationState:  # fmt: skip
        """Write what was chosen, after who changed what; nothing where nothing was changed."""
        if override == known.override:
            return known
        what = changes(upstream, known.override, override)
        await self.sign_in.access.done(request, session, ", ".join(change.what for change in what), what)
        value = encode(override) if override is not None else None
        return known._replace(version=await self.saver.save(OVERRIDES.name, session.organisation, value))

    async def _page(
        self, session: Session, known: OrganisationState, scope: Scope, form: Mapping[str, str] | None = None,
        chosen: Chosen | None = None, *, version: int | None = None, status: int = 200, whole: str = "", **shown: Any,
    ) -> web.Response:  # fmt: skip
        """Render the page: with what a form said, or with what counts."""
        values, found = dict[str, str](), dict[str, Any]()
        if known.upstream is not None:
            override = chosen.override if chosen is not None else known.override
            counts = apply_override(known.upstream, override)
            values = forms.values(counts, known.override, scope)
            if form is not None:
                values = {name: form.get(name, "" if name.startswith(choices.OWN) else value) for name, value in values.items()}
            found = {
                "preview": preview(counts, self.clock(), None if scope.is_all else scope), "strip": strip(counts),
                "labels": list(counts.labels or {}), "known_languages": counts.languages or [DEFAULT],
                "is_chosen": known.override is not None and forms.taken_away(known.override, scope.label or "") != known.override,
                "others": (counts.languages or [DEFAULT])[1:],
                "first": forms.values(counts, known.override, Scope(scope.label)) if scope.language is not None else {},
            }  # fmt: skip
        history = await self._history(session) if form is None or shown.get("stale") else []
        plain: dict[str, Any] = {
            "wrong": chosen.wrong if chosen is not None else {}, "whole": whole or (chosen.whole if chosen is not None else ""),
            "tried_kind": form.get("proef", "") if form is not None else "", "saved": False, "stale": False, "confirm": False,
            "tried": "", "is_tried": False, "preview": None,
        }  # fmt: skip
        template = "settings.html" if scope.is_all else "texts.html"
        response = self.sign_in.page(
            session, template, status=status, known=known, scope=scope, sheet=choices.sheet_of(scope), values=values,
            version=known.version if version is None else version, history=history, mails=self.trial.send is not None,
            **plain | found | shown,
        )  # fmt: skip
        if (sample := found.get("preview")) is not None:
            response.headers["Content-Security-Policy"] = allowing(styles=[mail.html for mail in sample.email])
        return response

    async def _history(self, session: Session) -> list[dict[str, Any]]:
        rows = await self.queries.changes(session.organisation, LATEST)
        return [{**row, "changes": msgspec.json.decode(row["changes"], type=list[Change])} for row in rows]


def _goes_silent(
    upstream: Organisation, before: OrganisationOverride | None, after: OrganisationOverride | None
) -> bool:  # fmt: skip
    """Tell whether a choice switches messages off that are on."""
    return apply_override(upstream, before).notifications and not apply_override(upstream, after).notifications


def scope_of(said: Mapping[str, str], counts: Organisation) -> Scope | None:
    """Read of which texts an address or a form is; None for a label that can be none. 404 for a language that is not used."""
    language = next((one for one in (counts.languages or [DEFAULT])[1:] if one == said.get("taal")), None)
    if language is None and said.get("taal"):
        raise web.HTTPNotFound
    label = said.get("soort", "").strip()
    if "soort" not in said or (not label and language is not None):
        return Scope(None, language)
    try:
        return Scope(check(Id, label), language)
    except BadRecordError:
        return None


def allowing(styles: Iterable[str]) -> str:
    """Return the content policy of a page that shows these e-mails as they are sent, in frames that run nothing.

    A frame of `srcdoc` has its page's policy: so their style attributes are let in, and their style sheets by their hashes.
    """
    sheets = {sheet for html in styles for sheet in _SHEET.findall(html)}
    hashes = "".join(f" 'sha256-{b64encode(sha256(sheet.encode()).digest()).decode()}'" for sheet in sorted(sheets))
    plain = HEADERS["Content-Security-Policy"]
    return plain.replace("style-src 'self'", f"style-src 'self'{hashes}; style-src-attr 'unsafe-inline'")


def address(scope: Scope, saved: int) -> str:
    """Return where a page is, once it was saved."""
    said = {"soort": scope.label, "taal": scope.language, "opgeslagen": str(saved)}
    where = "/instellingen" if scope.is_all else "/instellingen/teksten"
    return f"{where}?{urlencode({name: value for name, value in said.items() if value is not None})}"


def version(form: Mapping[str, str]) -> int:
    """Read the version that a form was made of; 400 for what is none."""
    text = form.get("versie", "")
    if not _VERSION.fullmatch(text):
        raise web.HTTPBadRequest
    return int(text)
