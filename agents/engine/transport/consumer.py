"""Deliver records and commit offsets.

Whole batches of one partition go to the agent. One coroutine both seeks and fetches, so that a rebalance can neither lose nor
reorder what was on its way. An offset is committed only after a turn has said that its work is durable; Faust's own
bookkeeping of acknowledgements is not used.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from ..host import Host, Reader
from ..transport.bootstrap import Bootstrap
from .client_thread import ConsumerThread
from .losses import Losses
from .offsets import Offsets
from .producer import Producer

log = logging.getLogger("engine")

BACKLOG = 8000
"""Records that may wait for one partition's task: enough for the next turn, few enough that a rebalance drops little."""


BACKLOG_BYTES = 16 << 20
"""Bytes of them: a group of a thousand clients has nearly a megabyte."""


def has_room(task: Reader, topic: str) -> bool:
    """Tell whether more of a topic may be handed to a task."""
    return task.waiting[topic] < BACKLOG and task.load < BACKLOG_BYTES


class PartitionRecords(NamedTuple):
    """Records of one partition for its task. A task that has been drained since ignores them."""

    task: Reader
    topic: str
    records: list[Any]


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer with our delivery and our commits."""

    app: Host

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.done: dict[Any, int] = {}
        self.committed: dict[Any, int] = {}
        self.waiting_since: float | None = None
        self._seek_due = True
        self._committing = asyncio.Lock()
        self._skipped_at = 0.0
        self.losses = Losses(self.app.lookup, self.app.hooks)
        self.hold = Bootstrap(self.app.early, self.app.caught_up, self.app.hooks)
        self._holding: asyncio.Task[None] | None = None

    def end_of(self, topic: str, partition: int) -> int | None:
        """Return the end of a partition of ours as the last fetch told it."""
        return self._thread.end_of(TP(topic, partition))  # type: ignore[no-any-return]

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def finish(self, tp: Any, offset: int) -> None:
        """Let this offset be committed: all before it is handled."""
        self.done[tp] = offset

    async def group_offsets(self, tps: Iterable[Any]) -> Offsets:
        """Return what the group has committed, of other members' partitions too. It retries while a coordinator loads."""
        coordinator = self._thread._ensure_consumer()._coordinator
        stored = await self._thread.ask(coordinator.fetch_committed_offsets([TopicPartition(*tp) for tp in tps]))
        return {tp: found.offset for tp, found in stored.items() if found.offset >= 0}

    # --- delivery ---

    async def perform_seek(self) -> None:
        """Do nothing, though recovery asks for it: only the loop below seeks, so nothing races with a fetch."""
        self._seek_due = True

    async def _drain_messages(self, fetcher: Any) -> None:
        # the only thing that feeds agents (faust/transport/consumer.py:1170)
        try:
            await self._deliver(fetcher)
        except asyncio.CancelledError:
            if not (self.app.should_stop or fetcher.should_stop):
                raise

    async def _deliver(self, fetcher: Any) -> None:
        index = self.app.topics._tp_index
        while not (self.should_stop or fetcher.should_stop):
            if not self.flow_active:
                await asyncio.sleep(0.02)
                continue
            if self._seek_due:
                self._seek_due = False
                try:
                    await self._seek()
                except IllegalStateError:  # a rebalance came between
                    self._seek_due = True
                    await asyncio.sleep(0.02)
                continue
            tasks = {tp: task for tp in self._get_active_partitions() if (task := self.app.task_of(tp))}
            await self._skip_markers(tasks)
            wanted = {tp for tp, task in tasks.items() if has_room(task, tp.topic) and tp not in self.hold.held}
            if not wanted:
                await asyncio.sleep(0.005)
                continue
            try:
                # where some are full or held, look again soon: a fetch waits for those that it was asked for
                fetched = await self._getmany(wanted, 1.0 if len(wanted) == len(tasks) else 0.02)
            except self.consumer_stopped_errors:
                if self.app.should_stop:
                    return
                raise
            if self._seek_due or not self.flow_active:
                self._seek_due = True  # positions ran ahead of what was delivered
                continue
            await self.losses.look({tp: (records[0].offset, records[-1].offset + 1) for tp, records in fetched.items()})
            if self._seek_due or not self.flow_active:
                self._seek_due = True  # as above: it came while that was looked up
                continue
            for tp, records in fetched.items():
                task = tasks[tp]
                task.expect(tp.topic, records)
                self.app.hooks.on_fetched(tp.topic, tp.partition, len(records), records[0].timestamp)
                for channel in index[tp]:
                    channel.queue.put_nowait(PartitionRecords(task, tp.topic, records))

    async def _seek(self) -> None:
        """Seek each partition to its offset in the rows, else to the committed one, else to the earliest.

        Faust and aiokafka leave a partition without commit where it is (aiokafka/consumer/consumer.py:901).
        """
        changelogs = self.app.tables.changelog_topics
        tps = [TopicPartition(*tp) for tp in self.assignment() if tp.topic not in changelogs]
        if not tps:
            return
        anew = {tp for tp in tps if (task := self.app.task_of(tp)) and tp.topic in task.anew}
        # what was committed of a topic that is gone says as little of the new one as the rows do
        committed = {tp: offset for tp, offset in (await self.group_offsets(tps)).items() if tp not in anew}
        beginnings, ends = await self.app.lookup.beginnings(tps), await self.app.lookup.ends_past(tps, committed)
        positions: dict[Any, int] = {}
        unread = []
        for tp in tps:
            task = self.app.task_of(tp)
            in_rows = task.offsets.get(tp.topic) if task else None
            wanted = in_rows if in_rows is not None else committed.get(tp)
            if wanted is None:
                unread.append(tp)
            if wanted is not None and wanted > ends[tp] and task:
                read = {"topic": tp.topic, "partition": tp.partition, "end": ends[tp], "read_to": wanted}
                log.error("it ends before where it was read up to: reading it anew", extra=read)
                self.app.hooks.on_read_anew(tp.topic, 1)
                task.rewind(tp.topic, beginnings[tp])
                wanted = beginnings[tp]
            elif wanted is not None:
                self.losses.tell(tp, wanted, beginnings[tp])
            positions[tp] = max(wanted if wanted is not None else 0, beginnings[tp])
            if task:
                task.position(tp.topic, positions[tp])
                if positions[tp] >= ends[tp]:
                    task.is_empty(tp.topic)
        await self.seek_wait(positions)
        self.losses.expected = {TP(*tp): position for tp, position in positions.items()}
        self.committed = {TP(*tp): offset for tp, offset in committed.items()}
        if anew:  # who waits for the backlog, here and in other workers, goes by what is committed
            for tp in anew:
                self.done.setdefault(TP(*tp), positions[tp])
            await self.commit()
        self._begin_hold(unread)

    def _begin_hold(self, unread: list[Any]) -> None:
        if self._holding is not None:
            self._holding.cancel()
        self.hold.begin(unread)
        self._holding = self.app.background(self.hold.wait())

    async def _skip_markers(self, tasks: dict[Any, Reader]) -> None:
        """Count as handled, twice a second, what the client passed over with nothing to deliver."""
        now = time.monotonic()
        if now - self._skipped_at > 0.5:
            self._skipped_at = now
            passed = {tp: offset for tp in tasks if (offset := self._thread.delivered_to(tp)) is not None}
            await self.losses.look({tp: (offset, offset) for tp, offset in passed.items()})
            for tp, offset in passed.items():
                if not tasks[tp].waiting[tp.topic]:
                    tasks[tp].skip(tp.topic, offset)

    # --- commits ---

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit what is finished. Called every commit interval (faust/transport/consumer.py:910), and before a revoke ends."""
        async with self._committing:
            offsets = {tp: offset for tp, offset in self.done.items() if offset != self.committed.get(tp)}
            if not offsets:
                self.waiting_since = None
                return False
            self.waiting_since = self.waiting_since or time.monotonic()
            if not await self._commit(offsets):
                return False
            self.waiting_since, self.app.heard = None, time.monotonic()
            self.committed.update(offsets)
            self.app.hooks.on_commit(len(offsets))
            return True

    async def wait_empty(self) -> None:
        """Let every task end what it has begun, and commit it (stock: faust/transport/consumer.py:867)."""
        await self.app.close_tasks()
        await self.commit()

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Commit before the base class forgets what was done (faust/transport/consumer.py:657)."""
        self.app.revocations += 1
        self.stop_flow()
        await self.wait_empty()
        self.done.clear()
        self.committed.clear()
        self._seek_due = True
        await super().on_partitions_revoked(revoked)

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Do nothing: Faust's livelock detector looks at figures that are not kept here; `watchdog.py` has ours."""


class Transport(driver.Transport):  # type: ignore[misc]
    """Makes our consumer and producer."""

    Consumer = Consumer
    Producer = Producer
