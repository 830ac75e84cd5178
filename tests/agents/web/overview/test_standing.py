"""How things stand with a client, by rows: what happened, and the sentences that must (not) be on the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from agents.web.overview.standing import Standing, standing
from schemas.deliveries import LogRecord
from schemas.keys import ClientKey
from streams.explain.client import is_wanted, snapshot_of
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World, at

REMINDER = {"days_before": 1, "at": "10:00"}
NIGHT = {"from": "21:00", "until": "08:00"}
ANNA = ClientKey("zorg", "anna")


def stands(
    world: World, held: int = 0, turns: list[dict[str, Any]] | None = None, now: datetime | None = None, *, logged: bool = True
) -> Standing:  # fmt: skip
    rows = {
        store: {key: value for key, value in kept.items() if is_wanted(key, ANNA)}
        for store, kept in world.simulation.rows.items()
    }
    log = [msgspec.convert(one, LogRecord) for one in world.log if logged]
    return standing(snapshot_of({"notices": rows["notices"]}, log, ANNA), now or world.now, turns or [], held)


def page(found: Standing) -> str:
    days = [[day.title, *(f"{one.when}, {one.where}: {one.told}" for one in day.visits), *day.reminders] for day in found.days]
    facts = [f"{name}: {text}" for name, text in found.reach.facts]
    return "\n".join([found.reach.verdict, found.reach.do, *facts, *found.waits, *(line for day in days for line in day)])


def booked(**settings: Any) -> World:
    return World(**settings).book("2026-03-10 13:15", location="De Linde")


def answering(world: World, **outcome: Any) -> World:
    def answer(call: SendCall) -> Outcome:
        return Outcome(**outcome)

    world.simulation.provider = answer
    return world


ROWS: dict[str, tuple[World, list[str], list[str]]] = {
    "told, and a reminder to come": (
        booked(reminder=REMINDER).wait("2026-03-02 09:10"),
        [
            "Ja: berichten gaan per sms naar +31*******78.", "dinsdag 10 maart 2026",
            "13:15 tot 14:15, De Linde: Verteld per sms op 2 mrt 2026 09:00.", "Herinnering: gaat op ma 9 mrt 2026 10:00.",
        ],
        ["Niet", "Geen"],
    ),
    "the reminder went": (
        booked(reminder=REMINDER).wait("2026-03-09 10:05"), ["Herinnering: verstuurd per sms op 9 mrt 2026 10:00."], ["gaat op"],
    ),
    "the reminder came too soon after a message": (
        World("2026-03-09 09:00", reminder=REMINDER).book("2026-03-10 13:15").wait("2026-03-09 10:05"),
        ["Herinnering: niet verstuurd: alles stond al in een bericht van kort daarvoor"], [],
    ),
    "made after the reminder's moment": (
        World("2026-03-09 09:00", reminder=REMINDER).wait("2026-03-09 11:00").book("2026-03-10 13:15").wait("2026-03-09 11:05"),
        ["Geen herinnering: op ma 9 mrt 2026 10:00 was over deze dag nog niets verteld."], ["Herinnering: gaat"],
    ),
    "the settings are younger than the reminder's moment": (
        World("2026-03-09 10:30").book("2026-03-10 13:15").wait("2026-03-09 10:40").settings(reminder=REMINDER),
        ["Geen herinnering: het moment (ma 9 mrt 2026 10:00) was al voorbij toen de instellingen veranderden."], [],
    ),
    "no reminders at all": (
        booked().wait("2026-03-02 09:10"), ["Geen herinnering: uw organisatie verstuurt geen herinneringen."], ["Herinnering:"],
    ),
    "the window is open": (
        booked(), ["Nog niet verteld.", "Een wijziging wacht tot 2 mrt 2026 09:00: dan gaat alles in één bericht."], ["Verteld"],
    ),
    "the window is open, of when notifications were off": (
        World(notifications=False).book("2026-03-10 13:15").settings(),
        ["Een wijziging van toen berichten uit stonden telt vanaf 2 mrt 2026 09:00 als bekend, zonder bericht."], ["wacht tot"],
    ),
    "at night": (
        World("2026-03-02 22:00", quiet_hours=NIGHT).book("2026-03-10 13:15").wait("2026-03-02 22:10"),
        ["Een wijziging wacht tot 3 mrt 2026 08:00: dan zijn de stille uren voorbij.", "Nog niet verteld."], [],
    ),
    "moved, and not told yet": (
        booked().wait("2026-03-02 09:10").book("2026-03-10 15:00", rev=2),
        ["15:00 tot 16:00", "Nog niet verteld. Eerder: Verteld per sms op 2 mrt 2026 09:00."], ["13:15"],
    ),
    "cancelled, and not told yet": (
        booked().wait("2026-03-02 09:10").book("2026-03-10 13:15", rev=2, status="cancelled"),
        ["13:15 tot 14:15, geannuleerd, De Linde: Nog niet verteld."], [],
    ),
    "cancelled, and told": (
        booked().wait("2026-03-02 09:10").book("2026-03-10 13:15", rev=2, status="cancelled").wait("2026-03-02 09:20"),
        [], ["10 maart"],
    ),
    "past": (booked().wait("2026-03-11 09:10"), [], ["10 maart"]),
    "of whole days": (
        World().book("2026-03-10 00:00", "2026-03-11 00:00").wait("2026-03-02 09:10"), ["hele dag, : Verteld"], [],
    ),
    "by telephone": (World().book("2026-03-10 13:15", kind="phone").wait("2026-03-02 09:10"), ["telefonisch: Verteld"], []),
    "the provider cannot be reached": (
        answering(booked(), kind="retry", detail="messagebird: 503").wait("2026-03-02 09:01"),
        ["Nog niet verteld: de verbinding lukte niet."], ["Verteld per"],
    ),
    "nobody knows whether it went": (
        answering(booked(), kind="unknown", detail="messagebird: no answer in time").wait("2026-03-02 09:01"),
        ["Nog niet verteld: de verbinding viel weg: misschien is het bericht verstuurd"], [],
    ),
    "no channel is listed": (
        World().consent(channels=[]), ["Nee: er is niet vastgelegd hoe de cliënt berichten wil krijgen."], [],
    ),
    "no address at all": (
        World().contact(sms=None), ["Nee: er is geen telefoonnummer bekend.", "Vraag de cliënt om een telefoonnummer"], [],
    ),
    "two channels, and something against each": (
        World().consent(channels=["email", "sms"]).contact(sms=False, email=False),
        ["Nee: het e-mailadres is niet bevestigd; het telefoonnummer is niet bevestigd."], [],
    ),
    "the first of two channels is off": (
        World().consent(channels=["email", "sms"]).contact(email=True).opt_out("email"),
        [
            "Ja: berichten gaan per sms", "afgemeld voor e-mail (met de link in een e-mail)",
            "Toestemming: berichten per e-mail, anders per sms",
        ], [],
    ),
    "off by an answer": (
        World().opt_out(source="provider"),
        ["Nee: de cliënt heeft zich afgemeld voor sms (met het antwoord STOP op een sms).", "Vraag uw leverancier"], [],
    ),
    "the organisation is off": (
        booked(notifications=False).wait("2026-03-02 09:10"),
        ["Nee: uw organisatie heeft berichten uitgezet.", "Zet ze weer aan bij Instellingen."], ["Ja:"],
    ),
    "a request waits": (
        World().request(send_at="2026-03-04T09:00:00+01:00"),
        ["Een bericht van een ander systeem wacht tot 4 mrt 2026 09:00."], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_the_page_says(row: str) -> None:
    world, said, unsaid = ROWS[row]
    text = page(stands(world))
    assert [words for words in said if words not in text] == [], text
    assert [words for words in unsaid if words in text] == [], text


def test_what_a_hold_keeps_back_is_said() -> None:
    world = World()
    world.feed("holds", "zorg", {"organisation": "zorg", "at": world.now.isoformat(), "notices": True})
    world.book("2026-03-10 13:15").wait("2026-03-02 09:10")
    assert "Uw organisatie houdt berichten over afspraken tegen: wat verandert, wacht." in page(stands(world))
    text = page(stands(world, held=1))
    assert "Uw organisatie houdt berichten tegen: 1 bericht aan deze cliënt wacht." in text
    assert "Nog niet verteld." in text


def test_a_message_that_is_under_way_is_said_to_be() -> None:
    world = World()
    world.simulation.provider = lambda call: Outcome(kind="stop", detail="messagebird: 401")
    world.book("2026-03-10 13:15").wait("2026-03-02 09:01")
    assert "Wordt nu verteld: het bericht is onderweg." in page(stands(world, logged=False))


def test_since_when_a_channel_is_off_is_said() -> None:
    turns = [{"channel": "sms", "at": "2026-03-01T08:00:00Z", "off": True}]
    assert "(met de link in een e-mail, op 1 mrt 2026 09:00)" in page(stands(World().opt_out(), turns=turns))
    assert stands(World(), now=at("2026-03-02 10:00")).reach.good
