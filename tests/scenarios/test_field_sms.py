"""What went wrong for users of other systems with SMS and its webhooks , row by row, as tests of ours.

Rows 22 and 23 (parts, and the preview that says what costs) are in `tests/renderers`; error classes through real sockets in
`tests/agents`; a worker that is killed in the middle of a call in `tests/broker`.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from agents.providers.messagebird_answers import messagebird
from renderers.gsm7 import measure, split
from streams.processing.turn import Call, Result
from streams.sending.outcomes import Outcome
from tests.scenarios.test_contacts import at_once, book, report
from tests.streams.sending.test_reports import hear, statuses, unknown
from tests.streams.sending.test_reports import report as report_on
from tests.streams.sending.test_sending import SENT, desk
from tests.world import World


def test_row_7_a_time_out_after_which_the_provider_had_it_is_unknown_and_its_second_receipt_is_ignored() -> None:
    one, call = unknown()
    (words,) = hear(one, "2026-03-02 09:01", report_on(call, "delivered"))
    one.turn("2026-03-02 09:01:01", results=[Result(words.key, SENT)])
    hear(one, "2026-03-02 09:02", report_on(call, "delivered"), report_on(call, "sent"))
    assert statuses(one) == ["unknown", "sent", "delivered"]
    assert one.turn("2026-03-03 09:00") == [], "it does not go again"


def test_row_8_two_workers_never_both_send_a_message() -> None:
    """The claim is durable before the call; who takes the partition over finds it and leaves it alone."""
    one = desk()
    one.world.book("2026-04-17 13:15")
    one.turn("2026-03-02 09:00:01")
    one.start()
    assert one.turn("2026-03-02 09:00:02", repeat=True) == []
    assert one.turn("2026-03-02 09:00:30") == []


def test_row_8_a_worker_that_dies_after_the_providers_200_leaves_an_unknown_and_the_report_tells() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.start()
    one.turn("2026-03-02 09:00:31")
    (words,) = hear(one, "2026-03-02 09:00:40", report_on(call, "sent"))
    assert words.request.settle, "nothing is sent"
    one.turn("2026-03-02 09:00:41", results=[Result(words.key, SENT)])
    assert one.outcomes == [("unknown", 1), ("sent", 1)]


# Twilio's calculator, issue 66: cases verified on a real line; and what its other issues and its users found.
ROW_22: list[tuple[str, str, int]] = [
    ("a" * 160, "GSM-7", 1), ("a" * 161, "GSM-7", 2), ("a" * 306, "GSM-7", 2), ("a" * 307, "GSM-7", 3),
    ("€" * 80, "GSM-7", 1), ("€" * 81, "GSM-7", 2), ("]" * 153, "GSM-7", 3), ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
    ("a" * 159 + "\r\n", "GSM-7", 2), ("ê" * 70, "UCS-2", 1), ("ê" * 71, "UCS-2", 2), ("ê" * 135, "UCS-2", 3),
    ("😀" * 35, "UCS-2", 1), ("😀" * 36, "UCS-2", 2), ("😀" * 67, "UCS-2", 3), ("e\u0301" * 35, "UCS-2", 1),
    ("€" * 69 + "ê", "UCS-2", 1), ("[" * 70 + "ê", "UCS-2", 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding", "parts"), ROW_22, ids=range(len(ROW_22)))
def test_row_22_parts_are_counted_as_they_are_billed(text: str, encoding: str, parts: int) -> None:
    assert (measure(text).encoding, measure(text).parts) == (encoding, parts)
    assert "".join(split(text)) == text


def test_row_23_a_name_that_makes_it_ucs_2_is_on_the_bill() -> None:
    world = World(
        window={"quiet_seconds": 0, "max_seconds": 0},
        sms={"originator": "Zorg", "before": "Beste cliënt,", "after": "", "unit_price": "0.0825", "currency": "EUR"},
    )
    book(world, 1)
    (sent,) = world.log
    assert sent["parts"] == measure(sent["text"]).parts == 2
    assert sent["cost"] == {"amount": "0.1650", "currency": "EUR"}


@pytest.mark.parametrize("order", itertools.permutations(["sent", "buffered", "delivered", "delivery_failed"]))
def test_row_25_receipts_in_any_order_end_in_the_same_and_delivered_wins(order: tuple[str, ...]) -> None:
    world = book(at_once(), 1)
    for status in order:
        report(world, status)
    states = [record["status"] for record in world.log]
    assert (states[-1], states.count("delivered"), states.count("sent")) == ("delivered", 1, 1)


ROW_26: list[tuple[Any, Any, str]] = [
    (422, {"errors": [{"code": 9, "parameter": "recipient"}]}, "permanent"),
    (422, {"errors": [{"code": 10}]}, "permanent"),
    (400, {"errors": [{"code": 21}]}, "permanent"),
    (401, {"errors": [{"code": 2}]}, "account_stop"),
    (422, {"errors": [{"code": 25}]}, "account_stop"),
    (429, None, "retry"),
    (500, {"errors": [{"code": 99}]}, "retry"),
    (503, "", "retry"),
    (None, {"error": "connect"}, "retry"),
    (None, {"error": "timeout"}, "unknown"),
]


@pytest.mark.parametrize(("status", "body", "answer"), ROW_26)
def test_row_26_each_error_has_its_class(status: Any, body: Any, answer: str) -> None:
    assert messagebird(status, body) == answer


@pytest.mark.parametrize(("kind", "tries"), [("permanent_address", 1), ("permanent_message", 1), ("retry", 12)])
def test_row_26_what_is_final_is_tried_once_and_what_is_not_until_it_is_of_no_use(kind: Any, tries: int) -> None:
    one = desk()
    one.world.book("2026-03-02 10:00")
    made: list[Call] = []
    for minute in range(60):
        calls = one.turn(f"2026-03-02 09:{minute:02d}:30")
        made += calls
        one.turn(f"2026-03-02 09:{minute:02d}:30", room=0, results=[Result(c.key, Outcome(kind=kind, detail="x")) for c in calls])
    assert len(made) >= tries if kind == "retry" else len(made) == tries
    assert statuses(one)[-1] == ("superseded" if kind == "permanent_address" else "failed")


def test_row_26_a_failure_of_the_carrier_is_tried_again_where_nobody_knew_the_outcome() -> None:
    one, call = unknown()
    hear(one, "2026-03-02 09:00:30", report_on(call, "delivery_failed", error=34))
    assert len(one.turn("2026-03-02 09:00:50")) == 1


def test_row_27_a_block_at_the_provider_is_an_opt_out_here() -> None:
    world = book(at_once(), 1)
    report(world, "delivery_failed", 103)
    assert book(world, 2).outcomes[-1] == "suppressed client_off"


def test_row_27_many_clients_of_one_number_each_have_their_own_opt_out() -> None:
    world = at_once()
    world.consent("bram").contact("bram")
    book(world, 1)
    report(world, "delivery_failed", 103)
    world.book("2026-04-02 13:15", id="b", clients=[{"client": "bram", "present": True}])
    assert world.outcomes[-1] == "sent"
    world.consent().contact()
    assert book(world, 3).outcomes[-1] == "suppressed client_off"


def test_row_27_an_opt_out_of_a_provider_is_undone_by_the_client_only() -> None:
    world = book(at_once(), 1)
    report(world, "delivery_failed", 103)
    world.consent()
    assert book(world, 2).outcomes[-1] == "suppressed client_off"
    off = {"organisation": "zorg", "client": "anna", "channel": "sms", "off": False, "source": "client"}
    world.feed("opt-outs", "zorg/anna", off)
    assert book(world, 3).outcomes[-1] == "sent"
    assert world.refused == []
