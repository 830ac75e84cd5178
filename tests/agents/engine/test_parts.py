"""The small parts: partitioner, outbox, changelog, specs, checks before the start."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import msgspec
import pytest
from aiokafka import codec

from agents.engine.app import Engine, none_too_large
from agents.engine.node import NodeSpec, in_order
from agents.engine.preflight import check_codecs, check_topics, check_versions
from agents.engine.readiness import NotReadyError, NotYetError
from agents.engine.state.changelog import Partition, encode_epoch
from agents.engine.state.outbox import (
    FENCE_KEY,
    OUTBOX_KEY,
    by_destination,
    decode_outputs,
    encode_offset,
    encode_outputs,
    offset_key,
    topic_key,
)
from agents.engine.state.poison import check_own
from agents.engine.transport.partitioner import partition_for
from agents.engine.transport.sizes import TooLargeError
from agents.engine.worker import Seldom
from streams.processing.turn import EVERY, BadRowError, Output


@pytest.mark.parametrize(("key", "partition"), [(b"", 0), (b"org/client", 1), (b"123456789", 6)])
def test_the_partitioner_is_crc32(key: bytes, partition: int) -> None:
    assert partition_for(key, 8) == partition


def test_an_outbox_gives_back_what_was_put_in() -> None:
    outputs = [Output("a", b"k", b"v", 3, (("h", b"x"),)), Output("b", None, None)]
    assert decode_outputs(encode_outputs(outputs)) == outputs
    assert encode_outputs([]) is None
    assert decode_outputs(None) == []


def test_an_outbox_is_the_arrays_that_it_was_when_outputs_were_tuples() -> None:
    box = msgspec.msgpack.encode([("a", b"k", b"v", 3, (("h", b"x"),)), ("b", None, None, None, ())])
    outputs = [Output("a", b"k", b"v", 3, (("h", b"x"),)), Output("b", None, None)]

    assert decode_outputs(box) == outputs
    assert encode_outputs(outputs) == box


def test_outputs_keep_their_order_within_a_partition() -> None:
    first, other, second = Output("t", b"k", b"1"), Output("t", b"k", b"x", 6), Output("t", b"k", b"2")
    grouped = by_destination([first, other, second, Output("d", None, b"no key")], 7, 8)
    assert grouped == {
        ("t", partition_for(b"k", 8)): [first, second],
        ("t", 6): [other],
        ("d", 7): [Output("d", None, b"no key")],
    }


def test_an_output_to_every_partition_stands_once_in_the_outbox_and_keeps_its_place_in_each() -> None:
    first, every, last = Output("t", b"k", b"1", 1), Output("t", b"k", b"all", EVERY), Output("t", b"k", b"2", 1)
    outputs = decode_outputs(encode_outputs([first, every, last]))

    assert outputs == [first, every, last]
    assert by_destination(outputs, 0, 3) == {("t", 0): [every], ("t", 1): [first, every, last], ("t", 2): [every]}


def test_an_output_may_be_as_large_as_kafkas_defaults_where_nobody_says_more() -> None:
    small = Output("t", b"k", bytes((1 << 20) - 200))
    assert none_too_large(small) is small
    with pytest.raises(TooLargeError, match="an output of 1048677 bytes to t"):
        none_too_large(Output("t", b"k", bytes(1 << 20)))


class Raw(NamedTuple):
    offset: int
    key: bytes
    value: bytes | None
    epoch: int | None = None

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        return () if self.epoch is None else (("e", encode_epoch(self.epoch)),)


def test_rows_offsets_and_outbox_are_read_from_a_changelog() -> None:
    part = Partition({})
    part.read(
        [
            Raw(0, FENCE_KEY, b"1"),
            Raw(1, b"a", b"1", 0),
            Raw(2, b"b", b"2", 0),
            Raw(3, offset_key("in"), encode_offset(42), 0),
            Raw(4, OUTBOX_KEY, b"x", 0),
            Raw(5, b"a", None, 0),
        ]
    )
    assert part.rows == {b"b": b"2"}
    assert (part.offset("in"), part.offset("other"), part.outbox) == (42, None, b"x")


def test_what_a_former_owner_wrote_after_the_fence_is_ignored_and_remembered() -> None:
    part = Partition({})
    part.read(
        [
            Raw(0, FENCE_KEY, b"1"),
            Raw(1, b"a", b"old", 0),
            Raw(2, FENCE_KEY, b"1"),
            Raw(3, b"a", b"zombie", 0),
            Raw(4, b"b", b"new", 2),
            Raw(5, OUTBOX_KEY, b"zombie", 0),
        ]
    )
    assert part.rows == {b"a": b"old", b"b": b"new"}
    assert part.stale == {b"a", OUTBOX_KEY}
    assert (part.value(b"a"), part.value(OUTBOX_KEY)) == (b"old", None)


def test_an_epoch_is_compared_as_a_number() -> None:
    assert encode_epoch(9) < encode_epoch(10) < encode_epoch(1000)


def a_node(name: str, *topics: str, **settings: Any) -> NodeSpec:
    return NodeSpec(name, topics, lambda p, rows, peers: None, **settings)  # type: ignore[arg-type,return-value]


def test_a_node_comes_after_its_peers() -> None:
    order = in_order([a_node("a", "x", peers=("b",)), a_node("b", "y", peers=("c",)), a_node("c", "z")])
    assert [spec.name for spec in order] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("specs", "why"),
    [
        ([a_node("a", "x"), a_node("a", "y")], "same name"),
        ([a_node("a", "x"), a_node("b", "x")], "one offset"),
        ([a_node("a", "x", peers=("b",))], "no nodes"),
        ([a_node("a", "x", peers=("b",)), a_node("b", "y", peers=("a",))], "circle"),
        ([a_node("a", "x", hold={"y": ("x",)})], "does not read"),
    ],
)
def test_specs_that_contradict_one_another_are_refused(specs: list[NodeSpec], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        in_order(specs)


def test_a_missing_topic_and_a_wrong_number_of_partitions_are_said() -> None:
    check_topics({"a": 8}, ["a"], 8)
    with pytest.raises(NotYetError, match="topic b does not exist"):
        check_topics({"a": 8}, ["a", "b"], 8)
    with pytest.raises(NotReadyError, match="topic a has 4 partitions where 8"):
        check_topics({"a": 4}, ["a"], 8)


def test_an_environment_that_cannot_read_every_codec_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_codecs()
    monkeypatch.setattr(codec, "cramjam", None)
    with pytest.raises(NotReadyError, match="compressed with snappy, lz4, zstd cannot be read: install the package cramjam"):
        Engine("a", "localhost:1", [], 1)


def test_another_version_than_was_overridden_is_refused() -> None:
    check_versions()
    with pytest.raises(NotReadyError, match=r"aiokafka 0\.15\.0 is installed"):
        check_versions({"aiokafka": "0.15.0"})


def test_a_message_is_said_seldom() -> None:
    seldom = Seldom(60.0)
    messages = [logging.LogRecord("a", logging.ERROR, "f", 1, msg, (n,), None) for n, msg in enumerate(["x %d", "x %d", "y %d"])]
    assert [seldom.filter(message) for message in messages] == [True, False, True]


async def test_a_call_that_may_outlast_a_rebalance_is_refused() -> None:
    async def call(request: Any) -> None: ...

    with pytest.raises(ValueError, match="a rebalance waits"):
        Engine("x", "localhost:9", [a_node("a", "x", call=call, call_timeout=60.0)], 4)


async def test_an_engine_has_a_table_and_an_agent_for_each_node() -> None:
    app = Engine("x", "one:1,two:2", [a_node("a", "in", "more"), a_node("b", "z", waits_for=("in",))], 4)
    assert set(app.tables) == {"a", "b"}
    assert set(app.agents) == {"a", "b"}
    assert app.topic_names() == {"in", "more", "z", "x-a-changelog", "x-b-changelog"}
    assert [str(url) for url in app.conf.broker] == ["aiokafka://one:1", "aiokafka://two:2"]
    assert not app.conf.web_enabled


@pytest.mark.parametrize(
    ("key", "value", "refused"),
    [
        pytest.param(offset_key("in"), encode_offset(7), None, id="an offset"),
        pytest.param(offset_key("in"), b"7", "an offset of the engine's is not eight bytes", id="no offset"),
        pytest.param(topic_key("in"), bytes(16), None, id="a topic's id"),
        pytest.param(topic_key("in"), b"in", "a topic's id of the engine's is not sixteen bytes", id="no id"),
    ],
)
def test_rows_of_the_engines_own_are_as_it_writes_them(key: bytes, value: bytes, refused: str | None) -> None:
    part = Partition({})
    part.apply({key: value})
    if refused is None:
        check_own(part)
    else:
        with pytest.raises(BadRowError, match=refused):
            check_own(part)
