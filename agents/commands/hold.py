"""`afspraakbericht hold [ORGANISATION]`: hold an organisation's notices, end that, or see what waits."""

from __future__ import annotations

import asyncio
import getpass
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import orjson

from renderers.gsm7 import measure
from schemas.deliveries import Delivery
from schemas.held import HeldRecord
from schemas.holds import Hold
from schemas.inputs import Organisation
from schemas.topics import HELD, HOLDS, ORGANISATIONS
from schemas.wire import own, read
from streams.intake.checks import check_settings
from streams.sending.outcomes import SendCall

from ..kafka.junk import Junk
from ..kafka.last_good import last_good
from ..kafka.reader import Reader
from ..kafka.writer import Event, Feeder
from ..worker.wording import NoWordsError, word
from .endings import ArgumentError, kafka_settings, one_line
from .simulate import instant

_held = msgspec.json.Decoder(HeldRecord).decode


class Seen(NamedTuple):
    """What Kafka has of holds: by organisation, and what waits by key. `settings`: the last good ones."""

    holds: dict[str, Hold]
    waiting: dict[bytes, HeldRecord]
    settings: dict[str, Organisation]


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
        ArgumentError: nothing is held, or not what was shown at the moment that the arguments name.
    """
    if args.end:
        if old is None or not (old.notices or old.parties):
            raise ArgumentError(f"{args.organisation} holds nothing")
        if args.say_nothing_of is not None and not old.at < args.say_nothing_of <= now:
            raise ArgumentError(f"--say-nothing-of: this hold was set at {old.at.isoformat()}, and it is {now.isoformat()}")
        seen_at = args.say_nothing_of
        return Hold(organisation=args.organisation, at=now, notices=False, seen_at=seen_at, by=getpass.getuser())
    parties = [*(old.parties if old is not None else []), *(args.party or [])]
    return Hold(
        organisation=args.organisation, at=old.at if old is not None and old.notices else now,
        notices=args.set or (old is not None and old.notices), parties=[*dict.fromkeys(parties)], by=getpass.getuser(),
    )  # fmt: skip


def said(hold: Hold) -> str:
    """Say what a hold holds."""
    held = (["its notices"] if hold.notices else []) + [f"requests of {party}" for party in hold.parties]
    return f"holds {' and '.join(held)}" if held else "holds nothing"


async def _write(bootstrap: str, security: dict[str, Any], hold: Hold) -> None:
    async with Feeder(bootstrap, security) as feeder:
        await feeder.feed([Event(HOLDS.name, hold.organisation, orjson.dumps(msgspec.to_builtins(hold)))])


async def look(bootstrap: str, security: dict[str, Any], junk: Junk) -> Seen:
    """Read who holds what, and what waits."""
    seen = Seen({}, {}, {})
    async with Reader(bootstrap, security) as reader:
        seen.holds.update(await last_good(reader, HOLDS.name, hold_of))
        seen.settings.update(await last_good(reader, ORGANISATIONS.name, _settings))
        async with aclosing(reader.records(await reader.topic(HELD.name))) as stream:
            async for tp, record in stream:
                seen.waiting.pop(record.key, None)
                if record.value is not None and (one := junk.read(lambda value: own(_held, value), tp, record)) is not None:
                    seen.waiting[record.key] = one
    return seen


def hold_of(value: bytes) -> Hold:
    """Read what an organisation holds. Raises BadRecordError."""
    return read(Hold, value)


def _settings(value: bytes) -> Organisation:
    settings = read(Organisation, value)
    check_settings(settings)
    return settings


def listed(seen: Seen, now: datetime) -> list[str]:
    """Say who holds something, a line each."""
    on = {name: hold for name, hold in seen.holds.items() if hold.notices or hold.parties}
    return [
        f"{name} {said(hold)} since {hold.at.isoformat(timespec='seconds')}; {_sum(_of(seen, name, now))} wait"
        for name, hold in sorted(on.items())
    ] or ["nobody holds anything"]


def lines(seen: Seen, organisation: str, samples: int, now: datetime) -> list[str]:
    """Say what an organisation holds, how much would go now, what that costs, and how it would read."""
    hold, found = seen.holds.get(organisation), _of(seen, organisation, now)
    shown = [f"{organisation} {said(hold) if hold is not None else 'holds nothing'}"]
    if hold is not None:
        by = f", by {hold.by}" if hold.by else ""
        shown[0] += f", since {hold.at.isoformat(timespec='seconds')}{by}"
    near = sum(one.near for one in found)
    shown.append(f"{_sum(found)} to {len(found)} clients would go now; of these {near} are of days that begin within 24 hours")
    settings = seen.settings.get(organisation)
    if settings is not None:
        parts = sum(_parts(one, settings, now) for one in found if one.channel == "sms")
        price = f", {parts * float(settings.sms.unit_price):.2f} {settings.sms.currency}" if parts else ""
        shown.append(f"{parts} SMS parts{price}")
        for one in found[: max(0, samples)]:
            shown += [f"  {text}" for text in _texts(one, settings, now)]
    shown.append(f"Mended upstream, the number falls by itself. This is as of {now.isoformat(timespec='seconds')}")
    return shown


def _of(seen: Seen, organisation: str, now: datetime) -> list[HeldRecord]:
    """Return what waits of an organisation, without what is over."""
    found = (one for one in seen.waiting.values() if one.organisation == organisation and one.until > now)
    return sorted(found, key=lambda one: (one.at, one.client))


def _sum(found: Iterable[HeldRecord]) -> str:
    return f"{sum(len(one.messages) for one in found)} messages"


def _parts(one: HeldRecord, settings: Organisation, now: datetime) -> int:
    return sum(measure(text).parts for text in _texts(one, settings, now))


def _texts(one: HeldRecord, settings: Organisation, now: datetime) -> list[str]:
    """Return the messages as they would read; those that cannot be worded are left out, as a sender leaves them out."""
    found = []
    for notices in one.messages:
        delivery = Delivery(
            message="held", organisation=one.organisation, client=one.client, channel=one.channel, reason="direct", decided=now,
            notices=notices,
        )  # fmt: skip
        try:
            call = SendCall(delivery=delivery, organisation=settings, address="", attempt=1, piece=0, now=now)
            found.append(word(call).text)
        except NoWordsError:
            print("a message cannot be worded: a fault of this service", file=sys.stderr)
    return found
