"""`afspraakbericht replay --dry-run`: what the current rules, or other settings, would have sent, beside what the log says was.

It reads Kafka and writes to the terminal, nothing else. `streams/history/comparison.py` says what is compared,
`streams/history/replay.py` how events are ordered. Some differences are not due to the rules:
- a window closed at another moment: the worker takes an event in some time after Kafka's timestamp, so at the edge of a window
  changes may fall into two messages instead of one (`message`, or another set of notices);
- events are gone: appointments and requests are kept for 30 days; of consents, contacts and organisations only the last record of
  each key is sure to be there, so what they said before is not known, and texts have a later template;
- providers: here each takes every message at once. What really waited behind a pause or a retry may have been superseded or
  expired meanwhile. Failures and reports of delivery make no difference: told is told;
- the worker has not taken in some events yet, or decided something in the last seconds.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson

from schemas.deliveries import LogRecord, read_log_record
from schemas.inputs import Organisation
from schemas.keys import RecipientKey
from schemas.wire import BadRecordError, check
from streams.history.comparison import MEANINGS, Comparison, Difference, compare
from streams.history.replay import Kept, Ordered, Replay, instead, ordered, spoken_of
from streams.intake.checks import check_settings

from ..kafka import kept_events
from ..kafka.junk import Junk
from ..kafka.reader import Reader
from ..terminal import counted, progress
from ..worker.wording import succeed
from .endings import ArgumentError, kafka_settings, one_line
from .moments import instant
from .running import refused

PAGE = 50
"""Differences that a terminal shows where nobody says how many: each has up to four lines, and there may be thousands."""

BAR = 20
"""Characters of the longest bar of the tally."""

BEYOND = timedelta(minutes=5)
"""How far the rules run past the end of the period: that they decide a little later than the worker did is no difference."""


class Replayed(NamedTuple):
    """A replay and what it was of."""

    comparison: Comparison
    events: int
    refused: int
    moved: int
    since: datetime | None
    until: datetime


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="required: a replay only compares, in memory")
    parser.add_argument("--since", metavar="INSTANT", type=instant, help="compare what was decided from then on (default: all)")
    parser.add_argument("--until", metavar="INSTANT", type=instant, help="up to then (default: now)")
    parser.add_argument("--organisation", metavar="ID", help="of this organisation only")
    parser.add_argument(
        "--organisations",
        metavar="FILE",
        type=Path,
        help="use these settings instead of those on the topic: an object, a list, or JSON lines",
    )
    shown = f"how many differences to show (default: {PAGE} on a terminal, else all); the tally counts them all"
    parser.add_argument("--limit", metavar="N", type=int, help=shown)
    parser.add_argument("--summary", action="store_true", help="the tally only, as --limit 0")
    parser.add_argument("--json", action="store_true", help="one JSON object; its instants are UTC")


@one_line
def run(args: Namespace) -> int:
    """Print what differs; return 0 whether anything does, and 2 where a topic has junk."""
    if not args.dry_run:
        raise ArgumentError("replay only compares: give --dry-run. A replay that sends does not exist.")
    if args.limit is not None and args.limit < 0:
        raise ArgumentError(f"--limit is {args.limit}: expected 0 or more")
    until = args.until or datetime.now(UTC)
    if args.since is not None and args.since > until:
        raise ArgumentError("--since is after --until")
    try:
        other = settings_of(args.organisations) if args.organisations is not None else {}
    except OSError as error:
        return refused(f"{args.organisations}: {error.strerror}")
    settings, security = kafka_settings(args)
    junk = Junk()
    kept, logged = asyncio.run(_read(settings.bootstrap, security, args.organisation, args.since, junk))
    replayed = replay(kept, logged, other, args.since, until)
    limit = 0 if args.summary else args.limit
    if limit is None and sys.stdout.isatty() and not args.json:
        limit = PAGE
    print(as_json(replayed, limit) if args.json else "\n".join(lines(replayed, limit)))
    return 2 if junk.ended() else 0


async def _read(
    bootstrap: str, security: Mapping[str, Any], organisation: str | None, since: datetime | None, junk: Junk
) -> tuple[Ordered, list[LogRecord]]:
    """Read events and log, the log last: it then has all that came of the events."""
    async with Reader(bootstrap, security, progress=progress) as reader:
        events = ordered(await kept_events.inputs(reader, organisation), await kept_events.began(reader))
        return events, await kept_events.log(reader, junk, organisation, since)


def settings_of(file: Path) -> dict[str, bytes]:
    """Read organisation -> settings from a file, checked as intake does; BadRecordError names file, place and field."""
    content = file.read_bytes()
    try:
        plain = orjson.loads(content)
        items = plain if isinstance(plain, list) else [plain]
        found = [(f"{file}, item {number}", item) for number, item in enumerate(items, 1)]
    except orjson.JSONDecodeError:
        found = []
        for number, line in enumerate(content.splitlines(), 1):
            try:
                found += [(f"{file}, line {number}", orjson.loads(line))] if line.strip() else []
            except orjson.JSONDecodeError as error:
                raise BadRecordError(f"{file}, line {number}: not JSON: {error.msg} at column {error.colno}") from None
    read: dict[str, bytes] = {}
    for place, item in found:
        try:
            event = check(Organisation, item)
            check_settings(event)
        except BadRecordError as error:
            raise BadRecordError(f"{place}: {error}") from None
        if event.organisation in read:
            raise BadRecordError(f"{place}: organisation {event.organisation} is there twice")
        read[event.organisation] = orjson.dumps(item)
    if not read:
        raise BadRecordError(f"{file}: it has no organisation's settings")
    return read


def replay(
    kept: Ordered, logged: list[LogRecord], other: dict[str, bytes], since: datetime | None, until: datetime
) -> Replayed:  # fmt: skip
    """Run the events through the current rules and compare. All that is kept is run: what was told before counts."""
    events: list[Kept] = instead(kept.events, other)
    rules = Replay(succeed)
    with progress(len(events), "event") as more:
        ruled = [read_log_record(one) for one in rules.records(_counting(events, more), until + BEYOND)]
    comparison = compare(logged, ruled, since, until, spoken_of(events))
    return Replayed(comparison, len(events), rules.refused, kept.moved, since, until)


def _counting(events: Iterable[Kept], more: Callable[[int], None]) -> Iterator[Kept]:
    for event in events:
        yield event
        more(1)


def lines(replayed: Replayed, limit: int | None = None) -> list[str]:
    """Draw the screen, with so many differences. Times are UTC: a replay covers organisations in several zones."""
    period = f"{_at(replayed.since)} to {_at(replayed.until)}" if replayed.since is not None else f"up to {_at(replayed.until)}"
    events = counted(replayed.events, "event")
    shown = [f"{events} through the current rules; compared is what was decided {period} (UTC). Nothing was sent."]
    if replayed.refused:
        shown.append(f"Refused, as by intake: {counted(replayed.refused, 'event')}.")
    if replayed.moved:
        first = f"Counted from the start: {counted(replayed.moved, 'record')} of settings, consents, contacts and the like"
        shown.append(f"{first}; what they were before is not kept.")
    shown += ["", *_tally(replayed.comparison)]
    differences = replayed.comparison.differences
    last = None
    for one in differences[:limit]:
        name = str(RecipientKey(one.organisation, one.client, one.recipient))
        if name != last:
            shown += ["", name]
            last = name
        shown += [f"  {line}" for line in _shown(one)]
    if limit and len(differences) > limit:
        more = counted(len(differences) - limit, "more difference")
        shown += ["", f"{more}: --limit {len(differences)} shows all"]
    return shown


def _tally(comparison: Comparison) -> list[str]:
    """Count what is the same and what differs; on a terminal a bar shows the share of each."""
    counts = tally(comparison)
    most = max(counts.values(), default=0)

    def bar(count: int) -> str:
        return f"{'█' * max(1, count * BAR // most):<{BAR}} " if sys.stdout.isatty() else ""

    same = f"{counted(comparison.same, 'notice')} {'is' if comparison.same == 1 else 'are'} the same"
    same += "." if not counts else "; differences:"
    return [same, *(f"  {count:6} {bar(count)}{meaning}" for meaning, count in counts.items())]


def _shown(one: Difference) -> list[str]:
    what = "; ".join(
        f"{notice.kind} {', '.join(filter(None, (notice.appointment, *notice.others)))}".rstrip() for notice in one.notices
    )
    gone = " (its events are not kept any more)" if one.gone else ""
    shown = [f"{_at(one.at)} {what}: {MEANINGS[one.what]}{gone}"]
    for side, fate in (("log", one.logged), ("rules", one.ruled)):
        if fate is not None:
            way = f" by {fate.channel}" if fate.channel is not None else ""
            text = f": “{' '.join(fate.text.split())}”" if fate.text is not None else ""
            shown.append(f"  {side + ':':6} {fate.outcome}{way}{text}")
    return shown


def tally(comparison: Comparison) -> dict[str, int]:
    """Count the messages that differ, by what differs."""
    counts = Counter((one.what, one.gone) for one in comparison.differences)
    return {
        MEANINGS[what] + (" (its events are not kept any more)" if gone else ""): counts[what, gone]
        for what in MEANINGS
        for gone in (False, True)
        if counts[what, gone]
    }


def as_json(replayed: Replayed, limit: int | None = None) -> str:
    """Return the same for programs."""

    def fate(one: Any) -> Any:
        return {name: getattr(one, name) for name in ("message", "outcome", "channel", "text", "at")} if one is not None else None

    differences = [
        {
            "what": one.what, "gone": one.gone, "organisation": one.organisation, "client": one.client,
            "recipient": one.recipient or None, "reason": one.reason, "at": one.at, "notices": list(one.notices),
            "log": fate(one.logged), "rules": fate(one.ruled),
        }
        for one in replayed.comparison.differences[:limit]
    ]  # fmt: skip
    counts = Counter(one.what for one in replayed.comparison.differences)
    return msgspec.json.encode({
        "since": replayed.since, "until": replayed.until, "events": replayed.events, "refused": replayed.refused,
        "counted_from_the_start": replayed.moved, "same": replayed.comparison.same,
        "counts": {what: counts[what] for what in MEANINGS}, "differences": differences,
    }).decode()  # fmt: skip


def _at(instant_: datetime) -> str:
    return f"{instant_.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
