"""Records as the client's compiled parser makes them, without the object that aiokafka wraps around each.

They have what is used here: offset, timestamp, key, value and headers. Building a `ConsumerRecord` for each took a tenth of a
worker's time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

from .readable_records import install

install()


class LightRecords(PartitionRecords):  # type: ignore[misc]
    """The records of one partition in one answer of the broker."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the records that are left; an error says where the record is that cannot be unpacked."""
        try:
            # Past `__next__`, a call for each record. `yield from` would close the client's iterator too, and lose the rest.
            for record in self._records_iterator:  # noqa: UP028
                yield record
        except Exception as error:
            error.add_note(f"at {self._tp.topic}/{self._tp.partition}, offset {self.next_fetch_offset} or after it")
            raise

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        # aiokafka/consumer/fetcher.py: makes a ConsumerRecord there
        return record


class LightResponses(dict[Any, Any]):
    """What a fetcher has received and not yet handed out, each partition's records made light as they come."""

    def __setitem__(self, tp: Any, answer: Any) -> None:
        if type(answer) is FetchResult and type(answer._partition_records) is PartitionRecords:
            answer._partition_records.__class__ = LightRecords
        super().__setitem__(tp, answer)


def use_light_records(consumer: Any) -> None:
    """Make what this started consumer fetches light from now on."""
    fetcher = consumer._fetcher
    if type(fetcher._records) is not LightResponses:
        answers = LightResponses()
        for tp, answer in fetcher._records.items():
            answers[tp] = answer
        fetcher._records = answers
