"""`afspraakbericht erase ORGANISATION/CLIENT`: makes all that names a client unreadable, and proves it."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from schemas.topics import DELIVERY_LOG
from schemas.wire import BadRecordError, EmployeeId, Id, PersonId, check

from ..erasure.erasing import Eraser, ErasurePlan
from ..erasure.proof import Proof
from ..erasure.survey import EmployeeSubject, PersonSubject, Subject
from ..projection.projection import Projection
from ..projection.tables import DEFAULT_FILE, open_database
from ..terminal import agreed, progress
from .endings import ArgumentError, kafka_settings, one_line
from .running import refused

QUESTION = "All that names client {1} of organisation {0} becomes unreadable, and there is no undo; --dry-run shows what it is."

OF_PERSON = "All that names {2}, who acts for client {1} of organisation {0}, becomes unreadable, and there is no undo."

OF_EMPLOYEE = "All that names employee {3} of organisation {0} becomes unreadable, and there is no undo."

WORDS = {"nothing": "nothing", "waits": "gone by {}", "kept": "kept by law", "left": "to do"}

PLANNED = {
    "nothing": "nothing", "waits": "nothing: gone by {} by itself", "kept": "nothing: kept by law", "left": "erases it",
    "stays": "nothing: it never goes as the topic is configured: run `afspraakbericht topics`, with `--shorten`",
}  # fmt: skip
"""The same, before anything is done."""


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "client", metavar="ORGANISATION/CLIENT", type=subject, help="whom to erase; ORGANISATION//EMPLOYEE: an employee"
    )
    parser.add_argument(
        "--person", metavar="ID", help="only one who acts for the client, whom upstream must have taken off `representatives`"
    )
    parser.add_argument("--reason", metavar="TEXT", help="kept in the proof; it must not say who the client is")
    parser.add_argument("--proof", metavar="FILE", type=Path, help="write the proof there, as JSON")
    parser.add_argument(
        "--with-audit",
        action="store_true",
        help="erase the audit facts too, which the law keeps for five years; who looked stays",
    )
    parser.add_argument("--wait", metavar="SECONDS", type=float, default=60.0, help="how long to wait for the workers (60)")
    parser.add_argument("--yes", action="store_true", help="erase without asking; needed where stdin is no terminal")
    looks = parser.add_mutually_exclusive_group()
    looks.add_argument("--dry-run", action="store_true", help="change nothing: say what would be erased")
    looks.add_argument("--verify", action="store_true", help="change nothing: look again, and say what is left")


def subject(text: str) -> Subject:
    """Read a client, or an employee, from the command line."""
    organisation, _, client = text.partition("/")
    try:
        if client.startswith("/"):
            return EmployeeSubject(check(Id, organisation), check(EmployeeId, client[1:]))
        return Subject(check(Id, organisation), check(Id, client))
    except BadRecordError as error:
        raise ArgumentTypeError(
            f"expected ORGANISATION/CLIENT, two ids with one slash between them (two before an employee's): {error}"
        ) from None


def person_subject(client: Subject, person: str) -> Subject:
    """Return one who acts for a client. Raises ArgumentError for what is no id."""
    try:
        return PersonSubject(client.organisation, client.client, check(PersonId, person))
    except BadRecordError as error:
        raise ArgumentError(f"--person {person} is no id: {error}") from None


@one_line
def run(args: Namespace) -> int:
    """Erase or look; return 0 when nothing is left to do, 1 when something is, 2 when it could not be done at all."""
    client: Subject = args.client
    if args.person is not None and client.employee:
        raise ArgumentError("--person is of a client, and not of an employee")
    if args.person is not None:
        client = person_subject(client, args.person)
    if args.reason is not None and (client.employee or client.client) in args.reason:
        raise ArgumentError("--reason names the client: the proof is kept, and must not")
    looking = args.dry_run or args.verify
    if not looking and not args.yes:
        if not sys.stdin.isatty():
            raise ArgumentError("erase has no undo, and asks: expected --yes, or --dry-run, where stdin is no terminal")
        question = OF_PERSON if client.person else OF_EMPLOYEE if client.employee else QUESTION
        if not agreed(f"{question.format(client.organisation, client.client, client.person, client.employee)} Erase?"):
            say("nothing was erased")
            return 1
    settings, security = kafka_settings(args)
    try:
        file = settings.data / DEFAULT_FILE
        there = settings.web_database is not None or file.exists()
        projection = Projection(open_database(settings.web_database, settings.data)) if there else None
        eraser = Eraser(settings.bootstrap, settings.application, security, projection, say, progress=progress)
        plan = ErasurePlan(client, args.reason, args.with_audit, args.wait)
        proof = asyncio.run(eraser.look(plan, dry_run=args.dry_run) if looking else eraser.erase(plan))
        if args.proof is not None:
            args.proof.write_bytes(msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n")
    except SQLAlchemyError as error:
        return refused(f"the projection's database does not answer: {type(error).__name__}; run it again")
    except OSError as error:
        return refused(f"{args.proof}: {error.strerror}")
    show(proof)
    if projection is None:
        say("no projection on this machine: the web service forgets by itself, as soon as it reads the topic")
    return 1 if proof.outcome == "left" else 0


def say(text: str) -> None:
    """Say on stderr what goes on; stdout is for the table."""
    print(text, file=sys.stderr)


def show(proof: Proof) -> None:
    """Print the proof as a table."""
    width = max(len(topic.topic) for topic in proof.topics)
    if proof.command == "dry-run":
        _show_plan(proof, width)
        return
    print(f"{'where':<{width}}  {'found':>7}  {'written':>7}  {'now':>7}  state")
    for topic in proof.topics:
        state = WORDS[topic.state].format(topic.gone_by)
        print(f"{topic.topic:<{width}}  {topic.found:>7}  {len(topic.tombstoned):>7}  {topic.records:>7}  {state}")
    for one in proof.databases:
        rows = one.messages + one.records + one.requests
        print(f"{one.database:<{width}}  {rows:>7}  {'-':>7}  {one.left:>7}  {'to do' if one.left else 'nothing'}")
    for words in proof.to_do:
        print(f"to do: {words}", file=sys.stderr)
    until = f", all gone by {proof.gone_by}" if proof.gone_by is not None else ""
    print(f"{proof.outcome}{until}; client {proof.client}")
    last = next((topic.gone_by for topic in proof.topics if topic.topic == DELIVERY_LOG.name), None)
    if proof.command == "erase" and last is not None:
        say(f"what was said to the client before can be read in `log` and `why` until {last} at the latest")


def _show_plan(proof: Proof, width: int) -> None:
    """Print what names the client, and what would become of it."""
    print(f"{'where':<{width}}  {'found':>7}  what `erase` does")
    for topic in proof.topics:
        state = "stays" if topic.state == "left" and topic.policy == "delete" else topic.state
        print(f"{topic.topic:<{width}}  {topic.found:>7}  {PLANNED[state].format(topic.gone_by)}")
    for one in proof.databases:
        print(f"{one.database:<{width}}  {one.left:>7}  {PLANNED['left' if one.left else 'nothing']}")
    print(f"{proof.outcome}: nothing was changed; client {proof.client}")
