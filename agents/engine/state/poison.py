"""Refuse changelogs that hold what no worker of this version writes, and say where it is.

A row that cannot be read must not be skipped: without it a client is told things twice, or nothing. A person has to decide what
to do about it (deploy/RUNBOOK.md "Poison").
"""

from __future__ import annotations

from typing import NoReturn

import msgspec
from aiokafka import TopicPartition

from streams.processing.turn import BadRowError

from ..host import Host
from ..readiness import NotReadyError
from ..transport.ranges import Ranges
from .changelog import Partition
from .outbox import FORMAT_KEY, OFFSET_PREFIX, OUTBOX_KEY, TOPIC_PREFIX, decode_outputs
from .row_format import format_of


class LoadError(Exception):
    """A row of a node's partition that cannot be used."""

    def __init__(self, node: str, p: int, cause: BadRowError) -> None:
        super().__init__(str(cause))
        self.node, self.p, self.key = node, p, cause.key


def check_own(part: Partition) -> None:
    """Raise BadRowError where a row of the engine's own cannot be read."""
    for key, value in part.meta.items():
        if key.startswith(OFFSET_PREFIX) and len(value) != 8:
            raise BadRowError(key, "an offset of the engine's is not eight bytes")
        if key.startswith(TOPIC_PREFIX) and len(value) != 16:
            raise BadRowError(key, "a topic's id of the engine's is not sixteen bytes")
    try:
        format_of(part)
    except ValueError:
        raise BadRowError(FORMAT_KEY, "the format of the rows is no number") from None
    try:
        decode_outputs(part.outbox)
    except msgspec.MsgspecError as error:
        raise BadRowError(OUTBOX_KEY, f"the engine's outbox cannot be read: {type(error).__name__}") from None


async def refuse(app: Host, error: LoadError) -> NoReturn:
    """Do not start, and say where the row is: in the changelog, by its offset."""
    changelog = app.stores[error.node].data.topic
    offset = await _locate(app, TopicPartition(changelog, error.p), error.key)
    where = f"{changelog}/{error.p}, offset {offset if offset is not None else 'unknown (compacted away)'}"
    app.refuse(NotReadyError(f"{where}: {error}. It is of another version, or nobody's: RUNBOOK.md, Poison"))


async def _locate(app: Host, tp: TopicPartition, key: bytes) -> int | None:
    """Find the last record of a key. It reads the whole partition: only who does not start has the time for that."""
    starts, stops = await app.lookup.beginnings([tp]), await app.lookup.ends([tp])
    found, client = None, app.new_client()
    await client.start()
    try:
        async for _, records in Ranges(client, starts, stops).batches():
            found = next((record.offset for record in reversed(records) if record.key == key), found)
    finally:
        await client.stop()
    return found
