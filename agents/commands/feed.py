"""`afspraakbericht feed EVENTS.jsonl`: write the events of a file to Kafka (the file of `simulate`; `at` is ignored)."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas.topics import TOPICS
from schemas.wire import BadRecordError, check

from ..kafka.writer import Event, Feeder
from .endings import kafka_settings, one_line
from .running import refused

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
    """Write the events; where a line cannot be used nothing is written."""
    try:
        text = sys.stdin.buffer.read() if args.events == "-" else Path(args.events).read_bytes()
    except OSError as error:
        return refused(f"{args.events}: {error.strerror}")
    events = [event(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    settings, security = kafka_settings(args)
    count = asyncio.run(_feed(settings.bootstrap, security, events))
    print(f"{count} events written to {settings.bootstrap}")
    return 0


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


async def _feed(bootstrap: str, security: Mapping[str, Any], events: list[Event]) -> int:
    async with Feeder(bootstrap, security) as feeder:
        return await feeder.feed(events)
