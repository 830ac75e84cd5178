"""One piece is on its way to a partition; what comes meanwhile goes together, behind it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.transport.pipeline import BatchEntry, PartitionSender


class Partition:
    """Takes a piece when it is told to."""

    def __init__(self) -> None:
        self.pieces: list[list[BatchEntry]] = []
        self.answers: list[asyncio.Future[None]] = []

    async def send(self, entries: list[BatchEntry]) -> None:
        self.pieces.append(entries)
        self.answers.append(asyncio.get_running_loop().create_future())
        await self.answers[-1]


def entry(number: int) -> BatchEntry:
    return b"k", b"%d" % number, ()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_while_one_is_on_its_way_goes_together_as_the_next() -> None:
    partition = Partition()
    sender = PartitionSender(partition.send)

    first = sender.put([entry(1)])
    await settle()
    second, third = sender.put([entry(2), entry(3)]), sender.put([entry(4)])
    await settle()
    assert partition.pieces == [[entry(1)]]

    partition.answers[0].set_result(None)
    await settle()
    assert partition.pieces == [[entry(1)], [entry(2), entry(3), entry(4)]]
    assert (first.done(), second.done(), third.done()) == (True, False, False)

    partition.answers[1].set_result(None)
    await settle()
    assert (second.done(), third.done()) == (True, True)


async def test_after_a_rest_the_next_leaves_at_once() -> None:
    partition = Partition()
    sender = PartitionSender(partition.send)
    for number in range(3):
        landing = sender.put([entry(number)])
        await settle()
        assert partition.pieces[number:] == [[entry(number)]]
        partition.answers[number].set_result(None)
        await landing
        await settle()


async def test_nothing_overtakes_what_did_not_arrive() -> None:
    partition = Partition()
    sender = PartitionSender(partition.send)
    first = sender.put([entry(1)])
    await settle()
    second = sender.put([entry(2)])

    partition.answers[0].set_exception(ConnectionError("gone"))

    for landing in (first, second):
        with pytest.raises(ConnectionError, match="gone"):
            await landing
    with pytest.raises(ConnectionError, match="gone"):
        sender.put([entry(3)])
    assert partition.pieces == [[entry(1)]]


async def test_one_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    partition = Partition()
    sender = PartitionSender(partition.send)
    waiting = [asyncio.create_task(wait(sender.put([entry(number)]))) for number in range(2)]
    await settle()

    waiting[0].cancel()
    await settle()
    partition.answers[0].set_result(None)

    await waiting[1]
    assert partition.pieces == [[entry(0), entry(1)]]


async def wait(landing: asyncio.Future[None]) -> None:
    await asyncio.wait([landing])


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=20))
def test_all_arrive_once_in_the_order_in_which_they_were_put(steps: list[tuple[int, bool]]) -> None:
    async def run() -> None:
        partition = Partition()
        sender, count, landings = PartitionSender(partition.send), 0, []
        for size, answered in steps:
            landings.append((count + size, sender.put([entry(number) for number in range(count, count + size)])))
            count += size
            await settle()
            if answered:
                _answer(partition)
                await settle()
            arrived = sum(len(piece) for piece, answer in zip(partition.pieces, partition.answers, strict=True) if answer.done())
            assert [upto <= arrived for upto, _ in landings] == [landing.done() for _, landing in landings]
        while any(not landing.done() for _, landing in landings):
            _answer(partition)
            await settle()
        assert [each for piece in partition.pieces for each in piece] == [entry(number) for number in range(count)]
        assert all(a.done() for a, _ in pairwise(partition.answers))

    asyncio.run(run())


def _answer(partition: Partition) -> None:
    for answer in partition.answers:
        if not answer.done():
            answer.set_result(None)
