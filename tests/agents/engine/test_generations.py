"""Generations: a partition that goes to another worker and comes back, and workers that miss that it went."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import replace

import pytest
from aiokafka import TopicPartition
from faust.tables.recovery import RebalanceAgain

from agents.engine.state.changelog import EPOCH_HEADER
from streams.processing.turn import Processor

from .memory_kafka import Counting, FailStop, MemoryKafka, MemoryWorker, counting

WORD = b"word"
CHANGELOG = TopicPartition("words-changelog", 0)


def say(kafka: MemoryKafka, *words: bytes, value: bytes = b"") -> None:
    kafka.write("words", 0, [(word, value, ()) for word in words])


def said(kafka: MemoryKafka) -> list[tuple[bytes, bytes | None]]:
    return [(record.key, record.value) for record in kafka.logs[TopicPartition("said", 0)]]


async def working() -> tuple[MemoryKafka, MemoryWorker]:
    """A worker that has partition 0, and has counted a word once."""
    kafka = MemoryKafka()
    worker = MemoryWorker(kafka)
    await worker.take(0)
    say(kafka, WORD)
    await worker.read()
    assert worker.rows == {WORD: b"1"}
    return kafka, worker


def processor(worker: MemoryWorker) -> Counting:
    (task,) = worker.tasks.all()
    assert isinstance(task.processor, Counting)
    return task.processor


async def test_a_partition_that_comes_back_untouched_keeps_its_rows_and_its_processor_and_is_not_loaded() -> None:
    kafka, worker = await working()
    before, fences = processor(worker), len(kafka.logs[CHANGELOG])
    await worker.give_up()
    await worker.take(0)
    assert processor(worker) is before
    assert len(kafka.logs[CHANGELOG]) == fences + 1, "the outbox was emptied; there is no second fence"


async def test_what_is_revoked_while_its_processors_are_made_is_not_run() -> None:
    """Making them may take long, and lets the loop turn; the next generation then starts its own."""
    worker = MemoryWorker(MemoryKafka())
    (spec,) = worker.specs
    revoked: list[asyncio.Task[None]] = []

    def slowly(p: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Processor:
        if not revoked:
            revoked.append(asyncio.ensure_future(worker.give_up()))
        return counting(p, rows, peers)

    worker.specs[0] = replace(spec, processor=slowly)
    with pytest.raises(RebalanceAgain):
        await worker.take(0, 1)
    assert list(worker.tasks.all()) == []
    await worker.take(0)
    assert [task.p for task in worker.tasks.all()] == [0]


async def test_a_partition_that_another_worker_had_meanwhile_is_loaded_anew_and_its_processor_made_anew() -> None:
    kafka, worker = await working()
    await worker.give_up()
    other = MemoryWorker(kafka)
    await other.take(0)
    say(kafka, WORD)
    await other.read()
    await other.give_up()

    await worker.take(0)
    assert worker.rows == {WORD: b"2"}
    say(kafka, WORD)
    await worker.read()
    assert (worker.rows, said(kafka)) == ({WORD: b"3"}, [(WORD, b"1"), (WORD, b"2"), (WORD, b"3")])


async def test_what_a_worker_counts_after_another_had_its_partition_is_what_a_third_one_finds() -> None:
    """Every worker is dealt the partition in turn; each sees what all before it wrote."""
    kafka = MemoryKafka()
    workers = [MemoryWorker(kafka) for _ in range(3)]
    for number in range(9):
        worker = workers[number % 3]
        await worker.take(0)
        say(kafka, WORD, b"also")
        await worker.read()
        await worker.give_up()
    assert said(kafka) == [(word, b"%d" % count) for count in range(1, 10) for word in (WORD, b"also")]


async def test_a_worker_that_missed_that_its_partition_went_ends_at_its_next_append_and_says_nothing() -> None:
    kafka, worker = await working()
    other = MemoryWorker(kafka)
    await other.take(0)  # the first one is frozen, and hears of nothing
    say(kafka, WORD)
    await other.read()
    say(kafka, b"next")
    with pytest.raises(FailStop, match="words-changelog/0 was taken over by another worker"):
        await worker.read()
    assert said(kafka) == [(WORD, b"1"), (WORD, b"1"), (WORD, b"2")], "of the frozen worker's turn nothing was sent"

    third = MemoryWorker(kafka)
    await third.take(0)
    assert third.rows == {WORD: b"2"}, "and what it wrote late counts for nobody"


async def test_a_worker_that_missed_it_and_has_nothing_to_append_ends_at_the_audit() -> None:
    kafka, worker = await working()
    await MemoryWorker(kafka).take(0)
    with pytest.raises(FailStop, match="words-changelog/0 was taken over by another worker"):
        await worker.audit()


async def test_a_worker_that_missed_it_and_writes_first_is_not_heard_by_the_one_that_took_over() -> None:
    kafka, worker = await working()
    other = MemoryWorker(kafka)
    await other.take(0)
    say(kafka, WORD)
    with pytest.raises(FailStop, match="taken over"):
        await worker.read()
    assert said(kafka) == [(WORD, b"1"), (WORD, b"1")], "once more from the outbox, by the new owner"
    await other.read()
    assert (other.rows, said(kafka)) == ({WORD: b"2"}, [(WORD, b"1"), (WORD, b"1"), (WORD, b"2")])


async def test_late_writes_of_a_former_owner_are_written_over_by_the_next_append_and_nobody_ends() -> None:
    kafka, worker = await working()
    other = MemoryWorker(kafka)
    await other.take(0)
    kafka.write("words-changelog", 0, [(WORD, b"666", ((EPOCH_HEADER, worker.store.parts[0].epoch),))])
    say(kafka, b"next")
    await other.read()
    assert other.rows == {WORD: b"1", b"next": b"1"}
    assert [record.value for record in kafka.logs[CHANGELOG] if record.key == WORD] == [b"1", b"666", b"1"]


async def test_a_partition_that_is_taken_over_while_it_is_loaded_ends_the_worker_that_loads() -> None:
    kafka, worker = await working()
    await worker.give_up()
    second, third = MemoryWorker(kafka), MemoryWorker(kafka)

    async def overtake() -> None:
        await third.take(0)

    kafka.before_read = overtake
    with pytest.raises(FailStop, match="words-changelog/0 was taken over while it was loaded"):
        await second.take(0)
    say(kafka, WORD)
    await third.read()
    assert (third.rows, said(kafka)) == ({WORD: b"2"}, [(WORD, b"1"), (WORD, b"2")])


async def test_a_partition_that_is_revoked_while_it_is_loaded_is_not_worked_on() -> None:
    kafka, worker = await working()
    await worker.give_up()
    second = MemoryWorker(kafka)
    kafka.before_read = second.give_up
    with pytest.raises(RebalanceAgain):
        await second.take(0)
    assert list(second.tasks.all()) == []

    await second.take(0)  # it is ours in the next generation
    say(kafka, WORD)
    await second.read()
    assert second.rows == {WORD: b"2"}


async def test_an_outbox_of_a_turn_before_is_not_sent_again_by_the_next_owner() -> None:
    """A turn without outputs replaces the outbox, too: those of the turn before it are known to be sent."""
    kafka, worker = await working()
    say(kafka, WORD, value=b"quietly")
    await worker.read()
    other = MemoryWorker(kafka)  # the first one is killed
    await other.take(0)
    await other.settle()
    assert (other.rows, said(kafka)) == ({WORD: b"2"}, [(WORD, b"1")])


async def test_an_outbox_that_was_not_known_to_be_sent_is_sent_again_by_the_next_owner() -> None:
    kafka, _ = await working()
    other = MemoryWorker(kafka)  # the first one is killed
    await other.take(0)
    await other.settle()
    assert said(kafka) == [(WORD, b"1"), (WORD, b"1")]
