"""`afspraakbericht log`: replays the delivery log. Reading it never moves a worker's offsets."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

import orjson
from aiokafka.errors import KafkaError

from schemas.topics import DELIVERY_LOG

from ..kafka_security import check, client_settings
from ..reading import read_topic
from ..settings import Settings, SettingsError

COLUMNS = (("at", 20), ("organisation/client", 22), ("channel", 7), ("status", 10), ("what", 40))


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="the records as JSON lines, as they are on the topic")
    parser.add_argument("--organisation", metavar="ID", help="of this organisation only")
    parser.add_argument("--client", metavar="ID", help="of this client only")
    parser.add_argument("--status", metavar="STATUS", help="with this status only")


def run(args: Namespace) -> int:
    """Print the log; gives 2 when Kafka or the topic is not there."""
    try:
        settings = Settings.from_env(os.environ)
        check(settings)
        asyncio.run(_show(settings.bootstrap, args, client_settings(settings)))
    except KeyboardInterrupt:
        return 0
    except (SettingsError, LookupError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"Kafka at {settings.bootstrap} does not answer: {type(error).__name__}", file=sys.stderr)
        return 2
    return 0


async def _show(bootstrap: str, args: Namespace, security: Mapping[str, Any]) -> None:
    seen: set[tuple[str, int, str]] = set()
    wanted = {name: value for name in ("organisation", "client", "status") if (value := getattr(args, name)) is not None}
    async for record in read_topic(bootstrap, DELIVERY_LOG.name, follow=args.follow, security=security):
        entry = orjson.loads(record.value)
        identity = (entry["message"], entry["attempt"], entry["status"])
        if identity in seen or any(entry[name] != value for name, value in wanted.items()):
            continue
        seen.add(identity)
        print(record.value.decode() if args.json else line(entry), flush=args.follow)


def line(entry: dict[str, Any]) -> str:
    """A record on one line of a terminal: no address, and the text only as far as there is room."""
    what = entry["detail"] or entry["text"] or ", ".join(notice["kind"] for notice in entry["notices"])
    values = (entry["at"][:19], f"{entry['organisation']}/{entry['client']}", entry["channel"] or "-", entry["status"], what)
    return " ".join(f"{value[:width]:{width}}" for value, (_, width) in zip(values, COLUMNS, strict=True)).rstrip()
