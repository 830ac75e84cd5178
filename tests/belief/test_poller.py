"""A poller in front of an agenda that can only be asked what is in it, and a client who reads only our messages.

The agenda is made after Ons: occurrences are `series@date`, one that was edited is an exception of its series, "and following"
makes another series, and nothing has a revision. Now and then it answers with nothing, with half, or with what it said before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.belief.driver import Driver, Message
from tests.belief.histories import opening, organisation
from tests.belief.oracle import compare, listen
from tests.belief.planner import PLACES, PLAIN, Times
from tests.belief.reader import READINGS, Reader
from tests.belief.truth import Fact, Truth, instant, when

ZONE, FIRST = "Europe/Amsterdam", date(2026, 4, 3)
MINUTE = timedelta(minutes=1)
EDITS = 40


@dataclass(frozen=True)
class Occurrence:
    """One that is in the agenda."""

    series: str
    day: date
    times: Times
    place: str | None

    @property
    def plain(self) -> dict[str, Any]:
        """Its times and place, as a snapshot has them."""
        start, end = (instant(self.day, clock, ZONE).isoformat() for clock in (self.times.at, self.times.until))
        return {"start": start, "end": end, "location": {"name": self.place} if self.place else None, "series": self.series}


@dataclass
class Ons:
    """The agenda: what is in it by its id."""

    random: random.Random
    agenda: dict[str, Occurrence] = field(default_factory=dict)
    made: int = 0

    def edit(self) -> None:
        """Do what planners do."""
        if not self.agenda or self.random.random() < 0.25:
            self._series(self.random.choice((1, 1, 3, 5)), FIRST + timedelta(days=self.random.randrange(40)))
        else:
            edit = self.random.choice((self._exception, self._exception, self._cancel, self._following, self._end))
            edit(self.random.choice(sorted(self.agenda)))

    def _series(self, count: int, first: date, times: Times | None = None, place: str | None = None) -> None:
        self.made += 1
        name, pick = f"{self.made}", self.random.choice
        times, place = times or pick(PLAIN), place or pick(PLACES)
        for number in range(count):
            day = first + timedelta(weeks=number)
            self.agenda[f"{name}@{day}"] = Occurrence(name, day, times, place)

    def _exception(self, id_: str) -> None:
        """Move one, or name another place: it keeps its id, which has the day on which it was."""
        one, pick = self.agenda[id_], self.random.choice
        day = one.day + timedelta(days=pick((0, 0, 1, 7)))
        self.agenda[id_] = replace(one, day=day, times=pick((one.times, *PLAIN)), place=pick((one.place, *PLACES)))

    def _cancel(self, id_: str) -> None:
        del self.agenda[id_]

    def _following(self, id_: str) -> list[Occurrence]:
        """Write this one and those that follow it anew, at another hour."""
        gone = self._end(id_)
        self._series(
            len(gone), gone[0].day + timedelta(days=self.random.choice((0, 0, 1))), self.random.choice(PLAIN), gone[0].place
        )
        return gone

    def _end(self, id_: str) -> list[Occurrence]:
        """End a series with this one."""
        first = self.agenda[id_]
        gone = {other: one for other, one in self.agenda.items() if one.series == first.series and one.day >= first.day}
        for other in gone:
            del self.agenda[other]
        return sorted(gone.values(), key=lambda one: one.day)

    @property
    def truth(self) -> Truth:
        """What is in it, as a client would have it."""
        plain = {id_: one.plain for id_, one in self.agenda.items()}
        facts = [Fact(id_, when(one["start"], one["end"], ZONE), self.agenda[id_].place) for id_, one in plain.items()]
        return Truth(facts, {}, set())


class Poller:
    """Asks the agenda, and writes what it answers."""

    def __init__(self, driver: Driver, ons: Ons) -> None:
        self.driver, self.ons = driver, ons
        self.revision, self.last = 0, list[dict[str, Any]]()

    def poll(self) -> None:
        """Write the whole answer."""
        self.revision += 1
        self.last = [{"appointment": id_, **one.plain} for id_, one in self.ons.agenda.items()]
        self._write(self.revision, self.last)

    def fail(self, chance: random.Random) -> None:
        """Write an answer that is none."""
        match chance.choice(("nothing", "half", "again", "an old one")):
            case "nothing":
                self.revision += 1
                self._write(self.revision, [])
            case "half":
                self.revision += 1
                self._write(self.revision, [one for one in self.last if chance.random() < 0.5])
            case "again":
                self._write(self.revision, self.last)
            case "an old one":
                self._write(self.revision - 1, [])

    def _write(self, revision: int, appointments: list[dict[str, Any]]) -> None:
        self.driver.write("agenda-snapshots", b"zorg/anna", {
            "organisation": "zorg", "client": "anna", "from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z",
            "revision": revision, "appointments": appointments,
        })  # fmt: skip


def after(driver: Driver, minutes: int) -> datetime:
    """When so many minutes have passed."""
    return driver.now + minutes * MINUTE


@pytest.mark.parametrize("seed", range(25))
def test_after_two_answers_the_client_believes_what_is_in_the_agenda_and_a_failure_says_nothing(seed: int) -> None:
    """25 agendas, of 40 edits each."""
    chance = random.Random(seed)
    driver, ons = Driver(seed), Ons(chance)
    driver.play([*opening(organisation(window=chance.choice(((30, 120), (5, 5), (0, 0))))), {"do": "wait", "seconds": 60}])
    poller, edits = Poller(driver, ons), 0
    while edits < EDITS:
        for _ in range(chance.randint(1, 3)):
            ons.edit()
            edits += 1
        for minutes in (11, 4):
            poller.poll()
            if chance.random() < 0.2:
                driver.restart(chance.randint(0, 5), "wait")
            driver.pass_to(after(driver, minutes))
        for reading in READINGS:
            reader = Reader(reading)
            listen(reader, driver.heard)
            assert [*reader.faults, *compare(reader.items, ons.truth)] == [], reading
        heard = len(driver.heard)
        for _ in range(chance.randint(0, 3)):
            poller.fail(chance)
            driver.pass_to(after(driver, 2))
        poller.poll()
        driver.pass_to(after(driver, 11))
        assert driver.heard[heard:] == []
    assert any(isinstance(one, Message) and "geannuleerd" in one.text for one in driver.heard)
