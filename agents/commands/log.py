"""`afspraakbericht log`: replays and exports the delivery log. Reading it never moves a worker's offsets."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from schemas.deliveries import NewerSchemaError
from schemas.topics import DELIVERY_LOG
from streams.zones import DEFAULT_ZONE, zone

from ..analysis.choosing import VALUES, Chooser, NotARecordError, Wanted
from ..analysis.export import Export
from ..analysis.forms import Csv, Form, JsonLines, Lines
from ..analysis.moments import Period, period
from ..analysis.stretch import Reading, Stretch
from ..analysis.target import Target
from ..kafka_security import check, client_settings
from ..reading import MissingError
from ..settings import Settings, SettingsError

FORMATS = ("table", "json", "csv", "parquet")
FILTERS = ("organisation", "client", "channel", "status", "kind", "reason")


class ArgumentError(ValueError):
    """An argument that cannot be; one line that names it and says what is expected."""


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments. What they may be is checked in `run`, which says it in one line."""
    when = "of when it was written: an instant, or a local time, day or month"
    parser.add_argument("--since", metavar="TIME", help=f"from this time on, {when}")
    parser.add_argument("--from", metavar="PARTITION:OFFSET", action="append", help="from this offset, of such partitions only")
    parser.add_argument("--until", metavar="TIME", help=f"up to this time, {when} (which is in it)")
    parser.add_argument("--period", metavar="PERIOD", help="`at` in this day or month, or between two times: FROM/TO")
    parser.add_argument("--zone", metavar="ZONE", default=DEFAULT_ZONE, help=f"of local times, days and months ({DEFAULT_ZONE})")
    for name in FILTERS:
        known = f": {', '.join(VALUES[name])}" if name in VALUES else ""
        parser.add_argument(f"--{name}", metavar=name.upper(), action="append", help=f"with this {name}; repeatable{known}")
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument("--all", action="store_true", help="also what was written twice; by default a record comes once")
    parser.add_argument("--format", metavar="FORMAT", help=f"one of {', '.join(FORMATS)}; table if nothing else is said")
    parser.add_argument("--json", action="store_true", help="short for --format json: as it is on the topic, a record a line")
    parser.add_argument("--output", "-o", metavar="FILE", type=Path, help="write here; the file is there when it is whole")


def run(args: Namespace) -> int:
    """Write the log; gives 2 for an argument, a record or a Kafka that is not as it must be, 130 when broken off."""
    try:
        form = _form(args)
        stretch, wanted = _stretch(args), _wanted(args)
        settings = Settings.from_env(os.environ)
        check(settings)
        good = asyncio.run(_write(settings.bootstrap, args, form, stretch, wanted, client_settings(settings)))
    except KeyboardInterrupt:
        return 0 if args.follow else 130
    except (ArgumentError, SettingsError, MissingError, NotARecordError, NewerSchemaError) as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"{args.output or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"Kafka at {settings.bootstrap} does not answer: {type(error).__name__}", file=sys.stderr)
        return 2
    return 0 if good else 2


async def _write(
    bootstrap: str, args: Namespace, form: Callable[[Target], Form], stretch: Stretch, wanted: Wanted, security: Mapping[str, Any]
) -> bool:
    """Gives whether every value on the topic was a record."""
    bad: list[NotARecordError] = []

    def told(error: NotARecordError) -> None:
        bad.append(error)
        print(error, file=sys.stderr)

    async with Reading(bootstrap, DELIVERY_LOG.name, stretch, security) as reading:
        with Target(args.output) as target:
            shown = sys.stderr.isatty() and not args.follow and (args.output is not None or not sys.stdout.isatty())
            await Export(reading, Chooser(wanted, told), form(target), target, shown=shown).run()
    return not bad


def _form(args: Namespace) -> Callable[[Target], Form]:
    """The form asked for."""
    name = args.format or ("json" if args.json else "table")
    if name not in FORMATS:
        raise ArgumentError(f"--format is {name!r}: expected one of {', '.join(FORMATS)}")
    if args.json and name != "json":
        raise ArgumentError(f"--json is short for --format json, and --format is {name}: expected one of them")
    if name != "parquet":
        forms: dict[str, Callable[[Target], Form]] = {"table": Lines, "json": JsonLines, "csv": Csv}
        return forms[name]
    if args.follow:
        raise ArgumentError("--follow: a Parquet file has an end; expected another --format")
    if args.output is None and sys.stdout.isatty():
        raise ArgumentError("--format parquet is not for a terminal: expected --output FILE, or a pipe")
    try:
        from ..analysis.parquet import Parquet
    except ImportError:
        message = "--format parquet needs the extra `analysis` (pyarrow): pip install 'afspraakbericht[analysis]', or make setup"
        raise ArgumentError(message) from None
    return Parquet


def _stretch(args: Namespace) -> Stretch:
    """Which records are read at all."""
    given = getattr(args, "from") or []
    if given and args.since is not None:
        raise ArgumentError("--since and --from both say where to begin: expected one of them")
    if args.follow and args.until is not None:
        raise ArgumentError("--until ends what --follow never ends: expected one of them")
    offsets = {}
    for text in given:
        if not re.fullmatch(r"[0-9]{1,6}:[0-9]{1,18}", text):
            raise ArgumentError(f"--from is {text!r}: expected PARTITION:OFFSET, such as 3:1200")
        partition, offset = map(int, text.split(":"))
        if partition in offsets:
            raise ArgumentError(f"--from names partition {partition} twice: expected one offset of it")
        offsets[partition] = offset
    since, until = _moments(args, "since"), _moments(args, "until")
    if since.begin is not None and until.end is not None and since.begin >= until.end:
        raise ArgumentError(f"--until is {args.until!r}: expected a time after --since")
    return Stretch(since.begin, until.end, offsets, args.follow)


def _wanted(args: Namespace) -> Wanted:
    """Which of them come out."""
    values = {name: frozenset(given) for name in FILTERS if (given := getattr(args, name))}
    for name in values.keys() & VALUES.keys():
        if unknown := sorted(values[name] - set(VALUES[name])):
            raise ArgumentError(f"--{name} is {unknown[0]!r}: expected one of {', '.join(VALUES[name])}")
    within = _moments(args, "period")
    if within.begin is not None and within.begin == within.end:
        raise ArgumentError(f"--period is {args.period!r}: expected a day, a month, or FROM/TO")
    return Wanted(values, within, args.all)


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
