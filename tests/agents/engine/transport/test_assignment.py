"""What the group's client does with changelogs that are assigned to it: nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.engine.transport.client_thread import ConsumerThread


async def test_a_changelog_is_neither_fetched_nor_asked_for_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiokafka asks a stale leader again and again, and fetches nothing else from that broker meanwhile."""
    done: list[tuple[Any, ...]] = []

    async def later(self: Any, assigned: Any, generation: int) -> None:
        done.append(("then", len(assigned)))

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_partitions_assigned", later)
    client = SimpleNamespace(
        pause=lambda *tps: done.append(("pause", *tps)), seek=lambda tp, offset: done.append(("seek", tp, offset))
    )
    thread = ConsumerThread.__new__(ConsumerThread)
    app = SimpleNamespace(tables=SimpleNamespace(changelog_topics={"rows"}), subscribed=lambda: {"in", "rows"})
    monkeypatch.setattr(ConsumerThread, "app", app, raising=False)
    monkeypatch.setattr(ConsumerThread, "_ensure_consumer", lambda self: client)

    await thread.on_partitions_assigned([TP("in", 1), TP("rows", 1)])

    mine = TopicPartition("rows", 1)
    assert done == [("pause", mine), ("seek", mine, 0), ("then", 2)]


def test_the_assignment_is_made_once_for_each_that_the_group_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit asks for it once a partition: 640 times a set of 640 took a seventh of a worker with 64 partitions."""
    client = SimpleNamespace(given=frozenset({TopicPartition("in", 0)}))
    monkeypatch.setattr(ConsumerThread, "_ensure_consumer", lambda self: SimpleNamespace(assignment=lambda: client.given))
    thread = ConsumerThread.__new__(ConsumerThread)

    first = thread.assignment()
    assert first == {TP("in", 0)}
    assert thread.assignment() is first

    client.given = frozenset({TopicPartition("in", 1)})
    assert thread.assignment() == {TP("in", 1)}
    client.given = frozenset()
    assert thread.assignment() == set()
