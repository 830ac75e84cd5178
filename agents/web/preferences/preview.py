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
from schemas.languages import DEFAULT, Language
from schemas.templates import texts_around
from streams.sending.outcomes import cost_of

from ..overview.dutch import money

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

LANGUAGES: dict[Language, str] = {"nl": "Nederlands", "en": "Engels"}


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
    """All samples."""

    sms: list[Sms]
    email: list[EmailPreview]


def preview(organisation: Organisation, now: datetime) -> Preview:
    """Show a message of each kind, of appointments next week at 13:15, as SMS and as e-mail.

    In each language; and of each label those of which it has texts of its own.
    """
    return Preview(
        [_sms(title, organisation, one, now) for title, one in _shown(organisation, "sms", now)],
        [_email(title, organisation, one, now) for title, one in _shown(organisation, "email", now)],
    )


def _shown(organisation: Organisation, channel: Channel, now: datetime) -> Iterator[tuple[str, Delivery]]:
    used = organisation.languages or [DEFAULT]
    for language in used:
        of = f" ({LANGUAGES[language]})" if len(used) > 1 else ""
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
