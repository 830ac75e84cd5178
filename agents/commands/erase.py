"""`afspraakbericht erase ORGANISATION/CLIENT`: makes all that names a client unreadable, and proves it."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from schemas.wire import BadRecordError, Id, check

from ..erasure.erasing import Eraser, ErasurePlan
from ..erasure.proof import Proof
from ..erasure.survey import Subject
from ..projection.projection import Projection
from ..projection.tables import DEFAULT_FILE, open_database
from .endings import ArgumentError, kafka_settings, one_line
from .running import refused

WORDS = {"nothing": "nothing", "waits": "gone by {}", "kept": "kept by law", "left": "to do"}


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("client", metavar="ORGANISATION/CLIENT", type=subject, help="whom to erase")
    parser.add_argument("--reason", metavar="TEXT", help="kept in the proof; it must not say who the client is")
    parser.add_argument("--proof", metavar="FILE", type=Path, help="write the proof there, as JSON")
    parser.add_argument(
        "--with-audit",
        action="store_true",
        help="erase the audit facts too, which the law keeps for five years; who looked stays",
    )
    parser.add_argument("--wait", metavar="SECONDS", type=float, default=60.0, help="how long to wait for the workers (60)")
    looks = parser.add_mutually_exclusive_group()
    looks.add_argument("--dry-run", action="store_true", help="change nothing: say what would be erased")
    looks.add_argument("--verify", action="store_true", help="change nothing: look again, and say what is left")


def subject(text: str) -> Subject:
    """Read a client from the command line."""
    organisation, _, client = text.partition("/")
    try:
        return Subject(check(Id, organisation), check(Id, client))
    except BadRecordError as error:
        raise ArgumentTypeError(f"expected ORGANISATION/CLIENT, two ids with one slash between them: {error}") from None


@one_line
def run(args: Namespace) -> int:
    """Erase or look; return 0 when nothing is left to do, 1 when something is, 2 when it could not be done at all."""
    client: Subject = args.client
    if args.reason is not None and client.client in args.reason:
        raise ArgumentError("--reason names the client: the proof is kept, and must not")
    settings, security = kafka_settings(args)
    try:
        file = settings.data / DEFAULT_FILE
        there = settings.web_database is not None or file.exists()
        projection = Projection(open_database(settings.web_database, settings.data)) if there else None
        eraser = Eraser(settings.bootstrap, settings.application, security, projection, say)
        plan = ErasurePlan(client, args.reason, args.with_audit, args.wait)
        looking = args.dry_run or args.verify
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
