"""Read partitions from one offset up to another, without a consumer group: it moves no worker's offsets.

This is the one loop for all that reads what Kafka keeps: the loads of changelogs, exports, surveys, the projection. Records come
as the client's compiled parser makes them (`light_records.py`), whole batches of a partition at a time (`record_batches.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from .record_batches import by_batches

WAIT_MS = 200
"""How long one look at the broker waits for records."""


class Ranges:
    """Reads ranges of partitions, each of them in order.

    Args:
        client: a started consumer of aiokafka that belongs to no group and has read nothing yet.
        starts: the first offset to read, of each partition.
        stops: the offset before which to stop, of each partition; None: go on for ever with what comes.
        beyond: yield also what was fetched together with the last record before a stop.

    Attributes:
        left: the partitions that are not read to their stops yet.
    """

    def __init__(
        self, client: Any, starts: Mapping[Any, int], stops: Mapping[Any, int] | None = None, *, beyond: bool = False
    ) -> None:
        self.client, self.starts, self.stops, self.beyond = client, starts, stops, beyond
        self.left = {tp for tp, start in starts.items() if stops is None or start < stops[tp]}
        if not self.left:  # aiokafka waits for ever after it was assigned nothing
            return
        by_batches(client)
        client.assign(list(self.left))
        for tp in self.left:
            client.seek(tp, starts[tp])

    @property
    def follow(self) -> bool:
        """Tell whether it goes on for ever."""
        return self.stops is None

    def drop(self, tp: Any) -> None:
        """Read a partition no further. A fetch of it would wait for what does not come, and the others behind it."""
        self.left.discard(tp)
        self.client.pause(tp)

    async def poll(self) -> dict[Any, list[Any]]:
        """Wait for records, `WAIT_MS` at most, and return what came of each partition.

        An error that names a record's place has it as a note: topic, partition and offset.
        """
        if not self.left:
            await asyncio.sleep(WAIT_MS / 1000)
            return {}
        found: dict[Any, list[Any]] = {}
        for tp, batches in (await self.client.getmany(*self.left, timeout_ms=WAIT_MS)).items():
            if records := self._within(tp, [record for batch in batches for record in batch.records]):
                found[tp] = records
        if self.stops is not None:
            for tp in [tp for tp in self.left if await self.client.position(tp) >= self.stops[tp]]:
                self.drop(tp)
        await asyncio.sleep(0)  # what is buffered comes without any wait, and others want their turn
        return found

    def _within(self, tp: Any, records: list[Any]) -> list[Any]:
        """Cut off what a batch has before the start, or from the stop on."""
        if records[0].offset < self.starts[tp]:
            records = [record for record in records if record.offset >= self.starts[tp]]
        if self.stops is not None and not self.beyond and records and records[-1].offset >= self.stops[tp]:
            records = [record for record in records if record.offset < self.stops[tp]]
        return records

    async def batches(self) -> AsyncGenerator[tuple[Any, list[Any]], None]:
        """Yield partition and records until all are read to their stops.

        A record has offset, timestamp (ms), key, value and headers.
        """
        while self.left:
            for tp, records in (await self.poll()).items():
                yield tp, records
