"""Records as the client's compiled parser makes them, without the object that aiokafka wraps around each.

They have what is used here: offset, timestamp, key, value and headers. Building a `ConsumerRecord` for each took a tenth of a
worker's time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords


class LightRecords(PartitionRecords):  # type: ignore[misc]
    """The records of one partition in one answer of the broker."""

    def __iter__(self) -> Iterator[Any]:
        return self._records_iterator  # type: ignore[no-any-return] # past `__next__`, a call for each record

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        # aiokafka/consumer/fetcher.py: makes a ConsumerRecord there
        return record


class Answers(dict[Any, Any]):
    """What a fetcher has received and not yet handed out, each partition's records made light as they come."""

    def __setitem__(self, tp: Any, answer: Any) -> None:
        if type(answer) is FetchResult and type(answer._partition_records) is PartitionRecords:
            answer._partition_records.__class__ = LightRecords
        super().__setitem__(tp, answer)


def lighten(consumer: Any) -> None:
    """Make what this started consumer fetches light from now on."""
    fetcher = consumer._fetcher
    if type(fetcher._records) is not Answers:
        answers = Answers()
        for tp, answer in fetcher._records.items():
            answers[tp] = answer
        fetcher._records = answers
