"""The engine: a Faust app whose delivery, commits and recovery are ours, and which stops rather than go on wrongly."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NoReturn

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types import TP

from streams.turn import Output

from . import watchdog
from .actor import Actor
from .consumer import Transport
from .group import check_group
from .horizon import Horizon
from .monitor import Monitor
from .node import NodeSpec, in_order
from .offsets import Lookup, wait_for_backlog
from .outbox import by_destination
from .preflight import NotReadyError, check_broker, check_versions
from .recovery import BulkTables
from .shards import Shards
from .store import Keeper, Table

log = logging.getLogger("engine")

ENTRY = attrgetter("key", "value", "headers")
"""An output as the producer takes it."""

TICK = 0.25
"""Seconds between two looks at what is due."""

EXIT = 70
"""Exit code of a fail-stop (EX_SOFTWARE): restart it."""

REFUSED = 2
"""Exit code of a worker that cannot start."""

SETTINGS: dict[str, Any] = {
    "Table": Table,
    "TableManager": BulkTables,
    "store": "memory://",
    "key_serializer": "raw",
    "value_serializer": "raw",
    "consumer_auto_offset_reset": "earliest",
    "broker_max_poll_records": 4000,
    "broker_commit_interval": 0.3,  # the horizon lags behind by about this
    "broker_session_timeout": 10.0,
    "broker_heartbeat_interval": 2.0,
    "broker_rebalance_timeout": 60.0,  # a revoke waits for calls in flight
    "broker_max_poll_interval": 86400.0,  # a worker without partitions never polls and would be thrown out for good
    "producer_linger": 0,
    "producer_request_timeout": 60.0,  # 1200 in Faust: a broker that hangs would be waited for that long
    "table_standby_replicas": 0,
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "web_enabled": False,
    "stream_recovery_delay": 0.0,
}
"""What differs from Faust's own settings."""


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class Engine(faust.App):  # type: ignore[misc]
    """A Faust app that runs nodes.

    Args:
        name: of the app: the consumer group, and the first part of the changelogs' names.
        bootstrap: brokers, "host:port,host:port".
        nodes: what it runs; a node's peers may stand anywhere in it.
        partitions: N, of every topic and table.
        outputs: topics that are written to; only to check before the start that they exist, since a send would hang.
        clock: gives `now`, aware and in UTC.
        hooks: for metrics.
        horizon_bound: seconds for which a due moment waits for the backlog at most.
        hold_bound: seconds for which a late topic waits for the early ones at most.
        recovery_timeout: seconds of recovery after which the worker gives up.
        commit_timeout: seconds without a successful commit after which it gives up.
        stall_timeout: seconds after which a main loop that does not turn ends the process. Default: the session time-out.
        audit_interval: seconds between two looks at whether somebody else wrote to a changelog of ours.
        disk: where rows are kept that do not fit into memory (`disk.py`); None: in memory.
        settings: Faust's, such as `consumer_group_instance_id`, `broker_credentials`, `datadir`.
    """

    def __init__(
        self,
        name: str,
        bootstrap: str,
        nodes: Sequence[NodeSpec],
        partitions: int,
        *,
        outputs: Iterable[str] = (),
        clock: Callable[[], datetime] = utc_now,
        hooks: Monitor | None = None,
        horizon_bound: float = 300.0,
        hold_bound: float = 300.0,
        recovery_timeout: float = 900.0,
        commit_timeout: float = 120.0,
        stall_timeout: float | None = None,
        audit_interval: float = 60.0,
        disk: Keeper | None = None,
        **settings: Any,
    ) -> None:
        check_versions()
        self.bootstrap, self.partitions, self.clock, self.hooks = bootstrap, partitions, clock, hooks or Monitor()
        self.horizon_bound, self.hold_bound = horizon_bound, hold_bound
        self.recovery_timeout, self.commit_timeout, self.audit_interval = recovery_timeout, commit_timeout, audit_interval
        self.specs, self.disk = in_order(nodes), disk
        self.early = {late: early for spec in self.specs for late, early in spec.hold.items()}
        super().__init__(name, broker=[f"aiokafka://{address}" for address in bootstrap.split(",")], **{**SETTINGS, **settings})
        self.stall_timeout = stall_timeout or float(self.conf.broker_session_timeout)
        self._check_call_times()
        self.outputs, self.revocations = tuple(outputs), 0
        self.lookup = Lookup(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.shards = Shards(self, self.specs)
        self.stores = {}
        for spec in self.specs:
            table = self.Table(spec.name, partitions=partitions, key_type=bytes, value_type=bytes)
            self.stores[spec.name] = table
            topic = self.topic(*spec.topics, key_type=bytes, value_type=bytes, partitions=partitions)
            self.agent(topic, name=spec.name)(self._route)
        self.horizons = [self._horizon(topics) for topics in sorted({spec.waits_for for spec in self.specs if spec.waits_for})]

    def _horizon(self, topics: tuple[str, ...]) -> Horizon:
        specs = [spec for spec in self.specs if spec.waits_for == topics]
        return Horizon(
            specs, self.shards.of, self.lookup.ends, self._caught_up_in_time, self.clock, self.hooks, self.horizon_bound
        )

    def _check_call_times(self) -> None:
        bound = 0.8 * float(self.conf.broker_rebalance_timeout)
        for spec in self.specs:
            longest = spec.call_start_within + spec.call_timeout
            if spec.call and longest >= bound:
                raise ValueError(f"node {spec.name}: a call may end {longest} s after its claim; a rebalance waits {bound} s")

    async def _route(self, stream: Any) -> None:
        """The agent of every node: batches to the actors of their partitions."""
        queue = stream.channel.queue
        try:
            while True:
                batch = await queue.get()
                batch.actor.receive(batch.topic, batch.records)
        except StopAsyncIteration:
            return  # the worker stops (faust/agents/actor.py:61)
        except Exception as error:  # noqa: BLE001 - stock Faust would go on without this batch (faust/agents/agent.py:694)
            self.die("a batch could not be handed over", error)

    # --- what the parts ask for ---

    def new_client(self, **settings: Any) -> Any:
        """A Kafka consumer that belongs to no group."""
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", check_crcs=False,
            isolation_level="read_committed", request_timeout_ms=int(self.conf.broker_request_timeout * 1000),
            **credentials_to_aiokafka_auth(self.conf.broker_credentials, self.conf.ssl_context), **settings,
        )  # fmt: skip

    def topic_names(self) -> set[str]:
        """Every topic that must exist before the start: inputs, changelogs and what was named of the outputs."""
        return set(self.outputs) | {t for spec in self.specs for t in spec.waits_for} | self.subscribed()

    def subscribed(self) -> set[str]:
        """Every topic of which the group deals out partitions: inputs and changelogs."""
        return {t for spec in self.specs for t in spec.topics} | {f"{self.conf.id}-{spec.name}-changelog" for spec in self.specs}

    def actor_of(self, tp: Any) -> Actor | None:
        """Who handles an input partition; None while it is not ours or not loaded."""
        return self.shards.actor_of(tp.topic, tp.partition)

    async def caught_up(self, topics: Iterable[str], bound: float | None = None) -> bool:
        """Wait until the group has committed past the present ends of these topics; False if that took too long."""
        return await wait_for_backlog(self.lookup, topics, self.consumer.group_offsets, self.partitions, bound or self.hold_bound)

    async def _caught_up_in_time(self, topics: Iterable[str]) -> bool:
        return await self.caught_up(topics, self.horizon_bound)

    async def send(self, outputs: list[Output], own: int) -> None:
        """Send outputs and wait until every one is acknowledged."""
        groups = by_destination(outputs, own, self.partitions)
        landing = [self.producer.put(topic, p, map(ENTRY, group)) for (topic, p), group in groups.items()]
        done, _ = await asyncio.wait(landing, return_when=asyncio.FIRST_EXCEPTION)
        for each in done:
            each.result()

    def finish(self, topic: str, partition: int, offset: int) -> None:
        """What is before this offset of an input may be committed."""
        self.consumer.finish(TP(topic, partition), offset)

    async def open_shards(self, partitions: Iterable[int], fresh: set[int]) -> None:
        """Run the shards of these partitions; those of `fresh` partitions are made anew."""
        await self.shards.open(partitions, fresh)
        await self.consumer.perform_seek()

    async def close_shards(self) -> None:
        """Let every actor end what it has begun, in less than the group waits for us; otherwise exit."""
        bound = 0.8 * float(self.conf.broker_rebalance_timeout)
        if not await self.shards.close(bound):
            self.die(f"work in flight did not end within {bound:.0f} s")

    async def audit(self) -> None:
        """Whether a former owner wrote to a changelog while we had nothing to write."""
        for table in self.stores.values():
            store = table.data
            try:
                found = store.suspects(await self.lookup.ends((store.topic, p) for p in list(store.parts)))
                for p, end in found.items():
                    part = store.parts.get(p)
                    actor = self.shards.by_node[store.node].get(p)
                    if part and actor and not part.writing and (start := part.end) < end:
                        keys = await store.strangers(p, start, end)
                        if part.end == start:  # otherwise an append of ours has met and mended them meanwhile
                            actor.overwritten(keys)
            except KafkaError as error:
                log.warning("the audit waits for the broker: %r", error)

    # --- life cycle ---

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work beside; if it fails the process ends."""
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, going on is wrong
            self.die(f"{type(error).__name__}: {error}", error)

    async def on_start(self) -> None:
        """Refuse to start where it would hang later."""
        try:
            await check_broker(self)
            await check_group(self)
        except NotReadyError as error:
            self.refuse(str(error))
        await super().on_start()

    async def on_started(self) -> None:
        """Everything of Faust runs: start what runs beside it."""
        self.background(self._tick())
        self.background(watchdog.watch(self))
        self.background(watchdog.audit(self))
        for horizon in self.horizons:
            self.background(horizon.run())
        await super().on_started()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.hooks.on_tick()
            for actor in self.shards.all():
                actor.tick()

    async def on_stop(self) -> None:
        """Calls in flight end, outboxes are emptied, offsets committed; then what runs beside is stopped."""
        await super().on_stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lookup.stop()

    def die(self, why: str, cause: BaseException | None = None) -> NoReturn:
        """Fail-stop. Nothing is committed or sent any more: a restart reads what is durable and goes on from there."""
        self.hooks.on_dead(why)
        log.critical("fail-stop: %s", why, exc_info=cause)
        logging.shutdown()
        os._exit(EXIT)

    def refuse(self, why: str) -> NoReturn:
        """Do not start: a setting or the broker is not as it must be, and a restart alone would not mend it."""
        log.critical("cannot start: %s", why)
        logging.shutdown()
        os._exit(REFUSED)

    async def crash(self, reason: BaseException) -> None:
        """Stock Faust stops gracefully on a crash and commits half-done work (faust/transport/consumer.py:902)."""
        self.die(f"a service crashed: {reason!r}", reason)

    def _crash(self, reason: BaseException) -> None:
        self.die(f"a service crashed: {reason!r}", reason)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)
