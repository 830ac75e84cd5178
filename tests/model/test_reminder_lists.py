"""Lists of reminders against the naive model: every change of a list against every day, the year's awkward days, and outages.

One reminder too many or too few, one at another moment, of another day or in another message fails it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import holidays
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.worker.wording import succeed
from schemas.inputs import ReminderSettings
from streams.processing.working_days import working_day_before
from streams.simulation import Refused, Simulation
from tests.model import naive_reminders
from tests.model.budget import examples
from tests.model.naive import Event, Fact, Model, RefusedError
from tests.model.simulated import facts
from tests.model.strategies import (
    QUIETS,
    WINDOWS,
    ZONES,
    After,
    Booking,
    Consent,
    Contact,
    Next,
    Settings,
    event,
    moment,
    organisation,
)
from tests.model.test_properties import story

Json = dict[str, Any]

FIRST_DAYS = (
    date(2026, 3, 27),  # Saturday night the clocks go forward
    date(2026, 10, 23),  # and back
    date(2026, 3, 31),  # before Good Friday and Easter
    date(2030, 4, 30),  # 5 May is a holiday, a Sunday
    date(2025, 4, 24),  # King's Day is on Saturday the 26th, 5 May a holiday on a Monday
    date(2026, 5, 11),  # before Ascension
    date(2026, 12, 22),  # Christmas and New Year
    date(2026, 6, 8),
)
ONE = [
    {"days_before": days, "at": at, "not_within_hours": hours, "days": counted}
    for days, at, hours in (
        (1, "10:00", 12), (1, "18:00", 12), (1, "18:00", 0), (0, "07:00", 12), (0, "07:00", 1), (2, "10:00", 12),
        (3, "10:00", 12), (5, "02:30", 12), (1, "02:30", 0), (7, "23:30", 12),
    )
    for counted in ("calendar", "working")
]  # fmt: skip
FREE = st.sampled_from(([], [], ["2026-04-02", "2026-12-24"], ["2030-05-03", "2026-03-30"], None))


class Change(NamedTuple):
    """Upstream's settings are these from now on, or what the organisation chose itself is."""

    when: After | Next
    own: bool
    fields: Json


class Outage(NamedTuple):
    """Nothing is handled for some hours; what comes in meanwhile is handled first, at the end."""

    when: After | Next
    hours: int


class History(NamedTuple):
    first_day: date
    steps: tuple[Booking | Consent | Contact | Change | Outage, ...]


class Happening(NamedTuple):
    """An event; None: an outage from `at` on. `until`: the end of the outage in which it is."""

    at: datetime
    event: Event | None
    until: datetime | None = None


_when: st.SearchStrategy[After | Next] = st.one_of(
    st.builds(After, st.sampled_from((0, 0, 1, 30, 600, 3600, 7 * 3600, 24 * 3600, 24 * 3600, 3 * 24 * 3600))),
    st.builds(
        Next,
        st.sampled_from(("10:00", "18:00", "07:00", "02:30", "23:30")),
        st.just(ZONES[0]),
        st.sampled_from((-30, -1, 0, 1)),
    ),
)
_lists = st.one_of(st.lists(st.sampled_from(ONE), min_size=2, max_size=3), st.lists(st.sampled_from(ONE), max_size=3))
_fields = st.fixed_dictionaries(
    {"reminder": st.none() | st.sampled_from(ONE), "reminders": st.one_of(*[_lists] * 6, st.none())},
    optional={
        "free_days": FREE,
        "quiet_hours": st.sampled_from(QUIETS).map(lambda said: said and {"from": said[0], "until": said[1]}),
    },
)  # fmt: skip
_own = st.fixed_dictionaries(
    {},
    optional={
        "reminder": st.none() | st.sampled_from(ONE),
        "reminders": _lists,
        "free_days": FREE.filter(lambda one: one is not None),
    },
)
_clients = st.sampled_from(((("c", True),),) * 7 + ((("c", False),),))
bookings = st.builds(
    Booking, _when, st.just("o"), st.sampled_from(("a", "b", "e", "f")), st.just(1),
    st.sampled_from((True, True, True, True, False)), st.integers(0, 11),
    st.sampled_from(("11:00", "11:00", "07:30", "00:00", "02:30", "23:30")), st.just(0.75),
    st.sampled_from((None, "De Linde")), _clients, st.none(), st.none(), st.just(()),
    st.sampled_from((None, None, None, None, "reminder", "none")),
)  # fmt: skip
changes = st.one_of(st.builds(Change, _when, st.just(False), _fields), st.builds(Change, _when, st.just(True), _own))
consents = st.builds(Consent, _when, st.just("o"), st.just("c"), st.sampled_from((True, True, False)), st.just(("sms",)))
outages = st.builds(Outage, _when, st.sampled_from((1, 9, 20, 60)))


def histories() -> st.SearchStrategy[History]:
    step = st.one_of(*[bookings] * 5, changes, changes, outages, outages, consents)
    first = st.builds(Change, st.just(After(0)), st.just(False), _fields)
    made = bookings.map(lambda one: one._replace(when=After(0), booked=True, day=one.day % 8 + 1, clients=(("c", True),)))
    known = (Consent(After(0), "o", "c", True, ("sms",)), Contact(After(0), "o", "c", True, False))
    return st.builds(
        lambda day, settings, some, steps: History(day, (settings, *known, *some, *steps)),
        st.sampled_from(FIRST_DAYS), first, st.lists(made, min_size=2, max_size=5), st.lists(step, min_size=2, max_size=12),
    )  # fmt: skip


def happenings(history: History) -> Iterator[Happening]:
    """What happens, in order of time."""
    now, end = datetime.combine(history.first_day, time(8), tzinfo=UTC), None
    numbers: dict[str, int] = {}
    for step in history.steps:
        now = moment(step.when, now)
        until = end if end is not None and now < end else None
        if isinstance(step, Outage):
            if until is None:
                end = now + timedelta(hours=step.hours)
                yield Happening(now, None, end)
        elif isinstance(step, Change):
            yield Happening(now, changed(step, until or now), until)
        else:
            one = event(step, now, {"o": ZONES[0]}, numbers, [])
            yield Happening(now, one._replace(value=apart(one)), until)


def apart(one: Event) -> Json | None:
    """An appointment with an end of its own: the model remembers records, and a client words."""
    if one.topic != "appointments" or one.value is None:
        return one.value
    own = timedelta(minutes="abef".index(one.key[-1]) + 1)
    return {**one.value, "end": (datetime.fromisoformat(one.value["end"]) + own).isoformat()}


def changed(step: Change, at: datetime) -> Event:
    if step.own:
        own = {"organisation": "o", **step.fields} if step.fields else None
        return Event(at, "organisation-overrides", "o", own)
    plain = organisation(Settings(step.when, "o", True, WINDOWS[0], None, None, False), ZONES[0])
    return Event(at, "organisations", "o", {**plain, **step.fields})


def played(history: History, until: datetime) -> list[Fact]:
    """What the simulation logs."""
    simulation, records = Simulation(succeed), list[bytes]()
    for one in happenings(history):
        if one.event is None:
            records += simulation.until(one.at)
            simulation.now = one.until or one.at
            continue
        if one.until is None:
            records += simulation.until(one.at)
        value = None if one.event.value is None else orjson.dumps(one.event.value)
        try:
            records += simulation.feed(one.event.topic, one.event.key.encode(), value, one.until or one.at)
        except Refused as refused:
            raise AssertionError(str(refused)) from None
    records += simulation.until(until)
    return [fact for record in records for fact in facts(orjson.loads(record))]


def modelled(history: History, until: datetime) -> list[Fact]:
    """What the model says that it must log."""
    model = Model()
    for one in happenings(history):
        if one.event is None or one.until is None:
            model.pass_to(one.at)
        if one.event is None:
            model.passed = one.until or one.at
            continue
        try:
            model.take(one.event._replace(at=one.until or one.at))
        except RefusedError:
            raise AssertionError(one) from None
    model.pass_to(until)
    return model.facts


@examples(600)
@given(histories())
def test_the_simulation_reminds_as_the_model_says(history: History) -> None:
    until = [one.until or one.at for one in happenings(history)][-1] + timedelta(days=20)
    assert story(played(history, until)) == story(modelled(history, until))


@pytest.mark.parametrize("year", range(2024, 2040))
def test_the_library_has_the_holidays_that_the_model_reckons(year: int) -> None:
    """A version of it that has others changes when reminders go."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    reckoned = {day for day in days if day.year == year and naive_reminders.is_holiday(day)}
    assert set(holidays.country_holidays("NL", years=year)) == reckoned


@examples(500)
@given(st.dates(date(2024, 1, 1), date(2039, 12, 31)), st.integers(0, 30), st.sampled_from(([], ["2026-05-05"], ["2026-01-02"])))
def test_a_working_day_before_is_the_one_that_the_model_counts(day: date, days: int, free: list[str]) -> None:
    rule = {"days_before": days, "days": "working"}
    found = working_day_before(day.isoformat(), days, tuple(date.fromisoformat(one) for one in free))
    assert found == naive_reminders.set_on(rule, day, free).isoformat()


def test_it_tries_what_there_is_of_a_reminder() -> None:
    assert {name for one in ONE for name in one} == set(ReminderSettings.__struct_fields__)
