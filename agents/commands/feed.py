"""`afspraakbericht feed EVENTS.jsonl`: write the events of a file to Kafka (the file of `simulate`; `at` is ignored)."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas.topics import TOPICS
from schemas.wire import BadRecordError, check

from ..kafka.writer import Event, Feeder
from ..terminal import counted, progress
from .endings import kafka_settings, one_line
from .running import refused

AT_ONCE = 10_000
"""Events that are written before it is said how far it is."""

INPUTS = {topic.name for topic in TOPICS if topic.role in ("input", "foreign")}


class FeedLine(msgspec.Struct, frozen=True):
    """One event of the file."""

    topic: str
    key: str | None
    value: object


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("events", metavar="EVENTS.jsonl", help="one JSON object a line: topic, key, value; -: standard input")


@one_line
def run(args: Namespace) -> int:
    """Write the events. Of a file nothing is written where a line cannot be used; standard input is written as it comes."""
    try:
        found = batches(pieces(args.events))
        first = next(found, [])
    except OSError as error:
        return refused(f"{args.events}: {error.strerror}")
    settings, security = kafka_settings(args)
    count = asyncio.run(_feed(settings.bootstrap, security, chain([first] if first else [], found)))
    print(f"{counted(count, 'event')} written to {settings.bootstrap}")
    return 0


def pieces(file: str) -> Iterator[bytes]:
    """Return what is there to read: of a file all of it, of standard input what has come."""
    if file == "-":
        return iter(partial(os.read, sys.stdin.fileno(), 1 << 16), b"")
    return iter([Path(file).read_bytes() + b"\n"])


def batches(pieces: Iterable[bytes]) -> Iterator[list[Event]]:
    """Yield the events in the whole lines of each piece. Raises BadRecordError."""
    rest, number = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if found := [event(number + place, line) for place, line in enumerate(lines, 1) if line.strip()]:
            yield found
        number += len(lines)
    if rest.strip():
        yield [event(number + 1, rest)]


def event(number: int, line: bytes) -> Event:
    """Read one line of the file as an event."""
    try:
        read = check(FeedLine, orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"line {number}: not JSON: {error.msg} at column {error.colno}") from None
    except BadRecordError as error:
        raise BadRecordError(f"line {number}: {error}") from None
    if read.topic not in INPUTS:
        raise BadRecordError(f"line {number}: unknown topic `{read.topic}`; it is one of {', '.join(sorted(INPUTS))}")
    return Event(read.topic, read.key, read.value.encode() if isinstance(read.value, str) else read.value)


async def _feed(bootstrap: str, security: Mapping[str, Any], batches: Iterator[list[Event]]) -> int:
    count = 0
    async with Feeder(bootstrap, security) as feeder:
        while batch := await asyncio.to_thread(next, batches, None):
            await feeder.require({event.topic for event in batch})
            with progress(len(batch), "event") as more:
                for start in range(0, len(batch), AT_ONCE):
                    written = await feeder.feed(batch[start : start + AT_ONCE])
                    count += written
                    more(written)
    return count
