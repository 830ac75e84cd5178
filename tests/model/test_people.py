"""Who acts for a client, in any history: nobody reads what he must not, and what he may read comes as a client's own would.

Two oracles. In a history that changes who may be told, each message is set beside what may be told at that moment, and what is
known at rest beside what is so. In one that does not, each person is compared with a client of the same appointments.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.worker.wording import succeed
from schemas.keys import RecipientKey
from streams.notices.known import known_of
from streams.notices.notices import Notices
from streams.notices.words import is_ahead, words_of
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World, person

ZONE = "Europe/Amsterdam"
NUMBERS = {"moeder": "+31622345671", "vader": "+31622345672"}
Step = Callable[["Family"], None]


class Family:
    """A client with two who may act for her, and what each may be told."""

    def __init__(self) -> None:
        self.world = World(reminder={"days_before": 1, "at": "17:00"})
        self.world.consent(channels=["sms", "email"]).contact(email=True)
        self.tells: dict[str, list[str] | None] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.wanted, self.revision, self.seen = True, 0, 0
        self.refuses: set[str] = set()
        self.world.simulation.provider = self.provide

    def provide(self, call: SendCall) -> Outcome:
        """Refuse some addresses, and take all else."""
        if call.address in self.refuses:
            return Outcome(kind="permanent_address", detail="no such address")
        return succeed(call)

    def book(self, id_: str, day: int, hour: int, tell: list[str] | None, status: str, place: str | None) -> None:
        self.revision += 1
        self.tells[id_] = tell
        told = {} if tell is None else {"tell": tell}
        self.world.book(
            f"2026-04-{day} {hour}:00", id=id_, rev=self.revision, status=status, location=place,
            clients=[{"client": "anna", "present": True, **told}],
        )  # fmt: skip
        self.look()

    def list_people(self, people: dict[str, dict[str, Any]]) -> None:
        self.people = people
        self.world.people(*[
            person(id_, NUMBERS[id_], f"{id_}@example.org", channels=["sms", "email"], **changes)
            for id_, changes in people.items()
        ])  # fmt: skip
        self.look()

    def consent(self, wanted: bool) -> None:
        self.wanted = wanted
        self.world.consent(notifications=wanted, channels=["sms", "email"])
        self.look()

    def refuse(self, id_: str) -> None:
        self.refuses.add(NUMBERS[id_])

    def wait(self, minutes: int) -> None:
        self.world.wait((self.world.now + timedelta(minutes=minutes)).isoformat())
        self.look()

    def may(self, id_: str, appointment: str) -> bool:
        """Tell whether somebody may be told of an appointment now."""
        changes = self.people.get(id_)
        if changes is None or not self.wanted or not changes["notifications"]:
            return False
        if changes["until"] <= self.world.now.date().isoformat():
            return False
        tell = self.tells[appointment]
        return id_ in tell if tell is not None else changes["all"]

    def look(self) -> None:
        """Set what went out since the last look beside what may be told."""
        for one in self.world.log[self.seen :]:
            recipient = one.get("recipient", "")
            if not recipient or one["status"] != "sent":
                continue
            named = {id_ for notice in one["notices"] for id_ in (notice["appointment"], *notice.get("others", ()))}
            assert all(self.may(recipient.removeprefix("p:"), id_) for id_ in named), "nobody reads what he must not"
            assert "Linde" not in one["text"]
            assert "Locatie" not in one["text"]
        self.seen = len(self.world.log)

    def rest(self) -> None:
        """Set what each knows beside what is so, once nothing is to be said any more."""
        self.wait(60)
        notices = self.world.simulation.processors["notices"]
        assert isinstance(notices, Notices)
        for id_ in ("", *self.people):
            view = notices.agenda(RecipientKey("zorg", "anna", f"p:{id_}" if id_ else ""))
            assert (view.flight, view.window) == ({}, None)
            if id_:
                assert set(view.appointments) <= {
                    name for name, tell in self.tells.items() if (id_ in tell if tell is not None else self.people[id_]["all"])
                }
            so = {
                words_of(entry.actual, ZONE) for entry in view.appointments.values()
                if entry.booked and entry.actual.start > self.world.now
            }  # fmt: skip
            known = {
                words for words, item in known_of(view, ZONE, self.world.now).items.items()
                if not item.stale and is_ahead(words, self.world.now, ZONE)
            }  # fmt: skip
            assert {words.slot for words in known} == {words.slot for words in so}, "at rest each knows what is so"


DAYS, HOURS = st.integers(10, 13), st.sampled_from([10, 13])
TELLS = st.sampled_from([None, [], ["moeder"], ["vader"], ["moeder", "vader"]])
CHANGES = st.fixed_dictionaries({
    "notifications": st.sampled_from([True, True, True, False]), "all": st.booleans(),
    "until": st.sampled_from(["2030-01-01", "2030-01-01", "2026-03-03", "2026-03-02"]),
})  # fmt: skip
PEOPLE = st.dictionaries(st.sampled_from(["moeder", "vader"]), CHANGES, max_size=2)


def bookings(tells: st.SearchStrategy[list[str] | None]) -> st.SearchStrategy[Step]:
    """An appointment is made, moved, told to others, cancelled or booked again."""
    return st.builds(
        lambda *what: lambda family: family.book(*what), st.sampled_from("abc"), DAYS, HOURS, tells,
        st.sampled_from(["booked", "booked", "booked", "cancelled"]), st.sampled_from([None, "De Linde"]),
    )  # fmt: skip


STEPS = st.one_of(
    bookings(TELLS),
    bookings(TELLS),
    st.builds(lambda people: lambda family: family.list_people(people), PEOPLE),
    st.builds(lambda wanted: lambda family: family.consent(wanted), st.sampled_from([True, True, False])),
    st.builds(lambda id_: lambda family: family.refuse(id_), st.sampled_from([*NUMBERS])),
    st.builds(lambda minutes: lambda family: family.wait(minutes), st.sampled_from([1, 10, 24 * 60])),
)


@given(PEOPLE, st.lists(STEPS, min_size=2, max_size=14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nobody_reads_what_he_must_not_and_at_rest_each_knows_what_is_so(
    people: dict[str, dict[str, Any]], steps: list[Step]
) -> None:  # fmt: skip
    family = Family()
    family.list_people(people)
    for step in steps:
        step(family)
    family.rest()
    family.world.restart()
    family.rest()


PLAIN = st.tuples(st.sampled_from("abcd"), DAYS, HOURS, st.sampled_from(["booked", "booked", "booked", "cancelled"]))


@given(
    st.lists(st.tuples(PLAIN, st.sampled_from([0, 1, 10])), min_size=1, max_size=12),
    st.fixed_dictionaries(dict.fromkeys("abcd", TELLS)),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_person_is_told_what_a_client_of_the_same_appointments_is(
    steps: list[tuple[tuple[str, int, int, str], int]], tells: dict[str, list[str] | None]
) -> None:  # fmt: skip
    everyone = {id_: {"notifications": True, "all": True, "until": "2030-01-01"} for id_ in NUMBERS}
    family = Family()
    family.list_people(everyone)
    for id_, number in NUMBERS.items():
        family.world.consent(f"twin-{id_}").feed(
            "contacts", f"zorg/twin-{id_}",
            {"organisation": "zorg", "client": f"twin-{id_}", "sms": {"number": f"{number[:-1]}9", "confirmed": True}},
        )  # fmt: skip
    for revision, ((id_, day, hour, status), minutes) in enumerate(steps, 1):
        tell = tells[id_]
        twins = [{"client": f"twin-{name}", "present": True} for name in NUMBERS if tell is None or name in tell]
        told = {} if tell is None else {"tell": tell}
        family.world.book(
            f"2026-04-{day} {hour}:00", id=id_, rev=revision, status=status,
            clients=[{"client": "anna", "present": True, **told}, *twins],
        )  # fmt: skip
        if minutes:
            family.world.wait((family.world.now + timedelta(minutes=minutes)).isoformat())
    family.world.wait("2026-04-20 09:00")
    for id_ in NUMBERS:
        assert said(family.world, client="anna", recipient=f"p:{id_}") == said(family.world, client=f"twin-{id_}")


def said(world: World, client: str, recipient: str = "") -> list[tuple[Any, ...]]:
    """What a recipient was told, or not: without ids, and in no words."""
    return [
        (one["at"], one["reason"], one["status"], one["detail"], [
            (notice["kind"], notice["appointment"], *notice.get("others", ())) for notice in one["notices"]
        ])
        for one in world.log
        if (one["client"], one.get("recipient", "")) == (client, recipient)
    ]  # fmt: skip
