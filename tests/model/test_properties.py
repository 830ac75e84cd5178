"""The simulation against the model, and what must hold whatever happens.

CI compares 2,500 histories, always the same ones; `HYPOTHESIS_PROFILE=long` compares 62,500 new ones.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.notices import request_id
from schemas.state import Agenda
from schemas.topics import AGENDAS
from tests.model.naive import Event, Fact, Json, expected, instant, local
from tests.model.simulated import Simulated, simulated
from tests.model.strategies import (
    CLIENTS,
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
)

LONG = os.environ.get("HYPOTHESIS_PROFILE", "ci") == "long"
ANY = st.one_of(histories(st.one_of(steps, steps, near(), serial())), of_series())
MINUTE = timedelta(minutes=1)


def examples(number: int) -> settings:
    """This many in CI; 25 times as many, and new ones each time, in the long profile."""
    return settings(
        max_examples=25 * number if LONG else number,
        derandomize=not LONG,
        deadline=None,
        database=None,
        print_blob=LONG,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


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


def agrees(history: History) -> None:
    model, simulation = expected(history.events, history.until), simulated(history.events, history.until)
    assert story(simulation.facts) == story(model.facts)
    assert simulation.refused == model.refused
    order = [(fact.at, ("direct", "reminder", "request").index(fact.reason)) for fact in simulation.facts]
    assert [at for at, _ in order] == sorted(at for at, _ in order)


class TestTheSimulationDoesWhatTheModelSays:
    @examples(1200)
    @given(histories())
    def test_of_everything(self, history: History) -> None:
        agrees(history)

    @examples(700)
    @given(histories(near()))
    def test_near_the_due_moments_of_one_client(self, history: History) -> None:
        agrees(history)

    @examples(600)
    @given(of_series())
    def test_of_series(self, history: History) -> None:
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


@examples(300)
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


@examples(300)
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
        if entry.present:
            assert (told and (told.start, told.end)) == (actual and (actual.start, actual.end))
            if told and actual and actual.location is not None:
                assert told.location == actual.location
        if told is not None:
            result[name] = (told.start, told.end, told.location)
    return result  # type: ignore[return-value]


def agenda(simulation: Simulated, organisation: str, client: str) -> Agenda:
    row = simulation.simulation.rows["notices"].get(AGENDAS.row(f"{organisation}/{client}"))
    return msgspec.json.decode(row, type=Agenda) if row is not None else Agenda()


# --- what holds whatever happens --------------------------------------------------------------------------------------------


@examples(400)
@given(ANY)
def test_whatever_happens(history: History) -> None:
    events = history.events
    simulation = simulated(events, history.until)
    one_message_per_window_and_day(events, simulation.facts)
    for record in simulation.records:
        only_its_own(events, record)
        if record["status"] == "sent" and record["reason"] != "request":
            was_so(events, record, dict(zip(ORGANISATIONS, history.zones, strict=True))[record["organisation"]])
    nothing_is_silent(simulation, history.until)


def one_message_per_window_and_day(events: list[Event], facts: list[Fact]) -> None:
    """Each day's changes are one message, at most 5 of them, or one has them all. (Windows of 0 seconds are many at once.)"""
    if any(0 in event.value["window"].values() for event in events if event.topic == "organisations" and event.value):
        return
    closings: dict[tuple[datetime, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.status == "sent" and fact.reason == "direct":
            closings[fact.at, fact.organisation, fact.client].append(fact)
    for messages in closings.values():
        assert len(messages) <= 5
        named = [each for message in messages for said in message.said for each in said.appointments]
        assert len(named) == len(set(named))
    reminders = Counter((*fact[:4], fact.said, fact.text) for fact in facts if fact.reason == "reminder" and fact.text)
    assert all(times == 1 for times in reminders.values())


def only_its_own(events: list[Event], record: Json) -> None:
    """A message names appointments on which this client once stood, in the words of this organisation, to this address."""
    organisation, client = record["organisation"], record["client"]
    for notice in record["notices"]:
        for appointment in (notice["appointment"], *notice.get("others", ())):
            assert appointment is None or any(
                client in [each["client"] for each in event.value["clients"]]
                for event in events
                if event.topic == "appointments" and event.key == f"{organisation}/{appointment}" and event.value
            )
    for other in ORGANISATIONS:
        mine = other == organisation
        assert mine or not any(wrapping in (record["text"] or "") for wrapping in (f"Van {other}.", f"Groet van {other}"))
    if record["status"] == "sent" and record["channel"] == "sms":
        assert record["address"].endswith(str(CLIENTS.index(client)))


def was_so(events: list[Event], record: Json, zone: str) -> None:
    """What a sent message says was so at its moment: as the events before that moment say, or those up to one at that moment."""
    at, text = instant(record["at"]), record["text"]
    for notice in record["notices"]:
        for number, appointment in enumerate((notice["appointment"], *notice.get("others", ()))):
            key = f"{record['organisation']}/{appointment}"
            first = number == 0 and len(record["notices"]) < 20
            assert any(
                matches(notice["kind"], so, record["client"], text if first else None, zone) for so in candidates(events, key, at)
            ), (notice, text)


def candidates(events: list[Event], key: str, at: datetime) -> Iterator[Json | None]:
    """The appointment just before the moment, and after each event at the moment; None: deleted, or never there."""
    so, highest, given = None, 0, False
    for event in events:
        if event.at > at:
            break
        if event.at == at and not given:
            given = True
            yield so
        if event.topic != "appointments" or event.key != key:
            continue
        if event.value is None:
            so = None
        elif event.value["revision"] > highest:
            so, highest = event.value, event.value["revision"]
        if event.at == at:
            yield so
    if not given:
        yield so


def matches(kind: str, so: Json | None, client: str, text: str | None, zone: str) -> bool:
    on = {each["client"]: each["present"] for each in so["clients"]} if so and so["status"] == "booked" else {}
    if kind.endswith("cancelled"):
        return client not in on
    if not (so and on.get(client)):
        return False
    start = local(instant(so["start"]), zone)
    named = text is None or f"{start:%H:%M}" in text or instant(so["end"]) - instant(so["start"]) > timedelta(hours=20)
    place = so["location"]["name"] if so["location"] else None
    placed = text is None or place is None or kind == "reminder" or f" {place}." in text
    return named and placed and (text is None or f" {start.day} " in text)


def nothing_is_silent(simulation: Simulated, until: datetime) -> None:
    """What was told, reminded or asked has its record; nothing that was due still waits."""
    logged = {notice["id"] for record in simulation.records for notice in record["notices"]}
    for organisation in ORGANISATIONS:
        for client in CLIENTS:
            kept = agenda(simulation, organisation, client)
            for entry in kept.appointments.values():
                assert entry.told is None or entry.notice is not None
                assert entry.notice is None or entry.notice in logged
            for name in kept.seen:
                assert request_id(organisation, client, *name.split("/")) in logged
            assert all(pending.due > until for pending in kept.requests.values())
            assert kept.window is None or kept.window.closes > until
            assert kept.held_until is None or kept.held_until > until


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
