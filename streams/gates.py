"""The gates (DESIGN.md "Gates"): a notice goes out only if all hold when it is decided and again when it is sent.

`absent` is a matter of one appointment and is checked where notices are made; the other three are a matter of the client and the
organisation. What is unknown is off.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from schemas.deliveries import Gate
from schemas.events import KnownAddress, KnownContact
from schemas.inputs import Channel, Consent, Organisation
from schemas.state import OptOuts


class Standing(NamedTuple):
    """All that the gates look at for one client."""

    consent: Consent | None
    contact: KnownContact | None
    opt_outs: OptOuts | None
    organisation: Organisation | None


class Passage(NamedTuple):
    """The channel that a message would take, if there is one, and the first closed gate, if one is."""

    channel: Channel | None
    closed: Gate | None


def passage(standing: Standing, only: Channel | None = None) -> Passage:
    """The way of a message at its decision; `only`: at its sending, when its one channel counts."""
    consent = standing.consent
    if consent is None or not consent.notifications:
        return Passage(None, "client_off")
    off = standing.opt_outs.off if standing.opt_outs is not None else {}
    listed = [channel for channel in consent.channels if channel not in off and only in (None, channel)]
    if not listed:
        return Passage(None, "client_off")
    channel = next((channel for channel in listed if confirmed(standing.contact, channel)), None)
    if channel is None:
        return Passage(None, "contact_unconfirmed")
    if standing.organisation is None or not standing.organisation.notifications:
        return Passage(channel, "organisation_off")
    return Passage(channel, None)


def known(contact: KnownContact | None, channel: Channel) -> KnownAddress | None:
    """The client's number or address for the channel."""
    if contact is None:
        return None
    return contact.sms if channel == "sms" else contact.email


def confirmed(contact: KnownContact | None, channel: Channel) -> bool:
    """Whether upstream confirmed the client's address for the channel, and nothing is known against it."""
    found = known(contact, channel)
    return found is not None and found.usable


def address(contact: KnownContact, channel: Channel) -> str:
    """The number or address for the channel; call it only where it is confirmed."""
    found = known(contact, channel)
    return found.address if found is not None else ""


def mark_of(address_: str) -> str:
    """A short hash by which an address is told from another. No secret: it only keeps addresses out of rows that outlive them."""
    return hashlib.sha256(address_.encode()).hexdigest()[:16]


def masked(address_: str) -> str:
    """An address in which a person recognises it and nobody else reads it: `+31******78`, `j*@e*.nl`."""
    if "@" in address_:
        name, _, domain = address_.rpartition("@")
        host, _, ending = domain.rpartition(".")
        return f"{name[:1]}***@{host[:1]}***.{ending}"
    return f"{address_[:3]}{'*' * max(3, len(address_) - 5)}{address_[-2:]}"
