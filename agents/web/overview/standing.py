"""The web form of `why`: can this client be reached, what was told of what is ahead, and what is still to come. Pure, in Dutch.

It decides nothing: what is closed, due or different is asked of the code that decides it (`streams/explain`, `streams/notices`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from agents.projection.causes import cause_of
from renderers.dates import is_whole_days
from schemas.deliveries import LogRecord
from schemas.inputs import Channel
from schemas.state import AgendaEntry, OptOuts
from streams.explain.client import ClientSnapshot
from streams.explain.pending import pending
from streams.notices.agenda import zone_of
from streams.notices.difference import untold
from streams.notices.gates import ClientFacts, address_of, eligibility_of, masked
from streams.notices.notify import quiet_now
from streams.processing.local_time import day_of, local

from . import dutch

WAYS: dict[Channel, str] = {"sms": "sms", "email": "e-mail"}
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

KINDS = {"phone": "telefonisch", "video": "via beeldbellen", "home": "thuis bij de cliënt"}


class Reach(NamedTuple):
    """Whether the client can be reached, in a sentence; what to do if not; and each fact behind it with its name."""

    good: bool
    verdict: str
    do: str
    facts: list[tuple[str, str]]


class Visit(NamedTuple):
    """An appointment ahead: when and where, and what the client was told of it."""

    when: str
    where: str
    told: str
    good: bool


class Day(NamedTuple):
    """A local day with appointments, and its reminders."""

    title: str
    visits: list[Visit]
    reminders: list[str]


class Standing(NamedTuple):
    """All of it. `waits`: what has yet to be decided or sent."""

    reach: Reach
    days: list[Day]
    waits: list[str]


def standing(
    client: ClientSnapshot, now: datetime, turns: Iterable[Mapping[str, Any]], held: int, opted_out: Collection[str] = ()
) -> Standing:  # fmt: skip
    """Return how things stand.

    `turns`: when channels were turned off and on; `held`: messages that a hold keeps back; `opted_out`: ids of messages that did
    not go since the client had turned a channel off.
    """
    ends = Ends(opted_out)
    zone = zone_of(client.client_facts.organisation)
    facts = pending(
        client.client_facts, client.settings, client.agenda, client.ledgers, client.log, zone, now, None, client.key
    )  # fmt: skip
    reminders: dict[str, list[Mapping[str, Any]]] = {}
    for fact in facts:
        if fact.data["what"] == "reminder" and fact.data["at"] is not None:
            reminders.setdefault(fact.data["day"], []).append(fact.data)
    return Standing(
        _reach(client.client_facts, {row["channel"]: row["at"] for row in turns if row["off"]}),
        _days(client, ends, zone, now, reminders), _waits(facts, held),
    )  # fmt: skip


# -- whether the client can be reached ---------------------------------------------------------------------------------


def _reach(facts: ClientFacts, since: Mapping[str, str]) -> Reach:
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


# -- what is ahead -----------------------------------------------------------------------------------------------------


def _days(
    client: ClientSnapshot, ends: Ends, zone: str, now: datetime, reminders: Mapping[str, list[Mapping[str, Any]]]
) -> list[Day]:  # fmt: skip
    changed, quiet = untold(client.agenda, zone, now), quiet_now(client.agenda, zone, now)
    days: dict[str, list[Visit]] = {}
    ahead = sorted(client.agenda.appointments.items(), key=lambda pair: (pair[1].actual.start, pair[0]))
    for id_, entry in ahead:
        if entry.actual.start > now and (entry.booked or id_ in changed):
            told, good = _told(client, ends, id_, entry, is_untold=id_ in changed, is_quiet=id_ in quiet)
            days.setdefault(day_of(entry.actual.start, zone), []).append(Visit(_times(entry, zone), _where(entry), told, good))
    none = client.settings is not None and not reminders
    return [
        Day(dutch.long_day(day), visits, [_reminder(one, client, ends) for one in reminders.get(day, [])] or [NONE] * none)
        for day, visits in sorted(days.items())
    ]


UNDER_WAY = "Wordt nu verteld: het bericht is onderweg."
NONE = "Geen herinnering: uw organisatie verstuurt geen herinneringen."


def _times(entry: AgendaEntry, zone: str) -> str:
    if is_whole_days(entry.actual.start, entry.actual.end, zone):
        return "hele dag"
    start, end = (f"{local(one, zone):%H:%M}" for one in (entry.actual.start, entry.actual.end))
    return start if start == end else f"{start} tot {end}"


def _where(entry: AgendaEntry) -> str:
    state = [] if entry.booked else ["geannuleerd"]
    state += [KINDS[entry.actual.kind]] if entry.actual.kind is not None else []
    state += [entry.actual.location] if entry.actual.location is not None else []
    return ", ".join([*state, *(["cliënt niet aanwezig"] if not entry.present else [])])


def _told(
    client: ClientSnapshot, ends: Ends, id_: str, entry: AgendaEntry, *, is_untold: bool, is_quiet: bool
) -> tuple[str, bool]:  # fmt: skip
    """Return what the client was told of an appointment, and whether that is all there is to tell."""
    found = [one for one in client.log if any(id_ in (note.appointment, *note.others) for note in one.notices)]
    told = [one for one in found if any(note.id == entry.notice for note in one.notices)]
    last = next(iter([*(one for one in told[::-1] if one.status != "superseded"), *told]), None)
    if any(id_ in note.appointments for flying in client.agenda.flight.values() for note in flying.notices):
        return ends.said(last if last is not None and ends.of(last).open else None, UNDER_WAY), True
    if not entry.present:
        return "Niet verteld: de cliënt is niet aanwezig bij deze afspraak.", False
    if is_untold and is_quiet:
        if entry.notify == "reminder":
            return "Nog niet verteld: de herinnering vertelt dit als eerste.", True
        return "Niet verteld: van deze afspraak hoeft geen bericht uit te gaan.", True
    if is_untold:
        before = f" Eerder: {ends.said(last, '')}" if last is not None else ""
        return f"Nog niet verteld.{before}", False
    return ends.said(last, "De cliënt weet dit al."), last is None or last.status in ("sent", "delivered")


class End(NamedTuple):
    """What became of a message: whether it went out, whether that may still be, and when or why not, in half a sentence."""

    went: bool
    open: bool
    words: str


class Ends:
    """Says what became of messages. `opted_out`: ids of those that did not go since the client had turned a channel off."""

    def __init__(self, opted_out: Collection[str]) -> None:
        self.opted_out = opted_out

    def of(self, one: LogRecord) -> End:
        """Return what a record means."""
        when, way = dutch.when(one.at.isoformat()), f"per {WAYS[one.channel]} " if one.channel is not None else ""
        if one.status in ("sent", "delivered"):
            return End(True, False, f"{way}op {when}{', en aangekomen' if one.status == 'delivered' else ''}")
        cause = cause_of(one) or one.status
        why = (dutch.OPTED_OUT if cause == "client_off" and one.message in self.opted_out else dutch.CAUSES[cause]).why
        return End(False, one.status in ("retrying", "unknown"), f"{why[:1].lower()}{why[1:].rstrip('.')} ({when})")

    def said(self, one: LogRecord | None, otherwise: str) -> str:
        """Say what became of the message that told something."""
        if one is None:
            return otherwise
        end = self.of(one)
        return f"Verteld {end.words}." if end.went else f"{'Nog niet' if end.open else 'Niet'} verteld: {end.words}."

    def reminded(self, records: Sequence[LogRecord]) -> str:
        """Say what became of a reminder."""
        if not records:
            return "is al geweest."
        end = self.of(records[-1])
        return f"verstuurd {end.words}." if end.went else f"{'nog niet' if end.open else 'niet'} verstuurd: {end.words}."


def _reminder(fact: Mapping[str, Any], client: ClientSnapshot, ends: Ends) -> str:
    when = dutch.visit(fact["at"])
    match fact["state"]:
        case "due":
            return f"Herinnering: gaat op {when}."
        case "closed":
            return f"Geen herinnering op {when}, zoals het nu is: {_closed(fact['closed'])}."
        case "decided":
            last = [one for one in client.log if one.message == fact["message"]]
            return f"Herinnering: {ends.reminded(last)}"
        case "late":
            return f"Herinnering: had op {when} moeten gaan. Wij zoeken uit waarom dat niet is gebeurd."
        case "hold":
            return "Herinnering: wacht, omdat uw organisatie berichten over deze dag tegenhoudt."
        case "settings":
            return f"Geen herinnering: het moment ({when}) was al voorbij toen de instellingen veranderden."
        case "as_many":
            return "Geen herinnering meer: er zijn er al genoeg geweest voor deze dag."
    return f"Geen herinnering: op {when} was over deze dag nog niets verteld."


def _closed(gate: str) -> str:
    """Say in half a sentence what would keep a reminder back."""
    if gate in ("client_off", "contact_unconfirmed", "organisation_off"):
        return "de cliënt kan niet worden bereikt (zie boven)"
    why = dutch.CAUSES[gate].why
    return f"{why[:1].lower()}{why[1:].rstrip('.')}"


# -- what waits --------------------------------------------------------------------------------------------------------


def _waits(facts: Iterable[Any], held: int) -> list[str]:
    lines = []
    if held:
        many = "1 bericht" if held == 1 else f"{held} berichten"
        lines.append(f"Uw organisatie houdt berichten tegen: {many} aan deze cliënt wacht{'en' if held > 1 else ''}.")
    for fact in facts:
        data = fact.data
        match data["what"]:
            case "window":
                until = dutch.when((data["held_until"] or data["at"]).isoformat())
                why = "dan zijn de stille uren voorbij" if data["held_until"] is not None else "dan gaat alles in één bericht"
                lines.append(f"Een wijziging wacht tot {until}: {why}.")
            case "held":
                lines.append(f"Een wijziging wacht tot {dutch.when(data['at'].isoformat())}: dan zijn de stille uren voorbij.")
            case "hold" if not held:
                lines.append("Uw organisatie houdt berichten over afspraken tegen: wat verandert, wacht.")
            case "request":
                lines.append(f"Een bericht van een ander systeem wacht tot {dutch.when(data['at'].isoformat())}.")
    return lines
