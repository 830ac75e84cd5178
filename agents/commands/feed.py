"""`afspraakbericht feed EVENTS.jsonl`: the events of a file (that of `simulate`; `at` is ignored) to Kafka."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec
import orjson
from aiokafka.errors import KafkaError

from schemas.topics import TOPICS
from schemas.wire import BadRecordError, check

from ..feeding import Event, Feeder
from ..kafka_security import check as check_kafka
from ..kafka_security import client_settings
from ..settings import Settings, SettingsError

INPUTS = {topic.name for topic in TOPICS if topic.role == "input"}


class Line(msgspec.Struct, frozen=True):
    """One event of the file."""

    topic: str
    key: str | None
    value: object


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("events", metavar="EVENTS.jsonl", help="one JSON object a line: topic, key, value; -: standard input")


def run(args: Namespace) -> int:
    """Write the events; gives 2 when a line cannot be used or Kafka is not there, and then nothing was written."""
    try:
        text = sys.stdin.buffer.read() if args.events == "-" else Path(args.events).read_bytes()
        settings = Settings.from_env(os.environ)
        events = [event(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        check_kafka(settings)
        count = asyncio.run(_feed(settings, events))
    except OSError as error:
        print(f"{args.events}: {error.strerror}", file=sys.stderr)
        return 2
    except (BadRecordError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"Kafka at {settings.bootstrap} does not take events: {type(error).__name__}", file=sys.stderr)
        return 2
    print(f"{count} events written to {settings.bootstrap}")
    return 0


def event(number: int, line: bytes) -> Event:
    """One line of the file as an event."""
    try:
        read = check(Line, orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"line {number}: not JSON: {error.msg} at column {error.colno}") from None
    except BadRecordError as error:
        raise BadRecordError(f"line {number}: {error}") from None
    if read.topic not in INPUTS:
        raise BadRecordError(f"line {number}: unknown topic `{read.topic}`; it is one of {', '.join(sorted(INPUTS))}")
    return Event(read.topic, read.key, read.value.encode() if isinstance(read.value, str) else read.value)


async def _feed(settings: Settings, events: list[Event]) -> int:
    async with Feeder(settings.bootstrap, client_settings(settings)) as feeder:
        return await feeder.feed(events)
