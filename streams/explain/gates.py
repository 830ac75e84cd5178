"""The gates of one client as they are now, each with its reason; `gates.passage` decides, this says why."""

from __future__ import annotations

from schemas.inputs import Channel
from schemas.state import Agenda, OptOuts

from ..notices.gates import ClientFacts, address_of, eligibility_of
from .pending import Fact


def gates(client_facts: ClientFacts, agenda: Agenda, appointment: str | None = None) -> list[Fact]:
    """Return the four gates in their order. `appointment`: of `absent`, this one only."""
    away = sorted(
        id_
        for id_, entry in agenda.appointments.items()
        if entry.booked and not entry.present and appointment in (None, id_)
    )  # fmt: skip
    absent = (
        f"the client is not present on {', '.join(away)}; others pass" if away else "the client is present on all that is booked"
    )
    facts = [_gate("absent", bool(away), absent), _client(client_facts), _contact(client_facts), _organisation(client_facts)]
    eligibility = eligibility_of(client_facts)
    result = (
        f"a message decided now would go by {eligibility.channel}"
        if eligibility.closed_gate is None
        else f"a message decided now would be suppressed: {eligibility.closed_gate}"
    )
    return [*facts, Fact(f"so {result}", {"channel": eligibility.channel, "closed": eligibility.closed_gate})]


def _gate(name: str, closed: bool | None, why: str) -> Fact:
    state = "not reached" if closed is None else "closed" if closed else "open"
    return Fact(f"{name}: {state} – {why}", {"gate": name, "state": state})


def _client(client_facts: ClientFacts) -> Fact:
    consent = client_facts.consent
    if consent is None:
        return _gate("client_off", True, "no consent is known")
    if not consent.notifications:
        return _gate("client_off", True, "the client wants no notifications")
    if not consent.channels:
        return _gate("client_off", True, "no channel is listed")
    off = (client_facts.opt_outs or OptOuts()).off
    left = _left(client_facts)
    out = ", ".join(f"{channel} by {off[channel]}" for channel in consent.channels if channel in off)
    if not left:
        return _gate("client_off", True, f"every listed channel is opted out: {out}")
    return _gate("client_off", False, f"left of the listed channels: {', '.join(left)}" + (f"; opted out: {out}" if out else ""))


def _left(client_facts: ClientFacts) -> list[Channel]:
    """Return the listed channels that are not opted out, in order."""
    if client_facts.consent is None:
        return []
    off = (client_facts.opt_outs or OptOuts()).off
    return [channel for channel in client_facts.consent.channels if channel not in off]


def _contact(client_facts: ClientFacts) -> Fact:
    left = _left(client_facts)
    if not left:
        return _gate("contact_unconfirmed", None, "there is no channel to look at")
    why = {channel: _against(client_facts, channel) for channel in left}
    good = next((channel for channel, against in why.items() if against is None), None)
    said = "; ".join(f"{channel}: {against}" for channel, against in why.items() if against is not None)
    if good is None:
        return _gate("contact_unconfirmed", True, said)
    return _gate("contact_unconfirmed", False, f"{good} is the first that can be used" + (f" ({said})" if said else ""))


def _against(client_facts: ClientFacts, channel: Channel) -> str | None:
    found = address_of(client_facts.contact, channel)
    if found is None:
        return "not known"
    if found.usable:
        return None
    if not found.confirmed:
        return "not confirmed"
    return f"can get no message ({found.problem})" if found.problem is not None else "a provider said that it takes no messages"


def _organisation(client_facts: ClientFacts) -> Fact:
    it = client_facts.organisation
    if it is None:
        return _gate("organisation_off", True, "the organisation's settings are not known")
    return _gate(
        "organisation_off", not it.notifications, f"the organisation's notifications are {'on' if it.notifications else 'off'}"
    )
