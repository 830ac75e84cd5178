"""Late answers and restarts: a message is in one place, and what is not known of it holds back the client's next one."""

from __future__ import annotations

from typing import Any

import pytest

from streams.processing.turn import Result
from streams.sending.outcomes import Outcome
from tests.world import World

from .test_sending import SENT, Desk, kinds

AT_ONCE = {"quiet_seconds": 0, "max_seconds": 0}


def two_wait(channel: str = "sms") -> Desk:
    """Two messages of one client: the appointments `a` and `b` were made."""
    world = World(window=AT_ONCE).consent(channels=[channel]).contact(sms=True, email=True)
    one = Desk(world, channel)
    world.book("2026-04-17 13:15").book("2026-04-18 13:15", id="b")
    return one


def named(calls: list[Any]) -> list[str]:
    return [call.request.delivery.notices[0].appointment for call in calls]


ANSWERS = [
    ("that it was sent", SENT, ["sent"]),
    ("that it was refused for good", Outcome(kind="permanent_message", detail="21"), ["failed"]),
    ("that the address is none", Outcome(kind="permanent_address", detail="9"), ["failed"]),
]


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(("what", "answer", "then"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_an_answer_that_comes_after_its_claim_was_given_up_ends_the_message_wherever_it_is_then(
    channel: str, what: str, answer: Outcome, then: list[str]
) -> None:
    """It waits in its lane once more by then. One that stayed there would be claimed without its delivery."""
    one = two_wait(channel)
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:31", room=0)  # nobody knows: an e-mail is to go again, an SMS waits for its report
    one.turn("2026-03-02 09:10:32", room=0)  # and then is to go again, too
    calls = one.turn("2026-03-02 09:10:33", results=[Result(call.key, answer)])
    assert [record["status"] for record in one.log] == ["unknown", *then]
    if answer.kind != "permanent_address":
        assert named(calls) == ["b"]
    assert one.turn("2026-03-02 09:30") == []


@pytest.mark.parametrize("answer", [None, Outcome(kind="unknown", detail="time-out")], ids=["none", "that nobody knows"])
def test_no_answer_to_a_claim_that_was_given_up_says_nothing_new(answer: Outcome | None) -> None:
    """It counted as a second unknown outcome, after which an SMS does not go again: the first was of the same call."""
    one = two_wait()
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:31", room=0)
    assert one.turn("2026-03-02 09:00:40", results=[Result(call.key, answer)]) == []
    assert [record["status"] for record in one.log] == ["unknown"]
    (again,) = one.turn("2026-03-02 09:10:32")
    assert (again.key, again.request.attempt) == (call.key, 2)


@pytest.mark.parametrize("restarts", [False, True], ids=["it goes on", "it starts anew"])
def test_an_sms_of_unknown_outcome_holds_back_the_clients_next_one_until_it_is_resolved(restarts: bool) -> None:
    one = two_wait()
    (call,) = one.turn("2026-03-02 09:00:01")
    one.world.request()  # it need not wait until that one has landed, as `b` does
    assert one.turn("2026-03-02 09:00:20", results=[Result(call.key, None)]) == []
    if restarts:
        one.start()
    assert one.turn("2026-03-02 09:00:21") == []
    assert one.turn("2026-03-02 09:10:19") == []
    (again,) = one.turn("2026-03-02 09:10:20")
    assert (again.key, again.request.attempt) == (call.key, 2)
    (request,) = one.turn("2026-03-02 09:10:21", results=[Result(again.key, SENT)])
    assert request.request.delivery.reason == "request"
    assert named(one.turn("2026-03-02 09:10:22", results=[Result(request.key, SENT)])) == ["b"]


@pytest.mark.parametrize("restarts", [False, True], ids=["it goes on", "it starts anew"])
def test_a_claim_holds_back_the_clients_next_message(restarts: bool) -> None:
    one = two_wait()
    one.turn("2026-03-02 09:00:01")
    if restarts:
        one.start()
    assert one.turn("2026-03-02 09:00:30") == []


@pytest.mark.parametrize("restarts", [False, True], ids=["it goes on", "it starts anew"])
def test_one_that_is_to_be_tried_again_later_goes_before_the_next_one(restarts: bool) -> None:
    one = two_wait()
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, Outcome(kind="retry", detail="429", retry_after=60))])
    if restarts:
        one.start()
    assert one.turn("2026-03-02 09:00:50") == []
    (again,) = one.turn("2026-03-02 09:01:03")
    assert again.key == call.key


@pytest.mark.parametrize("restarts", [False, True], ids=["it goes on", "it starts anew"])
def test_direct_messages_go_before_a_reminder_that_was_decided_first(restarts: bool) -> None:
    world = World(window=AT_ONCE, reminder={"days_before": 1, "at": "10:00"})
    one = Desk(world)
    world.book("2026-03-10 11:00")
    (call,) = one.turn("2026-03-02 09:01")
    one.turn("2026-03-02 09:01", room=0, results=[Result(call.key, SENT)])
    world.wait("2026-03-09 10:00").book("2026-03-20 11:00", id="b")
    one.turn("2026-03-09 10:00", room=0)
    if restarts:
        one.start()
    order = []
    calls = one.turn("2026-03-09 10:00:01")
    while calls:
        order += kinds(calls)
        calls = one.turn("2026-03-09 10:00:01", results=[Result(call.key, SENT) for call in calls])
    assert order == ["created", "reminder"]
