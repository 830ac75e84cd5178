"""The gates (`streams/README.md`, "Gates"): a notice goes out only if all hold when it is decided and again when it is sent.

`absent` is a matter of one appointment and is checked where notices are made; the other three are a matter of the client and the
organisation. What is unknown is off.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from schemas.deliveries import Gate
from schemas.events import KnownAddress, KnownContact, KnownPerson
from schemas.inputs import Channel, Consent, Organisation
from schemas.state import OptOuts


class ClientFacts(NamedTuple):
    """All that the gates look at for one recipient. `ended`: who acted for the client does so no more.

    `call_name`: how a message to one who acts for the client calls the client; None: not at all. `off`: what the gate is called
    that is closed where nothing is wanted.
    """

    consent: Consent | None
    contact: KnownContact | None
    opt_outs: OptOuts | None
    organisation: Organisation | None
    ended: bool = False
    call_name: str | None = None
    off: Gate = "client_off"


class Eligibility(NamedTuple):
    """The channel that a message would take, if there is one, and the first closed gate, if one is."""

    channel: Channel | None
    closed_gate: Gate | None


def eligibility_of(facts: ClientFacts, only: Channel | None = None) -> Eligibility:
    """Return the way of a message at its decision; `only`: at its sending, when its one channel counts."""
    consent = facts.consent
    if consent is None or not consent.notifications:
        return Eligibility(None, facts.off)
    if facts.ended:
        return Eligibility(None, "ended")
    off = facts.opt_outs.off if facts.opt_outs is not None else {}
    listed = [channel for channel in consent.channels if channel not in off and only in (None, channel)]
    if not listed:
        return Eligibility(None, facts.off)
    channel = next((channel for channel in listed if confirmed(facts.contact, channel)), None)
    if channel is None:
        return Eligibility(None, "contact_unconfirmed")
    if facts.organisation is None or not facts.organisation.notifications:
        return Eligibility(channel, "organisation_off")
    return Eligibility(channel, None)


def address_of(contact: KnownContact | KnownPerson | None, channel: Channel) -> KnownAddress | None:
    """Return the number or address for the channel."""
    if contact is None:
        return None
    found: KnownAddress | None = getattr(contact, channel)
    return found


def is_same_address(one: KnownAddress | None, other: KnownAddress | None) -> bool:
    """Tell whether two are one number or mailbox; what is unknown is none."""
    return one is not None and other is not None and one.address.lower() == other.address.lower()


def confirmed(contact: KnownContact | None, channel: Channel) -> bool:
    """Tell whether upstream confirmed the client's address for the channel, and nothing is known against it."""
    found = address_of(contact, channel)
    return found is not None and found.usable


def address(contact: KnownContact, channel: Channel) -> str:
    """Return the number or address for the channel; call it only where it is confirmed."""
    found = address_of(contact, channel)
    return found.address if found is not None else ""


def mark_of(address_: str) -> str:
    """Return a short hash by which an address is told from another.

    No secret: it only keeps addresses out of rows that outlive them.
    """
    return hashlib.sha256(address_.encode()).hexdigest()[:16]


def masked(address_: str) -> str:
    """Mask an address, so that its owner recognises it and nobody else reads it: `+31******78`, `j*@e*.nl`."""
    if "@" in address_:
        name, _, domain = address_.rpartition("@")
        host, _, ending = domain.rpartition(".")
        return f"{name[:1]}***@{host[:1]}***.{ending}"
    return f"{address_[:3]}{'*' * max(3, len(address_) - 5)}{address_[-2:]}"
