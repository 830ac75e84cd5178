"""`afspraakbericht mend-row CHANGELOG PARTITION OFFSET`: put a row that no worker can read back to what it was before."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from aiokafka import TopicPartition

from schemas.topics import changelog
from streams.processing.rows import Rows
from streams.processing.turn import BadRowError

from ..engine.state.changelog import Partition
from ..engine.state.outbox import FENCE_KEY, RESERVED
from ..engine.transport.names import Producer
from ..kafka.reader import MissingError, Reader
from ..kafka.topics import stores
from ..settings.settings import Settings
from .endings import kafka_settings, one_line


def arguments(parser: ArgumentParser) -> None:
    """Declare where the row is, as the worker said it."""
    parser.add_argument("changelog", metavar="CHANGELOG", help="the topic")
    parser.add_argument("partition", metavar="PARTITION", type=int)
    parser.add_argument("offset", metavar="OFFSET", type=int)
    parser.add_argument("--dry-run", action="store_true", help="change nothing: say what it would become")


@one_line
def run(args: Namespace) -> int:
    """Mend the row; return 1 where there is nothing to mend."""
    settings, security = kafka_settings(args)
    try:
        print(asyncio.run(_mend(settings, security, TopicPartition(args.changelog, args.partition), args)))
    except NothingToMendError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class NothingToMendError(Exception):
    """There is no such record, or it is not what counts."""


async def _mend(settings: Settings, security: Mapping[str, Any], tp: TopicPartition, args: Namespace) -> str:
    name = tp.topic
    store = next((one for one in stores() if changelog(settings.application, one).name == name), None)
    if store is None:
        raise MissingError(f"{name} is no changelog of the application {settings.application}")
    async with Reader(settings.bootstrap, security) as reader:
        if not 0 <= tp.partition < await reader.partitions(name):
            raise MissingError(f"{name} has no partition {tp.partition}")
        bad = await _at(reader, tp, args.offset)
        if bad is None or bad.key in (None, FENCE_KEY):
            raise NothingToMendError(
                f"{name}/{tp.partition} has no row at offset {args.offset}: it was compacted away, or is none"
            )
        before = await _before(reader, tp, bad)
    value = before if _is_good(store, bad.key, before) else None
    told = f"the value of {len(value)} bytes that it had before" if value is not None else "a null value: the row is gone"
    if args.dry_run:
        return f"{name}/{tp.partition}, offset {bad.offset}, would get {told}"
    async with Producer(bootstrap_servers=settings.bootstrap, acks="all", enable_idempotence=True, **security) as producer:
        sent = await producer.send_and_wait(name, value, bad.key, tp.partition)
    return f"{name}/{tp.partition}, offset {bad.offset}: at offset {sent.offset} it got {told}"


async def _at(reader: Reader, tp: TopicPartition, offset: int) -> Any:
    """Return the record at an offset; None where there is none."""
    async with aclosing(reader.records([tp])) as stream:
        async for _, record in stream:
            if record.offset == offset:
                return record
    return None


async def _before(reader: Reader, tp: TopicPartition, bad: Any) -> bytes | None:
    """Return the value that the key had before, as a load finds it."""
    part = Partition({})
    async with aclosing(reader.records([tp])) as stream:
        async for _, record in stream:
            if record.offset > bad.offset and record.key == bad.key:
                raise NothingToMendError(f"{tp.topic}/{tp.partition}: the row was written again since, at offset {record.offset}")
            if record.offset < bad.offset and record.key in (FENCE_KEY, bad.key):
                part.read([record])
    return part.value(bad.key)


def _is_good(store: str, key: bytes, value: bytes | None) -> bool:
    """Tell whether a load would take it."""
    if value is None or key[:1] == RESERVED:
        return value is not None
    try:
        Rows({key: value}).verify(store)
    except BadRowError:
        return False
    return True
