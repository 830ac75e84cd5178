"""`afspraakbericht why ORGANISATION/CLIENT`: what was decided for a client, and why, on one screen. It only reads."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.keys import ClientKey, RecipientKey, employee_key, employee_of
from schemas.wire import BadRecordError, EmployeeId, Id, check
from streams.explain import employee
from streams.explain.client import Explanation, explain
from streams.explain.words import moment

from ..kafka.client_rows import ClientState, EmployeeState, look, look_at_employee
from ..kafka.junk import Junk
from ..kafka.reader import Reader
from ..settings.settings import Settings
from ..terminal import counted, progress
from .endings import ArgumentError, kafka_settings, one_line
from .simulate import instant


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "client", metavar="ORGANISATION/CLIENT", type=name, help="the client; ORGANISATION//EMPLOYEE: an employee"
    )
    parser.add_argument("--appointment", metavar="ID", help="only this appointment")
    parser.add_argument("--since", metavar="INSTANT", type=instant, help="leave out history before this")
    parser.add_argument("--json", action="store_true", help="one JSON object; its instants are UTC")


EXPECTED = "expected two ids joined by '/', such as linde/anna"


def name(text: str) -> ClientKey | RecipientKey:
    """Read `organisation/client`, or `organisation//employee`, as an argument."""
    organisation, is_of_employee, id_ = text.partition("//")
    try:
        if is_of_employee:
            return employee_key(check(Id, organisation), check(EmployeeId, id_))
        return client_key(text)
    except (ArgumentError, BadRecordError) as error:
        raise ArgumentTypeError(str(error)) from None


def client_key(text: str, option: str | None = None) -> ClientKey:
    """Read `organisation/client`. Raises ArgumentError, which names the option."""
    try:
        organisation, client = [check(Id, part) for part in text.split("/")]
    except (ValueError, BadRecordError):
        raise ArgumentError(EXPECTED if option is None else f"{option} is {text!r}: {EXPECTED}") from None
    return ClientKey(organisation, client)


@one_line
def run(args: Namespace) -> int:
    """Print the screen; return 1 where nothing is kept under these ids, 2 where a topic has junk."""
    client: ClientKey | RecipientKey = args.client
    settings, security = kafka_settings(args)
    junk = Junk()
    seen = asyncio.run(_look(settings, security, client, args.since, junk))
    if seen.known.is_nobody:
        late = f"; still to be taken in: {counted(seen.behind, 'event')} of its partition" if seen.behind else ""
        who = f"employee {employee_of(client.recipient)}" if isinstance(client, RecipientKey) else f"client {client.client}"
        print(f"nothing is kept of {who} of organisation {client.organisation}{late}", file=sys.stderr)
        return 2 if junk.ended() else 1
    now = datetime.now(UTC)
    if isinstance(seen, EmployeeState):
        explanation = employee.explain(seen.known, now, args.appointment, args.since)
    else:
        explanation = explain(seen.known, now, args.appointment, args.since)
    print(as_json(explanation, seen.behind) if args.json else "\n".join(lines(explanation, seen.behind)))
    return 2 if junk.ended() else 0


async def _look(
    settings: Settings, security: Mapping[str, Any], client: ClientKey | RecipientKey, since: datetime | None, junk: Junk
) -> ClientState | EmployeeState:
    async with Reader(settings.bootstrap, security, progress=progress) as reader:
        if isinstance(client, RecipientKey):
            return await look_at_employee(reader, settings.application, client, since, junk)
        return await look(reader, settings.application, client, since, junk)


NAMES = {
    "Known now": "known",
    "Gates, in their order, as they are now": "gates",
    "Who acts for the client": "people",
    "Appointments": "appointments",
    "What the client knows to be ahead": "knowledge",
    "What the employee knows to be ahead": "knowledge",
    "Reminders, and what is still to come": "pending",
    "The digest, and what is under way": "pending",
    "History, from the delivery log": "history",
}
"""What programs call the sections of the screen."""


def lines(explanation: Explanation, behind: int = 0) -> list[str]:
    """Draw the screen."""
    now = moment(explanation.now, explanation.zone)
    shown = [f"{explanation.key}, as the workers have it at {now} ({explanation.zone})"]
    if behind:
        shown.append(f"Still to be taken in: {counted(behind, 'event')} of its partition. What follows may be behind.")
    for title, facts in explanation.sections.items():
        shown += ["", title]
        shown += [f"  {line}" for fact in facts for line in fact.text.split("\n")] or ["  nothing"]
    return shown


def as_json(explanation: Explanation, behind: int = 0) -> str:
    """Return the same for programs: a list of facts for each section, each with its sentence."""
    sections = {
        NAMES[title]: [{**fact.data, "text": fact.text} for fact in facts] for title, facts in explanation.sections.items()
    }
    key = explanation.key
    head = {
        **(employee.name_of(key) if isinstance(key, RecipientKey) else key._asdict()), "now": explanation.now,
        "time_zone": explanation.zone, "behind": behind,
    }  # fmt: skip
    return msgspec.json.encode({**head, **sections}).decode()
