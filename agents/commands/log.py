"""`afspraakbericht log`: show or export the delivery log. Reading it never moves a worker's offsets."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from schemas.deliveries import LogRecord
from schemas.keys import ClientKey
from schemas.topics import DELIVERY_LOG
from streams.processing.local_time import DEFAULT_ZONE, zone

from ..export.export import Export
from ..export.filters import VALUES, Chooser, Wanted
from ..export.formats import Csv, Form, JsonLines, Lines
from ..export.output import ExportFile
from ..export.periods import Period, period
from ..export.shaping import OutcomeLogRecord, Shaped, read_outcomes, shape
from ..export.table import Table
from ..kafka.junk import Junk
from ..kafka.reader import Reader, TopicRange
from .endings import ArgumentError, kafka_settings, one_line
from .offsets import partition_offset
from .running import refused
from .why import client_key

FORMATS = ("table", "lines", "json", "csv", "parquet")
FILTERS = ("organisation", "client", "channel", "status", "kind", "reason")


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments. `run` checks their values, and says in one line what is wrong."""
    when = "of when it was written: an instant, or a local time, day or month"
    parser.add_argument("--since", metavar="TIME", help=f"from this time on, {when}")
    parser.add_argument(
        "--from", metavar="PARTITION:OFFSET", action="append", help="from this offset, and of the partitions named so only"
    )
    parser.add_argument("--until", metavar="TIME", help=f"up to this time, {when} (which is in it)")
    parser.add_argument("--period", metavar="PERIOD", help="`at` in this day or month, or between two times: FROM/TO")
    parser.add_argument(
        "--zone", metavar="ZONE", default=DEFAULT_ZONE, help=f"the time zone of local times, days and months ({DEFAULT_ZONE})"
    )
    for name in FILTERS:
        known = f": {', '.join(VALUES[name])}" if name in VALUES else ", alone or as ORGANISATION/CLIENT" * (name == "client")
        parser.add_argument(f"--{name}", metavar=name.upper(), action="append", help=f"with this {name}; repeatable{known}")
    parser.add_argument("--follow", "-f", action="store_true", help="go on as records arrive, until Ctrl-C")
    parser.add_argument("--all", action="store_true", help="with records that were written twice; by default each comes once")
    parser.add_argument("--no-text", action="store_true", help="without what was said and the masked address")
    parser.add_argument(
        "--outcomes", action="store_true", help="with what became of the appointments (`outcomes`); not in a table or lines"
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        help=f"one of {', '.join(FORMATS)} (default: table on a terminal, else lines)",
    )
    parser.add_argument(
        "--json", action="store_true", help="short for --format json: each record on a line, as it is on the topic"
    )
    parser.add_argument("--output", "-o", metavar="FILE", type=Path, help="write to this file, which appears when it is complete")


@one_line
def run(args: Namespace) -> int:
    """Write the log; return 2 where a value on the topic is no record, 130 when broken off."""
    args.client = [client_of(text) for text in args.client or ()]
    try:
        form = _form(args)
        stretch, wanted = _stretch(args), _wanted(args)
        settings, security = kafka_settings(args)
        good = asyncio.run(_write(settings.bootstrap, args, form, stretch, wanted, security))
    except KeyboardInterrupt:
        if args.follow:
            return 0
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        return refused(f"{args.output or 'standard output'}: {error.strerror or error}")
    return 0 if good else 2


async def _write(
    bootstrap: str,
    args: Namespace,
    form: Callable[[ExportFile], Form],
    stretch: TopicRange,
    wanted: Wanted,
    security: Mapping[str, Any],
) -> bool:
    """Write it, and return whether every value on the topic was a record."""
    junk = Junk()
    whole = _format(args) != "json" or args.outcomes or args.no_text
    async with Reader(bootstrap, security) as reader:
        shaping = shape(texts=not args.no_text, outcomes=await read_outcomes(reader, junk) if args.outcomes else None)
        span = await reader.span(await reader.topic(DELIVERY_LOG.name), stretch)
        async with reader.ranges(span.starts, None if stretch.follow else span.stops) as ranges:
            with ExportFile(args.output) as target:
                # Lines and a bar on one terminal would overwrite one another; a table comes when all is read.
                shown = not args.follow and (args.output is not None or not sys.stdout.isatty() or _format(args) == "table")
                total = span.total if shown else None
                chooser, shaped = Chooser(wanted, junk, whole=whole), Shaped(form(target), shaping)
                count = await Export(ranges, chooser, shaped, target, total).run()
                if not count and sys.stderr.isatty() and not args.follow:
                    print("no record is as asked", file=sys.stderr)
    return not junk.ended()


def client_of(text: str) -> str | ClientKey:
    """Read a client, or one of an organisation: no id has a slash."""
    return client_key(text, "--client") if "/" in text else text


def _format(args: Namespace) -> str:
    """Return the name of the form that was asked for: a person has a table, a program has lines."""
    alone = "table" if args.output is None and sys.stdout.isatty() else "lines"
    return str(args.format or ("json" if args.json else alone))


def _form(args: Namespace) -> Callable[[ExportFile], Form]:
    """Return the form that was asked for."""
    name = _format(args)
    if name not in FORMATS:
        raise ArgumentError(f"--format is {name!r}: expected one of {', '.join(FORMATS)}")
    if args.json and name != "json":
        raise ArgumentError(f"--json is short for --format json, and --format is {name}: expected one of them")
    if args.outcomes and name in ("table", "lines"):
        raise ArgumentError("--outcomes is not for a table or lines: expected --format json, csv or parquet")
    if name != "parquet":
        forms: dict[str, Callable[[ExportFile], Form]] = {
            "table": partial(Table, zone=args.zone, follow=args.follow),
            "lines": Lines,
            "json": JsonLines,
            "csv": partial(Csv, outcomes=args.outcomes),
        }
        return forms[name]
    if args.follow:
        raise ArgumentError("--follow: a Parquet file has an end; expected another --format")
    if args.output is None and sys.stdout.isatty():
        raise ArgumentError("--format parquet is not for a terminal: expected --output FILE, or a pipe")
    try:
        from ..export.parquet import Parquet
    except ImportError:
        message = "--format parquet needs the extra `analysis` of our own wheel (DIST.whl[analysis]); the image has it"
        raise ArgumentError(message) from None
    return partial(Parquet, record=OutcomeLogRecord if args.outcomes else LogRecord)


def _stretch(args: Namespace) -> TopicRange:
    """Return which records are read at all."""
    given = getattr(args, "from") or []
    if given and args.since is not None:
        raise ArgumentError("--since and --from both say where to begin: expected one of them")
    if args.follow and args.until is not None:
        raise ArgumentError("--until ends what --follow never ends: expected one of them")
    offsets = {}
    for text in given:
        partition, offset = partition_offset("--from", text)
        if partition in offsets:
            raise ArgumentError(f"--from names partition {partition} twice: expected one offset of it")
        offsets[partition] = offset
    since, until = _moments(args, "since"), _moments(args, "until")
    if since.begin is not None and until.end is not None and since.begin >= until.end:
        raise ArgumentError(f"--until is {args.until!r}: expected a time after --since")
    return TopicRange(since.begin, until.end, offsets, args.follow)


def _wanted(args: Namespace) -> Wanted:
    """Return which of them come out."""
    values = {name: frozenset(one for one in given if isinstance(one, str)) for name in FILTERS if (given := getattr(args, name))}
    whole = frozenset(one for one in args.client if not isinstance(one, str))
    if whole and not values["client"]:
        del values["client"]
    for name in values.keys() & VALUES.keys():
        if unknown := sorted(values[name] - set(VALUES[name])):
            raise ArgumentError(f"--{name} is {unknown[0]!r}: expected one of {', '.join(VALUES[name])}")
    within = _moments(args, "period")
    if within.begin is not None and within.begin == within.end:
        raise ArgumentError(f"--period is {args.period!r}: expected a day, a month, or FROM/TO")
    return Wanted(values, within, args.all, whole)


def _moments(args: Namespace, name: str) -> Period:
    try:
        zone(args.zone)
    except ValueError:
        raise ArgumentError(f"--zone is {args.zone!r}: expected the name of a time zone, such as {DEFAULT_ZONE}") from None
    text = getattr(args, name)
    if text is None:
        return Period()
    if name != "period" and "/" in text:
        raise ArgumentError(f"--{name} is {text!r}: expected one time, not two")
    try:
        return period(text, args.zone)
    except ValueError as error:
        raise ArgumentError(f"--{name} is {text!r}: expected {error}") from None
