"""The order of a turn, with a changelog and an outlet that only remember."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from agents.engine.faults import told
from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.state.changelog import Partition
from agents.engine.state.outbox import OUTBOX_KEY, decode_outputs, encode_offset, encode_outputs, offset_key, topic_key
from agents.engine.tasks.calls import Calls
from agents.engine.tasks.task import StreamTask
from agents.engine.transport.consumer import BACKLOG_BYTES, has_room
from agents.engine.transport.sizes import TooLargeError
from streams.processing.turn import Call, Decision, Output, Record, Result, Turn

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Raw(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


class World:
    """The changelog and the outlet: what happened, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.set_aside: list[str] = []
        self.skipped: frozenset[tuple[str, int, int]] = frozenset()
        self.hooks = Monitor()
        self.hooks.on_set_aside = lambda node, topic: self.set_aside.append(topic)  # type: ignore[method-assign]
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

    def fit(self, output: Output) -> Output:
        """Topics of this world take 1 MiB."""
        return output if output.size <= 1 << 20 else Output("aside", output.key, b"of %d bytes" % output.size)

    def finish(self, topic: str, partition: int, offset: int) -> None:
        self.events.append(("finish", topic, offset))

    def kinds(self) -> list[str]:
        return [event[0] for event in self.events]


class Script:
    """A processor that does what a function says."""

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


def a_task(
    world: World, decide: Callable[[Turn], Decision], *, waits: bool = False, call: Any = None, ids: Mapping[str, bytes] = {}
) -> tuple[StreamTask, Script]:
    processor = Script(world, decide)
    spec = NodeSpec("node", ("in", "other"), lambda p, rows, peers: processor, call=call, max_in_flight_calls=2)
    calls = Calls(spec, world.clock, world.hooks, lambda: task.tick())
    task = StreamTask("node", 3, processor, world.part, world, world, spec.topics, calls, lambda: 1, waits, ids)
    return task, processor


def deliver(task: StreamTask, *offsets: int, topic: str = "in") -> None:
    records = [Raw(o, b"k%d" % o, b"v") for o in offsets]
    task.expect(topic, records)
    task.receive(topic, records)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def run(task: StreamTask, then: Callable[[], None] = lambda: None) -> None:
    """Run until nothing is left to do, then drain."""
    running = asyncio.create_task(task.run())
    await settle()
    then()
    await settle()
    task.drain()
    await running


def count(turn: Turn) -> Decision:
    """A row and an output for each record."""
    decision = Decision(taken=len(turn.records))
    for record in turn.records:
        decision.put(record.key or b"", b"row")
        decision.emit(Output("out", record.key, b"said"))
    return decision


async def test_rows_offset_and_outbox_are_one_append_and_the_outputs_follow_it() -> None:
    world = World()
    task, _ = a_task(world, count)
    deliver(task, 0, 1)
    await run(task)

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
    assert task.waiting == {"in": 0, "other": 0}


async def test_an_outbox_that_a_crash_left_is_sent_again_before_the_first_turn() -> None:
    world, left = World(), [Output("out", b"k9", b"said", 1, (("h", b"1"),))]
    world.part.apply({OUTBOX_KEY: encode_outputs(left), offset_key("in"): encode_offset(10)})
    task, _ = a_task(world, count)
    deliver(task, 8, 9, 10)
    await run(task)

    assert world.events[:3] == [("send", left), ("finish", "in", 10), ("decide", 1)]
    assert world.kinds().count("decide") == 1, "what is before the offset in the rows is not handled again"


async def test_records_without_effect_leave_their_offset_and_nothing_else() -> None:
    world = World()
    task, _ = a_task(world, lambda turn: Decision(taken=len(turn.records)))
    deliver(task, 5, 6)
    await run(task)

    assert world.events == [("decide", 2), ("append", {offset_key("in"): encode_offset(7)}), ("finish", "in", 7)]


async def test_what_was_not_taken_comes_first_in_the_next_turn() -> None:
    def one(turn: Turn) -> Decision:
        decision = Decision(taken=min(1, len(turn.records)))
        for record in turn.records[:1]:
            decision.put(record.key or b"", b"row")
        return decision

    world = World()
    task, processor = a_task(world, one)
    deliver(task, 0, 1, 2)
    await run(task)

    assert [[r.offset for r in turn.records] for turn in processor.turns] == [[0, 1, 2], [1, 2], [2]]
    assert task.offsets == {"in": 3}


async def test_results_that_a_full_decision_leaves_come_first_in_the_next_turn() -> None:
    world = World()
    task, processor = a_task(world, lambda turn: Decision(rows={b"r": b""}, settled=1))
    task._results = [Result(b"a", 1), Result(b"b", 2), Result(b"c", 3)]
    await run(task)

    assert [[result.key for result in turn.results] for turn in processor.turns] == [[b"a", b"b", b"c"], [b"b", b"c"], [b"c"]]


async def test_an_actor_takes_no_more_than_so_many_bytes_until_they_are_handled() -> None:
    """8,000 groups of a thousand clients are 8 GB."""
    world, large = World(), Raw(0, b"key", bytes(BACKLOG_BYTES))
    task, _ = a_task(world, count)
    task.expect("in", [large])
    full = has_room(task, "in"), has_room(task, "other"), task.load
    task.receive("in", [large])
    await run(task)

    assert full == (False, False, BACKLOG_BYTES + 3)
    assert (has_room(task, "in"), task.load) == (True, 0)


async def test_more_means_another_turn_at_once() -> None:
    world, left = World(), [3]

    def fire(turn: Turn) -> Decision:
        left[0] -= 1
        decision = Decision(taken=len(turn.records), more=left[0] > 0)
        decision.put(b"row", b"%d" % left[0])
        return decision

    task, processor = a_task(world, fire)
    deliver(task, 0)
    await run(task)

    assert len(processor.turns) == 3


async def test_a_shard_that_can_do_nothing_is_not_asked_again_until_something_changes() -> None:
    world = World()
    task, processor = a_task(world, lambda turn: Decision())
    processor.due = NOW - timedelta(hours=1)
    deliver(task, 0)
    await run(task, task.tick)

    assert len(processor.turns) == 2, "one for the record, one for the tick"


async def test_no_moment_fires_before_the_first_horizon() -> None:
    world = World()

    def fire(turn: Turn) -> Decision:
        processor.due = None
        return Decision(rows={b"r": b""})

    task, processor = a_task(world, fire, waits=True)
    processor.due = NOW - timedelta(hours=1)
    running = asyncio.create_task(task.run())
    task.tick()
    await settle()
    assert processor.turns == []

    task.watermark = NOW
    task.tick()
    await settle()
    assert [turn.due for turn in processor.turns] == [NOW]
    task.drain()
    await running


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

    task, processor = a_task(world, claim, call=call)
    deliver(task, 0)
    await run(task)

    assert world.kinds()[:7] == ["decide", "append", "applied", "send", "finish", "call", "decide"]
    assert processor.turns[0].room == 2
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

    task, processor = a_task(world, claim, call=call)
    deliver(task, 0)
    running = asyncio.create_task(task.run())
    await settle()
    task.drain()
    deliver(task, 1)
    await settle()
    assert not running.done()

    gate.set()
    await running
    assert world.part.rows == {b"k0": b"done"}
    assert [len(turn.records) for turn in processor.turns] == [1, 0]
    assert (processor.turns[1].room, processor.turns[1].due) == (0, None)


@pytest.mark.parametrize("key", [OUTBOX_KEY, b"\0", b""])
async def test_a_row_may_not_use_the_engines_keys(key: bytes) -> None:
    world = World()
    task, _ = a_task(world, lambda turn: Decision(taken=len(turn.records), rows={b"k": b"fine", key: b"x"}))
    deliver(task, 0)
    with pytest.raises(ValueError, match="empty or begins with NUL"):
        await task.run()
    assert world.kinds() == ["decide"], "and nothing of the decision became durable"


TOO_LARGE = [
    ("value", b"k", bytes(5 << 20)),
    ("key", bytes(5 << 20), b"v"),
    ("key and value", bytes(600 << 10), bytes(600 << 10)),
]


@pytest.mark.parametrize(("what", "key", "value"), TOO_LARGE)
async def test_an_output_that_its_topic_does_not_take_is_set_aside_before_it_is_durable_and_the_rest_goes_on(
    what: str, key: bytes, value: bytes
) -> None:
    world, large, next_ = World(), Output("out", key, value), Output("out", b"k", b"next")
    task, _ = a_task(world, lambda turn: Decision(taken=1, outputs=[large, next_]))
    deliver(task, 0)
    await run(task)

    fit = [Output("aside", key, b"of %d bytes" % large.size), next_]
    assert world.events[1:3] == [
        ("append", {offset_key("in"): encode_offset(1), OUTBOX_KEY: encode_outputs(fit)}),
        ("send", fit),
    ]
    assert world.set_aside == ["out"]


async def test_an_outbox_of_before_with_an_output_that_its_topic_does_not_take_is_no_crash_for_ever() -> None:
    world, large = World(), Output("out", b"k", bytes(4 << 20))
    world.part.apply({OUTBOX_KEY: encode_outputs([large]), offset_key("in"): encode_offset(10)})
    task, _ = a_task(world, count)
    await run(task)

    assert world.events[0] == ("send", [Output("aside", b"k", b"of %d bytes" % large.size)])


async def test_a_decision_that_is_larger_than_an_append_names_what_it_was_and_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(p: int, entries: dict[bytes, bytes | None]) -> None:
        raise TooLargeError("what is to be appended to a-node-changelog/3 at once exceeds 7 bytes")

    world = World()
    monkeypatch.setattr(world, "append", refuse)
    rows: dict[bytes, bytes | None] = {b"agendas/zorg/anna": bytes(20), b"gone": None}
    task, _ = a_task(world, lambda turn: Decision(taken=len(turn.records), rows=rows))
    deliver(task, 4, 5)
    deliver(task, 9, topic="other")
    with pytest.raises(TooLargeError) as caught:
        await task.run()

    assert told(caught.value) == (
        "TooLargeError: what is to be appended to a-node-changelog/3 at once exceeds 7 bytes; the largest of 4 rows is agendas "
        "with 20 bytes; in node node, partition 3: in/3, offsets 4 to 5 and other/3, offset 9"
    )


async def test_the_outbox_of_a_turn_replaces_the_one_before() -> None:
    world = World()
    task, _ = a_task(world, count)
    deliver(task, 0)
    await run(task, lambda: deliver(task, 1))
    boxes = [entries[OUTBOX_KEY] for kind, *rest in world.events if kind == "append" for entries in rest]
    assert [[o.key for o in decode_outputs(box)] for box in boxes] == [[b"k0"], [b"k1"], []]


async def test_markers_that_are_no_records_are_passed_over() -> None:
    world = World()
    world.part.apply({offset_key("in"): encode_offset(4)})
    task, _ = a_task(world, count)
    task.position("in", 4)
    task.skip("in", 6)
    assert (task.offsets["in"], world.events) == (6, [("finish", "in", 6)])
    deliver(task, 6)
    task.skip("in", 7)
    assert task.offsets["in"] == 6, "a record is on its way: the turn that takes it says so"


async def test_nothing_is_committed_of_a_topic_of_which_the_rows_know_nothing() -> None:
    world = World()
    task, _ = a_task(world, count)
    await run(task, lambda: task.skip("in", 6))
    assert world.events == [("append", {offset_key("in"): encode_offset(6)}), ("finish", "in", 6)]


async def test_where_reading_begins_is_not_committed_as_read() -> None:
    """A topic that counts as read is not held at a first start; and positions may come while an outbox is sent again."""
    world = World()
    world.part.apply({OUTBOX_KEY: encode_outputs([Output("out", b"k", b"left")]), offset_key("in"): encode_offset(10)})
    task, _ = a_task(world, count)
    running = asyncio.create_task(task.run())
    await asyncio.sleep(0)
    task.position("other", 0)
    await settle()
    task.drain()
    await running
    assert [event[1:] for event in world.events if event[0] == "finish"] == [("in", 10)]


ONE, OTHER = bytes(16), bytes(range(16))


def rows_of(offset: int, id_: bytes | None) -> dict[bytes, bytes | None]:
    """The engine's own rows of topic `in`; those of before have no id."""
    offset_row: dict[bytes, bytes | None] = {offset_key("in"): encode_offset(offset)}
    return offset_row if id_ is None else {**offset_row, topic_key("in"): id_}


@pytest.mark.parametrize(
    ("kept", "now", "anew", "offset"),
    [
        pytest.param(ONE, ONE, False, 10, id="the same topic: on from the offset in the rows"),
        pytest.param(ONE, OTHER, True, None, id="another topic of that name: the offset says nothing"),
        pytest.param(None, ONE, False, 10, id="rows of before: the topic is taken for the same"),
        pytest.param(ONE, None, False, 10, id="a broker that tells no ids: nothing changes"),
        pytest.param(None, None, False, 10, id="neither"),
    ],
)
def test_an_offset_counts_for_the_topic_that_it_is_of(
    kept: bytes | None, now: bytes | None, anew: bool, offset: int | None
) -> None:
    world = World()
    world.part.apply(rows_of(10, kept))
    task, _ = a_task(world, count, ids={} if now is None else {"in": now, "other": now})
    assert ("in" in task.anew, task.offsets.get("in")) == (anew, offset)


async def test_rows_of_before_take_on_the_id_of_the_topic_that_is_there_once() -> None:
    world = World()
    world.part.apply(rows_of(10, None))
    for _ in range(2):
        task, _ = a_task(world, count, ids={"in": ONE, "other": ONE})
        await run(task)
    assert [event for event in world.events if event[0] == "append"] == [("append", {topic_key("in"): ONE})]


async def test_the_first_turn_of_a_topic_made_anew_keeps_its_id_with_its_offset_and_nothing_before_it_is_dropped() -> None:
    world = World()
    world.part.apply(rows_of(10, ONE))
    task, processor = a_task(world, lambda turn: Decision(taken=len(turn.records)), ids={"in": OTHER})
    deliver(task, 0, 1)
    await run(task, lambda: deliver(task, 2))
    assert [record.offset for turn in processor.turns for record in turn.records] == [0, 1, 2]
    assert [event for event in world.events if event[0] in ("append", "finish")] == [
        ("append", rows_of(2, OTHER)),
        ("finish", "in", 2),
        ("append", rows_of(3, None)),
        ("finish", "in", 3),
    ]
    assert task.anew == set()


async def test_a_topic_made_anew_in_which_nothing_is_yet_is_known_at_the_next_start() -> None:
    world = World()
    world.part.apply(rows_of(10, ONE))
    task, _ = a_task(world, count, ids={"in": OTHER})

    def placed() -> None:
        task.position("in", 0)
        task.is_empty("in")

    await run(task, placed)
    assert world.events == [("append", rows_of(0, OTHER)), ("finish", "in", 0)]
    assert a_task(world, count, ids={"in": OTHER})[0].anew == set()


async def test_a_topic_made_anew_that_waits_for_others_stays_unread_in_the_rows() -> None:
    """A restart in between must hold it again."""
    world = World()
    world.part.apply(rows_of(10, ONE))
    task, _ = a_task(world, count, ids={"in": OTHER})
    await run(task, lambda: task.position("in", 0))
    assert world.events == []


async def test_keys_that_a_former_owner_wrote_late_are_written_again() -> None:
    world = World()
    task, _ = a_task(world, count)
    await run(task, lambda: task.overwritten({b"k"}))
    assert world.events == [("repair", {b"k"})]


def test_records_are_those_of_the_interface() -> None:
    assert Record("t", 1, 2, b"k", b"v").__struct_fields__ == (
        "topic",
        "partition",
        "offset",
        "key",
        "value",
        "written",
        "headers",
    )
