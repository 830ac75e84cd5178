"""`afspraakbericht why ORGANISATION/CLIENT`: what was decided for a client, and why, on one screen. It only reads."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime

import msgspec
from aiokafka.errors import KafkaError

from schemas.wire import BadRecordError, Id, check
from streams.why import Explanation, explain
from streams.why_words import moment

from ..archive import Archive
from ..client_rows import Seen, look
from ..kafka_security import check as check_kafka
from ..kafka_security import client_settings
from ..reading import MissingError
from ..settings import Settings, SettingsError
from .simulate import instant


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("client", metavar="ORGANISATION/CLIENT", type=name, help="whom it is about")
    parser.add_argument("--appointment", metavar="ID", help="of this appointment only")
    parser.add_argument("--since", metavar="INSTANT", type=instant, help="no history before this; what is so now stays whole")
    parser.add_argument("--json", action="store_true", help="one JSON object; its instants are UTC")


def name(text: str) -> tuple[str, str]:
    """`organisation/client` from the command line."""
    parts = text.split("/")
    try:
        organisation, client = [check(Id, part) for part in parts]
    except (ValueError, BadRecordError):
        raise ArgumentTypeError("expected two ids joined by '/', such as linde/anna") from None
    return organisation, client


def run(args: Namespace) -> int:
    """Print the screen; gives 1 where nothing is kept under these ids, 2 when Kafka or a topic is not there."""
    organisation, client = args.client
    try:
        settings = Settings.from_env(os.environ)
        check_kafka(settings)
        seen = asyncio.run(_look(settings, organisation, client, args.since))
    except (SettingsError, MissingError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"Kafka at {settings.bootstrap} does not answer: {type(error).__name__}", file=sys.stderr)
        return 2
    if seen.known.is_nobody:
        late = f"; {seen.behind} events of its partition are not taken in yet" if seen.behind else ""
        print(f"nothing is kept of client {client} of organisation {organisation}{late}", file=sys.stderr)
        return 1
    explanation = explain(seen.known, datetime.now(UTC), args.appointment, args.since)
    print(as_json(explanation, seen.behind) if args.json else "\n".join(lines(explanation, seen.behind)))
    return 0


async def _look(settings: Settings, organisation: str, client: str, since: datetime | None) -> Seen:
    async with Archive(settings.bootstrap, client_settings(settings)) as archive:
        return await look(archive, settings.application, organisation, client, since)


def lines(explanation: Explanation, behind: int = 0) -> list[str]:
    """The screen."""
    now = moment(explanation.now, explanation.zone)
    shown = [f"{explanation.organisation}/{explanation.client}, as the workers have it at {now} ({explanation.zone})"]
    if behind:
        shown.append(f"{behind} events of its partition are not taken in yet: what follows may be behind.")
    for title, facts in explanation.sections.items():
        shown += ["", title]
        shown += [f"  {line}" for fact in facts for line in fact.text.split("\n")] or ["  nothing"]
    return shown


def as_json(explanation: Explanation, behind: int = 0) -> str:
    """The same for programs: a list of facts for each section, each with its sentence."""
    titles = ("known", "gates", "appointments", "pending", "history")
    sections = {
        title: [{**fact.data, "text": fact.text} for fact in facts]
        for title, facts in zip(titles, explanation.sections.values(), strict=True)
    }
    head = {
        "organisation": explanation.organisation, "client": explanation.client, "now": explanation.now,
        "time_zone": explanation.zone, "behind": behind,
    }  # fmt: skip
    return msgspec.json.encode({**head, **sections}).decode()
