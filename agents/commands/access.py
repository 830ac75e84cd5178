"""`afspraakbericht access [ORGANISATION/CLIENT]`: who looked at a client, what a user saw, and the end of a user's sessions."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from schemas.access import END_SESSIONS, EVERY, AccessRecord
from schemas.keys import ClientKey
from schemas.topics import ACCESS_LOG
from schemas.wire import encode, read

from ..access.command import machine_user, write
from ..kafka.junk import Junk
from ..kafka.reader import Reader
from ..projection.access import user_hash
from ..terminal import aside, moment
from .endings import ArgumentError, kafka_settings, one_line
from .moments import instant
from .why import name


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("client", metavar="ORGANISATION/CLIENT", nargs="?", type=name, help="who looked at this client")
    parser.add_argument("--user", metavar="USER", help="what this user saw and did")
    parser.add_argument("--organisation", metavar="ID", help="of this organisation only")
    parser.add_argument("--since", metavar="INSTANT", type=instant, help="from then on, by when it was written")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, as it is on the topic")
    ending = "end all sessions of --user of --organisation: for who was removed at the identity provider"
    parser.add_argument("--end-sessions", action="store_true", help=ending)


@one_line
def run(args: Namespace) -> int:
    """Print the records, oldest first within a partition; return 2 where the topic has junk."""
    if args.client is None and args.user is None and args.organisation is None:
        raise ArgumentError("of whom? Name a client, --user or --organisation")
    if args.end_sessions and (args.user is None or args.organisation is None):
        raise ArgumentError("--end-sessions needs --user and --organisation")
    settings, security = kafka_settings(args)
    if args.end_sessions:
        asyncio.run(write(settings.bootstrap, security, [ending(args.organisation, args.user, datetime.now(UTC))]))
        print(f"the sessions of {args.user} of {args.organisation} are over")
        return 0
    junk = Junk()
    asyncio.run(_print(settings.bootstrap, security, args, junk))
    return 2 if junk.ended() else 0


def ending(organisation: str, user: str, at: datetime) -> AccessRecord:
    """Return the record after which a user's sessions of before count no more."""
    return AccessRecord(
        id=uuid4().hex, at=at, organisation=organisation, user=machine_user(), role="command", action=END_SESSIONS,
        filter=f"user={user}", outcome="done", session=user_hash(organisation, user),
    )  # fmt: skip


def is_wanted(record: AccessRecord, client: ClientKey | None, user: str | None, organisation: str | None) -> bool:
    """Tell whether a record is of this client, user and organisation; one of all organisations is of each."""
    return (
        (client is None or (record.organisation in (client.organisation, EVERY) and client.client in record.clients))
        and (user is None or record.user == user)
        and (organisation is None or record.organisation in (organisation, EVERY))
    )


def line(record: AccessRecord) -> str:
    """Write a record for people; of many clients their number."""
    who = f"{record.user} ({record.user_name})" if record.user_name else record.user or "-"
    whom = ", ".join(record.clients) if len(record.clients) <= 3 else f"{len(record.clients)} clients"
    for_ = f" for {record.for_}" if record.for_ else ""
    parts = (moment(record.at), record.organisation, who + for_, record.role, record.action, record.outcome, whom, record.filter)
    return "  ".join(part for part in parts if part)


async def _print(bootstrap: str, security: Mapping[str, Any], args: Namespace, junk: Junk) -> None:
    async with Reader(bootstrap, security, progress=aside()) as reader:
        topic = await reader.topic(ACCESS_LOG.name)
        async with aclosing(reader.records(topic, args.since)) as stream:
            async for tp, entry in stream:
                record = junk.read(_record, tp, entry)
                if record is not None and is_wanted(record, args.client, args.user, args.organisation):
                    print(encode(record).decode() if args.json else line(record))


def _record(value: bytes | None) -> AccessRecord:
    return read(AccessRecord, value or b"")
