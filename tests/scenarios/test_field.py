"""Failures that users of other notification systems met, one test each, in the order of our survey of the field.

Only those of time, digests and staleness; others stand with the node or the provider that they are about.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.world import World, at

EVENING = {"days_before": 1, "at": "18:00"}
NIGHT = {"from": "22:00", "until": "07:00"}
SMS = {"originator": "Zorggroep", "before": "", "after": "", "unit_price": 0.08, "currency": "EUR"}
FIFTH = "donderdag 5 maart 2026"


def records(world: World, reason: str, status: str = "sent") -> list[dict[str, Any]]:
    return [record for record in world.log if (record["reason"], record["status"]) == (reason, status)]


def texts(world: World, reason: str) -> list[str]:
    return [record["text"] for record in records(world, reason)]


# --- row 1 ---


@pytest.mark.parametrize("told", ["2026-03-04 17:00", "2026-03-04 17:59:31", "2026-03-04 17:59:59"])
def test_a_cancelled_appointment_is_not_reminded(told: str) -> None:
    """A reminder went out for a booking that was cancelled: also one second before it is due, while the window is open."""
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait(told).book("2026-03-05 11:00", rev=2, status="cancelled")
    world.wait("2026-03-06 09:00")
    assert texts(world, "reminder") == []
    assert world.sent[-1] == f"Uw afspraak op {FIFTH} is geannuleerd."


def test_200_cancellations_at_once_leave_no_reminder() -> None:
    """Only the first 100 cancellations were remembered, and the rest reminded."""
    world = World(reminder=EVENING)
    for number in range(200):
        world.book("2026-03-05 11:00", id=f"a{number}", clients=[{"client": f"c{number}", "present": True}])
        world.consent(f"c{number}").contact(f"c{number}")
    world.wait("2026-03-04 17:59:59")
    for number in range(200):
        changes: dict[str, Any] = {"rev": 2, "status": "cancelled", "clients": [{"client": f"c{number}", "present": True}]}
        world.book("2026-03-05 11:00", id=f"a{number}", **changes)
    world.wait("2026-03-06 09:00")
    assert texts(world, "reminder") == []
    assert sum(text.endswith("is geannuleerd.") for text in texts(world, "direct")) == 200


# --- row 2 ---


def test_one_of_three_cancelled_leaves_a_reminder_of_two() -> None:
    """The cancellation of one of several was not seen by the reminder, or took the others with it."""
    world = World(reminder=EVENING)
    for id_, hour in (("a", "09"), ("b", "11"), ("e", "15")):
        world.book(f"2026-03-05 {hour}:00", id=id_)
    world.wait("2026-03-04 17:59:59").book("2026-03-05 09:00", id="a", rev=2, status="cancelled").wait("2026-03-05 09:00")
    assert texts(world, "reminder") == ["U heeft 2 afspraken op 5 maart om 11:00."]


def test_one_client_taken_off_a_group_is_not_reminded_and_the_other_is() -> None:
    """The cancellation of one seat still reminded that seat."""
    both = [{"client": "anna", "present": True}, {"client": "bert", "present": True}]
    world = World(reminder=EVENING).consent("bert").contact("bert").book("2026-03-05 11:00", clients=both)
    world.wait("2026-03-03 09:00").book("2026-03-05 11:00", rev=2, clients=both[1:]).wait("2026-03-05 09:00")
    assert [record["client"] for record in records(world, "reminder")] == ["bert"]


# --- row 3 ---


@pytest.mark.parametrize(
    ("moves", "reminded"),
    [
        (["2026-03-04 11:00"], {"2026-03-03 18:00": "U heeft een afspraak op 4 maart om 11:00."}),
        (["2026-03-07 11:00"], {"2026-03-06 18:00": "U heeft een afspraak op 7 maart om 11:00."}),
        (["2026-03-07 11:00", "2026-03-06 12:15"], {"2026-03-05 18:00": "U heeft een afspraak op 6 maart om 12:15."}),
        (["2026-03-07 11:00", "2026-03-05 11:00"], {"2026-03-04 18:00": "U heeft een afspraak op 5 maart om 11:00."}),
    ],
    ids=["earlier", "later", "twice", "back"],
)
def test_after_a_move_the_reminder_has_the_new_time_at_the_new_moment(moves: list[str], reminded: dict[str, str]) -> None:
    """The text was made when the reminder was planned: it went at the old moment, or with the old time."""
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-02 10:00")
    for revision, start in enumerate(moves, 2):
        world.book(start, rev=revision).wait(f"2026-03-02 {9 + revision}:00")
    world.wait("2026-03-09 09:00")
    assert {record["at"]: record["text"] for record in records(world, "reminder")} == {
        f"{at(moment):%Y-%m-%dT%H:%M:%SZ}": text for moment, text in reminded.items()
    }


def test_there_and_back_in_one_window_is_no_notice() -> None:
    """A move that was undone was told twice."""
    world = World().book("2026-03-05 11:00").wait("2026-03-02 10:00")
    world.book("2026-03-06 11:00", rev=2).book("2026-03-05 11:00", rev=3).wait("2026-03-02 11:00")
    assert len(world.log) == 1


# --- row 4 ---


@pytest.mark.parametrize(
    ("booked", "reminders"),
    [("2026-03-04 17:59:29", ["just_told"]), ("2026-03-04 17:59:30", []), ("2026-03-04 17:59:59", []), ("2026-03-05 10:59", [])],
)
def test_what_is_booked_within_the_lead_time_is_told_once_and_logged(booked: str, reminders: list[str]) -> None:
    """There was no branch for what is booked shortly before its reminder: it was silently never told.

    A reminder says nothing new within 12 hours of a message that went out and named all of that day's items.
    """
    world = World(reminder=EVENING).wait(booked).book("2026-03-05 11:00").wait("2026-03-06 09:00")
    assert texts(world, "direct") == [f"Er is een afspraak met u gemaakt op {FIFTH} van 11:00 tot 12:00."]
    assert [record["detail"] for record in world.log if record["reason"] == "reminder"] == reminders


def test_what_begins_before_its_window_closes_is_expired_and_not_silent() -> None:
    """An appointment of this very minute left no trace at all."""
    world = World().book("2026-03-02 09:00:20").wait("2026-03-02 10:00")
    assert world.outcomes == ["expired"]


# --- row 5 ---


def test_a_reminder_of_three_days_is_not_made_for_what_was_booked_the_day_before() -> None:
    """A 72-hour reminder was sent at once for what was booked 24 hours before."""
    world = World(reminder={"days_before": 3, "at": "18:00"}).wait("2026-03-04 11:00").book("2026-03-05 11:00")
    assert texts(world.wait("2026-03-06 09:00"), "reminder") == []


def test_a_reminder_after_the_event_is_expired() -> None:
    """A reminder went out after the appointment had begun."""
    world = World(reminder={"days_before": 0, "at": "18:00"}).book("2026-03-05 11:00").wait("2026-03-06 09:00")
    assert world.outcomes == ["sent", "expired"]


def test_a_reminder_that_an_outage_made_late_speaks_of_what_has_not_begun() -> None:
    """After an outage all that had been waiting went out, whatever the hour."""
    world = World(reminder=EVENING).book("2026-03-05 09:00").book("2026-03-05 15:00", id="b").wait("2026-03-02 10:00")
    world.book("2026-03-07 09:00", id="e").wait("2026-03-02 11:00")
    late = at("2026-03-05 12:00")
    world.simulation.now = late  # the worker comes back now, and finds what was due
    world._keep(world.simulation.until(late))
    assert [(record["at"], record["text"]) for record in records(world, "reminder")] == [
        ("2026-03-05T11:00:00Z", "U heeft een afspraak op 5 maart om 15:00.")
    ]


# --- row 6 ---


def test_settings_that_are_saved_again_send_nothing() -> None:
    """Saving the settings sent every message once more."""
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-04 19:00")
    before = len(world.log)
    for changes in (EVENING, EVENING, {"days_before": 1, "at": "18:30"}, {"days_before": 0, "at": "08:00"}):
        world.settings(reminder=changes, sms={**SMS, "before": "Let op:"})
    assert len(world.wait("2026-03-06 09:00").log) == before == 2


# --- row 11 ---


def test_1000_events_in_the_same_moment_are_one_message() -> None:
    """Triggers within a second made two digests."""
    world = World()
    for revision in range(1, 1001):
        world.book(f"2026-03-05 {8 + revision % 10:02}:00", id=f"a{revision % 10}", rev=revision)
    assert [len(record["notices"]) for record in world.wait("2026-03-02 10:00").log] == [10]


# --- row 12 ---


def test_clients_of_the_same_moment_and_name_get_only_their_own() -> None:
    """Digests were mixed up between recipients that shared a key."""
    world = World()
    for client, place in (("anna", "De Linde"), ("ann", "De Eik"), ("anna2", "De Beuk")):
        world.consent(client).contact(client)
        world.book("2026-03-05 11:00", id=f"a-{client}", location=place, clients=[{"client": client, "present": True}])
    world.wait("2026-03-02 10:00")
    assert {record["client"]: record["text"].rpartition("Locatie: ")[2] for record in world.log} == {
        "anna": "De Linde.", "ann": "De Eik.", "anna2": "De Beuk.",
    }  # fmt: skip


# --- row 13 ---


def test_made_and_cancelled_in_one_window_is_nothing() -> None:
    """What was cancelled was still in the digest."""
    world = World().book("2026-03-05 11:00").book("2026-03-05 11:00", rev=2, status="cancelled")
    assert world.wait("2026-03-06 09:00").log == []


@pytest.mark.parametrize("cancelled", range(5))
def test_cancelling_any_one_in_the_window_leaves_the_others(cancelled: int) -> None:
    """Cancelling the first event of a digest dropped the whole digest."""
    world = World()
    for number in range(5):
        world.book(f"2026-03-05 {9 + number:02}:00", id=f"a{number}")
    world.book("2026-03-05 09:00", id=f"a{cancelled}", rev=2, status="cancelled").wait("2026-03-02 10:00")
    named = [[notice["appointment"] for notice in record["notices"]] for record in world.log]
    assert named == [[f"a{number}" for number in range(5) if number != cancelled]]


# --- row 14 ---


@pytest.mark.parametrize("number", [0, 1, 2, 20, 21, 50])
def test_a_digest_of_any_size_says_each_change_once_20_a_message(number: int) -> None:
    """A digest sent one message for each event, and its wording for one or for very many was wrong.

    Beyond 20 sentences there is another message, never a number of changes that nobody is told.
    """
    world = World()
    for each in range(number):
        world.book(f"2026-03-05 {8 + each // 6:02}:{each % 6}0", id=f"a{each:02}")
    world.wait("2026-03-02 10:00")
    said = [text.count("Er is een afspraak met u gemaakt op") for text in world.sent]
    assert said == {0: [], 21: [20, 1], 50: [20, 20, 10]}.get(number, [number])


# --- row 15 ---


def test_sms_and_email_say_the_same_time_in_summer_and_winter() -> None:
    """One of two ways to render a time was an hour off."""
    said = []
    for channel in ("sms", "email"):
        world = World("2026-03-27 09:00").consent(channels=[channel]).contact(sms=True, email=True)
        world.book("2026-03-28 11:00").book("2026-03-29 11:00", id="b").wait("2026-03-27 10:00")
        said.append(world.sent)
    assert said[0] == said[1]
    assert all(text.endswith(" maart 2026 van 11:00 tot 12:00.") for text in said[0])


# --- row 16 ---


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2026-06-11T21:59:00Z", "donderdag 11 juni 2026 van 23:59 tot vrijdag 12 juni 2026 00:59"),
        ("2026-06-11T22:01:00Z", "vrijdag 12 juni 2026 van 00:01 tot 01:01"),
        ("2026-06-12T00:01:00Z", "vrijdag 12 juni 2026 van 02:01 tot 03:01"),
        ("2026-03-28T22:59:00Z", "zaterdag 28 maart 2026 van 23:59 tot zondag 29 maart 2026 00:59"),
        ("2026-03-29T00:30:00Z", "zondag 29 maart 2026 van 01:30 tot 03:30"),
        ("2026-10-24T22:01:00Z", "zondag 25 oktober 2026 van 00:01 tot 01:01"),
        ("2026-10-25T00:30:00Z", "zondag 25 oktober 2026 van 02:30 tot 02:30"),
        ("2026-10-25T22:59:00Z", "zondag 25 oktober 2026 van 23:59 tot maandag 26 oktober 2026 00:59"),
    ],
)
def test_the_day_near_midnight_is_the_local_one(start: str, said: str) -> None:
    """Between 23:00 and 01:00 in summer time the day was the one of UTC."""
    world = World("2026-03-02 09:00").book(start).wait("2026-03-02 10:00")
    assert world.sent == [f"Er is een afspraak met u gemaakt op {said}."]


@pytest.mark.parametrize(
    ("start", "book", "due"),
    [
        ("2026-03-27 09:00", "2026-03-30 11:00", "2026-03-29T01:30:00Z"),  # 02:30 does not exist: 03:30
        ("2026-10-23 09:00", "2026-10-26 11:00", "2026-10-25T00:30:00Z"),  # 02:30 is there twice: the first
    ],
    ids=["gap", "fold"],
)
def test_a_reminder_at_half_past_two_goes_once_at_both_clock_changes(start: str, book: str, due: str) -> None:
    """A job at 02:30 ran twice, or not at all, in the nights of the clock changes."""
    world = World(start, reminder={"days_before": 1, "at": "02:30"}).book(book)
    world._keep(world.simulation.until(at(book)))
    assert [record["at"] for record in records(world, "reminder")] == [due]


# --- row 18 ---


@pytest.mark.parametrize(("zone", "held"), [("Europe/Amsterdam", True), ("America/New_York", False)])
def test_quiet_hours_are_in_the_zone_of_the_organisation(zone: str, held: bool) -> None:
    """Quiet hours were those of the server's zone."""
    world = World(time_zone=zone, quiet_hours=NIGHT).wait("2026-03-02 23:00").book("2026-03-05 11:00").wait("2026-03-02 23:30")
    assert world.outcomes == ([] if held else ["sent"])


def test_what_was_held_overnight_is_one_message_a_day_and_not_a_burst() -> None:
    """All that had been held burst out at the end, one by one."""
    world = World(quiet_hours=NIGHT).wait("2026-03-02 23:00")
    for number in range(8):
        moment = at("2026-03-02 23:00") + timedelta(minutes=30 * number)
        world.wait(moment.isoformat()).book(f"2026-03-05 {9 + number:02}:00", id=f"a{number}")
    world.book("2026-03-05 09:00", id="a0", rev=2, status="cancelled").wait("2026-03-03 08:00")
    assert [(record["at"], len(record["notices"])) for record in world.log] == [("2026-03-03T06:00:00Z", 7)]


def test_what_was_over_before_the_quiet_hours_ended_is_told_before_them_or_expired() -> None:
    """What was held was sent after the appointment: what begins within 24 hours is not held at all."""
    world = World(quiet_hours=NIGHT).wait("2026-03-02 23:00").book("2026-03-03 06:00").wait("2026-03-02 23:01")
    assert world.outcomes == ["sent"]
    world = World(quiet_hours=NIGHT).wait("2026-03-02 23:00").book("2026-03-02 22:30").wait("2026-03-03 08:00")
    assert world.outcomes == ["expired"]


# --- row 28 ---


def test_consent_that_is_withdrawn_a_second_before_stops_the_message() -> None:
    """Consent and contact were looked at when a message was planned, not when it was sent."""
    ways: list[Callable[[World], World]] = [
        lambda world: world.consent(notifications=False),
        lambda world: world.opt_out(),
        lambda world: world.contact(sms=False),
    ]
    for closed in ways:
        world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-02 09:00:29")
        closed(world)
        world.wait("2026-03-04 19:00")
        assert world.sent == []
        detail = world.log[0]["detail"]
        assert [(record["reason"], record["detail"]) for record in world.log] == [("direct", detail), ("reminder", detail)]


def test_consent_that_is_withdrawn_a_second_before_stops_the_reminder() -> None:
    """The reminder that had been planned went out all the same."""
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-04 17:59:59").consent(notifications=False)
    assert world.wait("2026-03-04 19:00").outcomes == ["sent", "suppressed client_off"]
