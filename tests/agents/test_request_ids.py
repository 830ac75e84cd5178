"""Ids by which one event can be followed: what counts as one, and where it goes."""

from __future__ import annotations

import pytest

from agents import request_ids

GOOD = "0123456789abcdef0123456789abcdef"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CE = "A234-1234-1234"


@pytest.mark.parametrize(
    "said",
    [None, "", "x", GOOD[1:], GOOD + "0", GOOD.upper(), f"{GOOD}\n", f"anna@linde.example {GOOD}", "é" * 32, "0" * 31 + "\u0661"],
)
def test_what_is_no_id_is_replaced_by_one(said: str | None) -> None:
    made = request_ids.taken(said)
    assert made != said
    assert request_ids.taken(made) == made


def test_an_id_of_the_proxys_form_is_taken() -> None:
    assert request_ids.taken(GOOD) == GOOD


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("request-id", GOOD.encode())], {"request_id": GOOD}),
        ([("traceparent", TRACE.encode()), ("ce_id", b"6f2f0b0e-5a3d-4f6e-9d8e-0a1b2c3d4e5f")],
         {"traceparent": TRACE, "ce_id": "6f2f0b0e-5a3d-4f6e-9d8e-0a1b2c3d4e5f"}),
        ([("ce_id", b"anna-de-vries"), ("baggage", b"client=anna"), ("request-id", b"\xff"), ("traceparent", b"")], {}),
        ([("ce_id", None)], {}),
        ([], {}),
    ],
    ids=["ours", "others'", "what could name a person", "a null", "none"],
)  # fmt: skip
def test_a_line_has_those_that_name_nobody(headers: list[tuple[str, bytes]], found: dict[str, str]) -> None:
    assert request_ids.of(headers) == found


def test_what_is_written_for_no_request_has_no_id() -> None:
    assert request_ids.headers() == []
