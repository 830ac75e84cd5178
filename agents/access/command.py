"""A command that shows data of clients, or acts on them, writes who, when and with which arguments, before it does."""

from __future__ import annotations

import asyncio
import getpass
import os
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from schemas.access import EVERY, AccessRecord
from schemas.topics import ACCESS_LOG
from schemas.wire import encode

from ..kafka.writer import Event, Feeder
from .table import COMMANDS

NOT_ARGUMENTS = ("run", "command", "client", "organisation")


def announce(bootstrap: str, security: Mapping[str, Any], args: Namespace) -> None:
    """Write the record; it returns once Kafka has it. Raises KafkaError or MissingError: then nothing may be shown."""
    asyncio.run(write(bootstrap, security, [record_of(args, datetime.now(UTC))]))


async def write(bootstrap: str, security: Mapping[str, Any], records: list[AccessRecord]) -> None:
    """Write records of one who looks. Raises KafkaError or MissingError."""
    async with Feeder(bootstrap, security) as feeder:
        await feeder.feed(Event(ACCESS_LOG.name, record.organisation, encode(record)) for record in records)


def record_of(args: Namespace, at: datetime) -> AccessRecord:
    """Return what is written of a command: the machine's user, and who became it by sudo."""
    organisations, clients = _of_whom(args)
    given = {name: value for name, value in vars(args).items() if name not in NOT_ARGUMENTS and value not in (None, False, [])}
    said = [f"{name}={_text(value)}" for name, value in sorted(given.items())]
    said += [f"organisation={name}" for name in organisations] if len(organisations) > 1 else []
    return AccessRecord(
        id=uuid4().hex, at=at, organisation=organisations[0] if len(organisations) == 1 else EVERY, user=machine_user(),
        for_=os.environ.get("SUDO_USER"), role="command", action=args.command, clients=tuple(clients),
        filter=" ".join(said) or None, outcome=COMMANDS[args.command] or "shown",
    )  # fmt: skip


def machine_user() -> str:
    """Return who runs this; its number where it has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _of_whom(args: Namespace) -> tuple[list[str], list[str]]:
    """Return the organisations and clients that the arguments name: `--organisation` and `--client`, or both in one."""
    organisations, clients = ([*_list(getattr(args, name, None))] for name in ("organisation", "client"))
    whole = [client for client in clients if not isinstance(client, str)]
    organisations += [client.organisation for client in whole]
    named = [client if isinstance(client, str) else client.client for client in clients]
    return organisations, [client for client in named if client]  # an employee is no client


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
