"""The engine: a Faust app whose delivery, commits and recovery are ours, and which stops rather than go on wrongly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NoReturn

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types import TP

from streams.processing.turn import Output

from ..clock import utc_now
from ..exits import STOPPED, leave
from . import outlook, watchdog
from .faults import FaultError, told
from .faust_settings import SETTINGS
from .monitor import Monitor
from .node import NodeSpec, in_order
from .preflight import check_broker, check_codecs, check_versions
from .readiness import NotReadyError
from .refusals import NodesOnly
from .state.outbox import by_destination
from .state.poison import LoadError, refuse
from .state.store import StateBackend
from .tasks.task import StreamTask
from .tasks.tasks import StreamTasks
from .tasks.watermark import Watermark
from .transport.consumer import Transport
from .transport.membership import check_group
from .transport.names import Consumer
from .transport.offsets import Lookup, wait_for_backlog
from .transport.sizes import SMALL, TooLargeError

log = logging.getLogger("engine")

ENTRY = attrgetter("key", "value", "headers")
"""An output as the producer takes it."""

TICK = 0.25
"""Seconds between two looks at what is due."""


def none_too_large(output: Output) -> Output:
    """Return an output as it is. Raises TooLargeError where it may be more than its topic takes by Kafka's defaults."""
    if output.size > 2 * SMALL:
        raise TooLargeError(f"an output of {output.size} bytes to {output.topic}, of which nobody says that it takes more")
    return output


class Engine(NodesOnly):
    """A Faust app that runs nodes.

    Args:
        name: of the app: the consumer group, and the first part of the changelogs' names.
        bootstrap: brokers, "host:port,host:port".
        nodes: what it runs; a node's peers may stand anywhere in it.
        partitions: N, of every topic and table.
        outputs: topics that are written to; only to check before the start that they exist, since a send would hang.
        clock: returns `now`, aware and in UTC.
        hooks: for metrics.
        watermark_bound: seconds for which a due timer waits for the backlog at most.
        bootstrap_bound: seconds for which a dependent topic waits for its bootstrap topics at most.
        recovery_timeout: seconds of recovery after which the worker gives up.
        commit_timeout: seconds without a successful commit after which it gives up.
        stall_timeout: seconds after which a main loop that does not turn ends the process. Default: the session time-out.
        audit_interval: seconds between two looks at whether somebody else wrote to a changelog of ours.
        fit: returns an output as its topic takes it; another one in its place where it is too large. Default: none may be.
        skipped: records, by topic, partition and offset, that nodes set aside as they are.
        topic_prefix: what stands before the names of topics and of the group on Kafka (`transport/names.py`).
        disk: where rows are kept that do not fit into memory (`state/rocksdb.py`); None: in memory.
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
        watermark_bound: float = 300.0,
        bootstrap_bound: float = 300.0,
        recovery_timeout: float = 900.0,
        commit_timeout: float = 120.0,
        stall_timeout: float | None = None,
        audit_interval: float = 60.0,
        fit: Callable[[Output], Output] | None = None,
        skipped: Iterable[tuple[str, int, int]] = (),
        topic_prefix: str = "",
        disk: StateBackend | None = None,
        **settings: Any,
    ) -> None:
        check_versions()
        check_codecs()
        self.bootstrap, self.partitions, self.clock, self.hooks = bootstrap, partitions, clock, hooks or Monitor()
        self.watermark_bound, self.bootstrap_bound = watermark_bound, bootstrap_bound
        self.recovery_timeout, self.commit_timeout, self.audit_interval = recovery_timeout, commit_timeout, audit_interval
        self.specs, self.disk, self.topic_prefix = in_order(nodes), disk, topic_prefix
        self.fit, self.skipped = fit or none_too_large, frozenset(skipped)
        self.early = {late: early for spec in self.specs for late, early in spec.hold.items()}
        super().__init__(name, broker=[f"aiokafka://{address}" for address in bootstrap.split(",")], **{**SETTINGS, **settings})
        self.stall_timeout = stall_timeout or float(self.conf.broker_session_timeout)
        self._check_call_times()
        self.outputs, self.revocations, self.heard = tuple(outputs), 0, 0.0
        self.ids: dict[str, bytes] = {}
        self.lookup = Lookup(self)
        self._running: set[asyncio.Task[Any]] = set()
        self.tasks = StreamTasks(self, self.specs)
        self.stores = {}
        for spec in self.specs:
            table = super(NodesOnly, self).Table(spec.name, partitions=partitions, key_type=bytes, value_type=bytes)
            self.stores[spec.name] = table
            topic = self.topic(*spec.topics, key_type=bytes, value_type=bytes, partitions=partitions)
            super(NodesOnly, self).agent(topic, name=spec.name)(self._route)
        self.watermarks = [
            self._watermark(topics) for topics in sorted({spec.waits_for for spec in self.specs if spec.waits_for})
        ]

    def _watermark(self, topics: tuple[str, ...]) -> Watermark:
        specs = [spec for spec in self.specs if spec.waits_for == topics]
        return Watermark(
            specs, self.tasks.of, self.lookup.ends, self._caught_up_in_time, self.clock, self.hooks, self.watermark_bound
        )

    def _check_call_times(self) -> None:
        bound = 0.8 * float(self.conf.broker_rebalance_timeout)
        for spec in self.specs:
            longest = spec.call_start_within + spec.call_timeout
            if spec.call and longest >= bound:
                raise ValueError(f"node {spec.name}: a call may end {longest} s after its claim; a rebalance waits {bound} s")

    async def _route(self, stream: Any) -> None:
        """Hand batches to the tasks of their partitions: the agent of every node."""
        queue = stream.channel.queue
        try:
            while True:
                batch = await queue.get()
                batch.task.receive(batch.topic, batch.records)
        except StopAsyncIteration:
            return  # the worker stops (faust/agents/actor.py:61)
        except Exception as error:  # noqa: BLE001 - stock Faust would go on without this batch (faust/agents/agent.py:694)
            self.die(f"a batch of {batch.topic}/{batch.actor.p} could not be handed over: {told(error)}", error)

    # --- what the parts ask for ---

    def new_client(self, **settings: Any) -> Any:
        """Return a Kafka consumer that belongs to no group."""
        return Consumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", check_crcs=False,
            isolation_level="read_committed", topic_prefix=self.topic_prefix, client_id=self.conf.broker_client_id,
            request_timeout_ms=int(self.conf.broker_request_timeout * 1000),
            **credentials_to_aiokafka_auth(self.conf.broker_credentials, self.conf.ssl_context), **settings,
        )  # fmt: skip

    def topic_names(self) -> set[str]:
        """Return every topic that must exist before the start: inputs, changelogs and what was named of the outputs."""
        return set(self.outputs) | {t for spec in self.specs for t in (*spec.waits_first, *spec.waits_for)} | self.subscribed()

    def subscribed(self) -> set[str]:
        """Return every topic of which the group deals out partitions: inputs and changelogs."""
        return {t for spec in self.specs for t in spec.topics} | {f"{self.conf.id}-{spec.name}-changelog" for spec in self.specs}

    def task_of(self, tp: Any) -> StreamTask | None:
        """Return the task of an input partition; None while it is not ours or not loaded."""
        return self.tasks.task_of(tp.topic, tp.partition)

    async def caught_up(self, topics: Iterable[str], bound: float | None = None) -> bool:
        """Wait until the group has committed past the present ends of these topics; False if that took too long."""
        tps = [TopicPartition(topic, p) for topic in topics for p in range(self.partitions)]
        return await wait_for_backlog(self.lookup, tps, self.consumer.group_offsets, bound or self.bootstrap_bound)

    async def _caught_up_in_time(self, topics: Iterable[str]) -> bool:
        return await self.caught_up(topics, self.watermark_bound)

    async def send(self, outputs: list[Output], own: int) -> None:
        """Send outputs and wait until every one is acknowledged."""
        groups = by_destination(outputs, own, self.partitions)
        landing = [self.producer.put(topic, p, map(ENTRY, group)) for (topic, p), group in groups.items()]
        done, _ = await asyncio.wait(landing, return_when=asyncio.FIRST_EXCEPTION)
        for each in done:
            each.result()

    def finish(self, topic: str, partition: int, offset: int) -> None:
        """Let the offset of an input be committed: all before it is handled."""
        self.consumer.finish(TP(topic, partition), offset)

    async def open_tasks(self, partitions: Iterable[int], fresh: set[int]) -> bool:
        """Run the processors of these partitions, of `fresh` ones made anew; return False where they were revoked meanwhile."""
        try:
            opened = await self.tasks.open(partitions, fresh)
        except LoadError as error:
            await refuse(self, error)
        if opened:
            self._tell_anew()
            await self.consumer.perform_seek()
        return opened

    def _tell_anew(self) -> None:
        for topic, partitions in sorted(self.tasks.anew().items()):
            log.error(
                "a topic has another id than the one that was read: it was made anew, or comes from a mirror; it is read anew",
                extra={"topic": topic, "partitions": sorted(partitions)},
            )
            self.hooks.on_read_anew(topic, len(partitions))

    async def close_tasks(self) -> None:
        """Let every task end what it has begun, in less than the group waits for us; otherwise exit."""
        bound = 0.8 * float(self.conf.broker_rebalance_timeout)
        if late := await self.tasks.close(bound):
            places = "; ".join(task.place() for task in late)
            self.die(f"work in flight did not end within {bound:.0f} s, in {places}")

    async def audit(self) -> None:
        """Look whether a former owner wrote to a changelog while we had nothing to write."""
        for table in self.stores.values():
            store = table.data
            try:
                found = store.grown_partitions(await self.lookup.ends((store.topic, p) for p in list(store.parts)))
                for p, end in found.items():
                    part = store.parts.get(p)
                    task = self.tasks.by_node[store.node].get(p)
                    if part and task and not part.writing and (start := part.end) < end:
                        keys = await store.zombie_writes(p, start, end)
                        if part.end == start:  # otherwise an append of ours has met and mended them meanwhile
                            task.overwritten(keys)
            except KafkaError as error:
                log.warning("the audit waits for the broker", extra={"error": repr(error)})

    # --- life cycle ---

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work beside; if it fails the process ends."""
        running = asyncio.create_task(self._guard(work))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, going on is wrong
            self.die(told(error), error)

    async def on_start(self) -> None:
        """Refuse to start where it would hang later."""
        try:
            await check_broker(self)
            await check_group(self)
        except NotReadyError as error:
            self.refuse(error)
        await super().on_start()

    async def on_started(self) -> None:
        """Start what runs beside Faust, once all of it runs."""
        self.background(self._tick())
        self.background(watchdog.watch(self))
        self.background(watchdog.audit(self))
        self.hooks.on_heard()
        self.background(outlook.watch(self))
        for watermark in self.watermarks:
            self.background(watermark.run())
        await super().on_started()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.hooks.on_tick()
            for task in self.tasks.all():
                task.tick()

    async def on_stop(self) -> None:
        """Let calls in flight end, empty outboxes, commit offsets; then stop what runs beside."""
        await super().on_stop()
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.lookup.stop()
        for table in self.stores.values():
            table.data.close()

    def die(self, why: str, cause: BaseException | None = None) -> NoReturn:
        """End the process (fail-stop). Nothing more is committed or sent: a restart goes on from what is durable."""
        self.hooks.on_dead(why)
        if isinstance(cause, FaultError):
            log.critical("fail-stop: %s\n%s", why, cause.trace)
        else:
            log.critical("fail-stop: %s", why, exc_info=cause)
        leave(STOPPED)

    def refuse(self, why: NotReadyError, what: str = "cannot start") -> NoReturn:
        """Do not start, or go on: something is not as it must be. The exit code says whether trying again may help."""
        log.critical("%s: %s", what, why)
        leave(why.exit_code)

    async def crash(self, reason: BaseException) -> None:
        """End the process; stock Faust stops gracefully then, and commits half-done work (faust/transport/consumer.py:902)."""
        self.die(f"a service crashed: {told(reason)}", reason)

    def _crash(self, reason: BaseException) -> None:
        self.die(f"a service crashed: {told(reason)}", reason)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)
