"""A worker without Kafka: the real graph, actors, calls, senders, logs and metrics over one partition in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.state.changelog import Partition
from agents.engine.tasks.calls import Calls
from agents.engine.tasks.task import StreamTask
from agents.monitoring.metrics import Metrics
from streams.processing.dead_letters import fitting
from streams.processing.turn import Output, Processor
from streams.topology import graph

Sender = Callable[[Any], Awaitable[Any]]


class Raw(NamedTuple):
    """A record as the consumer has it."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


class Log:
    """A changelog that takes everything."""

    def __init__(self, part: Partition) -> None:
        self.part = part
        self.entries: list[dict[bytes, bytes | None]] = []

    async def append(self, p: int, entries: dict[bytes, bytes | None]) -> None:
        self.entries.append(dict(entries))
        self.part.apply(entries)

    async def repair(self, p: int, keys: set[bytes]) -> None: ...


class MemoryWorker:
    """Feed it; `written` has every record that left a node. Time stands still until `now` is set."""

    def __init__(self, senders: dict[str, Sender], metrics: Metrics, now: datetime) -> None:
        self.hooks: Monitor = metrics
        self.skipped: frozenset[tuple[str, int, int]] = frozenset()
        self.now = now
        self.written: list[Output] = []
        self.tasks: dict[str, StreamTask] = {}
        self.readers: dict[str, StreamTask] = {}
        self.offsets: dict[str, int] = {}
        tasks: dict[str, Processor] = {}
        for node in graph(1):
            part = Partition({})
            tasks[node.name] = node.processor(0, part.rows, tasks)
            topics = tuple(topic.name for topic in node.reads)
            spec = NodeSpec(node.name, topics, node.processor, call=senders[node.calls] if node.calls is not None else None)
            calls = Calls(spec, self.clock, metrics, self.tick)
            task = StreamTask(node.name, 0, tasks[node.name], part, Log(part), self, topics, calls, lambda: 1, waits=False)
            self.tasks[node.name] = task
            self.readers |= dict.fromkeys(topics, task)
        self.running: list[asyncio.Task[None]] = []

    def clock(self) -> datetime:
        return self.now

    def tick(self) -> None:
        for task in self.tasks.values():
            task.tick()

    def fit(self, output: Output) -> Output:
        return fitting(output)

    def finish(self, topic: str, partition: int, offset: int) -> None: ...

    async def send(self, outputs: list[Output], own: int) -> None:
        for output in outputs:
            self.written.append(output)
            self.feed(output.topic, output.key, output.value)

    def feed(self, topic: str, key: bytes | None, value: bytes | None, timestamp: int = 0) -> None:
        """A record of a topic; one that no node reads is only remembered. `timestamp`: Kafka's, in milliseconds."""
        reader = self.readers.get(topic)
        if reader is not None:
            offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
            record = Raw(offset, key, value, timestamp)
            reader.expect(topic, [record])
            reader.receive(topic, [record])

    async def settle(self, **later: float) -> None:
        """Let time pass, and everything happen that then does."""
        if not self.running:
            self.running = [asyncio.create_task(task.run()) for task in self.tasks.values()]
        self.now += timedelta(**later)
        still = 0
        while still < 20:
            self.tick()
            before = len(self.written)
            await asyncio.sleep(0.002)
            busy = any(task.in_flight or any(task.waiting.values()) for task in self.tasks.values())
            still = 0 if busy or len(self.written) != before else still + 1

    async def stop(self) -> None:
        """End every actor in order."""
        for task in self.tasks.values():
            task.drain()
        await asyncio.gather(*self.running)


NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
