"""Record batches as a whole: aiokafka's consumer takes the records of a batch out of a generator one by one, which costs more
than all that is done with them here.

Its own code for transactions, checksums and positions stays: to it a batch looks as if it had one record, with all in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

from ..engine.fetching import Answers, LightRecords


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
        """The first record: that of a control batch is looked at."""
        return next(self.batch)


class _Batches:
    """What `MemoryRecords` is to the consumer."""

    def __init__(self, records: Any) -> None:
        self.records = records
        self.has_next = records.has_next

    def next_batch(self) -> _Batch:
        """The next one."""
        return _Batch(self.records.next_batch())


class WholeAnswers(Answers):
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
