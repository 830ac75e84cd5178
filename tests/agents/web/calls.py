"""Clients who ask on the telephone why they got nothing, and what the planner must find on one page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from schemas.topics import DELIVERY_LOG, OPT_OUTS, changelog
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World

from .samples import NOW

REACHED = "joris"

ANSWERS: dict[str, tuple[str, str, str]] = {
    "nora": (
        "Nee: het is niet bekend of de cliënt berichten wil.", "Niet verteld: de cliënt wil geen berichten",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt kan niet worden bereikt",
    ),
    "wim": (
        "Nee: de cliënt wil geen berichten.", "Niet verteld: de cliënt wil geen berichten",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt kan niet worden bereikt",
    ),
    "ulla": (
        "Nee: de cliënt heeft zich afgemeld voor sms (op een andere manier, op 20 mrt 2026 09:10).",
        "Niet verteld: de cliënt heeft zich afgemeld (20 mrt 2026",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt kan niet worden bereikt",
    ),
    "bob": (
        "Nee: het telefoonnummer is niet bevestigd.", "Niet verteld: er was geen telefoonnummer of e-mailadres",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt kan niet worden bereikt",
    ),
    "kees": (
        "Nee: dit telefoonnummer klopt niet: het is te kort.", "Niet verteld: er was geen telefoonnummer of e-mailadres",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt kan niet worden bereikt",
    ),
    "ria": (
        "Nee: op dit telefoonnummer komen geen berichten aan, zegt de aanbieder.",
        "Niet verteld: de aanbieder nam het nummer of de sms niet aan",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt kan niet worden bereikt",
    ),
    "ada": (
        "Ja: berichten gaan per sms naar +31*******78.", "Niet verteld: de cliënt is niet aanwezig bij deze afspraak.",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: de cliënt is niet aanwezig bij de afspraak",
    ),
    "noor": (
        "Ja: berichten gaan per sms naar +31*******78.", "Niet verteld: van deze afspraak hoeft geen bericht uit te gaan.",
        "Geen herinnering op do 26 mrt 2026 10:00, zoals het nu is: van deze afspraak hoeft geen bericht uit te gaan",
    ),
    REACHED: (
        "Ja: berichten gaan per sms naar +31*******78.", "Verteld per sms op 20 mrt 2026",
        "Herinnering: gaat op do 26 mrt 2026 10:00.",
    ),
}  # fmt: skip
"""Client -> can he be reached, what was told, and the reminder. The last one got everything."""


def world() -> World:
    """An organisation that was asked to tell each of them of an appointment, this morning."""
    made = World("2026-03-20 09:00", reminder={"days_before": 1, "at": "10:00"})
    made.simulation.provider = refusing(made)
    for client in ANSWERS:
        if client != "nora":
            made.consent(client, notifications=client != "wim")
        number = "0612" if client == "kees" else "0612345678"
        contact = {"organisation": "zorg", "client": client, "sms": {"number": number, "confirmed": client != "bob"}}
        made.feed("contacts", f"zorg/{client}", contact)
    made.wait("2026-03-20 09:10").opt_out(client="ulla", source="client")
    for client in ANSWERS:
        clients = [{"client": client, "present": client != "ada"}]
        made.book(
            "2026-03-27 13:15", id=f"afspraak-{client}", clients=clients, location="De Linde",
            **({"notify": "none"} if client == "noor" else {}),
        )  # fmt: skip
    return made.wait("2026-03-20 12:50")


def refusing(made: World) -> Callable[[SendCall], Outcome]:
    """A provider that takes all but the number of one client."""
    taken = made.simulation.provider

    def answer(call: SendCall) -> Outcome:
        if call.delivery.client == "ria":
            return Outcome(kind="permanent_address", detail="messagebird: 422/9")
        return taken(call)

    return answer


def project(settings: Settings, made: World, at: datetime = NOW - timedelta(minutes=5)) -> Projection:
    """What the web service has read of it, up to then."""
    projection = Projection(open_database(settings.web_database, settings.data))
    rows = changelog(settings.application, "notices").name
    start = projection.positions().get((rows, 0), 0)
    kept = made.simulation.rows["notices"].items()
    projection.take(rows, 0, start, [TopicEntry(start + number, value, at, key) for number, (key, value) in enumerate(kept)])
    begin = projection.positions().get((DELIVERY_LOG.name, 0), 0)
    log = [TopicEntry(begin + number, orjson.dumps(one), at) for number, one in enumerate(made.log)]
    projection.take(DELIVERY_LOG.name, 0, begin, log)
    off = {"organisation": "zorg", "client": "ulla", "channel": "sms", "off": True, "source": "client"}
    projection.take(OPT_OUTS.name, 0, 0, [TopicEntry(0, orjson.dumps(off), datetime.fromisoformat("2026-03-20T08:10:00Z"))])
    return projection
