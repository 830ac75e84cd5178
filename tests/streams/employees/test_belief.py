"""What an employee who reads only our messages believes is what is so, or the log says why not.

The texts are read by the reader of `tests/belief`, which shares no code with `streams/` or `renderers/`: an employee's sentences
say what a client's do, in other words. The planner moves, cancels, books again, takes on and off, in any order; levels,
attending and contacts change; quiet hours and restarts come between.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.belief.dutch import When
from tests.belief.reader import Reader
from tests.world import AMSTERDAM, World

CLIENTS_WORDS = (
    ("Er staat een afspraak in uw agenda ", "Er is een afspraak met u gemaakt "),
    ("De afspraak in uw agenda ", "Uw afspraak "),
    ("is vervallen.", "is geannuleerd."),
)
IDS = [f"a-{number}" for number in range(6)]
STAFF = {"mees": "all", "noor": "others", "otto": "soon", "puck": "none"}
REASONS = {"own", "not_soon", "employee_off", "contact_unconfirmed", "organisation_off", "absent"}


class Story:
    """One history: what is so, and what each employee was told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        quiet = {"from": "20:00", "until": "07:00"} if seed % 2 else None
        told = {"notifications": True, "digest_at": self.chance.choice(["07:30", "16:00", "22:00"])}
        self.world = World("2026-03-02 09:00", bare=True).settings(employees=told, quiet_hours=quiet)
        for id_, level in STAFF.items():
            self.world.employee(id_, notifications=level)
        self.so: dict[str, tuple[datetime, bool, dict[str, bool]]] = {}
        self.whens: dict[str, set[When]] = {id_: set() for id_ in IDS}
        self.revision = 0

    def play(self, steps: int) -> None:
        """Do so many things; then let all windows close, in gates that are as they are."""
        for _ in range(steps):
            self.step()
            if self.chance.random() < 0.4:
                hours = self.chance.choice([0.01, 0.2, 3, 11, 26])
                self.world.wait((self.world.now + timedelta(hours=hours)).isoformat())
        self.world.wait((self.world.now + timedelta(days=3)).isoformat())

    def step(self) -> None:
        what = self.chance.random()
        if what < 0.05:
            self.world.restart()
        elif what < 0.1:  # of whoever hears of everything nothing is closed, ever
            id_ = self.chance.choice(["noor", "otto"])
            self.world.employee(
                id_, notifications=STAFF[id_], sms={"number": "+31612345699", "confirmed": self.chance.random() < 0.7}
            )
        elif what < 0.13:
            self.world.employee("noor", notifications=self.chance.choice(["all", "others", "soon", "none"]))
        else:
            self.revise(self.chance.choice(IDS))

    def revise(self, id_: str) -> None:
        """One more revision of an appointment, each at minutes of its own, so that no two are in the same words."""
        self.revision += 1
        day = self.world.now.astimezone(AMSTERDAM).date() + timedelta(days=self.chance.choice([1, 2, 6, 9, 20]))
        begin = datetime(day.year, day.month, day.day, 10 + self.chance.randrange(6), IDS.index(id_), tzinfo=AMSTERDAM)
        booked = self.chance.random() < 0.8
        if not booked and id_ in self.so:
            begin = self.so[id_][0]
        on = {one: self.chance.random() < 0.85 for one in STAFF if self.chance.random() < 0.85}
        self.so[id_] = (begin, booked, on)
        self.whens[id_].add(when_of(begin))
        self.world.book(
            begin.isoformat(), id=id_, rev=self.revision, status="booked" if booked else "cancelled", series="s",
            author=self.chance.choice([*STAFF, "plan", None]), location="De Linde",
            employees=[{"employee": one, "attending": attends} for one, attends in on.items()],
        )  # fmt: skip

    def believed(self, id_: str) -> tuple[set[When], list[str]]:
        """What an employee takes to be ahead, and what was unclear."""
        reader = Reader("narrow", late=id_ != "mees")  # what was left out may be spoken of: it is where it is said to be now
        for record in self.world.of_employee(id_):
            if record["status"] == "sent":
                text = record["text"]
                for ours, clients in CLIENTS_WORDS:
                    text = text.replace(ours, clients)
                reader.message(text)
        return {when for when in reader.items if is_ahead(when, self.world.now)}, reader.faults

    def true(self, id_: str) -> set[When]:
        """What is ahead of an employee, and on."""
        return {
            when for begin, booked, on in self.so.values()
            if booked and on.get(id_, False) and is_ahead(when := when_of(begin), self.world.now)
        }  # fmt: skip

    def excused(self, id_: str) -> set[When]:
        """What of appointments the log's last word is that they were kept back, or that the employee does not attend now."""
        last: dict[str, bool] = {}
        for record in self.world.of_employee(id_):
            if record["status"] == "sent" or record["detail"] in REASONS:
                for notice in record["notices"]:
                    last |= dict.fromkeys([notice["appointment"], *notice.get("others", ())], record["status"] != "sent")
        ids = {one for one, kept_back in last.items() if kept_back}
        ids |= {one for one, (_, _, on) in self.so.items() if on.get(id_) is False}
        return {when for one in ids for when in self.whens[one]}


def when_of(begin: datetime) -> When:
    end = begin + timedelta(hours=1)
    return When(begin.date(), f"{begin:%H:%M}", f"{end:%H:%M}", begin.date())


def is_ahead(when: When, now: datetime) -> bool:
    hour, minute = map(int, when.at.split(":"))
    return datetime(when.day.year, when.day.month, when.day.day, hour, minute, tzinfo=AMSTERDAM) > now


def stories() -> Iterator[Any]:
    for seed in range(16):
        yield pytest.param(seed, id=str(seed))


@pytest.mark.parametrize("seed", stories())
def test_at_rest_an_employee_was_told_what_is_so_or_there_is_a_reason(seed: int) -> None:
    story = Story(seed)
    for _ in range(3):
        story.play(14)
        for id_ in STAFF:
            believed, faults = story.believed(id_)
            wrong = believed ^ story.true(id_)
            assert wrong <= story.excused(id_), (id_, wrong, story.world.of_employee(id_)[-5:])
            if id_ == "mees":
                assert faults == []
            if id_ == "puck":
                assert believed == set()
    assert story.world.refused == []
    assert all(one["detail"] is not None for one in story.world.log if one["status"] == "suppressed")


def test_the_reader_would_notice_a_message_that_is_missing() -> None:
    story = Story(2)
    story.play(30)
    sent = [one for one in story.world.log if one.get("recipient") == "e:mees" and one["status"] == "sent"]
    assert len(sent) > 3
    story.world.log.remove(sent[-1])
    believed, faults = story.believed("mees")
    assert faults or not (believed ^ story.true("mees")) <= story.excused("mees") or is_over(sent[-1], story.world.now.date())


def is_over(record: dict[str, Any], today: date) -> bool:
    return bool(record["start"][:10] <= today.isoformat())
