"""`afspraakbericht dead-letters [list|show|again]`: what could not be used, why, and what may be given to the workers again."""

from __future__ import annotations

import asyncio
import re
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import orjson

from schemas.topics import AGENDA_SNAPSHOTS, APPOINTMENTS, DEAD_LETTERS, REQUESTS
from streams.processing.dead_letters import EVENT

from ..access.command import record_of, write
from ..kafka.reader import Reader, TopicRange, written
from ..kafka.writer import Feeder
from ..terminal import aside, moment, progress
from .endings import ArgumentError, kafka_settings, one_line
from .moments import instant
from .offsets import partition_offset

HARMLESS = frozenset({APPOINTMENTS.name, AGENDA_SNAPSHOTS.name, REQUESTS.name})
"""Topics whose records say by a revision or an id that they are old: what came since stands. An old consent says nothing."""

EACH = 100
"""Letters that are shown, or written again, at a time."""


class Letter(NamedTuple):
    """A dead letter: where it lies, when it was set aside, what came where and when. `headers`: those of the record itself."""

    place: tuple[int, int]
    at: datetime | None
    topic: str
    source: str
    reason: str
    written: datetime | None
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    left_out: dict[str, str]


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "action", nargs="?", choices=("list", "show", "again"), default="list",
        help="list: how many by topic and reason, without data of clients (the default); show: each whole, and that is logged; "
        f"again: write those of {', '.join(sorted(HARMLESS))} to their topic as they were",
    )  # fmt: skip
    parser.add_argument("--topic", metavar="TOPIC", action="append", help="that came on this topic; repeatable")
    parser.add_argument("--reason", metavar="TEXT", help="with this in the reason")
    parser.add_argument("--since", metavar="INSTANT", type=instant, help="set aside at that time or later")
    parser.add_argument("--until", metavar="INSTANT", type=instant, help="set aside before that time")
    parser.add_argument("--one", metavar="PARTITION:OFFSET", action="append", help="this one of dead-letters; repeatable")
    parser.add_argument("--each", action="store_true", help="with list: a line for each, with its place")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


@one_line
def run(args: Namespace) -> int:
    """Do what was asked; return 1 where no letter is as asked, or `again` left one where it is."""
    places = frozenset(partition_offset("--one", text) for text in args.one or ())
    if args.action == "again" and not (args.topic or args.reason or args.since or args.until or places):
        raise ArgumentError("again: which? Name --one, --topic, --reason, --since or --until; `list` shows what there is")
    if args.each and args.action != "list":
        raise ArgumentError("--each goes with list")
    settings, security = kafka_settings(args)
    return asyncio.run(_act(args, places, settings.bootstrap, security))


async def _act(args: Namespace, places: frozenset[tuple[int, int]], bootstrap: str, security: Mapping[str, Any]) -> int:
    async with aclosing(_wanted(args, places, bootstrap, security)) as letters:
        if args.action == "again":
            return await _again(letters, bootstrap, security)
        if args.action == "show":
            return await _show(args, letters, bootstrap, security)
        return await _list(args, letters)


async def _wanted(
    args: Namespace, places: frozenset[tuple[int, int]], bootstrap: str, security: Mapping[str, Any]
) -> AsyncGenerator[Letter, None]:
    """Yield the letters that were asked for; those that `again` makes meanwhile are not among them."""
    shown = progress if args.action == "list" and not args.each else aside()
    async with Reader(bootstrap, security, progress=shown) as reader:
        span = await reader.span(await reader.topic(DEAD_LETTERS.name), TopicRange(args.since, args.until))
        async with aclosing(reader.batches(span)) as stream:
            async for tp, records in stream:
                for record in records:
                    letter = read_letter(tp.partition, record)
                    if is_wanted(letter, args.topic, args.reason, places):
                        yield letter


def read_letter(partition: int, record: Any) -> Letter:
    """Read a dead letter. The first header of a name is ours: records of before may have one of their own behind it."""
    ours: dict[str, str] = {}
    for name, value in record.headers:
        ours.setdefault(name, (value or b"").decode(errors="replace"))
    source = "/".join(ours.get(name, "?") for name in ("topic", "partition", "offset"))
    at = ours.get("written", "")
    return Letter(
        place=(partition, record.offset), at=written(record.timestamp), topic=ours.get("topic", "?"), source=source,
        reason=ours.get("reason", "?"), written=written(int(at)) if re.fullmatch(r"-?[0-9]{1,19}", at) else None,
        key=record.key, value=record.value,
        headers=[(name.removeprefix(EVENT), value or b"") for name, value in record.headers if name.startswith(EVENT)],
        left_out={name: text for name, text in ours.items() if name.endswith(("size", "sha256", "left-out"))},
    )  # fmt: skip


def is_wanted(letter: Letter, topics: list[str] | None, reason: str | None, places: frozenset[tuple[int, int]]) -> bool:
    """Tell whether a letter is as asked."""
    return (
        (not topics or letter.topic in topics)
        and (reason is None or reason.casefold() in letter.reason.casefold())
        and (not places or letter.place in places)
    )


def why_not(letter: Letter) -> str | None:
    """Return why a letter may not be given again; None where it may."""
    if letter.topic not in HARMLESS:
        return f"what came on {letter.topic} could undo what came since: have upstream send it anew"
    if letter.value is None:
        return (
            "it has no value" if "size" not in letter.left_out else "its value was too large to keep: have upstream send it anew"
        )
    if "key-size" in letter.left_out:
        return "its key was too large to keep: have upstream send it anew"
    return None


class Group(msgspec.Struct):
    """How many letters have one topic and one reason, when the first and last were set aside, and how many may be given again."""

    topic: str
    reason: str
    letters: int
    again: int
    first: datetime | None
    last: datetime | None


def grouped(groups: dict[tuple[str, str], Group], letter: Letter) -> None:
    """Count a letter."""
    key = (letter.topic, letter.reason)
    group = groups.setdefault(key, Group(*key, letters=0, again=0, first=letter.at, last=letter.at))
    group.letters += 1
    group.again += why_not(letter) is None
    if letter.at is not None:
        group.first = min(group.first or letter.at, letter.at)
        group.last = max(group.last or letter.at, letter.at)


async def _list(args: Namespace, letters: AsyncGenerator[Letter, None]) -> int:
    groups: dict[tuple[str, str], Group] = {}
    found = 0
    async for letter in letters:
        found += 1
        if args.each:
            print(_as_json(letter, whole=False) if args.json else line(letter))
        else:
            grouped(groups, letter)
    for group in sorted(groups.values(), key=lambda one: (-one.letters, one.topic, one.reason)):
        if args.json:
            print(msgspec.json.encode(group).decode())
        else:
            span = f"{_time(group.first)} to {_time(group.last)}"
            print(f"{group.letters:6}  {group.topic}  {span}  {group.again} may be given again  {group.reason}")
    return _none(args, found)


def _none(args: Namespace, found: int) -> int:
    if not found and not args.json:
        print("no dead letter is as asked")
    return 0 if found or args.action == "list" else 1


def line(letter: Letter) -> str:
    """Say where a letter lies, where its record came from, and why it is one; nothing of a client."""
    partition, offset = letter.place
    return f"{_time(letter.at)}  {partition}:{offset}  {letter.source}  {letter.reason}"


async def _show(args: Namespace, letters: AsyncGenerator[Letter, None], bootstrap: str, security: Mapping[str, Any]) -> int:
    """Print letters whole, each after Kafka has the record of whose it is."""
    found = 0
    batch: list[Letter] = []

    async def shown() -> None:
        at, seen = datetime.now(UTC), [whose(letter) for letter in batch]
        records = [
            msgspec.structs.replace(record_of(args, at), organisation=organisation, clients=clients)
            for organisation, clients in dict.fromkeys(seen)
            if organisation is not None
        ]
        if records:
            await write(bootstrap, security, records)
        for letter in batch:
            print(_as_json(letter, whole=True) if args.json else "\n".join(_whole(letter)))
        batch.clear()

    async for letter in letters:
        found += 1
        batch.append(letter)
        if len(batch) == EACH:
            await shown()
    await shown()
    return _none(args, found)


def _whole(letter: Letter) -> list[str]:
    left_out = [(name, text.encode()) for name, text in letter.left_out.items()]
    return [
        line(letter),
        f"  written  {_time(letter.written)}",
        f"  key      {_text(letter.key)}",
        *(f"  header   {name}: {_text(value)}" for name, value in (*letter.headers, *left_out)),
        f"  value    {_text(letter.value)}",
    ]


def whose(letter: Letter) -> tuple[str | None, tuple[str, ...]]:
    """Return the organisation and the clients that a letter names, as far as it can be read."""
    try:
        value = orjson.loads(letter.value or b"")
    except orjson.JSONDecodeError:
        value = None
    value = value if isinstance(value, dict) else {}
    parts = (letter.key or b"").decode(errors="replace").split("/")
    organisation = value.get("organisation", parts[0] or None)
    several = value.get("clients") if isinstance(value.get("clients"), list) else []
    named = [value.get("client"), *(one.get("client") for one in several or [] if isinstance(one, dict))]
    if len(parts) == 2 and letter.topic != APPOINTMENTS.name:
        named.append(parts[1])
    clients = tuple(dict.fromkeys(one for one in named if isinstance(one, str) and one))
    return (organisation if isinstance(organisation, str) else None), clients


async def _again(letters: AsyncGenerator[Letter, None], bootstrap: str, security: Mapping[str, Any]) -> int:
    """Write letters to their topics as they were, oldest first within a partition, and say what was left and why."""
    again, left = 0, 0
    async with Feeder(bootstrap, security) as feeder:
        batch: list[tuple[str, bytes | None, bytes, list[tuple[str, bytes]]]] = []
        async for letter in letters:
            if (why := why_not(letter)) is not None or letter.value is None:
                left += 1
                print(f"left: {line(letter)}: {why}")
                continue
            batch.append((letter.topic, letter.key, letter.value, letter.headers))
            again += 1
            if len(batch) == EACH:
                await feeder.repeat(batch)
                batch = []
        await feeder.repeat(batch)
    print(f"{again} given again, {left} left")
    return 0 if again and not left else 1


def _as_json(letter: Letter, *, whole: bool) -> str:
    partition, offset = letter.place
    shown: dict[str, Any] = {
        "partition": partition, "offset": offset, "at": letter.at, "from": letter.source, "reason": letter.reason,
        "written": letter.written, "again": why_not(letter) is None, **letter.left_out,
    }  # fmt: skip
    if whole:
        headers = {name: _text(value) for name, value in letter.headers}
        shown |= {"key": _text(letter.key), "value": _text(letter.value), "headers": headers}
    return msgspec.json.encode(shown).decode()


def _time(instant_: datetime | None) -> str:
    return moment(instant_) if instant_ is not None else "?"


def _text(value: bytes | None) -> str:
    return "null" if value is None else value.decode(errors="backslashreplace")
