"""Notices, deliveries and an organisation for the tests of the renderers; local times are of the zone that is named."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from schemas.deliveries import Delivery
from schemas.events import View
from schemas.inputs import Channel, Organisation, Request
from schemas.notices import Kind, Notice
from schemas.texts import EmailSettings, SmsSettings

AMSTERDAM = "Europe/Amsterdam"
SENT = datetime(2020, 1, 10, 9, tzinfo=UTC)


def instant(local: str, zone: str = AMSTERDAM) -> datetime:
    """`2020-01-17 13:15` (or with an offset, then the zone does not matter) as an instant in UTC."""
    at = datetime.fromisoformat(local)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def view(start: str, end: str, location: str | None = None, zone: str = AMSTERDAM) -> View:
    return View(instant(start, zone), instant(end, zone), location)


AT_13 = view("2020-01-17 13:15", "2020-01-17 14:15")
AT_13_IN_DE_LINDE = view("2020-01-17 13:15", "2020-01-17 14:15", "De Linde")
AT_14 = view("2020-01-17 14:15", "2020-01-17 15:15")


def notice(kind: Kind, was: View | None = None, now: View | None = None, others: int = 0, id_: str = "n1") -> Notice:
    return Notice(id=id_, kind=kind, was=was, now=now, appointment="a1", others=tuple(f"o{n}" for n in range(others)))


def delivery(*notices: Notice, channel: Channel = "sms", request: Request | None = None) -> Delivery:
    return Delivery(
        message="m1",
        organisation="zorg",
        client="c1",
        channel=channel,
        reason="request" if request else "direct",
        decided=SENT,
        notices=notices,
        request=request,
    )


def request(text: str, subject: str | None = None) -> Delivery:
    asked = Request(organisation="zorg", client="c1", request="r1", party="roqua", text=text, subject=subject)
    return delivery(notice("request"), request=asked)


def organisation(before: str = "", after: str = "", subject: str = "Bericht over uw afspraak") -> Organisation:
    """The same templates for both channels."""
    return Organisation(
        organisation="zorg",
        name="Zorggroep De Boom",
        notifications=True,
        sms=SmsSettings(originator="DeBoom", before=before, after=after, unit_price=0.07),
        email=EmailSettings(from_="De Boom <post@deboom.example>", subject=subject, before=before, after=after),
    )
