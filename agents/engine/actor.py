"""The actor of a shard: one turn after another, each durable before the next.

A turn is: decide; append rows, input offsets and outbox to the changelog as one record batch; send the outputs; finish the
input offsets; start the calls. A decision is never taken back: what fails here ends the process.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol

from streams.turn import Decision, Output, Record, Result, Shard, Turn

from .calls import Calls
from .changelog import Partition
from .monitor import Monitor
from .outbox import AFTER_RESERVED, MAX_OUTPUT, OUTBOX_KEY, decode_outputs, encode_offset, encode_outputs, offset_key

TOPIC = attrgetter("topic")

MAX_RECORDS = 4000
"""Records of a turn. Four times as many made the whole slower."""

LIMIT = 1000
"""Due moments of a turn."""

QUIET = 1.0
"""Seconds without a turn after which an outbox that is known to be sent is emptied."""


class Log(Protocol):
    """Where an actor makes its turns durable."""

    async def append(self, p: int, entries: dict[bytes, bytes | None]) -> None:
        """One atomic, fenced append that is applied to the partition."""

    async def repair(self, p: int, keys: set[bytes]) -> None:
        """True values over stale ones."""


class Outlet(Protocol):
    """What an actor needs of the worker around it."""

    hooks: Monitor

    def clock(self) -> datetime:
        """Now, in UTC."""

    async def send(self, outputs: list[Output], own: int) -> None:
        """Send outputs and wait until all are acknowledged."""

    def finish(self, topic: str, partition: int, offset: int) -> None:
        """What is before this offset is durable with all that follows from it."""


class Actor:
    """Drives one shard.

    Attributes:
        offsets: next offset of each input topic, as far as handled.
        waiting: records that were delivered and not yet handled, by topic.
        horizon: due moments up to here may fire. A node without `waits_for` has none and uses the clock.
    """

    def __init__(
        self, node: str, p: int, shard: Shard, part: Partition, log: Log, outlet: Outlet, topics: tuple[str, ...],
        calls: Calls, shards: Callable[[], int], waits: bool,
    ) -> None:  # fmt: skip
        self.node, self.p, self.shard, self.part, self.log, self.outlet = node, p, shard, part, log, outlet
        self.calls, self.shards, self.waits = calls, shards, waits
        self.offsets: dict[str, int] = {t: offset for t in topics if (offset := part.offset(t)) is not None}
        self.waiting: dict[str, int] = dict.fromkeys(topics, 0)
        self.horizon: datetime | None = None
        self.draining = False
        self.in_flight = 0
        self._records: deque[Record] = deque()
        self._results: list[Result] = []
        self._wake = asyncio.Event()
        self._more = False
        self._stuck = False
        self._stale: set[bytes] = set()
        self._unkept: set[str] = set()
        self._last = time.monotonic()
        self.on_handled: Callable[[Actor], None] = lambda _: None

    # --- what comes in ---

    def expect(self, topic: str, n: int) -> None:
        """So many records are on their way through the agent's queue."""
        self.waiting[topic] += n

    def receive(self, topic: str, records: list[Any]) -> None:
        """Records of this partition, as the consumer has them."""
        if not self.draining:
            self._records.extend([Record(topic, self.p, r.offset, r.key, r.value, r.timestamp) for r in records])
            self._poke()

    def position(self, topic: str, offset: int) -> None:
        """Where the consumer begins to read."""
        self.offsets.setdefault(topic, offset)

    def rewind(self, topic: str, offset: int) -> None:
        """The topic was made anew: its offsets begin again."""
        self.offsets[topic] = offset

    def skip(self, topic: str, offset: int) -> None:
        """What is before this offset and was not delivered are no records: transaction markers, or compacted away."""
        if not self.waiting[topic] and offset > self.offsets.get(topic, 0):
            self.offsets[topic] = offset
            if self.part.offset(topic) is None:
                self._unkept.add(topic)  # nothing is committed of which the rows know nothing, see `whole.py`
                self._poke()
                return
            self.outlet.finish(topic, self.p, offset)
            self.on_handled(self)

    def tick(self) -> None:
        """A moment may be due, a slot be free, or the outbox be emptied. Costs little where neither is so."""
        if self._stuck or self._is_quiet() or self._is_due():
            self._poke()

    def overwritten(self, keys: set[bytes]) -> None:
        """A former owner wrote these keys late."""
        self._stale |= keys
        self._poke()

    def _poke(self) -> None:
        self._stuck = False
        self._wake.set()

    def _ended(self, result: Result | None) -> None:
        self.in_flight -= 1
        if result is not None:
            self._results.append(result)
        self._poke()

    def _due(self, now: datetime) -> datetime | None:
        """Moments up to here may fire."""
        return None if self.draining else self.horizon if self.waits else now

    def _is_due(self) -> bool:
        first = self.shard.next_due()
        if first is None:
            return False
        due = self._due(self.outlet.clock())
        return due is not None and first <= due

    def _is_quiet(self) -> bool:
        return self.part.outbox is not None and time.monotonic() - self._last > QUIET

    # --- turns ---

    async def run(self) -> None:
        """Resend what a crash may have left unsent, then turns until drained."""
        await self._resend()
        while not self.draining or self.in_flight or self._results:
            if self._stale:
                stale, self._stale = self._stale, set()
                await self.log.repair(self.p, stale)
            elif self._unkept:
                await self._keep_place()
            elif self._results or (not self.draining and not self._stuck and (self._records or self._more or self._is_due())):
                await self._turn()
            elif self._is_quiet():
                await self._empty_outbox()
            else:
                await self._wake.wait()
                self._wake.clear()
        await self._empty_outbox()

    def drain(self) -> None:
        """Take in nothing more; `run` returns when the calls in flight have ended and their results are durable."""
        self.draining = True
        self._records.clear()
        self._wake.set()

    async def _turn(self) -> None:
        records = self._take_records()
        results, self._results = self._results, []
        room = 0 if self.draining else self.calls.room(self.shards())
        now, began = self.outlet.clock(), time.monotonic()
        decision = self.shard.decide(Turn(now, records, results, self._due(now), room, LIMIT))
        self.outlet.hooks.on_decided(self.node, time.monotonic() - began)
        self.calls.reserve(len(decision.calls))
        self._put_back(records, decision)
        await self._settle(decision, records[: decision.taken])
        self.in_flight += len(decision.calls)
        for call in decision.calls:
            self.calls.start(call, now, began, self._ended)
        self._last = time.monotonic()
        self.outlet.hooks.on_turn(self.node, decision.taken, self._last - began)
        if decision.tally:
            self.outlet.hooks.on_tally(self.node, decision.tally)
        self.on_handled(self)

    def _take_records(self) -> list[Record]:
        """The next records, without those that a turn before a crash has handled."""
        taken: list[Record] = []
        while self._records and len(taken) < MAX_RECORDS and not self.draining:
            record = self._records.popleft()
            if record.offset >= self.offsets.get(record.topic, 0):
                taken.append(record)
            else:
                self.waiting[record.topic] -= 1
        return taken

    def _put_back(self, records: list[Record], decision: Decision) -> None:
        """What was not handled comes first in the next turn: at once, unless the shard could do nothing at all now."""
        self._more = decision.more
        self._stuck = not (decision.taken or decision.rows or decision.outputs)
        if not self.draining:
            self._records.extendleft(reversed(records[decision.taken :]))

    async def _settle(self, decision: Decision, taken: list[Record]) -> None:
        """Make a decision durable and send its outputs."""
        reached = {record.topic: record.offset + 1 for record in taken}
        outputs = decision.outputs
        entries: dict[bytes, bytes | None] = dict(decision.rows)
        if entries and (least := min(entries)) < AFTER_RESERVED:
            raise ValueError(f"{self.node}: a row's key is empty or begins with NUL, which is the engine's: {least!r}")
        for topic, offset in reached.items():
            entries[offset_key(topic)] = encode_offset(offset)
        if outputs or (self.part.outbox is not None and entries):
            entries[OUTBOX_KEY] = encode_outputs(outputs)
        for output in outputs:
            if len(output.value or b"") > MAX_OUTPUT:
                raise ValueError(
                    f"{self.node}: an output to {output.topic} has {len(output.value or b'')} bytes, at most {MAX_OUTPUT}"
                )
        if entries:
            await self.log.append(self.p, entries)
        if decision.rows:
            self.shard.applied(decision.rows)
        if outputs:
            await self.outlet.send(outputs, self.p)
        if decision.scrub:
            self.part.scrub(decision.scrub)
        for topic, count in Counter(map(TOPIC, taken)).items():
            self.waiting[topic] -= count
        for topic, offset in reached.items():
            self.offsets[topic] = offset
            self.outlet.finish(topic, self.p, offset)

    async def _resend(self) -> None:
        outputs, reached = decode_outputs(self.part.outbox), dict(self.offsets)  # before `position` adds what was never read
        if outputs:
            await self.outlet.send(outputs, self.p)
            self.outlet.hooks.on_resent(self.node, len(outputs))
        for topic, offset in reached.items():
            self.outlet.finish(topic, self.p, offset)
        self._last = time.monotonic()

    async def _keep_place(self) -> None:
        """The first offset of topics of which nothing but markers came so far."""
        topics, self._unkept = self._unkept, set()
        reached = {topic: self.offsets[topic] for topic in topics}
        await self.log.append(self.p, {offset_key(topic): encode_offset(offset) for topic, offset in reached.items()})
        for topic, offset in reached.items():
            self.outlet.finish(topic, self.p, offset)
        self.on_handled(self)

    async def _empty_outbox(self) -> None:
        """Only after its outputs are acknowledged, so that a restart days later does not send them again."""
        if self.part.outbox is not None:
            await self.log.append(self.p, {OUTBOX_KEY: None})
