"""Take partitions: write fences, load in bulk, and open the processors over what was loaded."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from mode import Service

from streams.processing.turn import BadRowError

from ..host import Host
from ..readiness import NotReadyError
from ..transport.ranges import Ranges
from . import poison
from .changelog import Partition, UnfitError, encode_epoch
from .completeness import check, check_beginning
from .outbox import FENCE_KEY
from .poison import LoadError
from .row_format import check_format
from .store import Store

log = logging.getLogger("engine")


class BulkRecovery(Recovery):  # type: ignore[misc]
    """Faust's recovery with one step: take the partitions.

    Its hooks before (`on_rebalance`) and after (`on_recovery_completed`) stay as they are. The load runs in this task and
    not in `on_rebalance`, which would hold up the group's join and could not be interrupted by the next rebalance.
    """

    app: Host

    @Service.task  # type: ignore[untyped-decorator]
    async def _slurp_changelogs(self) -> None:
        """Do nothing: no record comes through Faust's changelog queue (faust/tables/recovery.py:773)."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _restart_recovery(self) -> None:
        # replaces faust/tables/recovery.py:338. No timed wait: a time-out reads as a stop there (:617) and ends recovery for good
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):
                break
            self.signal_recovery_start.clear()
            generation = self._generation_id
            try:
                self._set_recovery_started()
                await self._wait(self._take())
                await self._wait(self.on_recovery_completed(generation))
            except (RebalanceAgain, IllegalStateError):
                continue
            except ServiceStopped:
                break

    async def _take(self) -> None:
        await self.app.maybe_start_producer()
        stores = {table.data: {tp.partition for tp in self.actives_for_table[table]} for table in self.tables.values()}
        revocations = self.app.revocations
        fresh = await take(self.app, stores)
        if revocations != self.app.revocations:
            raise RebalanceAgain  # they are not ours any more; the next assignment starts another recovery
        if not await self.app.open_tasks(set().union(*stores.values()), fresh):
            raise RebalanceAgain


class BulkTables(TableManager):  # type: ignore[misc]
    """Faust's tables, with our recovery."""

    _recovery: BulkRecovery | None

    @property
    def recovery(self) -> BulkRecovery:
        """Our recovery in place of the stock one (faust/tables/manager.py:114)."""
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Start without the second that the base class sleeps (faust/tables/manager.py:140)."""
        await self._update_channels()
        await self.recovery.start()


async def take(app: Host, wanted: dict[Store, set[int]]) -> set[int]:
    """Take these partitions of these stores; return those of which anything was loaded.

    What nobody else has written to since we last had it stays as it is; anything else is fenced and loaded.
    """
    began = time.monotonic()
    app.ids = await app.lookup.ids(app.subscribed())
    tps = {TopicPartition(store.topic, p): store for store, partitions in wanted.items() for p in partitions}
    ends = await app.lookup.ends(tps)
    for store, partitions in wanted.items():
        mine = {p: part for p, part in store.parts.items() if p in partitions}
        kept = {p: part for p, part in mine.items() if part.end == ends[TopicPartition(store.topic, p)]}
        for p in store.parts.keys() - kept.keys():
            store.parts[p].close()
        store.parts = kept
    missing = {tp: store for tp, store in tps.items() if tp.partition not in store.parts}
    fences = await _fence(app, missing)
    counts: dict[Store, int] = dict.fromkeys(wanted, 0)
    loaded = {tp: store.new_partition(tp.partition) for tp, store in missing.items()}
    async for tp, records in _records(app, fences, await _starts(app, loaded, missing, fences)):
        try:
            loaded[tp].read(records)
        except UnfitError as error:
            app.stores[missing[tp].node].data.discard(tp.partition, loaded[tp])
            app.die(f"{tp.topic}/{tp.partition}: {error}; it is thrown away, and loaded anew at the next start")
        counts[missing[tp]] += len(records)
    known = {spec.name: spec.format for spec in app.specs}
    for tp, part in loaded.items():
        if part.epoch != encode_epoch(fences[tp]):
            app.die(f"{tp.topic}/{tp.partition} was taken over while it was loaded")
        part.end = fences[tp] + 1
        try:
            poison.check_own(part)
        except BadRowError as error:
            await poison.refuse(app, LoadError(missing[tp].node, tp.partition, error))
        try:
            check_format(tp.topic, tp.partition, part, known[missing[tp].node])
        except NotReadyError as error:
            app.refuse(error)
    await check(app, ((missing[tp].node, tp.topic, tp.partition, part) for tp, part in loaded.items()))
    for tp, part in loaded.items():
        missing[tp].parts[tp.partition] = part
    for tp, part in loaded.items():
        if part.stale:
            app.hooks.on_zombie_writes(missing[tp].node, len(part.stale))
            await missing[tp].repair(tp.partition, part.stale)
            part.stale = set()
    for store, count in counts.items():
        app.hooks.on_recovered(store.node, count, time.monotonic() - began)
    seconds = round(time.monotonic() - began, 2)
    log.info("took partitions", extra={"partitions": len(tps), "records": sum(counts.values()), "seconds": seconds})
    return {tp.partition for tp in loaded}


async def _fence(app: Host, missing: Iterable[Any]) -> dict[Any, int]:
    """Write a fence in each changelog partition; return their offsets."""
    sent = {tp: await app.producer.append(tp.topic, tp.partition, [(FENCE_KEY, b"1", ())]) for tp in missing}
    return {tp: (await future).offset for tp, (future, _) in sent.items()}


async def _starts(app: Host, loaded: dict[Any, Partition], stores: dict[Any, Store], fences: dict[Any, int]) -> dict[Any, int]:
    """Return where to read each from; a copy on disk that does not fit the changelog is thrown away, and a gap is refused."""
    beginnings = await app.lookup.beginnings(loaded)
    starts: dict[Any, int] = {}
    for tp, part in list(loaded.items()):
        try:
            starts[tp] = part.start(beginnings[tp], fences[tp])
        except UnfitError as error:
            where = {"topic": tp.topic, "partition": tp.partition, "error": str(error)}
            log.warning("a copy on disk does not fit its changelog and is loaded anew", extra=where)
            part = loaded[tp] = stores[tp].discard(tp.partition, part)
            starts[tp] = beginnings[tp]
        try:
            check_beginning(tp.topic, tp.partition, part, beginnings[tp])
        except NotReadyError as error:
            app.refuse(error)
    return starts


async def _records(app: Host, fences: dict[Any, int], starts: dict[Any, int]) -> AsyncIterator[tuple[Any, list[Any]]]:
    """Yield all records of these partitions up to their fences and somewhat beyond, in chunks of a partition."""
    if not fences:
        return
    client = app.new_client(max_partition_fetch_bytes=4 << 20, fetch_max_bytes=64 << 20, fetch_max_wait_ms=50)
    await client.start()
    try:
        # What already lies behind our fence is read too: another's fence there ends this worker before it decides anything.
        stops = {tp: fence + 1 for tp, fence in fences.items()}
        async for tp, records in Ranges(client, starts, stops, beyond=True).batches():
            yield tp, records
    finally:
        await client.stop()
