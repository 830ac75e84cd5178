"""The order of a turn, with a changelog and an outlet that only remember."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from agents.engine.actor import Actor
from agents.engine.calls import Calls
from agents.engine.changelog import Partition
from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.outbox import OUTBOX_KEY, decode_outputs, encode_offset, encode_outputs, offset_key
from streams.turn import Call, Decision, Output, Record, Turn

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Raw(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 0


class World:
    """The changelog and the outlet: what happened, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.hooks = Monitor()
        self.now = NOW
        self.part = Partition({})

    def clock(self) -> datetime:
        return self.now

    async def append(self, p: int, entries: dict[bytes, bytes | None]) -> None:
        await asyncio.sleep(0)
        self.part.apply(entries)
        self.events.append(("append", dict(entries)))

    async def repair(self, p: int, keys: set[bytes]) -> None:
        self.events.append(("repair", keys))

    async def send(self, outputs: list[Output], own: int) -> None:
        await asyncio.sleep(0)
        self.events.append(("send", list(outputs)))

    def finish(self, topic: str, partition: int, offset: int) -> None:
        self.events.append(("finish", topic, offset))

    def kinds(self) -> list[str]:
        return [event[0] for event in self.events]


class Script:
    """A shard that does what a function says."""

    def __init__(self, world: World, decide: Callable[[Turn], Decision]) -> None:
        self.world, self.what, self.turns = world, decide, []  # type: ignore[var-annotated]
        self.due: datetime | None = None

    def loaded(self) -> None: ...

    def decide(self, turn: Turn) -> Decision:
        self.turns.append(turn)
        self.world.events.append(("decide", len(turn.records)))
        return self.what(turn)

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        self.world.events.append(("applied", dict(rows)))

    def next_due(self) -> datetime | None:
        return self.due


def an_actor(world: World, decide: Callable[[Turn], Decision], *, waits: bool = False, call: Any = None) -> tuple[Actor, Script]:
    shard = Script(world, decide)
    spec = NodeSpec("node", ("in", "other"), lambda p, rows, peers: shard, call=call, slots=2)
    calls = Calls(spec, world.clock, world.hooks, lambda: actor.tick())
    actor = Actor("node", 3, shard, world.part, world, world, spec.topics, calls, lambda: 1, waits)
    return actor, shard


def deliver(actor: Actor, *offsets: int, topic: str = "in") -> None:
    actor.expect(topic, len(offsets))
    actor.receive(topic, [Raw(o, b"k%d" % o, b"v") for o in offsets])


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def run(actor: Actor, then: Callable[[], None] = lambda: None) -> None:
    """Run until nothing is left to do, then drain."""
    task = asyncio.create_task(actor.run())
    await settle()
    then()
    await settle()
    actor.drain()
    await task


def count(turn: Turn) -> Decision:
    """A row and an output for each record."""
    decision = Decision(taken=len(turn.records))
    for record in turn.records:
        decision.put(record.key or b"", b"row")
        decision.emit(Output("out", record.key, b"said"))
    return decision


async def test_rows_offset_and_outbox_are_one_append_and_the_outputs_follow_it() -> None:
    world = World()
    actor, _ = an_actor(world, count)
    deliver(actor, 0, 1)
    await run(actor)

    outputs = [Output("out", b"k0", b"said"), Output("out", b"k1", b"said")]
    rows = {b"k0": b"row", b"k1": b"row"}
    assert world.events == [
        ("decide", 2),
        ("append", {**rows, offset_key("in"): encode_offset(2), OUTBOX_KEY: encode_outputs(outputs)}),
        ("applied", rows),
        ("send", outputs),
        ("finish", "in", 2),
        ("append", {OUTBOX_KEY: None}),
    ]
    assert actor.waiting == {"in": 0, "other": 0}


async def test_an_outbox_that_a_crash_left_is_sent_again_before_the_first_turn() -> None:
    world, left = World(), [Output("out", b"k9", b"said", 1, (("h", b"1"),))]
    world.part.apply({OUTBOX_KEY: encode_outputs(left), offset_key("in"): encode_offset(10)})
    actor, _ = an_actor(world, count)
    deliver(actor, 8, 9, 10)
    await run(actor)

    assert world.events[:3] == [("send", left), ("finish", "in", 10), ("decide", 1)]
    assert world.kinds().count("decide") == 1, "what is before the offset in the rows is not handled again"


async def test_records_without_effect_leave_their_offset_and_nothing_else() -> None:
    world = World()
    actor, _ = an_actor(world, lambda turn: Decision(taken=len(turn.records)))
    deliver(actor, 5, 6)
    await run(actor)

    assert world.events == [("decide", 2), ("append", {offset_key("in"): encode_offset(7)}), ("finish", "in", 7)]


async def test_what_was_not_taken_comes_first_in_the_next_turn() -> None:
    def one(turn: Turn) -> Decision:
        decision = Decision(taken=min(1, len(turn.records)))
        for record in turn.records[:1]:
            decision.put(record.key or b"", b"row")
        return decision

    world = World()
    actor, shard = an_actor(world, one)
    deliver(actor, 0, 1, 2)
    await run(actor)

    assert [[r.offset for r in turn.records] for turn in shard.turns] == [[0, 1, 2], [1, 2], [2]]
    assert actor.offsets == {"in": 3}


async def test_more_means_another_turn_at_once() -> None:
    world, left = World(), [3]

    def fire(turn: Turn) -> Decision:
        left[0] -= 1
        decision = Decision(taken=len(turn.records), more=left[0] > 0)
        decision.put(b"row", b"%d" % left[0])
        return decision

    actor, shard = an_actor(world, fire)
    deliver(actor, 0)
    await run(actor)

    assert len(shard.turns) == 3


async def test_a_shard_that_can_do_nothing_is_not_asked_again_until_something_changes() -> None:
    world = World()
    actor, shard = an_actor(world, lambda turn: Decision())
    shard.due = NOW - timedelta(hours=1)
    deliver(actor, 0)
    await run(actor, actor.tick)

    assert len(shard.turns) == 2, "one for the record, one for the tick"


async def test_no_moment_fires_before_the_first_horizon() -> None:
    world = World()

    def fire(turn: Turn) -> Decision:
        shard.due = None
        return Decision(rows={b"r": b""})

    actor, shard = an_actor(world, fire, waits=True)
    shard.due = NOW - timedelta(hours=1)
    task = asyncio.create_task(actor.run())
    actor.tick()
    await settle()
    assert shard.turns == []

    actor.horizon = NOW
    actor.tick()
    await settle()
    assert [turn.due for turn in shard.turns] == [NOW]
    actor.drain()
    await task


async def test_a_call_starts_only_after_its_claim_is_durable_and_sent() -> None:
    world = World()

    async def call(request: Any) -> str:
        world.events.append(("call", request))
        return "ok"

    def claim(turn: Turn) -> Decision:
        decision = Decision(taken=len(turn.records))
        for record in turn.records:
            decision.put(record.key or b"", b"claimed")
            decision.emit(Output("out", b"k", b"claiming"))
            decision.calls.append(Call(record.key or b"", "please"))
        for result in turn.results:
            decision.put(result.key, str(result.outcome).encode())
        return decision

    actor, shard = an_actor(world, claim, call=call)
    deliver(actor, 0)
    await run(actor)

    assert world.kinds()[:7] == ["decide", "append", "applied", "send", "finish", "call", "decide"]
    assert shard.turns[0].room == 2
    assert world.part.rows[b"k0"] == b"ok"


async def test_a_drain_takes_no_records_but_waits_for_calls_in_flight() -> None:
    world, gate = World(), asyncio.Event()

    async def call(request: Any) -> str:
        await gate.wait()
        return "ok"

    def claim(turn: Turn) -> Decision:
        decision = Decision(taken=len(turn.records), calls=[Call(r.key or b"", None) for r in turn.records])
        for result in turn.results:
            decision.put(result.key, b"done")
        return decision

    actor, shard = an_actor(world, claim, call=call)
    deliver(actor, 0)
    task = asyncio.create_task(actor.run())
    await settle()
    actor.drain()
    deliver(actor, 1)
    await settle()
    assert not task.done()

    gate.set()
    await task
    assert world.part.rows == {b"k0": b"done"}
    assert [len(turn.records) for turn in shard.turns] == [1, 0]
    assert (shard.turns[1].room, shard.turns[1].due) == (0, None)


@pytest.mark.parametrize("key", [OUTBOX_KEY, b"\0", b""])
async def test_a_row_may_not_use_the_engines_keys(key: bytes) -> None:
    world = World()
    actor, _ = an_actor(world, lambda turn: Decision(taken=len(turn.records), rows={b"k": b"fine", key: b"x"}))
    deliver(actor, 0)
    with pytest.raises(ValueError, match="empty or begins with NUL"):
        await actor.run()
    assert world.kinds() == ["decide"], "and nothing of the decision became durable"


async def test_an_output_that_no_topic_takes_is_refused_before_it_is_durable() -> None:
    world = World()
    actor, _ = an_actor(world, lambda turn: Decision(taken=1, outputs=[Output("out", b"k", bytes(5 << 20))]))
    deliver(actor, 0)
    with pytest.raises(ValueError, match="an output to out has"):
        await actor.run()
    assert "append" not in world.kinds()


async def test_the_outbox_of_a_turn_replaces_the_one_before() -> None:
    world = World()
    actor, _ = an_actor(world, count)
    deliver(actor, 0)
    await run(actor, lambda: deliver(actor, 1))
    boxes = [entries[OUTBOX_KEY] for kind, *rest in world.events if kind == "append" for entries in rest]
    assert [[o.key for o in decode_outputs(box)] for box in boxes] == [[b"k0"], [b"k1"], []]


async def test_markers_that_are_no_records_are_passed_over() -> None:
    world = World()
    world.part.apply({offset_key("in"): encode_offset(4)})
    actor, _ = an_actor(world, count)
    actor.position("in", 4)
    actor.skip("in", 6)
    assert (actor.offsets["in"], world.events) == (6, [("finish", "in", 6)])
    deliver(actor, 6)
    actor.skip("in", 7)
    assert actor.offsets["in"] == 6, "a record is on its way: the turn that takes it says so"


async def test_nothing_is_committed_of_a_topic_of_which_the_rows_know_nothing() -> None:
    world = World()
    actor, _ = an_actor(world, count)
    await run(actor, lambda: actor.skip("in", 6))
    assert world.events == [("append", {offset_key("in"): encode_offset(6)}), ("finish", "in", 6)]


async def test_where_reading_begins_is_not_committed_as_read() -> None:
    """A topic that counts as read is not held at a first start; and positions may come while an outbox is sent again."""
    world = World()
    world.part.apply({OUTBOX_KEY: encode_outputs([Output("out", b"k", b"left")]), offset_key("in"): encode_offset(10)})
    actor, _ = an_actor(world, count)
    task = asyncio.create_task(actor.run())
    await asyncio.sleep(0)
    actor.position("other", 0)
    await settle()
    actor.drain()
    await task
    assert [event[1:] for event in world.events if event[0] == "finish"] == [("in", 10)]


async def test_keys_that_a_former_owner_wrote_late_are_written_again() -> None:
    world = World()
    actor, _ = an_actor(world, count)
    await run(actor, lambda: actor.overwritten({b"k"}))
    assert world.events == [("repair", {b"k"})]


def test_records_are_those_of_the_interface() -> None:
    assert Record("t", 1, 2, b"k", b"v").__struct_fields__ == ("topic", "partition", "offset", "key", "value", "written")
