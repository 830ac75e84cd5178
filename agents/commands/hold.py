"""`afspraakbericht hold [ORGANISATION]`: hold an organisation's notices, end that, or see what waits."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import orjson

from schemas.doubts import DoubtedRecord
from schemas.held import HeldRecord
from schemas.holds import Hold
from schemas.inputs import Organisation, OrganisationOverride
from schemas.topics import DOUBTED, HELD, HOLDS, ORGANISATIONS, OVERRIDES
from schemas.wire import read
from streams.intake.checks import check_settings
from streams.notices.pressing import NotShownError, PressError, ended, held
from streams.notices.settings import apply_override
from streams.processing.own_records import doubted_value, held_value

from ..access.command import machine_user
from ..engine.transport.partitioner import as_workers
from ..kafka.junk import Junk
from ..kafka.last_good import last_good
from ..kafka.reader import Reader
from ..kafka.writer import Event, Feeder
from ..terminal import counted, moment, progress
from ..worker.held import summed, texts
from .endings import ArgumentError, kafka_settings, one_line
from .moments import instant


class Seen(NamedTuple):
    """What Kafka has of holds: by organisation, and what waits by key. `settings`: those that count; `doubted`: by key."""

    holds: dict[str, Hold]
    waiting: dict[bytes, HeldRecord]
    settings: dict[str, Organisation]
    doubted: dict[str, DoubtedRecord]


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("organisation", metavar="ORGANISATION", nargs="?", help="whose; without: who holds something")
    parser.add_argument("--set", action="store_true", help="hold its notices from now on")
    parser.add_argument("--party", metavar="ID", action="append", help="hold the requests of this third party, too")
    parser.add_argument("--end", action="store_true", help="let all of it go: what then is so is told")
    parser.add_argument("--say-nothing-of", metavar="INSTANT", type=instant, help="with --end: not of what was shown then")
    parser.add_argument("--samples", metavar="N", type=int, default=3, help="texts to show (default: 3)")


@one_line
def run(args: Namespace) -> int:
    """Write what was asked, or show what waits; return 2 where a topic has junk."""
    if (args.set or args.end or args.party) and args.organisation is None:
        raise ArgumentError("whose notices? Name an organisation")
    if args.end and (args.set or args.party):
        raise ArgumentError("--end ends all that is held: it goes with neither --set nor --party")
    if args.say_nothing_of is not None and not args.end:
        raise ArgumentError("--say-nothing-of goes with --end")
    settings, security = kafka_settings(args)
    junk = Junk()
    seen = asyncio.run(look(settings.bootstrap, security, junk))
    now = datetime.now(UTC)
    if args.set or args.end or args.party:
        hold = asked(args, seen.holds.get(args.organisation), now)
        asyncio.run(_write(settings.bootstrap, security, hold))
        print(f"written: {args.organisation} {said(hold)}")
        return 2 if junk.ended() else 0
    print("\n".join(lines(seen, args.organisation, args.samples, now) if args.organisation else listed(seen, now)))
    return 2 if junk.ended() else 0


def asked(args: Namespace, old: Hold | None, now: datetime) -> Hold:
    """Return the record that the arguments ask for, over what is held already.

    Raises:
        ArgumentError: nothing is held, or not what was shown at the moment that the arguments name; or too many parties are.
    """
    by, parties = machine_user(), args.party or []
    try:
        if args.end:
            return ended(old, args.organisation, now, by, seen_at=args.say_nothing_of)
        return held(old, args.organisation, now, by, notices=args.set, parties=parties)
    except NotShownError as error:
        raise ArgumentError(f"--say-nothing-of: {error}") from None
    except PressError as error:
        raise ArgumentError(str(error)) from None


def said(hold: Hold) -> str:
    """Say what a hold holds."""
    what = (["its notices"] if hold.notices else []) + [f"requests of {party}" for party in hold.parties]
    return f"holds {' and '.join(what)}" if what else "holds nothing"


async def _write(bootstrap: str, security: dict[str, Any], hold: Hold) -> None:
    async with Feeder(bootstrap, security, partitioner=as_workers) as feeder:
        await feeder.feed([Event(HOLDS.name, hold.organisation, orjson.dumps(msgspec.to_builtins(hold)))])


async def look(bootstrap: str, security: dict[str, Any], junk: Junk) -> Seen:
    """Read who holds what, and what waits."""
    seen = Seen({}, {}, {}, {})
    async with Reader(bootstrap, security, progress=progress) as reader:
        seen.holds.update(await last_good(reader, HOLDS.name, hold_of))
        seen.doubted.update(await last_good(reader, DOUBTED.name, doubted_value))
        over = await last_good(reader, OVERRIDES.name, _override)
        for name, upstream in (await last_good(reader, ORGANISATIONS.name, _settings)).items():
            seen.settings[name] = apply_override(upstream, over.get(name))
        async with aclosing(reader.records(await reader.topic(HELD.name))) as stream:
            async for tp, record in stream:
                seen.waiting.pop(record.key, None)
                if record.value is not None and (one := junk.read(held_value, tp, record)) is not None:
                    seen.waiting[record.key] = one
    return seen


def hold_of(value: bytes) -> Hold:
    """Read what an organisation holds. Raises BadRecordError."""
    return read(Hold, value)


def _settings(value: bytes) -> Organisation:
    settings = read(Organisation, value)
    check_settings(settings)
    return settings


def _override(value: bytes) -> OrganisationOverride:
    return read(OrganisationOverride, value)


def listed(seen: Seen, now: datetime) -> list[str]:
    """Say who holds something, and whose snapshots are not believed, a line each."""
    on = {name: hold for name, hold in seen.holds.items() if hold.notices or hold.parties}
    waits = {name: summed(_of(seen, name, now), None, now).messages for name in on}
    lines = [
        f"{name} {said(hold)} since {moment(hold.at)}; waiting: {counted(waits[name], 'message')}"
        for name, hold in sorted(on.items())
    ]
    lines += [line for name in sorted({one.organisation for one in seen.doubted.values()}) for line in doubts(seen, name, now)]
    return lines or ["nobody holds anything"]


def doubts(seen: Seen, organisation: str, now: datetime) -> list[str]:
    """Say of how many clients of an organisation snapshots miss so much that nobody is told; no line where all are believed."""
    found = [one for one in seen.doubted.values() if one.organisation == organisation and one.until > now]
    if not found:
        return []
    clients, known = (sum(getattr(one, name) for one in found) for name in ("clients", "known"))
    since = moment(min(one.since for one in found))
    return [
        f"snapshots of {organisation} miss appointments of {clients} of {counted(known, 'client')} since {since}: "
        "none is cancelled for that"
    ]


def lines(seen: Seen, organisation: str, samples: int, now: datetime) -> list[str]:
    """Say what an organisation holds, how much would go now, what that costs, and how it would read."""
    hold, found = seen.holds.get(organisation), _of(seen, organisation, now)
    shown = [f"{organisation} {said(hold) if hold is not None else 'holds nothing'}"]
    if hold is not None:
        by = f", by {hold.by}" if hold.by else ""
        shown[0] += f", since {moment(hold.at)}{by}"
    settings = seen.settings.get(organisation)
    waits = summed(found, settings, now)
    shown.append(
        f"{counted(waits.messages, 'message')} to {counted(waits.clients, 'client')} would go now; "
        f"of these {waits.near} are of days that begin within 24 hours"
    )
    if settings is not None:
        price = f", {waits.cost(settings):.2f} {settings.sms.currency}" if waits.parts else ""
        shown.append(f"{counted(waits.parts, 'SMS part')}{price}")
        for one in found[: max(0, samples)]:
            worded = texts(one, settings, now)
            shown += [f"  {text}" for text in worded]
            if len(worded) < len(one.messages):
                print("a message cannot be worded: a fault of this service", file=sys.stderr)
    shown += doubts(seen, organisation, now)
    shown.append(f"Mended upstream, the number falls by itself. This is as of {moment(now)}")
    return shown


def _of(seen: Seen, organisation: str, now: datetime) -> list[HeldRecord]:
    """Return what waits of an organisation, without what is over."""
    found = (one for one in seen.waiting.values() if one.organisation == organisation and one.until > now)
    return sorted(found, key=lambda one: (one.at, one.client))
