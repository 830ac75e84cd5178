"""Calls: bounded in number and time, never long after their claim."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.tasks.calls import Calls
from streams.processing.turn import Call, Result

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def calls_of(call: Any, *, max_in_flight_calls: int = 8, clock: datetime = NOW, freed: list[None] | None = None) -> Calls:
    spec = NodeSpec("n", (), lambda p, rows, peers: None, call=call, max_in_flight_calls=max_in_flight_calls, call_timeout=0.05)  # type: ignore[arg-type,return-value]
    return Calls(spec, lambda: clock, Monitor(), lambda: (freed if freed is not None else []).append(None))


async def outcome_of(calls: Calls, now: datetime = NOW, began: float | None = None) -> Result:
    ended: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    calls.reserve(1)
    calls.start(Call(b"k", "r", "5f3a"), now, time.monotonic() if began is None else began, ended.set_result)
    return await ended


async def ok(request: Any) -> str:
    return f"did {request}"


async def test_an_outcome_comes_back_under_its_key_and_frees_the_slot() -> None:
    freed: list[None] = []
    calls = calls_of(ok, freed=freed)
    assert await outcome_of(calls) == Result(b"k", "did r")
    await asyncio.sleep(0)
    assert (calls.busy, freed) == (0, [None])


def line_of(caplog: pytest.LogCaptureFixture, *more: str) -> tuple[str, dict[str, Any]]:
    """The first line of the log, and fields of it, each up to its first line end."""
    record = caplog.records[0]
    fields = {name: getattr(record, name) for name in ("node", "message_id", *more)}
    return record.getMessage(), {name: one.split("\n")[0] if isinstance(one, str) else one for name, one in fields.items()}


async def hang(request: Any) -> None:
    await asyncio.sleep(60)


async def ignore_cancellation(request: Any) -> None:
    for _ in range(20):
        try:
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            continue


async def fail(request: Any) -> None:
    raise RuntimeError("as nobody expected")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (hang, ("a call timed out", {"seconds": 0.05})),
        (ignore_cancellation, ("a call timed out", {"seconds": 0.05})),
        (fail, ("a call raised; its outcome is unknown", {"error": "RuntimeError in"})),
    ],
)
async def test_the_outcome_is_unknown_where_a_call_times_out_or_raises(
    call: Any, told: tuple[str, dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    assert await outcome_of(calls_of(call)) == Result(b"k", None)
    assert line_of(caplog, *told[1]) == (told[0], {"node": "n", "message_id": "5f3a", **told[1]})


async def test_a_call_is_not_made_long_after_its_claim_by_either_clock(caplog: pytest.LogCaptureFixture) -> None:
    assert await outcome_of(calls_of(ok), now=NOW - timedelta(seconds=6)) == Result(b"k", None, made=False)
    assert await outcome_of(calls_of(ok), began=time.monotonic() - 6) == Result(b"k", None, made=False)
    assert caplog.messages == ["a call was not made: its claim is too old"] * 2
    assert line_of(caplog)[1] == {"node": "n", "message_id": "5f3a"}


def test_room_is_shared_and_never_more_than_is_free() -> None:
    calls = calls_of(ok, max_in_flight_calls=8)
    assert (calls.room(4), calls.room(100), calls.room(0)) == (2, 1, 8)
    calls.reserve(7)
    assert calls.room(4) == 1
    calls.reserve(1)
    assert calls.room(4) == 0


def test_a_node_that_calls_nobody_has_no_room() -> None:
    assert calls_of(None).room(1) == 0
