"""Status reports of the SMS provider: forward only, whatever their order, and what an unknown outcome becomes by them."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.deliveries import DeliveryReport
from schemas.ledger import LedgerRow
from schemas.wire import encode
from streams.processing.turn import Call, Record, Result, Turn
from streams.sending.outcomes import Outcome
from streams.sending.report_rules import billed_parts, corrected, correction
from tests.world import at, key_of

from .test_sending import SENT, Desk, desk


def report(call: Call, status: str, **changes: Any) -> DeliveryReport:
    delivery = call.request.delivery
    said = {
        "organisation": delivery.organisation, "client": delivery.client, "message": delivery.message,
        "attempt": call.request.attempt, "status": status, "at": at("2026-03-02 09:00"),
    }  # fmt: skip
    return DeliveryReport(**{**said, **changes})


def hear(one: Desk, now: str, *reports: DeliveryReport, room: int = 8) -> list[Call]:
    """The reports come in, in one turn."""
    values = [encode(said) for said in reports]
    records = [Record("delivery-reports", 0, number, key_of(value), value) for number, value in enumerate(values)]
    decision = one.processor.decide(Turn(at(now), records, due=at(now), room=room))
    one.keep(decision)
    return decision.calls


def booked(pieces: int = 1) -> tuple[Desk, Call]:
    """A message of so many pieces that was sent."""
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    sent = Outcome(kind="sent", text="Er is …", each=(1,) * pieces, piece=pieces)
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, sent)])
    return one, call


def statuses(one: Desk) -> list[str]:
    return [record["status"] for record in one.log]


def state(one: Desk) -> str:
    (row,) = one.rows.values()
    return str(orjson.loads(row)["status"])


def test_a_delivered_report_is_logged_once_however_often_it_comes() -> None:
    one, call = booked()
    for _ in range(3):
        hear(one, "2026-03-02 09:01", report(call, "delivered"))
    assert statuses(one) == ["sent", "delivered"]
    assert (one.log[-1]["attempt"], one.log[-1]["address"], one.log[-1]["text"]) == (1, "+31*******78", None)
    assert one.log[-1]["notices"] == one.log[0]["notices"]
    assert one.tally["reported", "repeated"] == 2


@pytest.mark.parametrize("order", itertools.permutations(["sent", "buffered", "delivered", "delivery_failed", "expired"]))
def test_every_order_of_reports_ends_in_the_same(order: tuple[str, ...]) -> None:
    one, call = booked()
    for status in order:
        hear(one, "2026-03-02 09:01", report(call, status))
    assert state(one) == "delivered"
    assert statuses(one)[-1] == "delivered"
    assert statuses(one).count("delivered") == 1


@pytest.mark.parametrize(("status", "error"), [("delivery_failed", 7), ("delivery_failed", 34), ("expired", None)])
def test_what_did_not_arrive_has_failed(status: str, error: int | None) -> None:
    one, call = booked()
    hear(one, "2026-03-02 09:01", report(call, status, error=error), report(call, "sent"), report(call, "scheduled"))
    assert statuses(one) == ["sent", "failed"]
    assert one.log[-1]["detail"] == f"report: {status}" + (f"/{error}" if error else "")


def test_a_report_outlives_a_restart_and_may_come_before_the_answer() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    hear(one, "2026-03-02 09:00:01", report(call, "delivered"))
    one.start()
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, SENT)])
    assert statuses(one) == ["sent", "delivered"]


def test_a_message_in_pieces_is_delivered_when_all_of_them_are() -> None:
    one, call = booked(pieces=3)
    hear(one, "2026-03-02 09:01", report(call, "delivered", piece=2), report(call, "delivered", piece=0))
    assert statuses(one) == ["sent"]
    hear(one, "2026-03-02 09:01", report(call, "delivered", piece=1))
    assert statuses(one) == ["sent", "delivered"]


def test_a_message_of_which_a_piece_failed_has_failed() -> None:
    one, call = booked(pieces=2)
    hear(one, "2026-03-02 09:01", report(call, "delivered", piece=0), report(call, "delivery_failed", piece=1, error=7))
    assert statuses(one) == ["sent", "failed"]


def test_reports_on_what_we_do_not_know_are_counted_and_dropped() -> None:
    one, call = booked()
    before = dict(one.rows)
    hear(one, "2026-03-02 09:01", report(call, "delivered", message="x"), report(call, "delivered", attempt=2))
    assert one.rows == before
    assert one.tally["reported", "unknown"] == 2
    assert statuses(one) == ["sent"]


# -- an outcome that nobody knew


def unknown() -> tuple[Desk, Call]:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:20", results=[Result(call.key, None)])
    return one, call


@pytest.mark.parametrize("status", ["scheduled", "sent", "buffered", "delivered"])
def test_a_report_resolves_an_unknown_outcome_and_the_sms_does_not_go_again(status: str) -> None:
    one, call = unknown()
    (words,) = hear(one, "2026-03-02 09:00:30", report(call, status))
    assert words.request.settle
    assert words.request.piece == 1
    one.turn("2026-03-02 09:00:31", results=[Result(words.key, SENT)])
    assert one.turn("2026-03-02 09:30") == []
    assert one.outcomes == [("unknown", 1), ("sent", 1)] + ([("delivered", 1)] if status == "delivered" else [])
    assert one.log[1]["text"] == "Er is …"


def test_one_that_failed_for_good_was_sent_and_has_failed() -> None:
    one, call = unknown()
    (words,) = hear(one, "2026-03-02 09:00:30", report(call, "delivery_failed", error=7))
    one.turn("2026-03-02 09:00:31", results=[Result(words.key, SENT)])
    assert one.turn("2026-03-02 09:30") == []
    assert one.outcomes == [("unknown", 1), ("sent", 1), ("failed", 1)]


def test_one_that_failed_for_now_goes_again_at_once_and_is_not_waited_for() -> None:
    one, call = unknown()
    assert hear(one, "2026-03-02 09:00:30", report(call, "delivery_failed", error=34)) == []
    (again,) = one.turn("2026-03-02 09:00:50")
    assert (again.request.settle, again.request.attempt) == (False, 2)
    assert one.outcomes == [("unknown", 1), ("retrying", 1)]


def test_a_report_that_comes_after_the_second_try_was_dropped_still_counts() -> None:
    one = desk()
    one.world.book("2026-03-02 09:05")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:20", results=[Result(call.key, None)])
    assert one.turn("2026-03-02 09:10:20") == []
    one.start()
    (words,) = hear(one, "2026-03-02 09:12", report(call, "delivered"))
    one.turn("2026-03-02 09:12:01", results=[Result(words.key, SENT)])
    assert one.outcomes == [("unknown", 1), ("expired", 1), ("sent", 1), ("delivered", 1)]


def test_a_report_after_the_second_unknown_still_counts() -> None:
    one, call = unknown()
    (again,) = one.turn("2026-03-02 09:10:20")
    one.turn("2026-03-02 09:10:40", results=[Result(again.key, None)])
    (words,) = hear(one, "2026-03-02 09:12", report(call, "delivered"))
    one.turn("2026-03-02 09:12:01", results=[Result(words.key, SENT)])
    assert one.outcomes == [("unknown", 1), ("unknown", 2), ("sent", 2), ("delivered", 2)]


def test_a_report_on_the_first_try_stops_the_second_one_from_being_retried() -> None:
    one, call = unknown()
    (again,) = one.turn("2026-03-02 09:10:20")
    hear(one, "2026-03-02 09:10:21", report(call, "sent"))
    (words,) = one.turn("2026-03-02 09:10:22", results=[Result(again.key, Outcome(kind="retry", detail="503"))])
    assert words.request.settle


def test_a_claim_that_was_abandoned_is_resolved_by_the_report_that_came_meanwhile() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    hear(one, "2026-03-02 09:00:02", report(call, "sent"))
    one.start()
    (words,) = one.turn("2026-03-02 09:00:40")
    one.turn("2026-03-02 09:00:41", results=[Result(words.key, SENT)])
    assert one.outcomes == [("sent", 1)]


def test_settling_survives_a_crash_and_words_that_fail() -> None:
    one, call = unknown()
    hear(one, "2026-03-02 09:00:30", report(call, "sent"), room=8)
    one.start()
    (words,) = one.turn("2026-03-02 09:01:01")
    one.turn("2026-03-02 09:01:02", results=[Result(words.key, None)])
    assert one.outcomes == [("unknown", 1), ("sent", 1)]


def test_of_a_long_message_the_rest_goes_out_after_the_gates_are_checked_again() -> None:
    one, call = unknown()
    (words,) = hear(one, "2026-03-02 09:00:30", report(call, "sent"))
    one.turn("2026-03-02 09:00:31", results=[Result(words.key, Outcome(kind="retry", detail="pieces_remain", piece=1))])
    (rest,) = one.turn("2026-03-02 09:01")
    assert (rest.request.piece, rest.request.attempt, rest.request.settle) == (1, 2, False)


def test_later_messages_wait_until_it_is_settled() -> None:
    one, call = unknown()
    one.world.book("2026-04-18 13:15", id="b")
    assert one.turn("2026-03-02 09:00:25") == []
    (words,) = hear(one, "2026-03-02 09:00:30", report(call, "sent"))
    (later,) = one.turn("2026-03-02 09:00:31", results=[Result(words.key, SENT)])
    assert later.request.delivery.notices[0].appointment == "b"


# -- what else a report says


def test_a_stop_turns_the_channel_off() -> None:
    one, call = booked()
    for _ in range(2):
        hear(one, "2026-03-02 09:01", report(call, "delivery_failed", error=103))
    assert [topic for topic, _ in one.other] == ["client-events", "opt-outs"]
    assert orjson.loads(one.other[1][1]) == {
        "organisation": "zorg", "client": "anna", "channel": "sms", "off": True, "source": "provider",
    }  # fmt: skip


def test_a_number_that_is_unknown_is_told_to_who_keeps_the_contact() -> None:
    one, call = booked()
    hear(one, "2026-03-02 09:01", report(call, "delivery_failed", error=1))
    (_, (topic, value), (_, back)) = one.other
    assert topic == "client-events"
    assert orjson.loads(value)["bounce"]["channel"] == "sms"
    assert orjson.loads(back)["outcome"]["became"] == "back"
    assert b"+316" not in value + back


def test_a_count_of_parts_that_differs_is_told() -> None:
    one, call = booked()
    hear(one, "2026-03-02 09:01", report(call, "delivered", parts=2))
    assert one.log[-1]["detail"] == "2 parts billed, 1 logged"
    assert one.tally["parts_differ", "report"] == 1


def test_the_parts_billed_are_those_of_all_pieces_and_of_every_attempt_that_the_provider_has() -> None:
    _, call = booked()
    row = LedgerRow(
        status="sent", order=0, attempt=2, at=call.request.now, keep_until=call.request.now, parts=(9, 3), carried=(1, 2),
        billed={"1.0": 10, "2.1": 3},
    )  # fmt: skip
    assert billed_parts(row) == 13
    assert billed_parts(replace(row, billed={"1.0": 9, "2.1": 3})) is None  # as logged
    assert billed_parts(replace(row, billed={"1.0": 9, "1.1": 3, "2.1": 3})) == 15  # the second piece twice
    assert billed_parts(replace(row, billed={"0.0": 8})) == 11  # a provider that does not tell attempts apart
    for cannot_be in (-5, 0, 10**30, 99_999_999, 181):
        assert billed_parts(replace(row, billed={"1.0": cannot_be, "2.1": 3})) is None, cannot_be
    assert billed_parts(replace(row, billed={})) is None
    assert billed_parts(replace(row, parts=())) is None


@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from(["", "report: expired; "]))
def test_a_correction_is_read_as_it_was_told(parts: int, logged: int, before: str) -> None:
    assert corrected(before + correction(parts, logged)) == (parts, logged)
    assert corrected(correction(parts, logged) + " or so") is None


def test_the_log_has_the_parts_that_the_provider_bills_and_says_where_we_counted_others() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    billed = Outcome(kind="sent", detail=None, text="…", each=(2,), counted=1, piece=1)
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, billed)])
    assert (one.log[0]["parts"], one.log[0]["cost"]["amount"]) == (2, "0.16")
    assert one.log[0]["detail"] == "1 parts by our own count"
