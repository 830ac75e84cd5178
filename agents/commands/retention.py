"""`afspraakbericht retention`: delete audit facts and the projection's texts that were kept long enough. Run it once a month."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from ..kafka.junk import Junk
from ..projection.projection import Projection
from ..projection.tables import DEFAULT_FILE, open_database
from ..retention import expire_facts
from ..terminal import counted, progress
from .endings import kafka_settings, one_line
from .running import refused


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments; how long things are kept is a setting."""
    parser.add_argument("--dry-run", action="store_true", help="change nothing: say how many audit facts would go")


@one_line
def run(args: Namespace) -> int:
    """Expire both; return 2 where the database is away, or the audit log has junk (it stays). Topics age by Kafka's own work."""
    settings, security = kafka_settings(args)
    now, junk = datetime.now(UTC), Junk()
    texts, facts = now - timedelta(days=settings.text_days), now - timedelta(days=settings.audit_days)
    count = asyncio.run(expire_facts(settings.bootstrap, facts, security, junk, dry_run=args.dry_run, progress=progress))
    print(f"{counted(count, 'audit fact')} of before {facts.date()} {'would go' if args.dry_run else 'tombstoned'}")
    there = settings.web_database is not None or (settings.data / DEFAULT_FILE).exists()
    if there and not args.dry_run:
        try:
            gone = Projection(open_database(settings.web_database, settings.data)).expire(texts, facts)
        except (SQLAlchemyError, OSError) as error:
            return refused(f"the projection's database does not answer: {type(error).__name__}; run it again")
        what = f"{counted(gone.messages, 'message')}, {counted(gone.records, 'record')} and {counted(gone.requests, 'request')}"
        print(f"projection: {what} blanked or deleted")
    return 2 if junk.ended() else 0
