"""The simulation against the model, and what must hold whatever happens.

CI compares 1,500 histories, always the same ones; `HYPOTHESIS_PROFILE=long` compares 60,000 new ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.state import Agenda
from schemas.topics import AGENDAS
from tests.model.budget import examples
from tests.model.invariants import nothing_is_silent, one_message_per_window_and_day, only_its_own, was_so
from tests.model.naive import Event, Fact, expected
from tests.model.naive_words import instant
from tests.model.simulated import Simulated, reported, simulated
from tests.model.strategies import (
    ORGANISATIONS,
    ZONES,
    After,
    Booking,
    History,
    Settings,
    histories,
    near,
    near_bookings,
    of_series,
    serial,
    steps,
    unheard,
)

ANY = st.one_of(histories(st.one_of(steps, steps, near(), serial())), of_series())
MINUTE = timedelta(minutes=1)


class Story(NamedTuple):
    """What was sent, in order for each client, and what was not."""

    sent: dict[tuple[str, str], list[Fact]]
    others: Counter[Fact]


def story(facts: list[Fact]) -> Story:
    sent: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.status == "sent":
            sent[fact.organisation, fact.client].append(fact)
    return Story(dict(sent), Counter(fact for fact in facts if fact.status != "sent"))


def apart(events: list[Event]) -> list[Event]:
    """The same without series, and with an end of its own for each appointment.

    The model remembers records. Where no two of them are ever said alike, that is what a client knows; where they are, and of
    series, `tests/belief` has the word.
    """
    names: dict[str, int] = {}
    result = []
    for event in events:
        if event.topic == "appointments" and event.value is not None:
            own = timedelta(minutes=1 + names.setdefault(event.key, len(names)))
            end = (instant(event.value["end"]) + own).isoformat()
            event = event._replace(value={**event.value, "end": end, "series": None})
        result.append(event)
    return result


def agrees(history: History) -> None:
    events = apart(history.events)
    model = expected(events, history.until)
    reports = model.model.reported
    simulation = reported(events, history.until, reports) if reports else simulated(events, history.until)
    assert story(simulation.facts) == story(model.facts)
    assert simulation.refused == model.refused
    order = [(fact.at, ("direct", "reminder", "request").index(fact.reason)) for fact in simulation.facts]
    assert [at for at, _ in order] == sorted(at for at, _ in order)


class TestTheSimulationDoesWhatTheModelSays:
    @examples(700)
    @given(histories())
    def test_of_everything(self, history: History) -> None:
        agrees(history)

    @examples(400)
    @given(histories(near()))
    def test_near_the_due_moments_of_one_client(self, history: History) -> None:
        agrees(history)

    @examples(150)
    @given(unheard())
    def test_of_what_did_not_arrive(self, history: History) -> None:
        agrees(history)


# --- repetition -----------------------------------------------------------------------------------------------------------


def repeatable(events: list[Event], earlier: int, later: int) -> bool:
    """Whether an event says nothing new later: revisions and requests never do, a snapshot if it is still the last.

    A deletion has no revision: once more after the appointment was booked again, it is a new one.
    """
    event = events[earlier]
    if event.value is not None and event.topic in ("appointments", "requests"):
        return True
    between = [each for each in events[earlier + 1 : later + 1] if (each.topic, each.key) == (event.topic, event.key)]
    return not between


@examples(200)
@given(ANY, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=6))
def test_an_event_that_is_repeated_later_changes_nothing(history: History, repeats: list[tuple[int, int]]) -> None:
    events = history.events
    places = [(earlier % len(events), later % len(events)) for earlier, later in repeats]
    again = list(events)
    for earlier, later in sorted(places, key=lambda place: -place[1]):
        if earlier <= later and repeatable(events, earlier, later):
            again.insert(later + 1, events[earlier]._replace(at=events[later].at))
    assert simulated(again, history.until).facts == simulated(events, history.until).facts


# --- reordering -----------------------------------------------------------------------------------------------------------


class Burst(NamedTuple):
    """Revisions of one client's appointments within one window, in order and as they may come in."""

    before: History
    revisions: list[Event]
    shuffled: list[int]
    gaps: list[int]


@st.composite
def bursts(draw: st.DrawFn) -> Burst:
    """What was told before; then revisions at one moment; then the same with repetitions, in any order and spread out."""
    known = draw(histories(near_bookings(), most=5))
    quiet = tuple(
        step._replace(window=(60, 600), quiet=None, reminder=None) if isinstance(step, Settings) else step
        for step in known.steps
        if not isinstance(step, Booking)
    )
    told = tuple(step._replace(when=After(0), day=step.day + 2) for step in known.steps if isinstance(step, Booking))
    before = known._replace(zones=(ZONES[0], ZONES[0]), steps=(*quiet, *told), wait=3600)
    revisions = []
    numbers: dict[str, int] = Counter(event.key for event in before.events)
    for step in draw(st.lists(near_bookings(), min_size=1, max_size=6)):
        one = History(known.first_day, before.zones, (step._replace(when=After(0), day=step.day + 2),), 0).events[0]
        numbers[one.key] = numbers.get(one.key, 0) + 1
        assert one.value is not None
        revisions.append(one._replace(at=before.until + MINUTE, value={**one.value, "revision": numbers[one.key]}))
    indices = st.integers(0, len(revisions) - 1)
    shuffled = [*draw(st.permutations(range(len(revisions)))), *draw(st.lists(indices, max_size=4))]
    return Burst(before, revisions, shuffled, draw(st.lists(st.integers(0, 10), min_size=12, max_size=12)))


@examples(200)
@given(bursts())
def test_the_order_in_which_a_window_gets_its_revisions_does_not_matter(burst: Burst) -> None:
    before, at, end = burst.before.events, burst.revisions[0].at, burst.revisions[0].at + timedelta(hours=1)
    shuffled = []
    for index, gap in zip(burst.shuffled, burst.gaps, strict=False):
        at += timedelta(seconds=gap)
        shuffled.append(burst.revisions[index]._replace(at=at))
    one, other = simulated([*before, *burst.revisions], end), simulated([*before, *shuffled], end)
    assert [fact._replace(at=end) for fact in other.facts if fact.status == "sent"] == [
        fact._replace(at=end) for fact in one.facts if fact.status == "sent"
    ]
    assert final(other) == final(one)


def final(simulation: Simulated) -> dict[str, tuple[datetime, datetime, str | None] | None]:
    """What the client was told in the end; it is what is so, but for a location that was dropped and for absence."""
    result = {}
    for name, entry in agenda(simulation, "o", "c").appointments.items():
        told, actual = entry.told, entry.actual if entry.booked else None
        if entry.present and entry.notify is None:
            assert (told and (told.start, told.end)) == (actual and (actual.start, actual.end))
            assert (told and told.kind) == (actual and actual.kind)
            if told and actual and actual.location is not None and actual.kind is None:
                assert told.location == actual.location
        if told is not None:
            result[name] = (told.start, told.end, told.location)
    return result  # type: ignore[return-value]


def agenda(simulation: Simulated, organisation: str, client: str) -> Agenda:
    row = simulation.simulation.rows["notices"].get(AGENDAS.row(f"{organisation}/{client}"))
    return msgspec.json.decode(row, type=Agenda) if row is not None else Agenda()


# --- what holds whatever happens --------------------------------------------------------------------------------------------


@examples(250)
@given(ANY)
def test_whatever_happens(history: History) -> None:
    events = history.events
    simulation = simulated(events, history.until)
    one_message_per_window_and_day(events, simulation.facts)
    zones = dict(zip(ORGANISATIONS, history.zones, strict=True))
    for record in simulation.records:
        only_its_own(events, record)
        if record["status"] == "sent" and record["reason"] != "request":
            at = instant(record["at"])
            low, high = sum(event.at < at for event in events), sum(event.at <= at for event in events)
            was_so(events, record, zones[record["organisation"]], low, high)
    nothing_is_silent(simulation.records, partial(agenda, simulation), history.until)


def test_a_message_is_logged_once_per_attempt_and_status() -> None:
    """Readers count a record once: (message, attempt, status) tells records apart."""

    @examples(100)
    @given(ANY)
    def check(history: History) -> None:
        records = simulated(history.events, history.until).records
        names = Counter((record["message"], record["attempt"], record["status"]) for record in records)
        assert all(times == 1 for times in names.values())
        assert all(instant(one["at"]) <= instant(other["at"]) for one, other in pairwise(records))

    check()
