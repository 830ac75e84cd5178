"""A sample of every kind of message that clients get, for whoever words what stands around the sentences."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from schemas.deliveries import Delivery
from schemas.events import Details, Remote, View
from schemas.inputs import Channel, Organisation, Request
from schemas.languages import Language
from schemas.notices import Notice

REMOTE: tuple[Remote, ...] = get_args(Remote)

PLACE, ASKED = "De Linde", "Wilt u de vragenlijst invullen? https://vragen.example/x"


def _details(organisation: Organisation) -> Details:
    """Return what a reminder may say besides: a link only where one may be said at all."""
    hosts = organisation.link_hosts or ()
    link = f"https://{hosts[0]}/afspraak" if hosts else None
    return Details(practitioner="A. de Vries", instructions="Neem uw medicijnen mee.", link=link)


def samples(
    organisation: Organisation, channel: Channel, now: datetime, language: Language | None = None, label: str | None = None
) -> dict[str, Delivery]:  # fmt: skip
    """Return by name a message of each kind, of appointments next week at 13:15; `now`: when it would be sent."""
    zone = ZoneInfo(organisation.time_zone)
    begin = datetime.combine(now.astimezone(zone).date() + timedelta(days=7), time(13, 15), zone).astimezone(UTC)
    view, later = (View(at, at + timedelta(hours=1)) for at in (begin, begin + timedelta(hours=2)))
    there = View(view.start, view.end, PLACE)
    created = Notice(id="n", kind="created", appointment="a", now=view)
    moved = Notice(id="n", kind="moved", appointment="a", was=view, now=later)
    cancelled = Notice(id="n", kind="cancelled", appointment="a", was=view)
    notices: dict[str, tuple[Notice, ...]] = {
        "created": (created,),
        "series_created": (Notice(id="n", kind="series_created", appointment="a", others=("b",), now=view),),
        "moved": (moved,),
        "relocated": (Notice(id="n", kind="relocated", appointment="a", was=view, now=there),),
        "changed": (Notice(id="n", kind="changed", appointment="a", was=view, now=View(view.start, view.end, kind="phone")),),
        "cancelled": (cancelled,),
        "series_moved": (Notice(id="n", kind="series_moved", appointment="a", others=("b",), was=view, now=later),),
        "series_cancelled": (Notice(id="n", kind="series_cancelled", appointment="a", others=("b",), was=view),),
        **{kind: (replace(created, now=replace(view, kind=kind)),) for kind in REMOTE},
        "several": (cancelled, moved, created),
        "reminder": (Notice(id="n", kind="reminder", appointment="a", now=there, details=_details(organisation)),),
        "request": (Notice(id="n", kind="request"),),
    }
    asked = Request(organisation=organisation.organisation, client="c", request="r", party="p", text=ASKED)
    return {
        name: Delivery(
            message="m", organisation=organisation.organisation, client="c", channel=channel, reason="direct", decided=now,
            notices=tuple(replace(one, label=label) for one in of), language=language,
            request=asked if name == "request" else None,
        )
        for name, of in notices.items()
    }  # fmt: skip
