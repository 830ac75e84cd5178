"""Whether a client can be reached, and if not why and what to do: for the page of a client. Pure, in Dutch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.channels import CHANNELS
from schemas.inputs import Channel
from schemas.state import OptOuts
from streams.notices.gates import ClientFacts, address_of, eligibility_of, masked

from . import dutch

WAYS: dict[Channel, str] = {channel: dutch.CHANNELS[channel].lower() for channel in CHANNELS}
ADDRESSES: dict[Channel, str] = {"sms": "telefoonnummer", "email": "e-mailadres"}

SOURCES = {
    "link": "met de link in een e-mail", "provider": "met het antwoord STOP op een sms", "client": "op een andere manier",
}  # fmt: skip

RETURNS = {
    "link": "Wil de cliënt toch berichten? Dat kan met de link in een eerdere e-mail.",
    "provider": dutch.CAUSES["stopped"].do,
}
"""How a client who turned a channel off gets messages again, by who turned it off."""

PROBLEMS = {
    "not_a_number": "is geen telefoonnummer", "extension": "heeft een doorkiesnummer", "too_short": "is te kort",
    "too_long": "is te lang", "invalid": "bestaat niet", "landline": "is een vast nummer: dat krijgt geen sms",
    "company": "is een bedrijfsnummer: dat krijgt geen sms", "internet": "is een internetnummer: dat krijgt geen sms",
    "pager": "is van een semafoon", "personal": "is een persoonlijk nummer: dat krijgt geen sms",
    "service": "is een servicenummer: dat krijgt geen sms", "machine": "is van een apparaat",
    "no_mobile": "is geen mobiel nummer",
}  # fmt: skip
"""Why a number gets no SMS (`streams/intake/phones.py`; a test holds that none is missing)."""


class Reach(NamedTuple):
    """Whether the client can be reached, in a sentence; what to do if not; and each fact behind it with its name."""

    good: bool
    verdict: str
    do: str
    facts: list[tuple[str, str]]


def reach(facts: ClientFacts, since: Mapping[str, str]) -> Reach:
    """Return it, by the first closed gate. `since`: when channels were turned off, where that is known."""
    found = eligibility_of(facts)
    off = (facts.opt_outs or OptOuts()).off
    lines = [("Toestemming", _consent(facts))]
    lines += [(dutch.CHANNELS[channel], _way(facts, channel, off, since)) for channel in WAYS]
    on = facts.organisation is not None and facts.organisation.notifications
    lines.append(("Uw organisatie", "verstuurt berichten" if on else "heeft berichten uitgezet"))
    if found.closed_gate is None and found.channel is not None:
        address = address_of(facts.contact, found.channel)
        to = masked(address.address) if address is not None else ""
        return Reach(True, f"Ja: berichten gaan per {WAYS[found.channel]} naar {to}.", "", lines)
    if found.closed_gate == "organisation_off":
        return Reach(False, "Nee: uw organisatie heeft berichten uitgezet.", dutch.CAUSES["organisation_off"].do, lines)
    if found.closed_gate == "client_off":
        return Reach(False, *_refused(facts, off, since), lines)
    return Reach(False, *_unusable(facts, off), lines)


def _refused(facts: ClientFacts, off: Mapping[Channel, str], since: Mapping[str, str]) -> tuple[str, str]:
    """Return why the client's own wish keeps messages back, and what to do."""
    consent = facts.consent
    if consent is None:
        return "Nee: het is niet bekend of de cliënt berichten wil.", "Leg in het dossier vast dat de cliënt berichten wil."
    if not consent.notifications:
        return "Nee: de cliënt wil geen berichten.", "Klopt dat niet? Pas de toestemming aan in het dossier."
    if not consent.channels:
        return "Nee: er is niet vastgelegd hoe de cliënt berichten wil krijgen.", "Kies sms of e-mail in het dossier."
    turned = [channel for channel in consent.channels if channel in off]
    said = " en ".join(_turned(channel, off, since) for channel in turned)
    return f"Nee: de cliënt heeft zich {said}.", RETURNS.get(off[turned[0]], dutch.OPTED_OUT.do)


def _turned(channel: Channel, off: Mapping[Channel, str], since: Mapping[str, str]) -> str:
    when = f", op {dutch.when(since[channel])}" if channel in since else ""
    how = SOURCES.get(off[channel], off[channel])
    return f"afgemeld voor {WAYS[channel]} ({how}{when})"


def _unusable(facts: ClientFacts, off: Mapping[Channel, str]) -> tuple[str, str]:
    """Return what is wrong with the addresses that messages could go to, and what to do."""
    listed = [channel for channel in facts.consent.channels if channel not in off] if facts.consent is not None else []
    wrong = [_against(facts, channel) for channel in listed]
    return f"Nee: {'; '.join(words for words, _ in wrong)}.", wrong[0][1]


def _against(facts: ClientFacts, channel: Channel) -> tuple[str, str]:
    name, found = ADDRESSES[channel], address_of(facts.contact, channel)
    if found is None:
        return f"er is geen {name} bekend", f"Vraag de cliënt om een {name} en zet het in het dossier."
    if found.problem is not None:
        return f"dit {name} klopt niet: het {PROBLEMS[found.problem]}", dutch.ASK_NUMBER
    if found.refused:
        return (
            f"op dit {name} komen geen berichten aan, zegt de aanbieder",
            f"Vraag de cliënt om het juiste {name} en pas het aan in het dossier.",
        )
    return f"het {name} is niet bevestigd", f"Controleer het {name} met de cliënt en bevestig het in het dossier."


def _consent(facts: ClientFacts) -> str:
    consent = facts.consent
    if consent is None:
        return "niet bekend"
    if not consent.notifications:
        return "de cliënt wil geen berichten"
    ways = ", anders per ".join(WAYS[channel] for channel in consent.channels)
    return f"berichten per {ways}" if ways else "berichten, maar niet hoe"


def _way(facts: ClientFacts, channel: Channel, off: Mapping[Channel, str], since: Mapping[str, str]) -> str:
    found = address_of(facts.contact, channel)
    said = []
    if found is not None:
        said.append(masked(found.address))
    said.append("klopt en is bevestigd" if found is not None and found.usable else _against(facts, channel)[0])
    if channel in off:
        said.append(_turned(channel, off, since))
    return ", ".join(said)
