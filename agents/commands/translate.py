"""`afspraakbericht translate fhir|siu FILE [--producers FILE] [--organisation ID]`: what the worker would make of it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from schemas.topics import FHIR, HL7V2
from schemas.wire import BadRecordError, encode
from streams.translate.envelopes import opened_value
from streams.translate.node import TRANSLATORS
from streams.translate.producers import Producer
from streams.translate.results import Ignored, Origin, Refused, Translated

from ..settings.agreed import agreed_producers
from .endings import ArgumentError, one_line
from .running import refused

TOPICS = {"fhir": FHIR.name, "siu": HL7V2.name}


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("standard", choices=sorted(TOPICS), help="FHIR in JSON, or HL7 v2")
    parser.add_argument("file", metavar="FILE", help="one resource, Bundle or message; -: standard input")
    parser.add_argument("--producers", metavar="FILE", type=Path, help="what is agreed with who sends it (schemas/README.md)")
    parser.add_argument("--organisation", metavar="ID", help="whose it is; needed where that file has several, or there is none")


@one_line
def run(args: Namespace) -> int:
    """Print the records as JSON lines; return 0, or 2 where a part was refused (reported on stderr)."""
    producer = _producer(args.producers, args.organisation)
    try:
        value = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    except OSError as error:
        return refused(f"{args.file}: {error.strerror}")
    faults, ignored = 0, Counter[str]()
    for result in TRANSLATORS[TOPICS[args.standard]](_opened(value), Origin(producer)):
        match result:
            case Translated(record):
                sys.stdout.write(encode(record).decode() + "\n")
            case Ignored(reason):
                ignored[reason] += 1
            case Refused():
                faults += 1
                print(result.text, file=sys.stderr)
    for reason, times in sorted(ignored.items()):
        print(f"{times} ignored: {reason}", file=sys.stderr)
    return 2 if faults else 0


def _producer(path: Path | None, organisation: str | None) -> Producer:
    producers = agreed_producers(path)
    if path is None and organisation is not None:
        return Producer(organisation=organisation)
    if organisation is None and len(producers) == 1:
        return next(iter(producers.values()))
    found = producers.get(organisation or "")
    if found is None:
        raise ArgumentError("--organisation: expected one that the file of producers has, or any without that file")
    return found


def _opened(value: bytes) -> bytes:
    try:
        return opened_value(value)
    except BadRecordError as error:
        raise ArgumentError(f"its envelope: {error}") from None
