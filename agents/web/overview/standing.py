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
from schemas.state import AgendaEntry
from streams.explain.client import ClientSnapshot
from streams.explain.pending import pending
from streams.notices.agenda import zone_of
from streams.notices.difference import untold
from streams.notices.notify import quiet_now
from streams.processing.local_time import day_of, local

from . import dutch
from .reach import WAYS, Reach, reach

KINDS = {"phone": "telefonisch", "video": "via beeldbellen", "home": "thuis bij de cliënt"}


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
        reach(client.client_facts, {row["channel"]: row["at"] for row in turns if row["off"]}),
        _days(client, ends, zone, now, reminders), _waits(facts, held),
    )  # fmt: skip


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
        return End(False, one.status in ("retrying", "unknown"), f"{_within(why)} ({when})")

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
    return _within(dutch.CAUSES[gate].why)


def _within(sentence: str) -> str:
    """Return a sentence as part of another."""
    return f"{sentence[:1].lower()}{sentence[1:].rstrip('.')}"


# -- what waits --------------------------------------------------------------------------------------------------------


def _waits(facts: Iterable[Any], held: int) -> list[str]:
    lines = []
    if held:
        many = "1 bericht" if held == 1 else f"{held} berichten"
        lines.append(f"Uw organisatie houdt berichten tegen: {many} aan deze cliënt wacht{'en' if held > 1 else ''}.")
    for fact in facts:
        data = fact.data
        match data["what"]:
            case "window" if data["off"]:
                at = dutch.when(data["at"].isoformat())
                lines.append(f"Een wijziging van toen berichten uit stonden telt vanaf {at} als bekend, zonder bericht.")
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
