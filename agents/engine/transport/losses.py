"""Tell of records that Kafka deleted before they were read: by retention, or by hand.

The client silently begins at what is left. Offsets are skipped for other reasons too: transaction markers, and what was compacted
away. So where some are skipped, the broker is asked where the partition begins now.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from ..monitor import Monitor
from .offsets import Lookup

log = logging.getLogger("engine")


class Losses:
    """Watches the offsets that come in. `expected`: the next one of each partition, from the last seek on."""

    def __init__(self, lookup: Lookup, hooks: Monitor) -> None:
        self.lookup, self.hooks = lookup, hooks
        self.expected: dict[Any, int] = {}

    async def look(self, reached: Mapping[Any, tuple[int, int]]) -> None:
        """Take in the first offset that came of each partition, and the next to come; tell what is missing before the first."""
        gaps = {tp: self.expected[tp] for tp, (first, _) in reached.items() if first > self.expected.get(tp, first)}
        for tp, (_, following) in reached.items():
            self.expected[tp] = max(following, self.expected.get(tp, 0))
        if not gaps:
            return
        try:
            beginnings = await self.lookup.beginnings(gaps)
        except KafkaError as error:
            log.warning("offsets were passed over, and where the partitions begin cannot be asked", extra={"error": repr(error)})
            return
        for tp, expected in gaps.items():
            self.tell(tp, expected, min(beginnings[TopicPartition(*tp)], reached[tp][0]))

    def tell(self, tp: Any, expected: int, beginning: int) -> None:
        """Tell of what lies between the next offset that was to be read and the first that is still there."""
        if beginning > expected:
            lost = beginning - expected
            where = {"topic": tp[0], "partition": tp[1], "records": lost, "offset": expected}
            log.error("records were deleted before they were read", extra=where)
            self.hooks.on_lost(tp[0], lost)
