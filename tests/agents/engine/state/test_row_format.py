"""Rows of a newer version are not read, and so not written back without what this one does not know."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from agents.engine.readiness import NotReadyError
from agents.engine.state.changelog import Partition
from agents.engine.state.outbox import FORMAT_KEY
from agents.engine.state.poison import check_own
from agents.engine.state.row_format import check_format
from streams.processing.turn import BadRowError
from tests.agents.engine.memory_kafka import FailStop, MemoryKafka, MemoryWorker

CHANGELOG = TopicPartition("words-changelog", 0)


async def counted(kafka: MemoryKafka, worker: MemoryWorker) -> dict[bytes, bytes]:
    """Have it take its partition and count a word once more; returns the rows."""
    await worker.take(0)
    await worker.settle()  # the format is there before anything is decided
    kafka.write("words", 0, [(b"word", b"", ())])
    await worker.read()
    await worker.give_up()
    return worker.rows


def written(kafka: MemoryKafka, key: bytes) -> list[bytes | None]:
    return [record.value for record in kafka.logs[CHANGELOG] if record.key == key]


async def test_a_worker_of_an_older_format_does_not_start_however_often_it_tries_and_the_newer_one_goes_on() -> None:
    kafka = MemoryKafka()
    assert await counted(kafka, MemoryWorker(kafka, 2)) == {b"word": b"1"}
    for _ in range(2):
        older = MemoryWorker(kafka, 1)
        with pytest.raises(FailStop, match="words-changelog/0 has rows of format 2, and this version knows 1: a newer version"):
            await older.take(0)
        assert older.rows == {}
    assert await counted(kafka, MemoryWorker(kafka, 2)) == {b"word": b"2"}
    assert (written(kafka, FORMAT_KEY), written(kafka, b"word")) == ([b"2"], [b"1", b"2"])


async def test_a_lower_format_is_raised_before_the_first_row_is_written() -> None:
    kafka = MemoryKafka()
    for format_ in (0, 1, 1, 2):
        await counted(kafka, MemoryWorker(kafka, format_))
    keys = [record.key for record in kafka.logs[CHANGELOG] if record.key in (FORMAT_KEY, b"word")]
    assert written(kafka, FORMAT_KEY) == [b"1", b"2"]
    assert keys == [b"word", FORMAT_KEY, b"word", b"word", FORMAT_KEY, b"word"]


def test_a_format_that_is_no_number_is_a_bad_row() -> None:
    part = Partition({})
    part.apply({FORMAT_KEY: b"two"})
    with pytest.raises(BadRowError, match="the format of the rows is no number"):
        check_own(part)


def test_the_line_says_what_to_do() -> None:
    part = Partition({})
    part.apply({FORMAT_KEY: b"3"})
    check_format("a-notices-changelog", 7, part, 3)
    with pytest.raises(NotReadyError) as error:
        check_format("a-notices-changelog", 7, part, 2)
    assert (error.value.exit_code, str(error.value)) == (
        2,
        "a-notices-changelog/7 has rows of format 3, and this version knows 2: a newer version wrote them. Go back to that one; "
        "it alone knows all that they say",
    )
