"""What crash tests feed: events whose texts are all different for each client, so that a text tells which notice it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from agents.kafka.writer import Event
from tests.broker.harness import AMSTERDAM, client, settings, visit

CHANNELS = (("sms",), ("sms", "email"), ("email",), ("email", "sms"), ())
SPREAD_DAYS = 60
"""Between the appointments of a client: a revision moves by a day, so this many of them have days of their own."""


class Feed:
    """Appointments of two organisations: `direct` tells every change at once, `venster` has a window.

    Args:
        rng: decides everything.
        blocks: groups of three clients, who share appointments.
        appointments: of `direct`; at most five a block.
        windowed: of `venster`, each with a client of its own.
        rounds: revisions of each appointment.
    """

    def __init__(self, rng: random.Random, blocks: int, appointments: int, windowed: int, rounds: int) -> None:
        self.rng, self.rounds = rng, rounds
        self.midnight = datetime.now(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)
        self.people = {f"p{block}-{n}": CHANNELS[(block + n) % 5] for block in range(blocks) for n in range(3)}
        self.lone = {f"w{n}": CHANNELS[n % 4] for n in range(windowed)}
        self.state: dict[tuple[str, str], dict[str, Any]] = {}
        for number in range(appointments):
            block, day = number % blocks, 20 + SPREAD_DAYS * (number // blocks)
            clients = [f"p{block}-{n}" for n in rng.sample(range(3), rng.choice((1, 1, 2, 3)))]
            self.state["direct", f"a{number}"] = {"clients": clients, "day": day, "known": [f"p{block}-{n}" for n in range(3)]}
        for number in range(windowed):
            self.state["venster", f"v{number}"] = {"clients": [f"w{number}"], "day": 20, "known": [f"w{number}"]}

    @property
    def clients(self) -> list[tuple[str, str]]:
        """Organisation and client of everybody."""
        return [("direct", name) for name in self.people] + [("venster", name) for name in self.lone]

    def cast(self) -> list[Event]:
        events = [settings("direct"), settings("venster", 1, 3)]
        for organisation, people in (("direct", self.people), ("venster", self.lone)):
            for name, channels in people.items():
                events += client(organisation, name, *channels, confirmed=not name.endswith("7-2"))
        return events

    def stream(self) -> Iterator[Event]:
        """All rounds, one after another."""
        for revision in range(1, self.rounds + 1):
            yield from self.round(revision)

    def round(self, revision: int) -> list[Event]:
        """A revision of every appointment, some twice, some with an old one behind it."""
        events = []
        for (organisation, id_), row in self.state.items():
            new = self._revised(organisation, id_, row, revision)
            events.append(new)
            if self.rng.random() < 0.05:
                events.append(self.rng.choice((new, row.get("event", new))))
            row["event"] = new
        self.rng.shuffle(events)  # not of one appointment: see `ordered`
        return ordered(events)

    def _revised(self, organisation: str, id_: str, row: dict[str, Any], revision: int) -> Event:
        """Moved, relocated, cancelled, booked again, or with other clients."""
        what = self.rng.choice(("move", "move", "place", "cancel", "clients")) if revision > 1 else "move"
        start = self.midnight + timedelta(days=row["day"] + revision, hours=8, minutes=11 * (revision % 50))
        if what == "move" or row.get("status") == "cancelled":
            row.update(start=start, status="booked")
        elif what == "place":
            row["location"] = f"Kamer {revision}"
        elif what == "cancel":
            row["status"] = "cancelled"
        elif organisation == "direct":
            row.update(clients=self.rng.sample(row["known"], self.rng.choice((1, 2, 3))), start=start)
        return visit(
            organisation, id_, revision, row["start"], *row["clients"], location=row.get("location"), status=row["status"]
        )  # fmt: skip


def ordered(events: list[Event]) -> list[Event]:
    """The same, with the revisions of each appointment in order: a stale one comes behind its later one."""
    places: dict[str | None, list[int]] = {}
    for place, event in enumerate(events):
        places.setdefault(event.key, []).append(place)
    result = list(events)
    for mine in places.values():
        newest_first = sorted((events[place] for place in mine), key=lambda event: -event.value["revision"])
        for place, event in zip(mine, newest_first, strict=True):
            result[place] = event
    return result
