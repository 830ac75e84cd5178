"""The shards that run in this worker, and their actors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from streams.turn import Shard

from .actor import Actor
from .calls import Calls
from .node import NodeSpec

if TYPE_CHECKING:
    from .app import Engine


KICK = 0.005
"""Seconds in which calls that end are one reason to look for those that wait."""


class Shards:
    """By node and partition. A shard stays while nobody else touched its partition; an actor lives until the next rebalance."""

    def __init__(self, app: Engine, specs: Sequence[NodeSpec]) -> None:
        self.app, self.specs = app, specs
        self.by_node: dict[str, dict[int, Actor]] = {spec.name: {} for spec in specs}
        self.calls = {spec.name: Calls(spec, app.clock, app.hooks, partial(self._kick, spec.name)) for spec in specs}
        self._shards: dict[int, dict[str, Shard]] = {}
        self._reader = {topic: spec.name for spec in specs for topic in spec.topics}
        self._kicked: set[str] = set()
        self._running: dict[Actor, asyncio.Task[None]] = {}

    def of(self, node: str) -> Iterable[Actor]:
        """The actors of a node."""
        return tuple(self.by_node[node].values())

    def all(self) -> Iterator[Actor]:
        """All actors."""
        for spec in self.specs:
            yield from self.of(spec.name)

    def actor_of(self, topic: str, p: int) -> Actor | None:
        """Who handles a partition of an input topic."""
        node = self._reader.get(topic)
        return self.by_node[node].get(p) if node else None

    def _kick(self, node: str) -> None:
        """A slot became free. Many do at a time, and each shard has to be asked whether it waits for one."""
        if node not in self._kicked:
            self._kicked.add(node)
            asyncio.get_running_loop().call_later(KICK, self._tick, node)

    def _tick(self, node: str) -> None:
        self._kicked.discard(node)
        for actor in self.of(node):
            actor.tick()

    async def open(self, partitions: Iterable[int], fresh: set[int]) -> None:
        """Start the actors of these partitions, over new shards where a partition is `fresh`."""
        if self._running:
            raise RuntimeError("shards are opened while others still run")
        wanted = sorted(partitions)
        self._shards = {p: self._shards[p] for p in wanted if p in self._shards and p not in fresh}
        for p in wanted:
            if p not in self._shards:
                self._shards[p] = self._make(p)
                await asyncio.sleep(0)  # `loaded` may take long; the watchdog wants its beat
        for p in wanted:
            for spec in self.specs:
                self.by_node[spec.name][p] = self._actor(spec, p)
        for actor in self.all():
            self._running[actor] = self.app.background(actor.run())
        self.app.hooks.on_assigned(len(wanted))

    async def close(self, bound: float) -> bool:
        """Drain and forget all actors; False if one did not end within `bound` seconds."""
        running, self._running = self._running, {}
        self.app.hooks.on_revoked()
        self.by_node = {spec.name: {} for spec in self.specs}
        for actor in running:
            actor.drain()
        if running:
            _, late = await asyncio.wait(running.values(), timeout=bound)
            return not late
        return True

    def _make(self, p: int) -> dict[str, Shard]:
        shards: dict[str, Shard] = {}
        for spec in self.specs:  # each after its peers
            peers = MappingProxyType({peer: shards[peer] for peer in spec.peers})
            shard = spec.shard(p, self.app.stores[spec.name].data.parts[p].rows, peers)
            shard.loaded()
            shards[spec.name] = shard
        return shards

    def _actor(self, spec: NodeSpec, p: int) -> Actor:
        store = self.app.stores[spec.name].data
        shards: Callable[[], int] = lambda: len(self.by_node[spec.name])  # noqa: E731
        actor = Actor(
            spec.name, p, self._shards[p][spec.name], store.parts[p], store, self.app, spec.topics,
            self.calls[spec.name], shards, bool(spec.waits_for),
        )  # fmt: skip
        for horizon in self.app.horizons:
            if spec in horizon.specs:
                actor.on_handled = horizon.look
        return actor
