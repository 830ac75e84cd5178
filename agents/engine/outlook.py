"""Look at the cluster every few seconds: does a broker answer, and are the topics as they were at the start?

A worker with nothing to read or to commit would not notice for hours that Kafka is gone; and nobody would read, or miss, the
records in a partition that somebody added.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from aiokafka.errors import KafkaError

from .host import Host
from .readiness import NotReadyError, NotYetError
from .topic_ids import is_other

log = logging.getLogger("engine")

LOOK = 5.0
"""Seconds between two looks, and how long one may take."""


def changed(found: Mapping[str, int], wanted: Iterable[str], partitions: int) -> str | None:
    """Say which topic has more or fewer partitions than at the start, and the way out; None where none has.

    A topic that is not there says nothing: it is being made, or moves. Reading and writing end at it by themselves.
    """
    for topic in sorted(wanted):
        if (now := found.get(topic)) and now != partitions:
            return (
                f"topic {topic} has {now} partitions and had {partitions}: somebody changed it while we ran. What is in others "
                f"is read by nobody. The way out (RUNBOOK, “Partitions added”): stop the workers, make that topic anew with "
                f"{partitions}, and have upstream send again"
            )
    return None


def replaced(found: Mapping[str, bytes], known: Mapping[str, bytes]) -> str | None:
    """Say which topic is another one than the one whose offsets we have; None where none is, or nobody knows."""
    for topic in sorted(known):
        if is_other(known[topic], found.get(topic)):
            return f"topic {topic} was made anew while we ran: a start reads it anew from its beginning"
    return None


async def watch(app: Host) -> None:
    """Look for as long as the worker runs."""
    while True:
        await asyncio.sleep(LOOK)
        try:
            found = await asyncio.wait_for(app.lookup.partitions(), LOOK)
            ids = await asyncio.wait_for(app.lookup.ids(app.subscribed()), LOOK)
        except (KafkaError, TimeoutError):
            continue  # `on_heard` is missed: that tells it
        app.hooks.on_heard()
        if (why := changed(found, app.topic_names(), app.partitions)) is not None:
            app.hooks.on_dead(why)
            app.refuse(NotReadyError(why), "stopped")
        if (why := replaced(ids, app.ids)) is not None:
            app.hooks.on_dead(why)
            app.refuse(NotYetError(why), "stopped")
