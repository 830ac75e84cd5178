"""The processors that run in this worker, and their tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from types import MappingProxyType

from streams.processing.turn import BadRowError, Processor

from ..host import Host
from ..node import NodeSpec
from ..state.poison import LoadError
from .calls import Calls
from .task import StreamTask

KICK = 0.005
"""Seconds within which calls that end cause one look for those that wait."""


class StreamTasks:
    """By node and partition. A processor stays while nobody else touched its partition; a task lives until the next rebalance."""

    def __init__(self, app: Host, specs: Sequence[NodeSpec]) -> None:
        self.app, self.specs = app, specs
        self.by_node: dict[str, dict[int, StreamTask]] = {spec.name: {} for spec in specs}
        self.calls = {spec.name: Calls(spec, app.clock, app.hooks, partial(self._kick, spec.name)) for spec in specs}
        self._processors: dict[int, dict[str, Processor]] = {}
        self._reader = {topic: spec.name for spec in specs for topic in spec.topics}
        self._kicked: set[str] = set()
        self._running: dict[StreamTask, asyncio.Task[None]] = {}

    def of(self, node: str) -> Iterable[StreamTask]:
        """Return the tasks of a node."""
        return tuple(self.by_node[node].values())

    def all(self) -> Iterator[StreamTask]:
        """Return all tasks."""
        for spec in self.specs:
            yield from self.of(spec.name)

    def task_of(self, topic: str, p: int) -> StreamTask | None:
        """Return the task of an input topic's partition."""
        node = self._reader.get(topic)
        return self.by_node[node].get(p) if node else None

    def anew(self) -> dict[str, list[int]]:
        """Find the topics that are read anew, with the partitions of each."""
        found: dict[str, list[int]] = {}
        for task in self.all():
            for topic in task.anew:
                found.setdefault(topic, []).append(task.p)
        return found

    @property
    def in_flight(self) -> int:
        """How many calls to providers are under way."""
        return sum(calls.busy for calls in self.calls.values())

    def _kick(self, node: str) -> None:
        """Hear that a slot became free. Many do at once, and each processor has to be asked whether it waits for one."""
        if node not in self._kicked:
            self._kicked.add(node)
            asyncio.get_running_loop().call_later(KICK, self._tick, node)

    def _tick(self, node: str) -> None:
        self._kicked.discard(node)
        for task in self.of(node):
            task.tick()

    async def open(self, partitions: Iterable[int], fresh: set[int]) -> bool:
        """Start the tasks of these partitions, over new processors where a partition is `fresh`.

        Returns:
            False where they were revoked while the processors were made: then none is started.
        """
        if self._running:
            raise RuntimeError("tasks are opened while others still run")
        wanted, revocations = sorted(partitions), self.app.revocations
        self._processors = {p: self._processors[p] for p in wanted if p in self._processors and p not in fresh}
        for p in wanted:
            if p not in self._processors:
                self._processors[p] = self._make(p)
                await asyncio.sleep(0)  # `loaded` may take long; the watchdog wants its beat
        if revocations != self.app.revocations:
            return False
        for p in wanted:
            for spec in self.specs:
                self.by_node[spec.name][p] = self._task(spec, p)
        for task in self.all():
            self._running[task] = self.app.background(task.run())
        self.app.hooks.on_assigned(len(wanted))
        return True

    async def close(self, bound: float) -> list[StreamTask]:
        """Drain and forget all tasks; return those that did not end within `bound` seconds."""
        running, self._running = self._running, {}
        self.app.hooks.on_revoked()
        self.by_node = {spec.name: {} for spec in self.specs}
        for task in running:
            task.drain()
        if running:
            await asyncio.wait(running.values(), timeout=bound)
        return [task for task, running in running.items() if not running.done()]

    def deciding(self) -> str:
        """Say which decision the main loop is in; nothing where it is in none. Any thread may ask."""
        return "; ".join(task.place() for tasks in self.by_node.values() for task in tasks.values() if task.deciding)

    def _make(self, p: int) -> dict[str, Processor]:
        processors: dict[str, Processor] = {}
        for spec in self.specs:  # each after its peers
            peers = MappingProxyType({peer: processors[peer] for peer in spec.peers})
            processor = spec.processor(p, self.app.stores[spec.name].data.parts[p].rows, peers)
            try:
                processor.loaded()
            except BadRowError as error:
                raise LoadError(spec.name, p, error) from None
            processors[spec.name] = processor
        return processors

    def _task(self, spec: NodeSpec, p: int) -> StreamTask:
        store = self.app.stores[spec.name].data
        processors: Callable[[], int] = lambda: len(self.by_node[spec.name])  # noqa: E731
        task = StreamTask(
            spec.name, p, self._processors[p][spec.name], store.parts[p], store, self.app, spec.topics,
            self.calls[spec.name], processors, bool(spec.waits_for), self.app.ids, spec.format,
        )  # fmt: skip
        for watermark in self.app.watermarks:
            if spec in watermark.specs:
                task.on_handled = watermark.look
        return task
