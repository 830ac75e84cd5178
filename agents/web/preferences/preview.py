"""Show what a client would read with these settings: sample messages, by the renderers that make the real ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from renderers.email import email
from renderers.gsm7 import LIMITS, costly, measure
from renderers.samples import samples
from renderers.sms import texts
from schemas.deliveries import Delivery
from schemas.inputs import Channel, Organisation
from schemas.languages import DEFAULT
from schemas.templates import Message, texts_around, texts_of
from streams.sending.outcomes import cost_of

from ..overview.dutch import money
from .form import LANGUAGE_NAMES

LINK = "https://…"
"""Where a client's own unsubscribe link stands."""

TITLES = {
    "created": "Nieuwe afspraak",
    "reminder": "Herinnering",
    "moved": "Verplaatste afspraak",
    "relocated": "Andere locatie",
    "changed": "Andere soort afspraak",
    "cancelled": "Geannuleerde afspraak",
    "series_created": "Herhalende afspraken",
    "several": "Meer in één bericht",
    "request": "Bericht van een andere partij",
}
"""The kinds of messages, in the order in which they are shown."""


CLOSINGS: dict[Channel, str] = {"sms": "De tekst na het bericht van de sms", "email": "De afsluiting van de e-mail"}

NOT_TO_COME: tuple[Message, ...] = ("cancelled", "request")
"""Kinds of messages that speak of no appointment that is to come."""


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


class EmailPreview(NamedTuple):
    """A sample e-mail, its text body."""

    title: str
    sender: str
    subject: str
    text: str


class Preview(NamedTuple):
    """All samples, and `unfit`: what a text stands under that it may not fit."""

    sms: list[Sms]
    email: list[EmailPreview]
    unfit: list[str]


def preview(organisation: Organisation, now: datetime) -> Preview:
    """Show a message of each kind, of appointments next week at 13:15, as SMS and as e-mail.

    In each language; and of each label those of which it has texts of its own.
    """
    return Preview(
        [_sms(title, organisation, one, now) for title, one in _shown(organisation, "sms", now)],
        [_email(title, organisation, one, now) for title, one in _shown(organisation, "email", now)],
        [said for channel, name in CLOSINGS.items() if (said := _unfit(organisation, channel, name)) is not None],
    )


def _unfit(organisation: Organisation, channel: Channel, name: str) -> str | None:
    """Say where the text at the end of all messages stands that was written for an appointment to come."""
    general = getattr(organisation, channel).after
    under = [TITLES[kind].lower() for kind in NOT_TO_COME if general and texts_of(organisation, channel, kind).after == general]
    if not under:
        return None
    return f"{name} staat ook onder: {' en '.join(under)}. Past de tekst daar niet? Kies dan een andere bij die soort berichten."


def _shown(organisation: Organisation, channel: Channel, now: datetime) -> Iterator[tuple[str, Delivery]]:
    used = organisation.languages or [DEFAULT]
    for language in used:
        of = f" ({LANGUAGE_NAMES[language]})" if len(used) > 1 else ""
        general = samples(organisation, channel, now, language)
        yield from ((f"{title}{of}", general[name]) for name, title in TITLES.items())
        for label in organisation.labels or {}:
            own = samples(organisation, channel, now, language, label)
            yield from (
                (f"{title}, soort {label}{of}", one)
                for name, title in TITLES.items()
                if texts_around(organisation, channel, (one := own[name]).notices, language)
                != texts_around(organisation, channel, general[name].notices, language)
            )


def _sms(title: str, organisation: Organisation, delivery: Delivery, now: datetime) -> Sms:
    words = texts(delivery, organisation, now)
    size, cost = measure(words.text), cost_of(words.parts, organisation.sms)
    single, each = LIMITS[size.encoding]
    return Sms(
        title=title, text=words.text, encoding=size.encoding, parts=words.parts, units=size.units,
        room=single if words.parts == 1 else each * words.parts,
        cost=money(int(Decimal(str(cost.amount)) * 1_000_000), cost.currency) if cost is not None else "",
        dear=" ".join(one.character for one in costly(words.text) if one.character.isprintable()),
        ucs2=size.encoding == "UCS-2",
    )  # fmt: skip


def _email(title: str, organisation: Organisation, delivery: Delivery, now: datetime) -> EmailPreview:
    mail = email(delivery, organisation, now, LINK)
    return EmailPreview(title, organisation.email.from_, mail.subject, mail.plain.strip())
