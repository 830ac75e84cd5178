"""Pauses and rates of a channel, and that one organisation's many messages do not hold up another's one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from schemas.deliveries import Delivery
from schemas.events import View
from schemas.notices import Notice
from schemas.wire import encode
from streams.processing.turn import Call, Record, Result, Turn
from streams.sending.outcomes import Outcome
from streams.sending.throttle import RateLimits, Throttle
from tests.world import World, at

from .test_sending import SENT, Desk

NOW = at("2026-03-02 09:00")
STOP = Outcome(kind="stop", detail="2")
THEIRS = Outcome(kind="stop", whose="organisation", detail="10")


def crowded(**clients: int) -> Desk:
    """A message of each of so many clients of each organisation waits, organisation after organisation."""
    world = World(window={"quiet_seconds": 0, "max_seconds": 0})
    one, records = Desk(world), list[Record]()
    for organisation, count in clients.items():
        world.settings(organisation=organisation)
        for number in range(count):
            who = {"organisation": organisation, "client": f"c{number}"}
            key = f"{organisation}/c{number}"
            if number < 300:  # enough of them get as far as a call
                world.feed("consents", key, {**who, "notifications": True, "channels": ["sms"], "source": None})
                number_ = {"number": "+31612345678", "confirmed": True}
                world.feed("contacts", key, {**who, "sms": number_, "email": None})
            view = View(at("2026-04-17 13:15"), at("2026-04-17 14:15"))
            notice = Notice(id=key, kind="created", appointment="a", now=view)
            delivery = Delivery(
                message=f"m{number}", organisation=organisation, client=f"c{number}", channel="sms", reason="direct",
                decided=NOW, notices=(notice,), useful_until=view.start,
            )  # fmt: skip
            records.append(Record("deliveries-sms", 0, len(records), key.encode(), encode(delivery)))
    while records:
        decision = one.processor.decide(Turn(NOW, records[:20_000]))
        one.keep(decision)
        records = records[decision.taken :]
    return one


def whose(calls: list[Call]) -> list[str]:
    return [call.request.delivery.organisation for call in calls]


def test_a_hundred_thousand_messages_of_one_organisation_do_not_hold_up_one_of_another() -> None:
    one = crowded(zorg=100_000, plein=1)
    assert "plein" in whose(one.turn(NOW, room=2))


def test_refusals_of_calls_that_were_under_way_are_one_pause() -> None:
    one = crowded(zorg=3)
    calls = one.turn(NOW)
    one.turn(NOW, results=[Result(call.key, STOP) for call in calls])
    assert one.tally["pauses", "sms"] == 1
    assert one.processor.paused_until == NOW + timedelta(seconds=60)


def test_a_pause_ends_with_one_message_on_trial_and_lasts_longer_each_time() -> None:
    one = crowded(zorg=5)
    now, pauses = NOW, list[float]()
    calls = one.turn(now)
    for _ in range(5):
        one.turn(now, results=[Result(call.key, STOP) for call in calls])
        began = now
        while not (calls := one.turn(now)):
            now += timedelta(seconds=1)
        assert len(calls) == 1
        assert one.turn(now) == []
        pauses.append((now - began).total_seconds())
    assert pauses == [60, 120, 240, 300, 300]
    assert len(one.turn(now, results=[Result(calls[0].key, SENT)])) == 4, "the trial was passed"


TRIALS = [
    ("it was sent: the channel goes on", SENT, 0),
    ("the address is none: our own side works", Outcome(kind="permanent_address", detail="9"), 0),
    ("the message is refused: our own side works", Outcome(kind="permanent_message", detail="21"), 0),
    ("the provider is overloaded: that says nothing of us", Outcome(kind="retry", detail="503"), 30),
    ("nobody knows: that says nothing of us", None, 30),
    ("we are still refused", STOP, 120),
]


@pytest.mark.parametrize(("what", "answer", "seconds"), TRIALS, ids=[row[0] for row in TRIALS])
def test_what_a_trial_comes_to(what: str, answer: Outcome | None, seconds: int) -> None:
    """How long the other clients' messages then wait for the next call."""
    one = crowded(zorg=5)
    (call, *_) = one.turn(NOW, room=1)
    one.turn(NOW, room=0, results=[Result(call.key, STOP)])
    now = NOW + timedelta(seconds=60)
    (trial,) = one.turn(now)
    calls = one.turn(now, results=[Result(trial.key, answer)])
    waited = 0
    while not calls:
        waited += 1
        calls = one.turn(now + timedelta(seconds=waited))
    assert waited == seconds, what


@pytest.mark.parametrize("whose", [STOP, THEIRS], ids=["the channel's", "the organisation's"])
def test_an_answer_to_a_call_that_began_before_a_pause_does_not_end_it(whose: Outcome) -> None:
    one = crowded(zorg=4)
    first, second, *_ = one.turn(NOW, room=2)
    one.turn(NOW, room=0, results=[Result(first.key, whose)])
    assert one.turn(NOW, results=[Result(second.key, SENT)]) == []
    assert one.turn(NOW + timedelta(seconds=59)) == []
    assert len(one.turn(NOW + timedelta(seconds=60))) == 1


def test_a_trial_of_which_nothing_is_heard_is_followed_by_another() -> None:
    one = crowded(zorg=3)
    calls = one.turn(NOW)
    one.turn(NOW, results=[Result(call.key, STOP) for call in calls])
    (trial,) = one.turn(NOW + timedelta(seconds=60))
    one.turn(NOW + timedelta(seconds=61), results=[Result(trial.key, Outcome(kind="retry", detail="503"))])
    assert one.turn(NOW + timedelta(seconds=89)) == []
    assert len(one.turn(NOW + timedelta(seconds=90))) == 1


def test_trials_take_turns_so_that_one_odd_message_holds_up_nothing_for_ever() -> None:
    one = crowded(zorg=3)
    calls, now = one.turn(NOW), NOW
    tried = []
    for _ in range(3):
        one.turn(now, results=[Result(call.key, STOP) for call in calls])
        while not (calls := one.turn(now)):
            now += timedelta(seconds=5)
        tried.append(calls[0].request.delivery.client)
    assert len(set(tried)) == 3


def test_a_sender_that_is_refused_pauses_the_messages_of_its_organisation_only() -> None:
    one = crowded(zorg=3, plein=3)
    calls = one.turn(NOW, room=2)
    assert whose(calls) == ["zorg", "plein"]
    zorg, plein = calls
    later = one.turn(NOW, results=[Result(zorg.key, THEIRS), Result(plein.key, SENT)])
    assert whose(later) == ["plein", "plein"]
    assert (one.tally["organisation_pauses", "sms"], one.tally["pauses", "sms"]) == (1, 0)
    one.turn(NOW, results=[Result(call.key, SENT) for call in later])
    assert whose(one.turn(NOW + timedelta(seconds=60))) == ["zorg"]
    assert [record["status"] for record in one.log].count("failed") == 0


def test_what_has_its_appointment_behind_it_when_the_pause_ends_is_expired() -> None:
    one = crowded(zorg=1)
    (call,) = one.turn(NOW)
    one.turn(NOW, results=[Result(call.key, STOP)])
    assert one.turn(at("2026-04-18 09:00")) == []
    assert one.outcomes == [("retrying", 1), ("expired", 1)]


def calls_in(throttle: Throttle, seconds: int, *organisations: str) -> list[str]:
    """Who starts a call in so many seconds of turns every quarter of a second."""
    started, now = [], NOW
    for _ in range(seconds * 4):
        now += timedelta(seconds=0.25)
        going = True
        while going and throttle.allows_at(None) <= now:
            going = False
            for organisation in organisations:
                if throttle.allows_at(organisation) <= now and throttle.allows_at(None) <= now:
                    throttle.start(organisation, now)
                    started.append(organisation)
                    going = True
            if len(started) > 10_000:
                return started
    return started


def test_a_rate_is_kept_over_time_and_at_once() -> None:
    assert len(calls_in(Throttle(RateLimits(rate=10)), 60, "zorg")) in range(595, 606)
    assert len(calls_in(Throttle(RateLimits(rate=450)), 4, "zorg")) in range(1790, 2026)
    assert len(calls_in(Throttle(RateLimits(rate=0.1)), 60, "zorg")) in (6, 7)


def test_an_organisations_rate_leaves_the_others_theirs() -> None:
    started = calls_in(Throttle(RateLimits(rate=100, organisation_rate=2)), 30, "zorg", "plein")
    assert started.count("zorg") in range(59, 63)
    assert started.count("plein") in range(59, 63)


def test_the_shard_wakes_when_its_rate_allows_the_next_message() -> None:
    one = crowded(zorg=3)
    one.processor.throttle = Throttle(RateLimits(rate=1))
    assert len(one.turn(NOW)) == 1
    due = one.processor.next_due()
    assert due == NOW + timedelta(seconds=1)
    assert isinstance(due, datetime)
    assert len(one.turn(due)) == 1
