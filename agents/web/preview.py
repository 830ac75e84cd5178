"""What a client would read with these settings: sample messages by the renderers that make the real ones. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renderers.email import email
from renderers.gsm7 import LIMITS, costly, measure
from renderers.sms import texts
from schemas.deliveries import Delivery
from schemas.events import View
from schemas.inputs import Channel, Organisation
from schemas.notices import Notice
from streams.outcomes import cost_of

from .words import money

LINK = "https://…"
"""Where a client's own unsubscribe link stands."""


class Sms(NamedTuple):
    """A sample SMS. `dear`: the characters that make it dearer, none in most."""

    title: str
    text: str
    encoding: str
    parts: int
    units: int
    room: int
    cost: str
    dear: str
    ucs2: bool


class Email(NamedTuple):
    """A sample e-mail, its text body."""

    sender: str
    subject: str
    text: str


class Preview(NamedTuple):
    """All samples."""

    sms: list[Sms]
    email: Email


def preview(organisation: Organisation, now: datetime) -> Preview:
    """An appointment next week at 13:15, told and reminded of, and the same as e-mail."""
    zone = ZoneInfo(organisation.time_zone)
    begin = datetime.combine(now.astimezone(zone).date() + timedelta(days=7), time(13, 15), zone)
    view = View(begin, begin + timedelta(hours=1), None, None)
    created = Notice(id="n", kind="created", appointment="a", now=view)
    reminder = Notice(id="n", kind="reminder", appointment="a", now=view)
    mail = email(_delivery(organisation, "email", created, now), organisation, now, LINK)
    return Preview(
        [
            _sms("Nieuwe afspraak", organisation, created, now),
            _sms("Herinnering", organisation, reminder, now),
        ],
        Email(organisation.email.from_, mail.subject, mail.plain.strip()),
    )


def _sms(title: str, organisation: Organisation, notice: Notice, now: datetime) -> Sms:
    words = texts(_delivery(organisation, "sms", notice, now), organisation, now)
    size, cost = measure(words.text), cost_of(words.parts, organisation)
    single, each = LIMITS[size.encoding]
    return Sms(
        title=title, text=words.text, encoding=size.encoding, parts=words.parts, units=size.units,
        room=single if words.parts == 1 else each * words.parts,
        cost=money(int(Decimal(str(cost.amount)) * 1_000_000), cost.currency) if cost is not None else "",
        dear=" ".join(one.character for one in costly(words.text) if one.character.isprintable()),
        ucs2=size.encoding == "UCS-2",
    )  # fmt: skip


def _delivery(organisation: Organisation, channel: Channel, notice: Notice, now: datetime) -> Delivery:
    return Delivery(
        message="m", organisation=organisation.organisation, client="c", channel=channel, reason="direct", decided=now,
        notices=(notice,),
    )  # fmt: skip
