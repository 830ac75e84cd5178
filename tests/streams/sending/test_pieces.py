"""A long SMS is sent in pieces, one call each. It goes whole or comes back whole, and what went is billed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streams.processing.turn import Call, Result
from streams.sending.outcomes import Outcome
from tests.world import World

from .test_sending import Desk

DAY = "2026-04-17"


def went(piece: int, kind: Any, detail: str | None = None, **said: Any) -> Outcome:
    """So many of three pieces are with the provider, of nine, nine and two parts."""
    return Outcome(kind=kind, detail=detail, piece=piece, pieces=3, each=(9, 9, 2)[:piece], **said)


def on_its_way(**settings: Any) -> tuple[Desk, Call]:
    """A message is with the SMS provider; the client has an e-mail address too."""
    one = Desk(World(**settings))
    one.world.contact(email=True).consent(channels=["sms", "email"])
    one.world.book(f"{DAY} 13:15").wait("2026-03-02 09:00:30")
    (call,) = one.turn("2026-03-02 09:00:31")
    return one, call


def answered(one: Desk, call: Call, *outcomes: Outcome) -> None:
    """The provider answers, an hour apart."""
    calls, hour = [call], 9
    for outcome in outcomes:
        (call,) = calls
        one.turn(f"2026-03-02 {hour:02d}:00:40", room=0, results=[Result(call.key, outcome)])
        hour += 1
        calls = one.turn(f"2026-03-02 {hour:02d}:00")
    assert calls == []


def billed(one: Desk) -> list[tuple[str, str | None, int | None, float | None]]:
    return [(now["status"], now["detail"], now["parts"], now["cost"] and float(now["cost"]["amount"])) for now in one.log]


Log = list[tuple[str, str | None, int | None, float | None]]
ROWS: list[tuple[str, list[Outcome], Log, list[str]]] = [
    ("all went", [went(3, "sent")], [("sent", None, 20, 1.6)], []),
    (
        "two went, and the number was refused: all is said again through the next channel",
        [went(2, "permanent_address", "9")],
        [("failed", "9; 2 of 3 pieces", 18, 1.44), ("superseded", "rerouted", None, None)],
        ["sent"],
    ),
    (
        "two went, and the text was refused",
        [went(2, "permanent_message", "10")],
        [("failed", "10; 2 of 3 pieces", 18, 1.44)],
        [],
    ),
    (
        "one went, then the others: each part stands on one record",
        [went(1, "retry", "503"), went(3, "sent")],
        [("retrying", "503; 1 of 3 pieces", 9, 0.72), ("sent", None, 11, 0.88)],
        [],
    ),
    (
        "one went, then none, then the number was refused",
        [went(1, "retry", "503"), went(1, "permanent_address", "9")],
        [("retrying", "503; 1 of 3 pieces", 9, 0.72), ("failed", "9; 1 of 3 pieces", None, None),
         ("superseded", "rerouted", None, None)],
        ["sent"],
    ),
    (
        "one went, and of the second nobody knows; then the rest",
        [went(1, "unknown", "no_answer"), went(3, "sent")],
        [("unknown", "no_answer; 1 of 3 pieces", 9, 0.72), ("sent", None, 11, 0.88)],
        [],
    ),
    (
        "one went, and of the second nobody ever knows",
        [went(1, "unknown", "no_answer"), went(1, "unknown", "no_answer")],
        [("unknown", "no_answer; 1 of 3 pieces", 9, 0.72), ("unknown", "no_answer; 1 of 3 pieces", None, None)],
        [],
    ),
    (
        "one went, and our key is refused; then the rest",
        [went(1, "stop", "401"), went(3, "sent")],
        [("retrying", "401; 1 of 3 pieces", 9, 0.72), ("sent", None, 11, 0.88)],
        [],
    ),
    (
        "of a message that is one SMS nothing is said of pieces",
        [Outcome(kind="permanent_address", detail="9", pieces=1)],
        [("failed", "9", None, None), ("superseded", "rerouted", None, None)],
        ["sent"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "outcomes", "log", "anew"), ROWS, ids=[row[0] for row in ROWS])
def test_what_became_of_a_long_message(what: str, outcomes: list[Outcome], log: Log, anew: list[str]) -> None:
    one, call = on_its_way()
    answered(one, call, *outcomes)
    assert billed(one) == log
    assert [record["status"] for record in one.world.log if record["channel"] == "email"] == anew
    known = [f"{item.words.day} {item.words.at}" for item in one.world.agenda().known or ()]
    assert known == ([] if log[-1][0] == "failed" else [f"{DAY} 13:15"]), "it is known once it went whole, by whichever channel"
    assert one.tally["parts",] == sum(parts or 0 for _, _, parts, _ in log)


Change = Callable[[World], World]
MEANWHILE: list[tuple[str, Change, Log, list[tuple[str, str | None]]]] = [
    (
        "the rest of one that is no longer so goes as it was, and then the difference: the client has read some of it",
        lambda world: world.book(f"{DAY} 15:00", rev=2),
        [("sent", None, 11, 0.88)],
        [],
    ),
    (
        "a gate was closed",
        lambda world: world.consent(notifications=False),
        [("superseded", "client_off; 1 of 3 pieces", None, None)],
        [("suppressed", "client_off")],
    ),
    (
        "the number was opted out: all is said again through the next channel",
        lambda world: world.opt_out("sms"),
        [("superseded", "client_off; 1 of 3 pieces", None, None)],
        [("sent", None)],
    ),
]


@pytest.mark.parametrize(("what", "change", "log", "anew"), MEANWHILE, ids=[row[0] for row in MEANWHILE])
def test_what_becomes_of_the_rest_of_one_that_went_in_part(
    what: str, change: Change, log: Log, anew: list[tuple[str, str | None]]
) -> None:  # fmt: skip
    one, call = on_its_way()
    one.turn("2026-03-02 09:00:40", room=0, results=[Result(call.key, went(1, "retry", "503"))])
    change(one.world)
    for rest in one.turn("2026-03-02 10:00"):
        (after,) = one.turn("2026-03-02 10:00:01", results=[Result(rest.key, went(3, "sent"))])
        assert [notice.kind for notice in after.request.delivery.notices] == ["moved"]
    assert billed(one)[1:] == log
    assert [(record["status"], record["detail"]) for record in one.world.log] == anew


def test_one_that_is_over_when_its_rest_should_go_says_that_some_went() -> None:
    one, call = on_its_way()
    one.turn("2026-03-02 09:00:40", room=0, results=[Result(call.key, went(1, "retry", "503"))])
    one.turn(f"{DAY} 14:00")
    assert billed(one)[1:] == [("expired", "1 of 3 pieces", None, None)]


def test_pieces_that_a_report_proves_to_have_gone_are_billed_when_they_are_settled() -> None:
    """The row of a worker of before says how many went, and nothing of their parts."""
    one, call = on_its_way()
    one.turn("2026-03-02 09:00:40", room=0, results=[Result(call.key, Outcome(kind="retry", detail="503", piece=2))])
    (rest,) = one.turn("2026-03-02 10:00")
    one.turn("2026-03-02 10:00:01", results=[Result(rest.key, went(3, "sent"))])
    assert billed(one) == [("retrying", "503", None, None), ("sent", None, 20, 1.6)]
