"""Hand out record batches whole: aiokafka's consumer takes records out of a generator one by one, which costs more than all that
is done with them here.

aiokafka's own code for transactions, checksums and positions stays: to it, a batch looks like a single record that holds all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

from .light_records import LightRecords, LightResponses


class Whole(NamedTuple):
    """All records of a batch, at the offset of the last."""

    offset: int
    records: list[Any]


class _Batch:
    """A record batch that has one record, of all."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.batch, name)

    def __iter__(self) -> Iterator[Any]:
        if records := list(self.batch):
            yield Whole(records[-1].offset, records)

    def __next__(self) -> Any:
        """Return the first record: aiokafka looks at that of a control batch."""
        return next(self.batch)


class _Batches:
    """What `MemoryRecords` is to the consumer."""

    def __init__(self, records: Any) -> None:
        self.records = records
        self.has_next = records.has_next

    def next_batch(self) -> _Batch:
        """Return the next one."""
        return _Batch(self.records.next_batch())


class WholeAnswers(LightResponses):
    """What a fetcher has received and not yet handed out, by whole batches. A batch that begins before the place where reading
    began comes whole, too.
    """

    def __setitem__(self, tp: Any, answer: Any) -> None:
        if type(answer) is FetchResult and type(answer._partition_records) in (PartitionRecords, LightRecords):
            answer._partition_records._records = _Batches(answer._partition_records._records)
        super().__setitem__(tp, answer)


def by_batches(consumer: Any) -> None:
    """Make this consumer, which is to have fetched nothing yet, give `Whole`s."""
    if consumer._fetcher._records:
        raise AssertionError("it has fetched already")
    consumer._fetcher._records = WholeAnswers()
