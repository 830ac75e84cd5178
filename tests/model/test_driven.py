"""What holds of the simulation holds of workers: however turns are cut, whoever stands still, starts anew or takes over.

CI plays a fixed 300 histories; `HYPOTHESIS_PROFILE=long` 12,000 new ones.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from tests.model.budget import examples
from tests.model.driven import Driver, by_client, cut, harried
from tests.model.invariants import nothing_is_silent, only_its_own, was_so
from tests.model.naive import expected
from tests.model.strategies import (
    ORGANISATIONS,
    ZONES,
    After,
    Booking,
    Consent,
    Contact,
    History,
    Next,
    Request,
    Settings,
    Step,
    busy,
    histories,
    near,
    of_series,
    serial,
    steps,
)  # fmt: skip
from tests.model.test_properties import apart, story

ANY = st.one_of(histories(st.one_of(steps, steps, near(), serial())), of_series(), busy(), busy())
SEEDS = st.integers(0, 1_000_000)


def found(first_day: date, zones: tuple[str, str], settings: Settings, *steps: Step) -> History:
    """A history that was once drawn, made short: client `c` of organisation `o` can be reached by SMS."""
    now = After(0)
    reached = (Consent(now, "o", "c", True, ("sms",)), Contact(now, "o", "c", True, True))
    return History(first_day, zones, (*reached, settings, *steps), 0)


RESTS_WHILE_A_REMINDER_IS_SENT = found(
    date(2026, 3, 28), (ZONES[1], ZONES[0]),
    Settings(Next("11:00", ZONES[0], -30), "o", True, (30, 120), (1, "18:00", 0), ("02:30", "09:00"), False),
    Booking(Next("09:00", ZONES[0], 10), "o", "e", 1, True, 2, "11:00", 0.75, None, (("c", True),), None, notify="reminder"),
)  # fmt: skip
RESTS_AFTER_AN_UNKNOWN_REMINDER = found(
    date(2026, 10, 24), ZONES,
    Settings(After(0), "o", True, (0, 0), (2, "09:00", 0), None, False),
    Booking(After(0), "o", "b", 1, True, 3, "18:00", 0.75, None, (("c", True),), None, "phone", ("a", "b")),
)  # fmt: skip


def gathered(history: History) -> History:
    """The same without what is decided as it comes in: of that it matters what else is in the turn."""
    kept = [
        step._replace(window=(30, 120)) if isinstance(step, Settings) and 0 in step.window else step
        for step in history.steps
        if not isinstance(step, Request)
    ]
    return history._replace(steps=tuple(kept))


@examples(150)
@given(st.one_of(histories(), histories(near())), SEEDS)
def test_however_turns_are_cut_and_wherever_a_worker_starts_anew_it_does_what_the_model_says(history: History, seed: int) -> None:
    history = gathered(history)
    events = apart(history.events)
    model, driver = expected(events, history.until), cut(events, history.until, seed)
    assert story(driver.facts) == story(model.facts)
    assert driver.refusals == model.refused


@example(RESTS_WHILE_A_REMINDER_IS_SENT, 1)  # a day after the last event its sender had just begun
@example(RESTS_AFTER_AN_UNKNOWN_REMINDER, 11)  # and was to wait ten minutes for its report
@examples(150)
@given(ANY, SEEDS)
def test_whatever_workers_go_through(history: History, seed: int) -> None:
    events = history.events
    driver = harried(events, history.until, seed)
    zones = dict(zip(ORGANISATIONS, history.zones, strict=True))
    for record in driver.log:
        only_its_own(events, record)
        if record["status"] == "sent" and record["reason"] != "request":
            decided = driver.decided[record["message"]]
            was_so(events, record, zones[record["organisation"]], decided.low, decided.high)
    nothing_is_silent(driver.log, driver.agenda, driver.now)
    each_message_comes_to_an_end(driver)
    nobody_is_told_twice(driver)
    the_log_says_what_was_said(driver)
    messages_go_in_the_order_in_which_they_were_decided(driver)
    one_message_per_closing_and_day(driver)


def each_message_comes_to_an_end(driver: Driver) -> None:
    """No ledger holds anything open, and the log says once of each message and attempt what became of it."""
    times = Counter((record["message"], record["attempt"], record["status"]) for record in driver.log)
    assert set(times.values()) <= {1}
    ended = {record["message"] for record in driver.log if record["status"] not in ("unknown", "retrying")}
    assert not driver.is_under_way
    unheard = {record["message"] for record in driver.log if record["status"] == "unknown"}
    assert set(driver.decided) <= ended | unheard


def nobody_is_told_twice(driver: Driver) -> None:
    """But for what nobody knows to have come: of an SMS once more."""
    unheard = {record["message"] for record in driver.log if record["status"] == "unknown"}
    times = Counter((call.delivery.channel, call.delivery.message) for call in driver.reached)
    for (channel, message), number in times.items():
        assert number == 1 or (message in unheard and (channel == "email" or number == 2))


def the_log_says_what_was_said(driver: Driver) -> None:
    """A message that was sent has the notices of one of its calls."""
    said = {(call.delivery.message, tuple(notice.id for notice in call.delivery.notices)) for call in driver.calls}
    for record in driver.log:
        assert record["status"] != "sent" or (record["message"], tuple(notice["id"] for notice in record["notices"])) in said


def messages_go_in_the_order_in_which_they_were_decided(driver: Driver) -> None:
    """Of one client on one channel, reminders aside; one that is tried again is ahead of the next one."""
    order = {message: number for number, message in enumerate(driver.decided)}
    for calls in by_client(driver.calls).values():
        numbers = [order[call.delivery.message] for call in calls if call.delivery.reason != "reminder"]
        assert numbers == sorted(numbers)


def one_message_per_closing_and_day(driver: Driver) -> None:
    """Each day's changes are one message, at most 5 of them, or one has them all. (Windows of 0 seconds are many at once.)"""
    if driver.is_at_once:
        return
    closings = Counter(
        (one.turn, one.delivery["organisation"], one.delivery["client"])
        for one in driver.decided.values()
        if one.delivery["reason"] == "direct"
    )
    assert all(number <= 5 for number in closings.values())
