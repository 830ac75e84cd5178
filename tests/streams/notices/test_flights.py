"""A message flies, and lands for a reason (`streams/README.md`, "A message flies")."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.events import ClientEvent, Landed
from schemas.inputs import Request
from schemas.wire import check, encode
from streams.processing.turn import Call, Output, Result
from streams.sending.outcomes import Outcome
from tests.streams.sending.test_sending import SENT, Desk, kinds
from tests.world import World, at

RETRY = Outcome(kind="retry", detail="503")
REFUSED = Outcome(kind="permanent_address", detail="9")


def slow(**settings: Any) -> Desk:
    """A sender whose provider answers by hand; changes are gathered for 30 seconds."""
    return Desk(World(**settings))


def known(one: Desk) -> list[str]:
    """What the client knows, by day and time."""
    return [f"{item.words.day} {item.words.at}" for item in one.world.agenda().known or ()]


def told(one: Desk) -> list[tuple[str, str | None]]:
    """What became of each message, in the order in which it is known here."""
    return [(record["status"], record["detail"]) for record in one.log]


def silences(one: Desk) -> list[tuple[str, str | None, str | None]]:
    """What was not said, and of which appointment."""
    return [(each["status"], each["detail"], each["notices"][0]["appointment"]) for each in one.world.log]


def first(one: Desk) -> Call:
    """The first message, on its way to the provider."""
    one.world.book("2026-04-17 13:15").wait("2026-03-02 09:00:30")
    (call,) = one.turn("2026-03-02 09:00:31")
    return call


def answer(one: Desk, call: Call, outcome: Outcome | None, now: str = "2026-03-02 09:00:40") -> list[Call]:
    return one.turn(now, results=[Result(call.key, outcome)])


class TestWhatIsKnown:
    """Known moves when a message went out, not when it was decided."""

    def test_while_it_flies_nothing_of_it_is_known(self) -> None:
        one = slow()
        call = first(one)
        assert known(one) == []
        answer(one, call, SENT)
        assert known(one) == ["2026-04-17 13:15"]

    def test_what_may_have_been_sent_is_known_only_when_it_came_to_an_end(self) -> None:
        one = slow()
        answer(one, first(one), None)
        assert known(one) == []
        (again,) = one.turn("2026-03-02 09:11")
        answer(one, again, None, "2026-03-02 09:11:20")
        assert (told(one), known(one)) == ([("unknown", "no_answer")] * 2, ["2026-04-17 13:15"])

    @pytest.mark.parametrize("kind", ["permanent_message", "no_words"])
    def test_what_is_lost_is_not_known_and_said_at_the_next_closing(self, kind: Any) -> None:
        one = slow()
        answer(one, first(one), Outcome(kind=kind, detail="x"))
        assert known(one) == []
        one.world.book("2026-04-18 09:00", id="b").wait("2026-03-02 09:05")
        (call,) = one.turn("2026-03-02 09:05")
        answer(one, call, SENT, "2026-03-02 09:05:10")
        assert known(one) == ["2026-04-17 13:15"]

    def test_what_is_over_before_it_could_be_sent_is_said_no_more(self) -> None:
        one = slow()
        one.world.book("2026-03-02 09:10").wait("2026-03-02 09:00:30")
        assert one.turn("2026-03-02 09:20") == []
        one.world.book("2026-04-18 09:00", id="b").wait("2026-03-02 09:30")
        assert [record["status"] for record in [*one.log, *one.world.log]] == ["expired"]


class TestCovered:
    """What goes without saying, since a series that was told says it, is known at once."""

    def test_one_that_goes_on_to_such_a_day_as_another_comes_where_it_was_is_there_alone(self) -> None:
        """And both are told when they are cancelled while the message flies that takes away the first day."""
        one = slow()
        one.world.book("2026-04-03 13:15", id="b", series="S").book("2026-04-17 13:15", id="c", series="S")
        one.world.wait("2026-03-02 09:00:30")
        answer(one, one.turn("2026-03-02 09:00:31")[0], SENT)
        one.world.book("2026-04-17 13:15", id="b", rev=2, series="S").book("2026-05-01 13:15", id="c", rev=2, series="S")
        one.world.book("2026-04-24 13:15", id="d", series="T").wait("2026-03-02 09:05")
        assert [(item.words.day, item.ids) for item in one.world.agenda().known or ()] == [
            ("2026-04-03", ()), ("2026-04-17", ("b",)), ("2026-05-01", ("c",)),
        ]  # fmt: skip
        calls = one.turn("2026-03-02 09:05:01")
        one.world.book("2026-04-17 13:15", id="b", rev=3, series="S", status="cancelled")
        one.world.book("2026-05-01 13:15", id="c", rev=3, series="S", status="cancelled")
        while calls:
            calls = answer(one, calls[0], SENT, "2026-03-02 09:05:10")
            one.world.wait("2026-03-02 09:06")
            calls += one.turn("2026-03-02 09:06")
        assert known(one) == ["2026-04-24 13:15"]

    def test_a_cancellation_that_lands_takes_its_appointment_from_nowhere_else(self) -> None:
        """It is where another one was; when it is known that the client came at another hour, nothing is to be cancelled."""
        one = slow()
        one.world.book("2026-04-03 13:15", id="b", series="S").book("2026-04-10 13:15", id="c", series="S")
        one.world.wait("2026-03-02 09:00:30")
        answer(one, one.turn("2026-03-02 09:00:31")[0], SENT)
        one.world.book("2026-04-10 13:15", id="b", rev=2, series="S")
        one.world.book("2026-04-10 13:15", id="c", rev=2, series="S", status="cancelled").wait("2026-03-02 09:05")
        (call,) = one.turn("2026-03-02 09:05:01")
        one.world.book("2026-04-10 15:00", id="b", rev=3, series="S", status="arrived")
        answer(one, call, SENT, "2026-03-02 09:05:10")
        one.world.wait("2026-03-02 09:06")
        assert (one.turn("2026-03-02 09:06:01"), known(one)) == ([], ["2026-04-10 15:00"])


class TestTwins:
    """Of two in equal words one is said, and the other has one record."""

    def test_one_that_comes_while_its_like_flies_has_its_record(self) -> None:
        one = slow()
        call = first(one)
        one.world.book("2026-04-17 13:15", id="b").wait("2026-03-02 09:05")
        answer(one, call, SENT, "2026-03-02 09:05:10")
        one.world.wait("2026-03-02 09:06")
        assert silences(one) == [("suppressed", "same", "b")]

    def test_one_that_went_to_its_like_while_it_flew_has_a_record_of_what_became_of_it(self) -> None:
        one = slow()
        one.world.book("2026-04-17 15:00", id="b").wait("2026-03-02 09:00:30")
        answer(one, one.turn("2026-03-02 09:00:31")[0], SENT)
        one.world.book("2026-04-17 13:15").wait("2026-03-02 09:05")
        (call,) = one.turn("2026-03-02 09:05:01")
        one.world.book("2026-04-17 15:00", rev=2)
        answer(one, call, SENT, "2026-03-02 09:05:10")
        one.world.book("2026-04-17 16:00", rev=3, status="arrived").wait("2026-03-02 09:06")
        assert silences(one) == [("suppressed", "outcome", "a")]

    def test_where_a_gate_was_closed_the_record_is_made_once(self) -> None:
        one = slow(notifications=False)
        one.world.book("2026-04-17 13:15").book("2026-04-17 13:15", id="b").wait("2026-03-02 09:01")
        one.world.book("2026-04-18 09:00", id="c").wait("2026-03-02 09:02")
        assert [silence for silence in silences(one) if silence[1] == "same"] == [("suppressed", "same", "b")]


class TestChangesGather:
    """While a direct message of a client flies he has no other closing."""

    def test_the_window_closes_when_the_last_one_has_landed(self) -> None:
        one = slow()
        call = first(one)
        one.world.book("2026-04-18 09:00", id="b").wait("2026-03-02 09:05")
        assert one.deliveries[one.seen :] == []
        (after,) = answer(one, call, SENT, "2026-03-02 09:05:10")
        assert kinds([after]) == ["created"]

    def test_it_closes_at_its_own_time_where_that_is_later(self) -> None:
        one = slow()
        call = first(one)
        one.world.wait("2026-03-02 09:01").book("2026-04-18 09:00", id="b")
        assert answer(one, call, SENT, "2026-03-02 09:01:10") == []
        one.world.wait("2026-03-02 09:01:30")
        assert len(one.turn("2026-03-02 09:01:30")) == 1

    def test_where_changes_are_told_at_once_those_of_a_flight_are_told_together(self) -> None:
        one = slow(window={"quiet_seconds": 0, "max_seconds": 0})
        one.world.book("2026-04-17 13:15").book("2026-04-18 09:00", id="b").book("2026-04-18 11:00", id="c")
        (call,) = one.turn("2026-03-02 09:00:01")
        (after,) = answer(one, call, SENT)
        assert (kinds([call]), kinds([after])) == (["created"], ["created", "created"])

    def test_a_due_reminder_waits_for_what_flies(self) -> None:
        one = slow(reminder={"days_before": 1, "at": "10:00", "not_within_hours": 0})
        one.world.book("2026-03-10 11:00").wait("2026-03-02 09:00:30")
        (call,) = one.turn("2026-03-02 09:00:31")
        answer(one, call, SENT)
        one.world.wait("2026-03-09 09:59").book("2026-03-10 12:00", rev=2).wait("2026-03-09 10:00")
        (moved,) = one.turn("2026-03-09 10:00")
        assert one.turn("2026-03-09 10:05") == []
        (reminder,) = answer(one, moved, SENT, "2026-03-09 10:05:10")
        assert (kinds([moved]), kinds([reminder])) == (["moved"], ["reminder"])


class TestAReminder:
    """Within hours of a message that told all of its day it says nothing new; that message has surely gone out."""

    def told(self) -> Desk:
        one = slow(reminder={"days_before": 1, "at": "10:00"})
        one.world.book("2026-03-10 11:00").wait("2026-03-02 09:00:30")
        (call,) = one.turn("2026-03-02 09:00:31")
        answer(one, call, SENT)
        return one

    def test_that_waited_for_what_flies_says_nothing_new_after_it(self) -> None:
        one = self.told()
        one.world.wait("2026-03-09 09:59").book("2026-03-10 12:00", rev=2).wait("2026-03-09 10:00")
        (moved,) = one.turn("2026-03-09 10:00")
        assert answer(one, moved, SENT, "2026-03-09 10:05:10") == []
        assert silences(one) == [("suppressed", "just_told", "a")]

    def test_goes_after_a_message_of_which_nobody_knows_whether_it_went(self) -> None:
        one = self.told()
        one.world.wait("2026-03-09 09:00").book("2026-03-10 12:00", rev=2).wait("2026-03-09 09:00:30")
        (moved,) = one.turn("2026-03-09 09:00:30")
        answer(one, moved, None, "2026-03-09 09:01")
        (again,) = one.turn("2026-03-09 09:12")
        answer(one, again, None, "2026-03-09 09:12:20")
        one.world.wait("2026-03-09 10:00")
        assert kinds(one.turn("2026-03-09 10:00")) == ["reminder"]

    def test_goes_after_a_message_that_came_to_nothing(self) -> None:
        one = self.told()
        one.world.wait("2026-03-09 09:00").book("2026-03-10 12:00", rev=2).wait("2026-03-09 09:00:30")
        (moved,) = one.turn("2026-03-09 09:00:30")
        answer(one, moved, Outcome(kind="permanent_message", detail="x"), "2026-03-09 09:01")
        one.world.wait("2026-03-09 10:00")
        assert kinds(one.turn("2026-03-09 10:00")) == ["reminder"]

    def test_that_came_back_since_its_appointment_moved_says_nothing_new_after_the_move(self) -> None:
        one = self.told()
        one.world.wait("2026-03-09 10:00")
        (reminder,) = one.turn("2026-03-09 10:00")
        answer(one, reminder, RETRY, "2026-03-09 10:00:05")
        one.world.wait("2026-03-09 10:00:10").book("2026-03-10 12:00", rev=2).wait("2026-03-09 10:00:40")
        (moved,) = one.turn("2026-03-09 10:00:40")
        answer(one, moved, SENT, "2026-03-09 10:00:45")
        one.turn("2026-03-09 10:05")
        assert told(one)[-2:] == [("sent", None), ("superseded", None)]
        assert silences(one) == [("suppressed", "just_told", "a")]


class TestItComesBack:
    """What surely reached nobody is decided anew, at once or when the open window closes."""

    def test_what_is_no_longer_so_is_said_as_it_is(self) -> None:
        one = slow()
        call = first(one)
        answer(one, call, RETRY)
        one.world.wait("2026-03-02 09:01").book("2026-04-17 15:00", rev=2)
        assert one.turn("2026-03-02 09:01:10") == []
        one.world.wait("2026-03-02 09:01:30")
        (after,) = one.turn("2026-03-02 09:01:30")
        assert told(one) == [("retrying", "503"), ("superseded", None)]
        assert [notice.was for notice in after.request.delivery.notices] == [None]

    def test_what_is_so_again_when_its_turn_comes_goes_as_it_was(self) -> None:
        one = slow()
        call = first(one)
        answer(one, call, RETRY)
        one.world.book("2026-04-17 15:00", rev=2).book("2026-04-17 13:15", rev=3).wait("2026-03-02 09:01:30")
        (again,) = one.turn("2026-03-02 09:01:30")
        answer(one, again, SENT, "2026-03-02 09:01:31")
        assert (again.request.delivery.message, told(one)[-1]) == (call.request.delivery.message, ("sent", None))

    def test_after_an_unknown_outcome_it_goes_again_as_it_was_and_then_the_difference(self) -> None:
        one = slow()
        answer(one, first(one), None)
        one.world.book("2026-04-17 15:00", rev=2)
        (again,) = one.turn("2026-03-02 09:11")
        (after,) = answer(one, again, SENT, "2026-03-02 09:11:10")
        assert (kinds([again]), kinds([after])) == (["created"], ["moved"])

    def test_after_an_unknown_outcome_a_closed_gate_ends_it(self) -> None:
        one = slow()
        answer(one, first(one), None)
        one.world.opt_out()
        assert one.turn("2026-03-02 09:11") == []
        assert (told(one)[-1], known(one)) == (("suppressed", "client_off"), ["2026-04-17 13:15"])

    def test_a_refused_address_is_told_through_the_next_channel(self) -> None:
        one = slow()
        one.world.contact(email=True).consent(channels=["sms", "email"])
        answer(one, first(one), REFUSED)
        assert told(one) == [("failed", "9"), ("superseded", "rerouted")]
        assert [(record["status"], record["channel"]) for record in one.world.log] == [("sent", "email")]
        assert one.log[0]["notices"] == one.world.log[0]["notices"]
        assert one.log[0]["message"] != one.world.log[0]["message"]

    def test_a_number_that_was_changed_meanwhile_is_simply_used(self) -> None:
        one = slow()
        call = first(one)
        other = {"organisation": "zorg", "client": "anna", "sms": {"number": "+31687654321", "confirmed": True}, "email": None}
        one.world.feed("contacts", "zorg/anna", other)
        (again,) = answer(one, call, REFUSED)
        assert again.request.address == "+31687654321"

    def test_after_an_unknown_outcome_a_refusal_ends_it(self) -> None:
        one = slow()
        one.world.contact(email=True).consent(channels=["sms", "email"])
        answer(one, first(one), None)
        (again,) = one.turn("2026-03-02 09:11")
        answer(one, again, REFUSED, "2026-03-02 09:11:10")
        assert (told(one)[1:], known(one), one.world.log) == ([("failed", "9")], ["2026-04-17 13:15"], [])

    def test_a_reminder_and_a_request_take_the_next_channel_too(self) -> None:
        one = slow(reminder={"days_before": 1, "at": "10:00"})
        answer(one, first(one), SENT)
        one.world.contact(email=True).consent(channels=["sms", "email"]).wait("2026-04-16 10:00").request()
        (request,) = one.turn("2026-04-16 10:00:01")
        (reminder,) = answer(one, request, REFUSED, "2026-04-16 10:00:02")
        answer(one, reminder, REFUSED, "2026-04-16 10:00:03")
        assert [(record["reason"], record["status"], record["channel"]) for record in one.world.log] == [
            ("request", "sent", "email"), ("reminder", "sent", "email"),
        ]  # fmt: skip

    def test_five_times_in_a_row_with_nothing_changed_is_the_end(self) -> None:
        """Whatever makes it come back is a fault of ours: it is not to go on for ever."""
        one = slow()
        one.world.book("2026-04-17 13:15").wait("2026-03-02 09:00:30")
        for second in range(31, 36):
            (message,) = [orjson.loads(value)["message"] for value in one.deliveries[-1:]]
            land(one, message, f"2026-03-02 09:00:{second}")
        assert [(record["status"], record["detail"]) for record in one.world.log] == [("failed", "no_rest")]
        assert (known(one), one.world.agenda().backs) == (["2026-04-17 13:15"], 0)

    def test_five_times_is_the_end_of_a_reminder_too(self) -> None:
        one = slow(reminder={"days_before": 1, "at": "10:00"})
        answer(one, first(one), SENT)
        one.world.wait("2026-04-16 10:00")
        backs = [bring_back(one, f"2026-04-16 10:00:{second}", day="2026-04-17") for second in range(11, 18)]
        assert backs == [True, True, True, True, False, False, False], "four are decided anew, the fifth is the end"
        (record,) = one.world.log
        assert (record["reason"], record["status"], record["detail"], record["channel"]) == (
            "reminder", "failed", "no_rest", "sms",
        )  # fmt: skip
        assert (record["message"], record["notices"][0]["appointment"]) == (orjson.loads(one.deliveries[-1])["message"], "a")
        assert one.world.agenda().reminded == ("2026-04-17",), "it counts as said"

    def test_a_change_begins_the_count_of_a_reminder_anew(self) -> None:
        one = slow(reminder={"days_before": 1, "at": "10:00"})
        answer(one, first(one), SENT)
        one.world.wait("2026-04-16 10:00")
        assert all(bring_back(one, f"2026-04-16 10:00:1{number}", day="2026-04-17") for number in range(4))
        one.world.now = at("2026-04-16 10:00:20")
        one.world.book("2026-06-17 13:15", id="other")
        assert all(bring_back(one, f"2026-04-16 10:00:2{number}", day="2026-04-17") for number in range(4))
        assert one.world.log == []

    def test_five_times_is_the_end_of_a_request_too(self) -> None:
        one = slow()
        one.world.request()
        request = orjson.loads(one.deliveries[-1])["request"]
        backs = [bring_back(one, f"2026-03-02 09:00:{second}", request=request) for second in range(11, 17)]
        assert backs == [True, True, True, True, False, False]
        assert [(one["reason"], one["status"], one["detail"]) for one in one.world.log] == [("request", "failed", "no_rest")]

    def test_changes_begin_the_count_anew(self) -> None:
        one = slow()
        one.world.book("2026-04-17 13:15").wait("2026-03-02 09:00:30")
        for minute in range(9):
            land(one, orjson.loads(one.deliveries[-1])["message"], f"2026-03-02 09:0{minute}:31")
            one.world.now = at(f"2026-03-02 09:0{minute}:31")
            one.world.book(f"2026-04-17 1{minute}:30", rev=minute + 2).wait(f"2026-03-02 09:0{minute + 1}:30")
        assert one.world.log == []


def bring_back(one: Desk, now: str, *, day: str | None = None, request: dict[str, Any] | None = None) -> bool:
    """A sender says that a reminder or request came back; whether it is decided anew."""
    before = len(one.deliveries)
    message = orjson.loads(one.deliveries[-1])["message"]
    asked = check(Request, request) if request is not None else None
    outcome = Landed(message=message, became="back", day=day, request=asked, channel="sms")
    one.tell(
        [Output("client-events", b"zorg/anna", encode(ClientEvent(organisation="zorg", client="anna", outcome=outcome)))], at(now)
    )
    return len(one.deliveries) > before


def land(one: Desk, message: str, now: str) -> None:
    """A sender says that a message came back."""
    event = ClientEvent(organisation="zorg", client="anna", outcome=Landed(message=message, became="back"))
    one.tell([Output("client-events", b"zorg/anna", encode(event))], at(now))


class TestWithoutAWord:
    """A flight of which nothing is heard for 15 minutes hands out its deliveries again."""

    def test_a_ledger_that_knows_the_message_says_what_became_of_it(self) -> None:
        one = slow()
        call = first(one)
        one.tell = lambda outputs, now: None  # type: ignore[method-assign]
        answer(one, call, SENT)
        del one.tell
        one.world.wait("2026-03-02 09:15:30")
        assert one.turn("2026-03-02 09:15:31") == []
        assert (told(one), known(one)) == ([("sent", None)], ["2026-04-17 13:15"])

    def test_one_that_is_still_to_go_goes_once(self) -> None:
        one = slow()
        call = first(one)
        answer(one, call, Outcome(kind="retry", detail="503", retry_after=3600))
        one.world.wait("2026-03-02 09:31")
        assert one.turn("2026-03-02 09:31") == []
        assert len(one.deliveries) == 3
        assert [again.request.attempt for again in one.turn("2026-03-02 10:01")] == [2]

    def test_a_ledger_that_never_got_it_sends_it(self) -> None:
        one = slow()
        one.world.book("2026-04-17 13:15").wait("2026-03-02 09:00:30")
        one.seen = len(one.deliveries)
        one.world.wait("2026-03-02 09:15:30")
        assert kinds(one.turn("2026-03-02 09:15:31")) == ["created"]

    def test_an_outcome_of_what_does_not_fly_changes_nothing(self) -> None:
        one = slow()
        answer(one, first(one), SENT)
        before = one.world.agenda()
        land(one, "of a worker of before", "2026-03-02 09:10")
        assert one.world.agenda() == before


class TestRowsOfBefore:
    """The rows of 3766e87: messages that fly, that landed, that came back."""

    def test_a_worker_goes_on_with_what_flew(self) -> None:
        world = World("2026-03-05 17:01:22", bare=True)
        file = Path(__file__).parents[2] / "golden" / "rows" / "3766e87.jsonl"
        for row in map(orjson.loads, file.read_bytes().splitlines()):
            world.simulation.rows[row["store"]][row["key"].encode()] = orjson.dumps(row["row"])
        world.restart().wait("2026-03-06 09:00")
        assert sorted((one["client"], one["reason"], one["status"], one["attempt"]) for one in world.log) == [
            ("anna", "direct", "sent", 1),  # what changed while its message flew
            ("anna", "direct", "sent", 2),
            ("eva", "direct", "sent", 2),
            ("eva", "reminder", "suppressed", 0),  # it waited for that one, which told all of it
            ("fien", "direct", "sent", 6),
            ("gijs", "direct", "sent", 2),
            ("gijs", "direct", "unknown", 1),  # nobody answered its claim
        ]
        agendas = [world.agenda(name) for name in ("anna", "bert", "cees", "dirk", "eva", "fien", "gijs", "hans", "ina")]
        assert [agenda.flight for agenda in agendas] == [{}] * 9
        assert [len(agenda.known or ()) for agenda in agendas] == [5, 1, 0, 1, 1, 1, 1, 1, 1]


def test_a_message_that_flies_survives_a_restart_of_both() -> None:
    one = slow()
    call = first(one)
    one.start()
    one.world.book("2026-04-18 09:00", id="b").wait("2026-03-02 09:00:31")
    one.notices.loaded()
    (after,) = answer(one, call, SENT, "2026-03-02 09:02")
    assert (kinds([after]), at("2026-03-02 09:02") - after.request.delivery.decided) == (["created"], timedelta())


def test_a_reminder_that_surely_did_not_arrive_takes_back_what_it_was_the_first_to_tell() -> None:
    one = slow(reminder={"days_before": 1, "at": "10:00"})
    one.world.book("2026-03-10 11:00", notify="reminder").wait("2026-03-09 10:00")
    (reminder,) = one.turn("2026-03-09 10:00")
    answer(one, reminder, RETRY, "2026-03-09 10:00:05")
    one.world.wait("2026-03-09 10:00:10").book("2026-03-10 11:00", rev=2, notify="none").wait("2026-03-09 10:10")
    assert one.turn("2026-03-09 10:10") == []
    one.world.book("2026-03-10 12:00", rev=3, notify="none").wait("2026-03-09 10:20")
    assert silences(one)[-1] == ("suppressed", "notify", "a")
