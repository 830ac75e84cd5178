"""What is wrong with all that happened, once nothing happens any more."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson

from tests.broker.harness import Stand

from . import tables
from .fleet import Fleet
from .verifier import verify

READ = ("organisations", "consents", "contacts", "appointments")
DRAIN_SECONDS = 300.0
"""How long working off the rest may take: a claim that a kill left behind is resolved after 30 seconds."""


async def drained(stand: Stand, fleet: Fleet) -> tuple[list[str], list[dict[str, Any]]]:
    """Wait until nothing is wrong that time would mend, and stop all workers. Gives what is wrong then, and the log."""
    limit = time.monotonic() + DRAIN_SECONDS
    while True:
        await _quiet(stand, limit)
        if not (await _look(stand, tables_too=False))[0] or time.monotonic() > limit:
            break
        await asyncio.sleep(2.0)
    await fleet.stop()
    return await _look(stand, tables_too=True)


async def _quiet(stand: Stand, limit: float) -> None:
    """Wait until all is taken in and the log has not grown for a while."""
    last, grown = -1, time.monotonic()
    while time.monotonic() - grown < 2.5 and time.monotonic() < limit:
        await asyncio.sleep(0.5)
        count = len(await stand.records("delivery-log"))
        if count != last or not await stand.taken_in():
            last, grown = count, time.monotonic()


async def _look(stand: Stand, *, tables_too: bool) -> tuple[list[str], list[dict[str, Any]]]:
    """What the verifiers say of all that there is now; and the log."""
    inputs = [(topic, record.key, record.value) for topic in READ for record in await stand.records(topic)]
    log = [orjson.loads(record.value) for record in await stand.records("delivery-log")]
    # In a thread: the providers, which are in this process, have to answer meanwhile.
    wrong = await asyncio.to_thread(lambda: verify(inputs, log, stand.received_sms(), stand.received_emails()))
    if tables_too:
        changelogs = {name: await stand.records(f"{stand.application}-{name}-changelog") for name in tables.NODES}
        ends = {topic: await _ends(stand, topic) for topics in tables.NODES.values() for topic in topics}
        wrong += await asyncio.to_thread(lambda: tables.verify(inputs, log, changelogs, ends))
    return wrong, log


async def _ends(stand: Stand, topic: str) -> dict[int, int]:
    """Where each partition of a topic ends."""
    await stand.records(topic)
    consumer = stand.tails[topic].consumer
    return {tp.partition: end for tp, end in (await consumer.end_offsets(consumer.assignment())).items()}
