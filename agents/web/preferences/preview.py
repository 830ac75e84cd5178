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
from schemas.templates import Message, texts_around
from streams.sending.outcomes import cost_of

from ..overview.dutch import money
from .fields import LANGUAGE_NAMES, Scope
from .form import texts_in

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
    "series_moved": "Herhalende afspraken verplaatst",
    "series_cancelled": "Herhalende afspraken geannuleerd",
    "phone": "Nieuwe telefonische afspraak",
    "video": "Nieuwe afspraak via beeldbellen",
    "home": "Nieuwe afspraak thuis",
    "several": "Meer in één bericht",
    "request": "Bericht van een andere partij",
}
"""The kinds of messages, in the order in which they are shown."""


CLOSINGS: dict[Channel, str] = {"sms": "De tekst na het bericht van de sms", "email": "De afsluiting van de e-mail"}

NOT_TO_COME: tuple[Message, ...] = ("cancelled", "request")
"""Kinds of messages that speak of no appointment that is to come."""


class Sms(NamedTuple):
    """A sample SMS. `room`: characters of so many parts; `dear`: those that make it dearer, none in most.

    `ucs2`: they make it so of which `each` fit into one part; `without`: what it would be without them.
    """

    title: str
    text: str
    parts: int
    units: int
    room: int
    cost: str
    dear: str
    ucs2: bool
    without: int


class EmailPreview(NamedTuple):
    """A sample e-mail: its text body, and its HTML as it is sent."""

    title: str
    sender: str
    subject: str
    text: str
    html: str


class Preview(NamedTuple):
    """All samples, and `unfit`: what a text stands under that it may not fit."""

    sms: list[Sms]
    email: list[EmailPreview]
    unfit: list[str]


def preview(organisation: Organisation, now: datetime, scope: Scope | None = None) -> Preview:
    """Show a message of each kind, of appointments next week at 13:15, as SMS and as e-mail.

    In each language; and of each label those of which it has texts of its own. Of a scope: what is of that alone.
    """
    used = organisation.languages or [DEFAULT]
    scopes = [scope] if scope is not None else [Scope(language=one if one != used[0] else None) for one in used]
    return Preview(
        [_sms(title, organisation, one, now) for title, one in _shown(organisation, "sms", now, scope)],
        [_email(title, organisation, one, now) for title, one in _shown(organisation, "email", now, scope)],
        [words for one in scopes for channel, name in CLOSINGS.items() for words in _unfit(organisation, channel, name, one)],
    )


def _unfit(organisation: Organisation, channel: Channel, name: str, scope: Scope) -> Iterator[str]:
    """Say where the text at the end of all messages stands that was written for an appointment to come; and what has no words."""
    of = f" ({LANGUAGE_NAMES[scope.language]})" if scope.language is not None else ""
    kinds = [kind for kind in NOT_TO_COME if scope.label is None or kind != "request"]
    here = texts_in(organisation, scope, channel, "created")
    under = [kind for kind in kinds if here.after and texts_in(organisation, scope, channel, kind).after == here.after]
    if under:
        where = " en ".join(TITLES[kind].lower() for kind in under)
        yield f"{name}{of} staat ook onder: {where}. Past de tekst daar niet? Kies dan een andere bij die soort berichten."
    if scope.language is None:
        return
    first, medium = texts_in(organisation, Scope(scope.label), channel, "created"), "sms" if channel == "sms" else "e-mail"
    both = ("vóór", first.before, here.before), ("na", first.after, here.after)
    if lacking := " en ".join(words for words, there, ours in both if there and not ours):
        yield f"In het {LANGUAGE_NAMES[scope.language]} heeft de {medium} geen tekst {lacking} het bericht."


def _shown(
    organisation: Organisation, channel: Channel, now: datetime, scope: Scope | None = None
) -> Iterator[tuple[str, Delivery]]:  # fmt: skip
    used = organisation.languages or [DEFAULT]
    if scope is not None:
        found = samples(organisation, channel, now, scope.language or used[0], scope.label)
        yield from ((title, found[name]) for name, title in TITLES.items() if scope.label is None or name != "request")
        return
    for language in used:
        of = f" ({LANGUAGE_NAMES[language]})" if len(used) > 1 else ""
        general = samples(organisation, channel, now, language)
        yield from ((f"{title}{of}", general[name]) for name, title in TITLES.items())
        for label in organisation.labels or {}:
            own = samples(organisation, channel, now, language, label)
            for name, title in TITLES.items():
                around = [texts_around(organisation, channel, some[name].notices, language) for some in (own, general)]
                if name != "request" and around[0] != around[1]:
                    yield f"{title}, soort {label}{of}", own[name]


def _sms(title: str, organisation: Organisation, delivery: Delivery, now: datetime) -> Sms:
    words = texts(delivery, organisation, now)
    size, cost = measure(words.text), cost_of(words.parts, organisation.sms)
    single, each = LIMITS[size.encoding]
    dear = [one.character for one in costly(words.text)]
    plain = "".join(letter for letter in words.text if letter not in dear)
    shown = [letter for letter in dear if letter.isprintable()]
    return Sms(
        title=title, text=words.text, parts=words.parts, units=size.units,
        room=single if words.parts == 1 else each * words.parts,
        cost=money(int(Decimal(str(cost.amount)) * 1_000_000), cost.currency) if cost is not None else "",
        dear=" en ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part),
        ucs2=size.encoding == "UCS-2", without=measure(plain).parts,
    )  # fmt: skip


def _email(title: str, organisation: Organisation, delivery: Delivery, now: datetime) -> EmailPreview:
    mail = email(delivery, organisation, now, LINK)
    return EmailPreview(title, organisation.email.from_, mail.subject, mail.plain.strip(), mail.html)
