"""`afspraakbericht status`: is all well, as far as Kafka can tell? For a look at night, and for a supervisor's check."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiokafka.errors import KafkaError, for_code

from schemas.topics import DEAD_LETTERS, DOUBTED, HOLDS
from streams.processing.own_records import doubted_value
from streams.topology import graph

from ..engine.transport.names import Admin
from ..kafka.last_good import last_good
from ..kafka.reader import MissingError, Reader, TopicRange, running
from ..kafka.security import check, client_settings
from ..settings.settings import Settings, SettingsError
from ..terminal import counted, progress
from .dead_letters import read_letter
from .endings import of_kafka, quiet
from .hold import hold_of

WELL, WAITS, LATE, UNSEEN = range(4)
"""Exit codes: all is well; something waits for a person; records are late, or no worker is there; Kafka cannot be seen."""

LATE_SECONDS = 60
"""A record that no worker has taken in for so long is late: the promise is 10 s, and a rolling restart takes some of them."""


@dataclass
class Seen:
    """What Kafka shows.

    Attributes:
        workers: members of the group.
        late: by topic how many records are older than allowed, and were not taken in.
        dead_letters: of the last 24 hours, by the topic on which they came.
        holding: how many organisations hold notices, or requests of a party.
        doubted: of how many organisations snapshots miss so much that it is not believed.
    """

    workers: int = 0
    late: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    holding: int = 0
    doubted: int = 0


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--late",
        metavar="SECONDS",
        type=int,
        default=LATE_SECONDS,
        help=f"what is not taken in for so long is late ({LATE_SECONDS})",
    )


def run(args: Namespace) -> int:
    """Say how it is; return 0 well, 1 something waits for a person, 2 late or without worker, 3 it cannot be seen."""
    try:
        settings = Settings.from_env(os.environ)
        with quiet():
            check(settings)
            seen = asyncio.run(look(settings, client_settings(settings), datetime.now(UTC), args.late))
    except (SettingsError, MissingError) as error:
        return _unseen(args, str(error))
    except (KafkaError, TimeoutError) as error:
        return _unseen(args, of_kafka(error, settings.bootstrap))
    code = judge(seen)
    print(orjson.dumps({"code": code, **asdict(seen)}).decode() if args.json else "\n".join(lines(seen)))
    return code


def judge(seen: Seen) -> int:
    """Return the exit code: the worst that is so."""
    if not seen.workers or seen.late:
        return LATE
    return WAITS if seen.dead_letters or seen.holding or seen.doubted else WELL


def lines(seen: Seen) -> list[str]:
    """Say it for people, what is worst first; nothing of a client."""
    found = [] if seen.workers else ["no worker is there: nobody is told anything"]
    found += [f"late: {counted(number, 'record')} of {topic}" for topic, number in sorted(seen.late.items())]
    found += [
        f"{counted(number, 'dead letter')} of {topic} in 24 hours: `afspraakbericht dead-letters`"
        for topic, number in sorted(seen.dead_letters.items())
    ]
    if seen.holding:
        found.append(f"{counted(seen.holding, 'organisation')} on hold: `afspraakbericht hold`")
    if seen.doubted:
        found.append(f"snapshots of {counted(seen.doubted, 'organisation')} miss too much to be believed: `afspraakbericht hold`")
    return found or [f"all is well: {counted(seen.workers, 'worker')}, nothing is late, and nothing waits for a person"]


def _unseen(args: Namespace, why: str) -> int:
    print(orjson.dumps({"code": UNSEEN, "why": why}).decode() if args.json else why, file=sys.stdout if args.json else sys.stderr)
    return UNSEEN


async def look(settings: Settings, security: Mapping[str, Any], now: datetime, late: int) -> Seen:
    """Ask Kafka. Raises KafkaError and MissingError."""
    seen = Seen()
    async with running(Admin(bootstrap_servers=settings.bootstrap, **security), "close") as admin:
        (answer,) = await admin.describe_consumer_groups([settings.application])
        seen.workers = members_of(answer)
        committed = {tp: one.offset for tp, one in (await admin.list_consumer_group_offsets(settings.application)).items()}
    async with Reader(settings.bootstrap, security, progress=progress) as reader:
        for topic in (topic.name for node in graph(1) for topic in node.reads):
            if number := await _late(reader, topic, committed, now - timedelta(seconds=late)):
                seen.late[topic] = number
        seen.dead_letters = dict(await _dead_letters(reader, now - timedelta(days=1)))
        holds = await last_good(reader, HOLDS.name, hold_of)
        doubted = await last_good(reader, DOUBTED.name, doubted_value)
        seen.doubted = len({one.organisation for one in doubted.values() if one.until > now})
        seen.holding = sum(bool(hold.notices or hold.parties) for hold in holds.values())
    return seen


def members_of(answer: Any) -> int:
    """Count the members in a DescribeGroups answer for one group. Raises KafkaError where the broker does not tell them."""
    ((code, _, _, _, _, members, *_),) = answer.groups
    if code:
        raise for_code(code)
    return len(members)


async def _late(reader: Reader, topic: str, committed: Mapping[Any, int], before: datetime) -> int:
    """Count the records of a topic that were written before a moment, by Kafka's clock, and are not taken in."""
    tps = await reader.topic(topic)
    old = (await reader.span(tps, TopicRange(until=before))).stops
    kept = await reader.beginnings(tps)
    return sum(max(0, old[tp] - max(committed.get(tp, 0), kept[tp])) for tp in tps)


async def _dead_letters(reader: Reader, since: datetime) -> Counter[str]:
    found: Counter[str] = Counter()
    async with aclosing(reader.records(await reader.topic(DEAD_LETTERS.name), since)) as stream:
        async for tp, record in stream:
            found[read_letter(tp.partition, record).topic] += 1
    return found
