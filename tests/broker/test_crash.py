"""Workers are killed in the middle of many events, and more; then everything is counted at the providers and in the tables.

`make chaos` (`tests/chaos`) is the same with 200 faults.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos import faults
from tests.chaos.feed import Feed
from tests.chaos.fleet import Fleet
from tests.chaos.judge import drained
from tests.chaos.play import run

from .harness import EMAIL_SLOTS, SMS_SLOTS, Stand

pytestmark = pytest.mark.broker

SLOTS = SMS_SLOTS + EMAIL_SLOTS
"""Calls that a worker has under way at most: as many claims a kill can leave behind."""
FEWEST = 1_500
"""Messages that go out at least. Of the last round about 2,200 visits stand; where a machine is slow all before them gathers."""


async def test_a_worker_is_killed_in_the_middle_of_10000_events(tmp_path: Path) -> None:
    rng = random.Random(1)
    feed = Feed(rng, blocks=250, appointments=1250, windowed=750, rounds=5)
    async with Stand(tmp_path) as stand:
        stand.sms.program(delay_seconds=0.03)
        fleet = Fleet(stand, 1)
        async with fleet.supervised():
            await stand.feed(feed.cast())
            await stand.settled()
            feeding = asyncio.create_task(rounds(stand, feed))
            for count in sorted(rng.randrange(1, FEWEST) for _ in range(3)):
                await received(stand, count)
                await fleet.until(lambda: bool(fleet.awake))
                worker = fleet.places[0].worker
                assert worker is not None
                worker.kill()
            await feeding
            wrong, log = await drained(stand, fleet)
        ends = Counter(entry["status"] for entry in await stand.log())
        assert wrong == []
        assert len(await stand.records("appointments")) > 10_000
        assert ends["sent"] > FEWEST
        # A slot is free again when its call has ended; the outcome may still be on its way to the ledger when the kill comes.
        assert ends["unknown"] <= 3 * 2 * SLOTS
        # On a machine that is too busy a worker may find that it stood still, say so and start anew: that loses nothing either.
        assert "nothing was said" not in fleet.reasons
        assert fleet.ended == Counter({"-9": 3, "0": 1, "70": fleet.reasons.total()})
        assert len(log) >= ends.total()


async def rounds(stand: Stand, feed: Feed) -> None:
    """All revisions, a second after one another."""
    for revision in range(1, feed.rounds + 1):
        await stand.feed(feed.round(revision))
        await asyncio.sleep(1.0)


async def received(stand: Stand, count: int) -> None:
    """Wait until the providers have got so many messages, or there is nothing left to get."""
    last, moved = -1, time.monotonic()
    while (now := len(stand.sms.received.messages) + len(stand.smtp.received.messages)) < count:
        await asyncio.sleep(0.02)
        if now != last:
            last, moved = now, time.monotonic()
        elif time.monotonic() - moved > 5 and await stand.taken_in():
            return


async def test_three_workers_and_three_brokers_bear_a_fault_of_each_kind(tmp_path: Path) -> None:
    kinds = [faults.freeze, faults.kill, faults.move_leaders, faults.fewer, faults.kill_broker, faults.hang, faults.compact]
    outcome = await run(tmp_path, kinds, seed=1, rate=15.0, blocks=200)
    print(outcome.table())
    assert outcome.wrong == []
    assert outcome.compacted > 0
    assert {"-9", "0"} <= set(outcome.ended) <= {"-9", "0", "70", "-15"}
