"""Follows the topics of the projection: it goes on whatever one record is, waits for what is away, and says how old it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from schemas.deliveries import NewerSchemaError
from schemas.topics import changelog

from ..engine.topic_ids import is_other
from ..engine.transport.ranges import Ranges
from ..kafka.reader import MissingError, Reader, written
from ..monitoring.web_metrics import READ, ROWS, WebMetrics
from ..terminal import Progress, silent
from .projection import OvertakenError, Projection, TopicEntry
from .states import STORE, is_states
from .tables import prepare

log = structlog.get_logger(__name__)

BATCH = 500
"""Records that are taken in together, in one transaction of the database."""
AGAIN_SECONDS = 5.0
IDS_SECONDS = 15.0
"""Between two looks at the topics' ids, where the process follows."""


class Follower:
    """Reads the topics on from the projection's positions, without a consumer group.

    A partition with a record of a newer schema is not read any further by this program; the others are.

    Args:
        projection: what is kept up to date.
        application: whose rows it follows, too (`states.py`).
        bootstrap, security: of Kafka (`agents/kafka/security.py`).
        metrics: what is told of it.
        clock: seconds of Unix time.
        progress: what shows how far a read up to the ends has come.
    """

    def __init__(
        self, projection: Projection, application: str, bootstrap: str, security: Mapping[str, Any] | None = None,
        metrics: WebMetrics | None = None, clock: Callable[[], float] = time.time,
        progress: Progress = silent,
    ) -> None:  # fmt: skip
        self.progress = progress
        self.projection, self.bootstrap, self.security = projection, bootstrap, dict(security or {})
        self.metrics, self.clock = metrics or WebMetrics(), clock
        self.topics = (*READ, changelog(application, STORE).name)
        self.caught_up = False
        self._seen: dict[Any, float] = {}
        self._taken: dict[Any, float] = {}
        self._began = clock()
        self._behind: set[Any] = set()
        self._ids: dict[str, bytes] = {}
        self._looked = self._began

    def age(self) -> float:
        """Return the seconds since Kafka and the database last both answered, of the partition for which that is longest."""
        return max(0.0, self.clock() - min(self._seen.values(), default=self._began))

    def lag(self) -> float:
        """Return the age in seconds of the newest record taken in, of the partition that is furthest behind; 0 where none is."""
        return max((self.clock() - self._taken[tp] for tp in self._behind if tp in self._taken), default=0.0)

    async def run(self) -> None:
        """Follow for ever; where Kafka or the database is away, try again. Whatever else it raises is a fault of the code."""
        while True:
            cause = ""
            try:
                await asyncio.to_thread(prepare, self.projection.engine)
                await self.read(follow=True)
            except (KafkaError, MissingError, OSError) as error:
                cause = "kafka"
                log.warning("the projection waits", error=type(error).__name__)
            except SQLAlchemyError as error:
                cause = "database"
                log.warning("the projection waits", error=type(error).__name__)
            except NewerSchemaError as error:
                cause = "newer_schema"
                log.error("the projection waits", error=str(error))
            except OvertakenError:
                continue
            self.metrics.waits.labels(cause).inc()
            await asyncio.sleep(AGAIN_SECONDS)

    async def read(self, *, follow: bool = False) -> int:
        """Read up to the topics' present ends, or for ever; return how many records.

        Raises MissingError where there are no such topics, and without `follow` NewerSchemaError.
        """
        async with Reader(self.bootstrap, self.security) as reader:
            expected, starts, ends = await self._place(reader)
            count, total = 0, sum(max(0, ends[tp] - start) for tp, start in starts.items())
            shown = silent if follow else self.progress
            async with reader.ranges(starts, None if follow else ends) as ranges:
                with shown(total, "record") as more:
                    while follow or ranges.left:
                        for tp, records in (await ranges.poll()).items():
                            try:
                                taken = await self._take(tp, records, expected)
                            except NewerSchemaError as error:
                                if not follow:
                                    raise
                                self._stop(ranges, tp, error)
                            else:
                                count += taken
                                more(taken)
                        await self._look(ranges)
                        await self._recognise(reader)
            return count

    async def _take(self, tp: Any, records: list[Any], expected: dict[Any, int]) -> int:
        """Hand records to the projection, and return how many. Raises NewerSchemaError: those before it are taken in."""
        for start in range(0, len(records), BATCH):
            entries = [
                TopicEntry(one.offset, one.value, written(one.timestamp), one.key, _epoch(one.headers))
                for one in records[start : start + BATCH]
            ]
            skipped = await asyncio.to_thread(self.projection.take, tp.topic, tp.partition, expected[tp], entries)
            expected[tp] = entries[-1].offset + 1
            self._note(tp, entries, skipped)
        return len(records)

    async def _place(self, reader: Reader) -> tuple[dict[Any, int], dict[Any, int], dict[Any, int]]:
        """Return the positions as the database has them, from where to read on, and the ends. Raises MissingError."""
        partitions = await reader.topics(self.topics)
        self._ids, self._looked = await reader.ids(self.topics), self.clock()
        if self._ids and (
            gone := [topic for topic in self.topics if topic not in self._ids]
        ):  # in this moment: offsets say nothing
            raise MissingError.topic(gone[0])
        for topic in await asyncio.to_thread(self.projection.recognise, self._ids):
            self._restarted(topic)
        kept = await asyncio.to_thread(self.projection.positions)
        first, ends = await reader.beginnings(partitions), await reader.ends(partitions)
        for topic in sorted({tp.topic for tp in partitions if kept.get((tp.topic, tp.partition), 0) > ends[tp]}):
            await asyncio.to_thread(self.projection.restart, topic)
            self._restarted(topic)
            kept = {at: next_ for at, next_ in kept.items() if at[0] != topic}
        expected = {tp: kept.get((tp.topic, tp.partition), 0) for tp in partitions}
        for tp in partitions:
            at = expected[tp]
            if 0 < at < first[tp]:
                log.error(
                    "records were deleted before they were read", topic=tp.topic, partition=tp.partition, offset=at,
                    first=first[tp],
                )  # fmt: skip
        self._seen = dict.fromkeys(partitions, self.clock())
        self._taken, self._behind = {}, set()
        return expected, {tp: max(at, first[tp]) for tp, at in expected.items()}, ends

    def _restarted(self, topic: str) -> None:
        self.metrics.read_anew.labels(_label(topic)).inc()
        log.error("a topic was made anew, or comes from a mirror: it is read from its start", topic=topic)

    async def _recognise(self, reader: Reader) -> None:
        """Look now and then whether the topics are still those that are followed. Raises OvertakenError where one is not."""
        if self.clock() - self._looked < IDS_SECONDS:
            return
        self._looked = self.clock()
        ids = await reader.ids(self.topics)
        if any(is_other(self._ids.get(topic), ids.get(topic)) for topic in self.topics):
            raise OvertakenError

    def _note(self, tp: Any, entries: list[TopicEntry], skipped: int) -> None:
        self.metrics.taken.labels(_label(tp.topic)).inc(len(entries))
        self.metrics.skipped.labels(_label(tp.topic)).inc(skipped)
        self._seen[tp] = self.clock()
        at = entries[-1].at
        self._taken[tp] = at.timestamp() if at is not None else self.clock()

    def _stop(self, ranges: Ranges, tp: Any, error: NewerSchemaError) -> None:
        """Go on with the other partitions: an erasure must not wait for a new program."""
        ranges.drop(tp)
        self._behind.add(tp)
        self.metrics.waits.labels("newer_schema").inc()
        log.error("the projection reads a partition no further", topic=tp.topic, partition=tp.partition, error=str(error))

    async def _look(self, ranges: Ranges) -> None:
        """Note which partitions Kafka answered for, and which have more. A dropped one is not asked for, so it grows old."""
        consumer = ranges.client
        self._behind -= ranges.left
        for tp in ranges.left:
            self._seen[tp] = max(self._seen[tp], (consumer.last_poll_timestamp(tp) or 0) / 1000)
            if await consumer.position(tp) < (consumer.last_stable_offset(tp) or 0):
                self._behind.add(tp)
        self.caught_up = self.caught_up or not self._behind


def _label(topic: str) -> str:
    """Return what metrics call a topic: the changelog has its name from the application."""
    return ROWS if is_states(topic) else topic


def _epoch(headers: Sequence[tuple[str, bytes]]) -> bytes | None:
    """Return under which fence a record of a changelog was written; of any other, it is not looked at."""
    return headers[0][1] if headers else None
