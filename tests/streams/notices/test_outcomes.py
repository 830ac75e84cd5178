"""Who came, and who did not: it is known as it then is, nothing is said or reminded, and what is on again is compared anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agents.worker.wording import succeed
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World

Step = Callable[[World], object]

DAY, FRIDAY = "2026-04-17", "vrijdag 17 april 2026"
MADE = f"Er is een afspraak met u gemaakt op {FRIDAY} van 13:15 tot 14:15."
LATER = f"Er is een afspraak met u gemaakt op {FRIDAY} van 15:00 tot 16:00."
AWAY = [{"client": "anna", "present": False}]
GROUP = [{"client": "anna", "present": True}, {"client": "bram", "present": True}]


def on(time: str = "13:15", rev: int = 1, status: str = "booked", one: str = "a", day: str = DAY, **more: Any) -> Step:
    """Write a revision of an appointment."""
    return lambda world: world.book(f"{day} {time}", rev=rev, status=status, id=one, **more)


def both(*steps: Step) -> Step:
    """Write several things in one window."""

    def step(world: World) -> None:
        for one in steps:
            one(world)

    return step


ROWS: dict[str, tuple[list[Step], list[str], list[str]]] = {
    "who came, was served or stayed away hears nothing of it": (
        [on(), on(rev=2, status="arrived"), on(rev=3, status="fulfilled"), on(rev=4, status="noshow")], [MADE], [],
    ),
    "of one that is only written down once the client is there nothing is said": ([on(status="arrived")], [], ["outcome"]),
    "nor of one for which the client came before it was told": ([both(on(), on(rev=2, status="arrived"))], [], ["outcome"]),
    "nor of the hour at which the client came": ([on(), on("15:00", 2, "arrived")], [MADE], ["outcome"]),
    "that hour is what is known then: booked again there it is as it was": (
        [on(), on("15:00", 2, "arrived"), on("15:00", 3)], [MADE], ["outcome"],
    ),
    "booked again at another one it has moved from there": (
        [on(), on("15:00", 2, "arrived"), on("16:00", 3)],
        [MADE, f"Uw afspraak op {FRIDAY} van 15:00 tot 16:00 is verplaatst naar {FRIDAY} van 16:00 tot 17:00."], ["outcome"],
    ),
    "cancelled after all it is cancelled": (
        [on(), on(rev=2, status="noshow"), on(rev=3, status="cancelled")], [MADE, f"Uw afspraak op {FRIDAY} is geannuleerd."], [],
    ),
    "entered in error is cancelled": (
        [on(), on(rev=2, status="entered-in-error")], [MADE, f"Uw afspraak op {FRIDAY} is geannuleerd."], [],
    ),
    "entered in error before it was told is nothing": ([both(on(), on(rev=2, status="entered-in-error"))], [], []),
    "the outcome of another one says nothing of this one": (
        [on(), both(on(rev=2, status="arrived"), on("15:00", one="b"))], [MADE, LATER], [],
    ),
    "a twin stays where it was told when the client came for the other at another hour": (
        [both(on(), on(one="b")), on("15:00", 2, "arrived")], [MADE], ["created", "outcome"],
    ),
    "a twin that goes along to that hour is where the client was, and nothing is cancelled": (
        [both(on(), on(one="b")), both(on("15:00", 2, one="b"), on("15:00", 2, "noshow"))],
        [MADE], ["created", "outcome", "moved"],
    ),
    "who is absent at the twin by then knows of the hour at which the client came": (
        [both(on(), on(one="b")), both(on(rev=2, one="b", clients=AWAY), on("15:00", 2, "arrived"))],
        [MADE], ["created", "outcome"],
    ),
    "where the client came for one and then for the other instead, nothing is said of either": (
        [
            both(on(status="arrived"), on("15:00", status="arrived", one="b")),
            both(on("12:00", 2, "arrived"), on(rev=2, status="arrived", one="b")),
        ],
        [], ["outcome", "outcome"],
    ),
    "who came without a place is known without one, whatever is made at that hour": (
        [on(status="arrived"), on(one="b", location="De Linde"), on("15:00", one="c")],
        [f"{MADE} Locatie: De Linde.", LATER], ["outcome"],
    ),
    "nor does a series that was told lend it its place": (
        [
            both(*[on(day=f"2026-04-{day:02}", one=f"b{day}", series="S", location="De Linde") for day in (3, 10)]),
            both(on(one="b17", series="S", location="De Linde"), on(status="arrived"), on("15:00", one="c")),
            on("16:00", one="d"),
        ],
        [
            "Er zijn herhalende afspraken met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende."
            " Locatie: De Linde.",
            LATER,
            f"Er is een afspraak met u gemaakt op {FRIDAY} van 16:00 tot 17:00.",
        ],
        ["outcome", "series"],
    ),
    "of a series the others go on": (
        [
            both(*[on(day=f"2026-04-{day:02}", one=f"a{day}", series="S") for day in (3, 10, 17)]),
            on("15:00", 2, "arrived", day="2026-04-03", one="a3", series="S"),
            on(day="2026-04-24", one="a24", series="S"),
            on(day="2026-04-03", one="new", series="S"),
        ],
        [
            "Er zijn herhalende afspraken met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende.",
            "Er is een afspraak met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15.",
        ],
        ["outcome", "series"],
    ),
    "who is off the list of a group hears of it, and who came does not": (
        [on(clients=GROUP), on("15:00", 2, clients=[{**GROUP[0], "outcome": "arrived"}])], [MADE], ["outcome"],
    ),
    "what one client of a group did is said of that one alone": (
        [on(clients=GROUP), on("15:00", 2, clients=[GROUP[0], {**GROUP[1], "outcome": "arrived"}])],
        [MADE, f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is verplaatst naar {FRIDAY} van 15:00 tot 16:00."], [],
    ),
    "what is cancelled is so for all, whoever came": (
        [on(), on("15:00", 2, "cancelled", clients=[{**GROUP[0], "outcome": "noshow"}])],
        [MADE, f"Uw afspraak op {FRIDAY} is geannuleerd."], [],
    ),
    "who is absent has none": (
        [on(), on("15:00", 2, "arrived", clients=AWAY)], [MADE], ["absent"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_is_said_and_what_is_not(name: str) -> None:
    steps, sent, not_sent = ROWS[name]
    world = World().play(steps)
    found = [
        one["notices"][0]["kind"] if one["detail"] == "same" else one["detail"] or one["status"]
        for one in world.log
        if one["status"] != "sent" and one["client"] == "anna"
    ]
    assert (world.sent, found) == (sent, not_sent)
    assert not any(one for one in world.log if one["status"] == "expired")


REMINDED: dict[str, tuple[list[Step], list[str]]] = {
    "nobody is reminded of what is over for him": ([on(), on(rev=2, status="arrived")], []),
    "of two the other one is reminded of": (
        [both(on(), on("15:00", one="b")), on(rev=2, status="noshow")], ["U heeft een afspraak op 17 april om 15:00."],
    ),
    "what is on again is reminded of": (
        [on(), on(rev=2, status="arrived"), on(rev=3)], ["U heeft een afspraak op 17 april om 13:15."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REMINDED)
def test_of_what_a_client_is_reminded(name: str) -> None:
    steps, texts = REMINDED[name]
    world = World(reminder={"days_before": 1, "at": "18:00"})
    for step in steps:
        step(world)
        world.wait((world.now + timedelta(minutes=10)).isoformat())
    world.wait(f"{DAY} 18:00")
    assert [one["text"] for one in world.log if one["reason"] == "reminder"] == texts


class Meanwhile:
    """A provider that is away until told otherwise: what is decided flies."""

    def __init__(self) -> None:
        self.is_away = True
        self.texts: list[str] = []

    def __call__(self, call: SendCall) -> Outcome:
        if self.is_away:
            return Outcome(kind="retry", detail="away")
        outcome = succeed(call)
        self.texts.append(outcome.text or "")
        return outcome


FLYING: dict[str, tuple[list[Step], Step, list[str]]] = {
    "what is about to be said of it is not said any more": ([on()], on(rev=2, status="arrived"), []),
    "nor that it moved": ([on("12:00")], on("15:00", 2, "arrived"), []),
    "where the client came stays known, though who is there is told as elsewhere": (
        [both(on(day="2026-04-10", one="d"), on(one="b"), on("15:00", status="arrived"))],
        both(on("15:00", 2, "entered-in-error"), on("15:00", 2, one="b"), on(one="c")),
        ["Er is een afspraak met u gemaakt op vrijdag 10 april 2026 van 13:15 tot 14:15.", MADE],
    ),
    "what else the message says is said": ([both(on(), on("15:00", one="b"))], on(rev=2, status="arrived"), [LATER]),
}


@pytest.mark.parametrize("name", FLYING)
def test_a_message_that_waits_at_its_sender(name: str) -> None:
    steps, outcome, texts = FLYING[name]
    world, provider = World(), Meanwhile()
    world.simulation.provider = provider
    for step in steps:
        step(world)
        world.wait((world.now + timedelta(minutes=1)).isoformat())
    outcome(world)
    provider.is_away = False
    world.wait((world.now + timedelta(hours=2)).isoformat())
    assert provider.texts == texts


def test_a_reminder_that_waits_at_its_sender_says_nothing_of_who_came() -> None:
    world, provider = World(reminder={"days_before": 1, "at": "18:00"}), Meanwhile()
    world.book(f"{DAY} 13:15").book(f"{DAY} 15:00", id="b").wait("2026-03-03 09:00")
    world.simulation.provider = provider
    world.wait("2026-04-16 18:00:30").book(f"{DAY} 13:15", rev=2, status="fulfilled")
    provider.is_away = False
    world.wait(f"{DAY} 09:00")
    assert provider.texts == ["U heeft een afspraak op 17 april om 15:00."]
