"""A final report that a number takes no SMS: what went out is taken back, and decided anew for the next channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.deliveries import DeliveryReport
from streams.notices.agenda import without
from streams.processing.turn import Call, Result
from streams.sending.outcomes import Outcome
from tests.world import World, at

from .test_reports import hear, report
from .test_sending import SENT, Desk

DAY = "2026-04-17"
SOON = "2026-03-02 10:00"
Log = list[tuple[str, str, str | None]]


def desk(**settings: Any) -> Desk:
    """SMS is sent by hand; the client has an e-mail address too."""
    one = Desk(World(**settings))
    one.world.contact(email=True).consent(channels=["sms", "email"])
    return one


def went(one: Desk, now: str, outcome: Outcome | None = SENT) -> Call:
    """A message is decided by then, and goes out."""
    one.world.wait(now)
    (call,) = one.turn(now)
    one.turn(now, room=0, results=[Result(call.key, outcome)])
    return call


def failed(call: Call, error: int | None = 1, status: str = "delivery_failed", **said: Any) -> DeliveryReport:
    return report(call, status, error=error, **said)


def all_of_it(one: Desk) -> Log:
    """The log of both channels: that of SMS first."""
    return [(now["channel"], now["status"], now["detail"]) for now in [*one.log, *one.world.log]]


def told(one: Desk) -> list[str]:
    """What went out by e-mail."""
    return [now["text"].split("\n")[0] for now in one.world.log if now["status"] == "sent"]


def known(one: Desk) -> list[str]:
    return sorted(f"{item.words.day} {item.words.at}" for item in one.world.agenda().known or ())


BACK: Log = [("sms", "sent", None), ("sms", "failed", "report: delivery_failed/1"), ("sms", "superseded", "rerouted")]
MOVED = "Uw afspraak op vrijdag 17 april 2026 van 13:15 tot 14:15 is verplaatst naar vrijdag 17 april 2026 van 15:15 tot 16:15."
CREATED = "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."


class TestWhatIsBack:
    def test_it_is_told_at_once_through_the_next_channel(self) -> None:
        one = desk()
        one.world.book(f"{DAY} 13:15")
        call = went(one, "2026-03-02 09:00:30")
        hear(one, SOON, failed(call))
        assert all_of_it(one) == [*BACK, ("email", "sent", None)]
        assert (told(one), known(one)) == ([CREATED], [f"{DAY} 13:15"])
        assert one.world.log[0]["message"] != one.log[0]["message"]

    def test_or_when_the_window_closes_with_what_changed_since(self) -> None:
        one = desk()
        one.world.book(f"{DAY} 13:15")
        call = went(one, "2026-03-02 09:00:30")
        one.world.wait(SOON).book(f"{DAY} 15:15", rev=2)
        hear(one, SOON, failed(call))
        assert told(one) == []
        one.world.wait("2026-03-02 10:00:30")
        assert told(one) == ["Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 15:15 tot 16:15."]

    def test_where_no_channel_is_left_nothing_is_said_and_nothing_was_heard(self) -> None:
        one = desk()
        one.world.consent(channels=["sms"]).book(f"{DAY} 13:15")
        call = went(one, "2026-03-02 09:00:30")
        hear(one, SOON, failed(call))
        assert all_of_it(one) == [*BACK, (None, "suppressed", "contact_unconfirmed")]
        assert [item.heard for item in one.world.agenda().known or ()] == [False]

    def test_a_number_that_was_changed_meanwhile_is_simply_used(self) -> None:
        one = desk()
        one.world.book(f"{DAY} 13:15")
        call = went(one, "2026-03-02 09:00:30")
        other = {"organisation": "zorg", "client": "anna", "sms": {"number": "+31687654321", "confirmed": True}, "email": None}
        one.world.feed("contacts", "zorg/anna", other)
        hear(one, SOON, failed(call))
        (again,) = one.turn("2026-03-02 10:00:01")
        assert again.request.address == "+31687654321"

    def test_a_reminder_and_a_request_take_the_next_channel_too(self) -> None:
        one = desk(reminder={"days_before": 1, "at": "10:00"})
        one.world.book(f"{DAY} 13:15")
        went(one, "2026-03-02 09:00:30")
        reminder = went(one, "2026-04-16 10:00")
        one.world.request(request="r", expires_at="2026-04-17T10:00:00Z")
        request = went(one, "2026-04-16 10:01")
        hear(one, "2026-04-16 11:00", failed(reminder))
        hear(one, "2026-04-16 11:00", failed(request))
        assert [(now["reason"], now["channel"], now["status"]) for now in one.world.log] == [
            ("reminder", "email", "sent"), ("request", "email", "sent"),
        ]  # fmt: skip
        hear(one, "2026-04-16 11:01", failed(reminder), failed(request))
        assert len(one.world.log) == 2, "a report that comes again says nothing new"

    def test_all_pieces_must_have_failed(self) -> None:
        one = desk()
        one.world.book(f"{DAY} 13:15")
        call = went(one, "2026-03-02 09:00:30", Outcome(kind="sent", text="…", each=(9, 1), piece=2, pieces=2))
        hear(one, SOON, failed(call, piece=0))
        assert all_of_it(one) == BACK[:2]
        hear(one, SOON, failed(call, piece=1))
        assert all_of_it(one) == [*BACK, ("email", "sent", None)]

    def test_a_report_that_comes_before_the_answer_counts_after_it(self) -> None:
        one = desk()
        one.world.book(f"{DAY} 13:15").wait("2026-03-02 09:00:30")
        (call,) = one.turn("2026-03-02 09:00:31")
        hear(one, "2026-03-02 09:00:32", failed(call))
        one.turn("2026-03-02 09:00:33", results=[Result(call.key, SENT)])
        assert all_of_it(one) == [*BACK, ("email", "sent", None)]

    def test_the_fifth_back_in_a_row_ends_it(self) -> None:
        """Each of four came back before it went out; that the fifth did not arrive changes nothing any more."""
        one = desk()
        one.world.consent(channels=["sms"]).book(f"{DAY} 13:15").wait("2026-03-02 09:00:30")
        for minute in range(1, 5):
            number = {"number": f"+3161234567{minute}", "confirmed": True}
            (call,) = one.turn(f"2026-03-02 09:0{minute}")
            contact = {"organisation": "zorg", "client": "anna", "sms": number, "email": None}
            one.world.feed("contacts", "zorg/anna", contact)
            one.turn(f"2026-03-02 09:0{minute}:10", room=0, results=[Result(call.key, Outcome(kind="permanent_address"))])
        call = went(one, "2026-03-02 09:05")
        hear(one, SOON, failed(call))
        assert [(now["status"], now["detail"]) for now in one.world.log] == [("failed", "no_rest")]
        assert (known(one), one.world.agenda().backs) == ([f"{DAY} 13:15"], 0)

    def test_a_client_who_was_erased_is_not_told(self) -> None:
        one = desk()
        one.world.book(f"{DAY} 13:15")
        call = went(one, "2026-03-02 09:00:30")
        one.world.feed("erasures", "zorg/anna", {"organisation": "zorg", "client": "anna", "at": "2026-03-02T08:30:00Z"})
        hear(one, SOON, failed(call))
        assert (told(one), known(one)) == ([], [])


NOT_BACK: list[tuple[str, str, Callable[[Call], DeliveryReport], Outcome | None]] = [
    ("the network is at fault", SOON, lambda call: failed(call, 34), SENT),
    ("the handset was off until the SMS expired", SOON, lambda call: failed(call, None, "expired"), SENT),
    ("why it failed is not said", SOON, lambda call: failed(call, None), SENT),
    ("the recipient answered STOP: that is the client's word, not the number's", SOON, lambda call: failed(call, 103), SENT),
    ("it is reported after 24 hours", "2026-03-03 09:00:31", failed, SENT),
    ("it arrived by another report", SOON, lambda call: report(call, "delivered"), SENT),
]


@pytest.mark.parametrize(("what", "now", "said", "outcome"), NOT_BACK, ids=[row[0] for row in NOT_BACK])
def test_what_is_not_back(what: str, now: str, said: Callable[[Call], DeliveryReport], outcome: Outcome | None) -> None:
    one = desk()
    one.world.book(f"{DAY} 13:15")
    call = went(one, "2026-03-02 09:00:30", outcome)
    hear(one, now, said(call))
    assert ("sms", "superseded", "rerouted") not in all_of_it(one)
    assert (told(one), known(one)) == ([], [f"{DAY} 13:15"])


def test_what_is_over_when_it_is_reported_is_not_back() -> None:
    one = desk()
    one.world.book("2026-03-02 09:30")
    call = went(one, "2026-03-02 09:00:30")
    hear(one, "2026-03-02 09:30", failed(call))
    assert all_of_it(one) == BACK[:2]


def test_never_after_an_outcome_that_nobody_knows() -> None:
    """The first call may have reached another number, of before."""
    one = desk()
    one.world.book(f"{DAY} 13:15")
    went(one, "2026-03-02 09:00:30", None)
    again = went(one, "2026-03-02 09:11")
    hear(one, SOON, failed(again))
    assert [status for _, status, _ in all_of_it(one)] == ["unknown", "sent", "failed"]
    assert told(one) == []


Act = Callable[[World], World]
REPLACED: list[Act] = [
    lambda world: world.book(f"{DAY} 13:15"),
    lambda world: world.book(f"{DAY} 13:15", rev=2, status="cancelled"),
    lambda world: world.book(f"{DAY} 13:15", id="other"),
]
REPLACED_AND_CANCELLED: list[Act] = [
    *REPLACED,
    lambda world: world.book(f"{DAY} 13:15", id="other", rev=2, status="cancelled"),
]
ELSEWHERE_AND_LATER: list[Act] = [
    lambda world: world.book(f"{DAY} 13:15"),
    lambda world: world.book(f"{DAY} 13:15", rev=2, location="Kamer 7"),
    lambda world: world.book(f"{DAY} 15:15", rev=3, location="Kamer 7"),
]
UNDONE: list[tuple[str, list[Act], list[int], list[str], list[str]]] = [
    (
        "a move: it is known as it was, and the move is told",
        [lambda world: world.book(f"{DAY} 13:15"), lambda world: world.book(f"{DAY} 15:15", rev=2)],
        [1],
        [MOVED],
        [f"{DAY} 15:15"],
    ),
    (
        "a cancellation",
        [lambda world: world.book(f"{DAY} 13:15"), lambda world: world.book(f"{DAY} 13:15", rev=2, status="cancelled")],
        [1],
        ["Uw afspraak op vrijdag 17 april 2026 is geannuleerd."],
        [],
    ),
    (
        "what was made, and moved by a message that arrived: nothing is left to say",
        [lambda world: world.book(f"{DAY} 13:15"), lambda world: world.book(f"{DAY} 15:15", rev=2)],
        [0],
        [],
        [f"{DAY} 15:15"],
    ),
    (
        "what was made and what moved it: it is made",
        [lambda world: world.book(f"{DAY} 13:15"), lambda world: world.book(f"{DAY} 15:15", rev=2)],
        [0, 1],
        ["Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 15:15 tot 16:15."],
        [f"{DAY} 15:15"],
    ),
    (
        "the other way round: a move of what the client was not told either",
        [lambda world: world.book(f"{DAY} 13:15"), lambda world: world.book(f"{DAY} 15:15", rev=2)],
        [1, 0],
        [MOVED],
        [f"{DAY} 15:15"],
    ),
    (
        "the first of two moves: what was known before it is cancelled, for the second did not say so",
        [
            lambda world: world.book(f"{DAY} 13:15"),
            lambda world: world.book(f"{DAY} 15:15", rev=2),
            lambda world: world.book(f"{DAY} 17:15", rev=3),
        ],
        [1],
        ["Uw afspraak op vrijdag 17 april 2026 van 13:15 tot 14:15 is geannuleerd."],
        [f"{DAY} 17:15"],
    ),
    (
        "a cancellation, and what came in the place of what it cancelled: that is known as it was first told",
        REPLACED,
        [1, 2],
        [],
        [f"{DAY} 13:15"],
    ),
    (
        "the same the other way round",
        REPLACED,
        [2, 1],
        ["Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."],
        [f"{DAY} 13:15"],
    ),
    (
        "a cancellation, and another one of what came in its place did arrive: it spoke of both",
        REPLACED_AND_CANCELLED,
        [1, 2],
        [],
        [],
    ),
    (
        "neither of two cancellations, nor what was between them: what was told first is cancelled",
        REPLACED_AND_CANCELLED,
        [1, 2, 3],
        ["Uw afspraak op vrijdag 17 april 2026 is geannuleerd."],
        [],
    ),
    (
        "the first of two changes of place: the second named the hour alone, and so spoke of it as it was before",
        [
            lambda world: world.book(f"{DAY} 13:15"),
            lambda world: world.book(f"{DAY} 13:15", rev=2, location="Kamer 7"),
            lambda world: world.book(f"{DAY} 13:15", rev=3, location="Kamer 8"),
        ],
        [1],
        [],
        [f"{DAY} 13:15"],
    ),
    (
        "a change of place before a move: the move named the hour alone",
        ELSEWHERE_AND_LATER,
        [1],
        [],
        [f"{DAY} 15:15"],
    ),
    (
        "a change of place, and the move after it: it is moved from where it was told to be",
        ELSEWHERE_AND_LATER,
        [1, 2],
        [f"{MOVED} Locatie: Kamer 7."],
        [f"{DAY} 15:15"],
    ),
    (
        "a change of place before a cancellation",
        [
            lambda world: world.book(f"{DAY} 13:15"),
            lambda world: world.book(f"{DAY} 13:15", rev=2, location="Kamer 7"),
            lambda world: world.book(f"{DAY} 13:15", rev=3, status="cancelled", location="Kamer 7"),
        ],
        [1],
        [],
        [],
    ),
    (
        "what was made and cancelled: there is nothing to say",
        [lambda world: world.book(f"{DAY} 13:15"), lambda world: world.book(f"{DAY} 13:15", rev=2, status="cancelled")],
        [0],
        [],
        [],
    ),
    (
        "what was made, and lived through at another hour: the client was there",
        [
            lambda world: world.book(f"{DAY} 13:15"),
            lambda world: world.book(f"{DAY} 15:15", rev=2, status="fulfilled"),
        ],
        [0],
        [],
        [f"{DAY} 15:15"],
    ),
    (
        "a series: and with it what went without saying",
        [lambda world: series(world, "2026-04-03", "2026-04-10"), lambda world: series(world, "2026-04-17")],
        [0],
        ["Er zijn herhalende afspraken met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende."],
        ["2026-04-03 13:15", "2026-04-10 13:15", "2026-04-17 13:15"],
    ),
]


def series(world: World, *days: str) -> World:
    for day in days:
        world.book(f"{day} 13:15", id=day, series="s")
    return world


@pytest.mark.parametrize(("what", "acts", "lost", "said", "knows"), UNDONE, ids=[row[0] for row in UNDONE])
def test_what_is_taken_back(what: str, acts: list[Act], lost: list[int], said: list[str], knows: list[str]) -> None:
    """A message an act; then so many of them are reported to have reached nobody, in that order."""
    one = desk()
    calls = []
    for minute, act in enumerate(acts):
        act(one.world)
        one.world.wait(f"2026-03-02 09:0{minute}:30")
        calls += one.turn(f"2026-03-02 09:0{minute}:30")
        one.turn(f"2026-03-02 09:0{minute}:31", room=0, results=[Result(call.key, SENT) for call in calls[minute:]])
        one.world.wait(f"2026-03-02 09:0{minute + 1}")
    for number in lost:
        hear(one, SOON, failed(calls[number]))
    assert (told(one)[-1:], known(one)) == (said, knows)


def test_what_went_without_saying_is_told_with_the_series_that_did_not_arrive() -> None:
    one = desk()
    series(one.world, "2026-04-03", "2026-04-10")
    call = went(one, "2026-03-02 09:00:30")
    series(one.world, "2026-04-17").wait("2026-03-02 09:02")
    hear(one, SOON, failed(call))
    assert one.world.log[-1]["notices"][0]["others"] == ["2026-04-10", "2026-04-17"]


def test_a_series_that_was_ended_goes_on_where_its_end_was_told_to_nobody() -> None:
    one = desk()
    series(one.world, "2026-04-03", "2026-04-10", "2026-04-17", "2026-04-24")
    went(one, "2026-03-02 09:00:30")
    for day in ("2026-04-17", "2026-04-24"):
        one.world.book(f"{day} 13:15", id=day, series="s", rev=2, status="cancelled")
    call = went(one, "2026-03-02 09:02")
    (before,) = one.world.agenda().rules
    one.world.consent(channels=["sms"])
    hear(one, SOON, failed(call))
    assert (before.end, [rule.end for rule in one.world.agenda().rules]) == ("2026-04-17", [None])


def test_what_is_remembered_of_messages_goes_and_is_bounded() -> None:
    """Of a creation nothing is; of the others for a day, and of the last 20."""
    one = desk(window={"quiet_seconds": 0, "max_seconds": 0})
    one.world.book(f"{DAY} 07:00")
    went(one, "2026-03-02 09:00:30")
    assert one.world.agenda().sent == {}
    for minute in range(1, 26):
        one.world.book(f"{DAY} 08:{minute:02d}", rev=minute + 1)
        went(one, f"2026-03-02 09:{minute:02d}:30")
    assert [len(each.gone) for each in one.world.agenda().sent.values()] == [1] * 20
    one.world.wait("2026-03-04 09:00").book(f"{DAY} 12:00", rev=50)
    went(one, "2026-03-04 09:00:30")
    (left,) = one.world.agenda().sent.values()
    assert left.at == at("2026-03-04 09:00:30")


def test_what_is_remembered_of_an_appointment_is_erased_with_it() -> None:
    one = desk()
    one.world.book(f"{DAY} 13:15").book(f"{DAY} 16:15", id="b")
    went(one, "2026-03-02 09:00:30")
    one.world.book(f"{DAY} 14:15", rev=2).book(f"{DAY} 17:15", id="b", rev=2)
    went(one, "2026-03-02 09:02")
    (left,) = without(one.world.agenda(), {"a"}).sent.values()
    assert [item.ids for item in left.gone] == [("b",)]


def test_a_request_is_kept_no_longer_than_it_can_come_back() -> None:
    one = desk()
    one.world.request()
    went(one, "2026-03-02 09:00:30")
    assert b"Wilt u" in b"".join(one.rows.values())
    one.turn("2026-03-03 09:00:31")
    assert b"Wilt u" not in b"".join(one.rows.values())
