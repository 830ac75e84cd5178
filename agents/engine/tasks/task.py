"""The task of a processor: one turn after another, each durable before the next.

A turn decides; appends rows, input offsets and outbox to the changelog as one record batch; sends the outputs; lets the input
offsets be committed; starts the calls. A decision is never taken back: what fails here ends the process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from streams.processing.turn import BadRowError, Decision, Output, Processor, Record, Result, Turn

from ..faults import FaultError, stretches
from ..host import Log, TaskContext
from ..state.changelog import Partition
from ..state.input_offsets import input_offsets, missing_ids, offset_rows
from ..state.outbox import AFTER_RESERVED, OUTBOX_KEY, decode_outputs, encode_outputs, largest
from ..state.row_format import format_row
from ..transport.sizes import SMALL, TooLargeError
from . import trail
from .calls import Calls

log = logging.getLogger("engine")

TOPIC = attrgetter("topic")

MAX_RECORDS = 4000
"""Records of a turn. Four times as many made the whole slower."""

LIMIT = 1000
"""Due moments of a turn."""

QUIET = 1.0
"""Seconds without a turn after which an outbox that is known to be sent is emptied."""


class StreamTask:
    """Drives one processor.

    Attributes:
        offsets: next offset of each input topic, as far as handled.
        anew: topics that are not those of which the rows have an offset: that one says nothing of them.
        waiting: records that were delivered and not yet handled, by topic.
        load: bytes of these.
        watermark: due moments up to here may fire. A node without `waits_for` has none and uses the clock.
    """

    def __init__(
        self, node: str, p: int, processor: Processor, part: Partition, log: Log, context: TaskContext, topics: tuple[str, ...],
        calls: Calls, processors: Callable[[], int], waits: bool, ids: Mapping[str, bytes] = MappingProxyType({}),
        format_: int = 0,
    ) -> None:  # fmt: skip
        self.node, self.p, self.processor, self.part, self.log, self.context = node, p, processor, part, log, context
        self.calls, self.processors, self.waits = calls, processors, waits
        self.ids, self.format = ids, format_
        self.offsets, self.anew = input_offsets(part, topics, ids)
        self.waiting: dict[str, int] = dict.fromkeys(topics, 0)
        self.load = 0
        self.watermark: datetime | None = None
        self.draining = self.deciding = False
        self.in_flight = 0
        self._records: deque[Record] = deque()
        self._results: list[Result] = []
        self._wake = asyncio.Event()
        self._handling: Sequence[Record] = ()
        self._more = False
        self._stuck = False
        self._stale: set[bytes] = set()
        self._unkept: set[str] = set()
        self._last = time.monotonic()
        self.on_handled: Callable[[StreamTask], None] = lambda _: None

    # --- what comes in ---

    def expect(self, topic: str, records: Sequence[Any]) -> None:
        """Count records that are on their way through the agent's queue."""
        self.waiting[topic] += len(records)
        self.load += _bytes(records)

    def receive(self, topic: str, records: list[Any]) -> None:
        """Take in records of this partition, as the consumer has them."""
        if not self.draining:
            self._records.extend(
                [Record(topic, self.p, r.offset, r.key, r.value, r.timestamp, tuple(r.headers)) for r in records]
            )
            self._poke()

    def position(self, topic: str, offset: int) -> None:
        """Note where the consumer begins to read."""
        self.offsets.setdefault(topic, offset)

    def is_empty(self, topic: str) -> None:
        """Hear that there is nothing to read now: no turn would say in the rows that a topic that was made anew is known."""
        if topic in self.anew:
            self._unkept.add(topic)
            self._poke()

    def rewind(self, topic: str, offset: int) -> None:
        """Start at an offset again: the topic was made anew."""
        self.offsets[topic] = offset

    def skip(self, topic: str, offset: int) -> None:
        """Pass over what lies below this offset and was not delivered: transaction markers, or what compaction removed."""
        if not self.waiting[topic] and offset > self.offsets.get(topic, 0):
            self.offsets[topic] = offset
            if topic in self.anew or self.part.offset(topic) is None:
                self._unkept.add(topic)  # nothing is committed of which the rows know nothing, see `completeness.py`
                self._poke()
                return
            self.context.finish(topic, self.p, offset)
            self.on_handled(self)

    def place(self) -> str:
        """Say where it is: node, partition, and the records of the turn under way."""
        handled = stretches(self._handling)
        return f"node {self.node}, partition {self.p}" + (f": {handled}" if handled else "")

    def tick(self) -> None:
        """Look whether a timer is due, a slot is free, or the outbox is emptied. It costs little where nothing is."""
        if self._stuck or self._is_quiet() or self._is_due():
            self._poke()

    def overwritten(self, keys: set[bytes]) -> None:
        """Write these keys again: a former owner wrote them late."""
        self._stale |= keys
        self._poke()

    def _poke(self) -> None:
        self._stuck = False
        self._wake.set()

    def _ended(self, result: Result) -> None:
        self.in_flight -= 1
        self._results.append(result)
        self._poke()

    def _due(self, now: datetime) -> datetime | None:
        """Return the time up to which timers may fire."""
        return None if self.draining else self.watermark if self.waits else now

    def _is_due(self) -> bool:
        first = self.processor.next_due()
        if first is None:
            return False
        due = self._due(self.context.clock())
        return due is not None and first <= due

    def _is_quiet(self) -> bool:
        return self.part.outbox is not None and time.monotonic() - self._last > QUIET

    # --- turns ---

    async def run(self) -> None:
        """Resend what a crash may have left unsent, then turns until drained. What it raises says where it was."""
        try:
            await self._run()
        except Exception as error:
            error.add_note(f"in {self.place()}")
            raise

    async def _run(self) -> None:
        await self._resend()
        if unsaid := missing_ids(self.part, self.waiting, self.ids) | format_row(self.part, self.format):
            await self.log.append(self.p, unsaid)
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
        room = 0 if self.draining else self.calls.room(self.processors())
        now, began = self.context.clock(), time.monotonic()
        trail.tell_ids(self.node, records)
        self._handling, self.deciding = records, True
        try:
            decision = self.processor.decide(Turn(now, records, results, self._due(now), room, LIMIT, self.context.skipped))
        except BadRowError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it may quote a client
            raise FaultError(error) from None
        finally:
            self.deciding = False
        self.context.hooks.on_decided(self.node, time.monotonic() - began)
        self.calls.reserve(len(decision.calls))
        self._put_back(records, results, decision)
        await self._settle(decision, records[: decision.taken])
        self.in_flight += len(decision.calls)
        for call in decision.calls:
            self.calls.start(call, now, began, self._ended)
        self._last = time.monotonic()
        self.context.hooks.on_turn(self.node, decision.taken, self._last - began)
        trail.tell_turn(self.node, self.p, decision, records)
        for line in decision.remarks:
            log.error(line, extra={"node": self.node, "partition": self.p})
        if decision.tally:
            self.context.hooks.on_tally(self.node, decision.tally)
        self._handling = ()
        self.on_handled(self)

    def _take_records(self) -> list[Record]:
        """Take the next records, without those that a turn before a crash has handled."""
        taken: list[Record] = []
        while self._records and len(taken) < MAX_RECORDS and not self.draining:
            record = self._records.popleft()
            if record.offset >= self.offsets.get(record.topic, 0):
                taken.append(record)
            else:
                self.waiting[record.topic] -= 1
                self.load -= _bytes([record])
        return taken

    def _put_back(self, records: list[Record], results: list[Result], decision: Decision) -> None:
        """Put back what was not handled: first in the next turn, at once unless the processor could do nothing at all now."""
        self._more = decision.more
        if decision.settled is not None:
            self._results[:0] = results[decision.settled :]
        self._stuck = not (decision.taken or decision.rows or decision.outputs)
        if not self.draining:
            self._records.extendleft(reversed(records[decision.taken :]))

    async def _settle(self, decision: Decision, taken: list[Record]) -> None:
        """Make a decision durable and send its outputs."""
        reached = {record.topic: record.offset + 1 for record in taken}
        outputs = self._fitting(decision.outputs)
        entries: dict[bytes, bytes | None] = dict(decision.rows)
        if entries and (least := min(entries)) < AFTER_RESERVED:
            raise ValueError(f"{self.node}: a row's key is empty or begins with NUL, which is the engine's: {least!r}")
        entries |= offset_rows(self.part, reached, self.ids)
        if outputs or (self.part.outbox is not None and entries):
            entries[OUTBOX_KEY] = encode_outputs(outputs)
        if entries:
            try:
                await self.log.append(self.p, entries)
            except TooLargeError as error:
                raise TooLargeError(f"{error}; {largest(entries)}") from None
        if decision.rows:
            self.processor.applied(decision.rows)
        if outputs:
            await self.context.send(outputs, self.p)
        if decision.scrub:
            self.part.scrub(decision.scrub)
        for topic, count in Counter(map(TOPIC, taken)).items():
            self.waiting[topic] -= count
        self.load -= _bytes(taken)
        self.anew.difference_update(reached)
        for topic, offset in reached.items():
            self.offsets[topic] = offset
            self.context.finish(topic, self.p, offset)

    def _fitting(self, outputs: list[Output]) -> list[Output]:
        """Return the outputs as their topics take them: one that the broker refuses after it is durable is refused for ever."""
        found = outputs
        for number, output in enumerate(outputs):
            if len(output.value or b"") + len(output.key or b"") > SMALL and (fit := self.context.fit(output)) is not output:
                found = list(outputs) if found is outputs else found
                found[number] = fit
                where = {"node": self.node, "partition": self.p, "topic": output.topic, "bytes": output.size}
                log.error("an output is larger than its topic takes, and is set aside", extra=where)
                self.context.hooks.on_set_aside(self.node, output.topic)
        return found

    async def _resend(self) -> None:
        outputs, reached = (
            self._fitting(decode_outputs(self.part.outbox)),
            dict(self.offsets),
        )  # before `position` adds what was never read
        if outputs:
            await self.context.send(outputs, self.p)
            self.context.hooks.on_resent(self.node, len(outputs))
        for topic, offset in reached.items():
            self.context.finish(topic, self.p, offset)
        self._last = time.monotonic()

    async def _keep_place(self) -> None:
        """Keep the first offset of topics of which only markers came so far."""
        topics, self._unkept = self._unkept, set()
        reached = {topic: self.offsets[topic] for topic in topics}
        await self.log.append(self.p, offset_rows(self.part, reached, self.ids))
        self.anew.difference_update(reached)
        for topic, offset in reached.items():
            self.context.finish(topic, self.p, offset)
        self.on_handled(self)

    async def _empty_outbox(self) -> None:
        """Empty the outbox once its outputs are acknowledged, so that a restart days later does not send them again."""
        if self.part.outbox is not None:
            await self.log.append(self.p, {OUTBOX_KEY: None})


def _bytes(records: Sequence[Any]) -> int:
    """Count the bytes of keys and values."""
    return sum([len(record.value or b"") + len(record.key or b"") for record in records])
