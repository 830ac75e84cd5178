"""A worker under its unit file's own restart rule: whatever Kafka does, it is back by itself.

OUTAGE=120 in the environment: seconds for which the brokers are away. A worker with something to commit stops itself after
them; one that has nothing waits, not ready, for as long as it takes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.exits import NOT_YET, STOPPED
from agents.kafka.topics import ensure, stores
from tests.deploy.restart_rule import Rule, Supervised

from .harness import ROOT, Stand, client, settings, visit

pytestmark = pytest.mark.broker

UNIT = ROOT / "deploy" / "systemd" / "afspraakbericht@.service"
START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)
OUTAGE = float(os.environ.get("OUTAGE", "0"))


@asynccontextmanager
async def supervised(stand: Stand, **more: object) -> AsyncIterator[Supervised]:
    """A worker that is kept as its unit says."""

    async def run() -> int:
        return await stand.worker(instance="one", **more).end(deadline=None)  # a supervisor has none

    one = Supervised(Rule.of(UNIT), run)
    keeper = asyncio.create_task(one.keep())
    try:
        yield one
    finally:
        keeper.cancel()
        stand.kill_all()


async def test_a_worker_is_back_by_itself_after_the_brokers_were_away(tmp_path: Path) -> None:
    async with Stand(tmp_path, own=True) as stand, supervised(stand) as worker:
        await stand.feed(settings("weg"), client("weg", "anna", "sms"), visit("weg", "a", 1, START, "anna"))
        await stand.texts("weg", 1)
        await asyncio.to_thread(stand.kafka.stop)
        if OUTAGE:
            await asyncio.sleep(OUTAGE)
        else:  # as if it had stopped itself, for which a test should not wait
            stand.workers[-1].kill()
            await stand.until(lambda: tried_again(worker), "it was started while no broker answered")
        await asyncio.to_thread(stand.kafka.start)
        await stand.feed(visit("weg", "b", 1, START + timedelta(days=1), "anna"))
        assert await stand.texts("weg", 2)
        assert set(worker.codes) <= {NOT_YET, STOPPED, -9}, stand.workers[-1].output


async def test_a_worker_that_boots_before_its_brokers_and_its_topics_is_there_when_they_are(tmp_path: Path) -> None:
    async with Stand(tmp_path, own=True) as stand:
        await asyncio.to_thread(stand.kafka.stop)
        async with supervised(stand, application="boot") as worker:
            await stand.until(lambda: tried_again(worker), "it was started while no broker answered")
            assert "no Kafka broker answers" in stand.workers[-1].output
            await asyncio.to_thread(stand.kafka.start)
            await stand.until(lambda: said(stand, "does not exist"), "it was started while its topics were not there")
            await ensure(stand.kafka.bootstrap, stand.partitions, stand.copies, "boot", stores())
            await stand.feed(settings("boot"), client("boot", "anna", "sms"), visit("boot", "a", 1, START, "anna"))
            assert await stand.texts("boot", 1)
            assert set(worker.codes) == {NOT_YET}, stand.workers[-1].output


async def tried_again(worker: Supervised) -> bool:
    return worker.codes.count(NOT_YET) >= 2


async def said(stand: Stand, what: str) -> bool:
    return any(what in worker.output for worker in stand.workers)
