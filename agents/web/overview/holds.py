"""Let an organisation hold its messages, and show it what waits: a hand on the brake (`streams/README.md`, "Holds").

Every press is asked once more. It goes by what its page showed: where somebody pressed since then, the page is shown anew.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast, get_args

from aiohttp import web

from agents.projection.organisations import OrganisationState
from agents.projection.queries import Doubted, Queries
from agents.worker import held
from schemas.floods import URGENT
from schemas.held import HeldRecord
from schemas.holds import MOST_PARTIES, Hold
from schemas.inputs import Organisation
from schemas.keys import person_of
from schemas.topics import HOLDS
from schemas.wire import encode
from streams.notices import pressing
from streams.notices.holds import MARGIN
from streams.notices.pressing import PressError
from streams.notices.settings import apply_override

from ..saving import Saver
from ..sign_in.pages import SignIn
from ..sign_in.sessions import Session
from . import dutch

SAMPLES = 5
"""Clients whose messages are shown as they would read."""

WORDED = 1_000
"""Clients whose messages are put into words to say what they cost; of more, the cost is said about."""

PARTIES_SINCE = timedelta(days=30)
"""Who asked something since then is shown: `requests` are kept as long."""

_VERSION = re.compile(r"-?[0-9]{1,18}")

What = Literal["houd", "laat", "zwijg", "houd-partij", "laat-partij"]
"""Hold notices; let them go; the same with nothing said; hold and let go the requests of a third party."""


class Press(NamedTuple):
    """What a form asks for. `version`: of the hold that its page showed; `seen_at`: up to when that page had read what waits."""

    what: What
    party: str
    version: int
    seen_at: datetime | None

    @property
    def noted(self) -> str:
        """Say it in `access-log`."""
        said = {
            "houd": "notices=held", "laat": "notices=ended", "houd-partij": "held", "laat-partij": "ended",
            "zwijg": f"notices=ended seen_at={self.seen_at.isoformat() if self.seen_at is not None else '-'}",
        }[self.what]  # fmt: skip
        return f"party={self.party} {said}" if self.party else said

    def is_so(self, hold: Hold | None) -> bool:
        """Tell whether that was pressed already."""
        on = hold is not None and hold.notices
        if self.what in ("houd-partij", "laat-partij"):
            return (hold is not None and self.party in hold.parties) == (self.what == "houd-partij")
        if self.what == "houd":
            return on
        return not on and (hold.seen_at if hold is not None else None) == (self.seen_at if self.what == "zwijg" else None)

    def over(self, hold: Hold | None, organisation: str, now: datetime, by: str | None) -> Hold:
        """Return the record that is to be written over what is held. Raises PressError."""
        if self.what == "houd":
            return pressing.held(hold, organisation, now, by, notices=True)
        if self.what == "houd-partij":
            return pressing.held(hold, organisation, now, by, parties=[self.party])
        if self.what == "laat-partij":
            return pressing.released(hold, organisation, now, by, self.party)
        parties = hold.parties if hold is not None else []
        return pressing.ended(
            hold, organisation, now, by, parties=parties, seen_at=self.seen_at if self.what == "zwijg" else None
        )


class Sample(NamedTuple):
    """What waits for one recipient, in words. `link`: to the client's page; `to`: who acts for the client; else empty."""

    client: str
    link: str
    to: str
    texts: list[str]


class View(NamedTuple):
    """What waits, as the page shows it.

    `about`: the cost is counted from a part; `seen_at`: up to when it was read; `doubted`: snapshots that are not believed.
    """

    waits: held.Sum
    cost: str
    about: bool
    samples: list[Sample]
    parties: dict[str, int]
    urgent: int
    seen_at: datetime | None
    doubted: Doubted | None


class HoldsPage:
    """`/tegenhouden`. `behind`: how old, in seconds, what the projection shows may be; None while it is read from its start."""

    def __init__(
        self, saver: Saver, queries: Queries, sign_in: SignIn, clock: Callable[[], datetime], behind: Callable[[], float | None]
    ) -> None:
        self.saver, self.queries, self.sign_in, self.clock, self.behind = saver, queries, sign_in, clock, behind

    def routes(self) -> list[web.RouteDef]:
        """Return the routes (`agents/access/table.py` has who may)."""
        return [web.get("/tegenhouden", self.show), web.post("/tegenhouden", self.press)]

    async def show(self, request: web.Request) -> web.Response:
        """Show what is held and what waits; to whom that is meant for, how it would read."""
        session = await self.sign_in.session(request)
        known = await self.queries.settings(session.organisation)
        view = await self._view(session, known, SAMPLES if "inzage" in session.roles else 0)
        await self.sign_in.access.shown(request, session, [one.client for one in view.samples])
        return self._page(session, known, view, done=request.query.get("gedaan") == str(known.hold_version))

    async def press(self, request: web.Request) -> web.Response:
        """Ask once more; on the second press write it. The page again where somebody else pressed meanwhile."""
        session, fields = await self.sign_in.form(request)
        asked, known = press_of(fields), await self.queries.settings(session.organisation)
        if asked.is_so(known.hold):
            raise web.HTTPSeeOther(f"/tegenhouden?gedaan={known.hold_version}")
        try:
            hold = asked.over(known.hold, session.organisation, self.clock(), name_of(session))
        except PressError:
            return self._page(session, known, await self._view(session, known, 0), stale=True, status=409)
        if asked.version != known.hold_version:
            return self._page(session, known, await self._view(session, known, 0), stale=True, status=409)
        if fields.get("zeker") != "ja":
            return self._page(session, known, await self._view(session, known, 0), asked=asked)
        await self.sign_in.access.done(request, session, asked.noted)
        version = await self.saver.save(HOLDS.name, session.organisation, encode(hold))
        raise web.HTTPSeeOther(f"/tegenhouden?gedaan={version}")

    async def _view(self, session: Session, known: OrganisationState, samples: int) -> View:
        now, behind = self.clock(), self.behind()
        seen_at = now - timedelta(seconds=behind) if behind is not None else None
        sums, records = await self.queries.held(session.organisation, now, WORDED)
        parties = await self.queries.parties(session.organisation, now - PARTIES_SINCE)
        parties |= {party: 0 for party in (known.hold.parties if known.hold is not None else []) if party not in parties}
        waits, cost, shown = held.Sum(sums.messages, sums.clients, sums.near), "", []
        settings = apply_override(known.upstream, known.override) if known.upstream is not None else None
        if settings is not None:
            found = await asyncio.to_thread(held.summed, records, settings, now)
            waits = waits._replace(parts=round(found.parts * sums.records / max(1, len(records))))
            cost = dutch.money(int(waits.cost(settings) * 1_000_000), settings.sms.currency) if waits.parts else ""
            shown = [self._sample(session, one, settings, now) for one in records[:samples]]
        flood = settings.flood if settings is not None and settings.flood else None
        urgent = flood.urgent if flood is not None else URGENT
        doubted = await self.queries.doubted(session.organisation, now)
        about = sums.records > len(records)
        return View(waits, cost, about, shown, dict(sorted(parties.items())), urgent, seen_at, doubted)

    def _sample(self, session: Session, one: HeldRecord, settings: Organisation, now: datetime) -> Sample:
        link = self.sign_in.sessions.client(session.organisation, one.client)
        return Sample(one.client, link, person_of(one.recipient), held.texts(one, settings, now))

    def _page(
        self, session: Session, known: OrganisationState, view: View, *, asked: Press | None = None, done: bool = False,
        stale: bool = False, status: int = 200,
    ) -> web.Response:  # fmt: skip
        return self.sign_in.page(
            session, "holds.html", status=status, hold=known.hold, version=known.hold_version, view=view, asked=asked, done=done,
            stale=stale, now=self.clock().isoformat(), most=MOST_PARTIES, margin=MARGIN,
        )  # fmt: skip


def press_of(fields: Mapping[str, str]) -> Press:
    """Read what a form asks for; 400 for what no page of ours asks."""
    what, party, version, seen = (fields.get(name, "") for name in ("wat", "partij", "versie", "gezien"))
    if what not in get_args(What) or not _VERSION.fullmatch(version) or bool(party) != what.endswith("-partij"):
        raise web.HTTPBadRequest
    try:
        seen_at = datetime.fromisoformat(seen) if what == "zwijg" else None
    except ValueError:
        raise web.HTTPBadRequest from None
    if seen_at is not None and seen_at.tzinfo is None:
        raise web.HTTPBadRequest
    return Press(cast(What, what), party, int(version), seen_at)


def name_of(session: Session) -> str | None:
    """Return who presses, for people: a record takes no control characters."""
    return "".join(one for one in session.name or session.user if one.isprintable())[:200] or None
