"""`afspraakbericht simulate EVENTS.jsonl [--until INSTANT] [--story] [--producers FILE]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from textwrap import fill
from typing import Any, BinaryIO

import msgspec
import orjson

from schemas.deliveries import LogRecord, read_log_record
from schemas.topics import HOLDS, TOPICS
from schemas.wire import BadRecordError, Instant, check, utc
from streams.processing.local_time import DEFAULT_ZONE, local
from streams.simulation import Refused, Simulation

from ..settings.agreed import agreed_producers
from ..terminal import aside, silent
from ..worker.wording import succeed
from .endings import one_line
from .moments import instant

NAMED = 20
"""Lines that cannot be used are named on a terminal so far; a file of another kind has thousands of them."""

INPUTS = {topic.name for topic in TOPICS if topic.role in ("input", "foreign", "reported") and topic is not HOLDS}
"""A hold is none of the rules that one tries out here."""


class EventLine(msgspec.Struct, frozen=True):
    """One event of the file."""

    at: Instant
    topic: str
    key: str | None
    value: Any


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("events", metavar="EVENTS.jsonl", help="one JSON object a line: at, topic, key, value; -: standard input")
    parser.add_argument(
        "--until", metavar="INSTANT", type=instant, help="time passes up to this instant (default: the last `at`)"
    )
    parser.add_argument(
        "--producers", metavar="FILE", type=Path, help="what is agreed with those who speak FHIR or HL7 v2 (schemas/README.md)"
    )
    parser.add_argument("--story", action="store_true", help="print for people what was said to whom, instead of the records")


@one_line
def run(args: Namespace) -> int:
    """Print the delivery-log records as JSON lines; return 0, or 2 when a line was refused (reported on stderr)."""
    try:
        source: BinaryIO = sys.stdin.buffer if args.events == "-" else Path(args.events).open("rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        print(f"{args.events}: {error.strerror}", file=sys.stderr)
        return 2
    run_ = Run(Simulation(succeed, agreed_producers(args.producers)), args.until)
    shown = aside() if args.events != "-" else silent
    with source, shown(_size(args.events), "byte") as more:
        for record in run_.records(_counting(source, more)):
            if args.story:
                print(told(read_log_record(record)))
            else:
                sys.stdout.buffer.write(record + b"\n")
    sys.stdout.buffer.flush()
    run_.ended()
    return 2 if run_.refused else 0


def _size(events: str) -> int | None:
    return Path(events).stat().st_size if events != "-" else None


def _counting(source: Iterable[bytes], more: Callable[[int], None]) -> Iterator[bytes]:
    for line in source:
        yield line
        more(len(line))


def told(record: LogRecord) -> str:
    """Return what became of a message, for people: when, to whom, by what, and its words or why there were none."""
    what = record.text if record.status == "sent" and record.text is not None else ", ".join(n.kind for n in record.notices)
    head = f"{local(record.at, DEFAULT_ZONE):%d-%m-%Y %H:%M}  {record.whose}  {record.channel or '-'}"
    because = f" ({record.detail})" if record.detail is not None else ""
    return f"{head}  {record.status}{because}\n{fill(what, 78, initial_indent='    ', subsequent_indent='    ')}\n"


class Run:
    """A simulation of a file of events."""

    def __init__(self, simulation: Simulation, until: datetime | None) -> None:
        self.simulation, self.end = simulation, until
        self.refused = 0

    def records(self, source: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the delivery-log records of the file, to its end."""
        now: datetime | None = None
        for number, text in enumerate(source, 1):
            if not text.strip():
                continue
            try:
                line = read_line(text)
                at = utc(line.at)
                if now is not None and at < now:
                    raise BadRecordError("it is earlier than the line before")
                if self.end is not None and at > self.end:
                    break
                now = at
                yield from self.simulation.until(at)
                if line.topic not in INPUTS:
                    raise BadRecordError(f"unknown topic `{line.topic}`; it is one of {', '.join(sorted(INPUTS))}")
                key = line.key.encode() if line.key is not None else None
                yield from self.simulation.feed(line.topic, key, value_of(line.value), at)
            except (BadRecordError, Refused) as error:
                self._refuse(f"line {number}: {error}")
        end = self.end if self.end is not None else now
        if end is not None:
            yield from self.simulation.until(end)
        for fault in self.simulation.faults:
            self._refuse(f"a record of our own cannot be used: {fault}")

    def _refuse(self, why: str) -> None:
        self.refused += 1
        if self.refused <= NAMED or not sys.stderr.isatty():
            print(why, file=sys.stderr)

    def ended(self) -> None:
        """Say how many were refused, where not each was named."""
        if self.refused > NAMED and sys.stderr.isatty():
            print(f"{self.refused} lines cannot be used; 2> FILE has them all", file=sys.stderr)


def read_line(text: bytes) -> EventLine:
    """Read a line of the file."""
    try:
        return check(EventLine, orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"not JSON: {error.msg} at column {error.colno}") from None


def value_of(value: Any) -> bytes | None:
    """Return the bytes that Kafka would carry.

    A string is taken as it is, so that bytes which are not JSON can be simulated too.
    """
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else orjson.dumps(value)
