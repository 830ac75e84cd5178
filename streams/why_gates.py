"""The gates of one client as they are now, each with its reason; `gates.passage` decides, this says why."""

from __future__ import annotations

from schemas.inputs import Channel
from schemas.state import Agenda, OptOuts

from .gates import Standing, known, passage
from .why_pending import Fact


def gates(standing: Standing, agenda: Agenda, appointment: str | None = None) -> list[Fact]:
    """The four gates in their order. `appointment`: of `absent`, this one only."""
    away = sorted(
        id_
        for id_, entry in agenda.appointments.items()
        if entry.booked and not entry.present and appointment in (None, id_)
    )  # fmt: skip
    absent = (
        f"the client is not present on {', '.join(away)}; others pass" if away else "the client is present on all that is booked"
    )
    facts = [_gate("absent", bool(away), absent), _client(standing), _contact(standing), _organisation(standing)]
    way = passage(standing)
    result = (
        f"a message decided now would go by {way.channel}"
        if way.closed is None
        else f"a message decided now would be suppressed: {way.closed}"
    )
    return [*facts, Fact(f"so {result}", {"channel": way.channel, "closed": way.closed})]


def _gate(name: str, closed: bool | None, why: str) -> Fact:
    state = "not reached" if closed is None else "closed" if closed else "open"
    return Fact(f"{name}: {state} – {why}", {"gate": name, "state": state})


def _client(standing: Standing) -> Fact:
    consent = standing.consent
    if consent is None:
        return _gate("client_off", True, "no consent is known")
    if not consent.notifications:
        return _gate("client_off", True, "the client wants no notifications")
    if not consent.channels:
        return _gate("client_off", True, "no channel is listed")
    off = (standing.opt_outs or OptOuts()).off
    left = _left(standing)
    out = ", ".join(f"{channel} by {off[channel]}" for channel in consent.channels if channel in off)
    if not left:
        return _gate("client_off", True, f"every listed channel is opted out: {out}")
    return _gate("client_off", False, f"left of the listed channels: {', '.join(left)}" + (f"; opted out: {out}" if out else ""))


def _left(standing: Standing) -> list[Channel]:
    """The listed channels that are not opted out, in order."""
    if standing.consent is None:
        return []
    off = (standing.opt_outs or OptOuts()).off
    return [channel for channel in standing.consent.channels if channel not in off]


def _contact(standing: Standing) -> Fact:
    left = _left(standing)
    if not left:
        return _gate("contact_unconfirmed", None, "there is no channel to look at")
    why = {channel: _against(standing, channel) for channel in left}
    good = next((channel for channel, against in why.items() if against is None), None)
    said = "; ".join(f"{channel}: {against}" for channel, against in why.items() if against is not None)
    if good is None:
        return _gate("contact_unconfirmed", True, said)
    return _gate("contact_unconfirmed", False, f"{good} is the first that can be used" + (f" ({said})" if said else ""))


def _against(standing: Standing, channel: Channel) -> str | None:
    found = known(standing.contact, channel)
    if found is None:
        return "not known"
    if found.usable:
        return None
    if not found.confirmed:
        return "not confirmed"
    return f"can get no message ({found.problem})" if found.problem is not None else "a provider said that it takes no messages"


def _organisation(standing: Standing) -> Fact:
    it = standing.organisation
    if it is None:
        return _gate("organisation_off", True, "the organisation's settings are not known")
    return _gate(
        "organisation_off", not it.notifications, f"the organisation's notifications are {'on' if it.notifications else 'off'}"
    )
