"""Every fail-stop says where it was: node, partition, topic and offsets; and nothing of what a record said."""

from __future__ import annotations

import asyncio
import logging

import pytest

from agents.engine.app import Engine
from agents.engine.faults import told
from agents.engine.node import NodeSpec
from agents.engine.transport.light_records import LightResponses
from streams.processing.turn import BadRowError, Decision, Turn

from .tasks.test_task import Script, World, a_task, count, deliver, run, settle
from .transport.test_light_records import TP, answer

SECRET = "zorg/anna"


class Died(Exception):  # noqa: N818
    """What `die` was told."""


async def ended(task: object) -> str:
    """What the task raises at its end, as the engine tells it."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - any
        await task.run()  # type: ignore[attr-defined]
    return told(raised.value)


async def test_a_fault_in_a_decision_names_the_records_of_its_turn_and_says_nothing_of_them() -> None:
    def decide(turn: Turn) -> Decision:
        error = KeyError(SECRET)
        error.add_note("at in/3, offset 8")
        raise error

    task, _ = a_task(World(), decide)
    deliver(task, 7, 8)
    deliver(task, 20, topic="other")
    handled = "in/3, offsets 7 to 8 and other/3, offset 20"
    assert await ended(task) == f"KeyError; at in/3, offset 8; in node node, partition 3: {handled}"


async def test_a_row_that_cannot_be_read_is_told_with_the_records_that_needed_it() -> None:
    def decide(turn: Turn) -> Decision:
        raise BadRowError(b"consents/zorg/anna", "the row of consents: junk")

    task, _ = a_task(World(), decide)
    deliver(task, 7)
    assert await ended(task) == "BadRowError: the row of consents: junk; in node node, partition 3: in/3, offset 7"


async def test_a_turn_that_cannot_be_made_durable_names_its_records() -> None:
    class Full(World):
        async def append(self, p: int, entries: dict[bytes, bytes | None]) -> None:
            raise OSError("no")

    task, _ = a_task(Full(), count)
    deliver(task, 7, 8)
    assert await ended(task) == "OSError: no; in node node, partition 3: in/3, offsets 7 to 8"


def test_a_batch_that_cannot_be_unpacked_says_of_which_partition_and_from_where_on() -> None:
    answers = LightResponses()
    answers[TP] = answer((b"a", b"1", []))
    records = answers[TP]._partition_records

    def unpack() -> object:
        yield from ()
        raise ValueError("no such codec")

    records._records_iterator = unpack()
    with pytest.raises(ValueError, match="no such codec") as raised:
        list(records)
    assert told(raised.value) == f"ValueError: no such codec; at {TP.topic}/{TP.partition}, offset 0 or after it"


async def test_the_engine_says_all_of_it_in_its_last_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def leave(code: int) -> None:
        raise Died(code)

    monkeypatch.setattr("agents.engine.app.leave", leave)
    app = Engine("faults", "127.0.0.1:9", [], 4)

    def decide(turn: Turn) -> Decision:
        raise KeyError(SECRET)

    task, _ = a_task(World(), decide)
    deliver(task, 7)
    with caplog.at_level(logging.CRITICAL, "engine"), pytest.raises(Died):
        await app._guard(task.run())
    assert caplog.messages[0].startswith("fail-stop: KeyError; in node node, partition 3: in/3, offset 7\nKeyError in\n")
    assert "decide" in caplog.messages[0], "where it was raised"
    assert SECRET not in caplog.text


async def test_a_main_loop_that_stands_still_says_in_which_decision() -> None:
    told: list[str] = []
    tasks = Engine("faults", "127.0.0.1:9", [NodeSpec("node", ("in",), lambda p, rows, peers: Script(World(), count))], 4).tasks

    def decide(turn: Turn) -> Decision:
        told.append(tasks.deciding())
        return count(turn)

    task, _ = a_task(World(), decide)
    tasks.by_node["node"][3] = task
    deliver(task, 7, 8)
    await run(task)
    assert told == ["node node, partition 3: in/3, offsets 7 to 8"]
    assert tasks.deciding() == ""


async def test_work_that_does_not_end_in_time_is_named_when_partitions_are_given_away() -> None:
    app = Engine("faults", "127.0.0.1:9", [NodeSpec("node", ("in",), lambda p, rows, peers: Script(World(), count))], 4)

    class Slow(World):
        async def append(self, p: int, entries: dict[bytes, bytes | None]) -> None:
            await asyncio.sleep(60)

    task, _ = a_task(Slow(), count)
    deliver(task, 7)
    running = app.tasks._running[task] = app.background(task.run())
    await settle()
    late = await app.tasks.close(0.01)
    assert [one.place() for one in late] == ["node node, partition 3: in/3, offset 7"]
    running.cancel()
