"""`afspraakbericht retention`: audit facts and the projection's texts go when they have been kept long enough. Once a month."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from ..erasure.aging import expire_facts
from ..kafka_security import check, client_settings
from ..reading import MissingError
from ..settings import Settings, SettingsError
from ..web.projection import Projection
from ..web.tables import DEFAULT_FILE, open_database


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments; how long things are kept is said by settings."""
    parser.add_argument("--dry-run", action="store_true", help="change nothing: say how many audit facts would go")


def run(args: Namespace) -> int:
    """Gives 2 where Kafka or the database is away. The topics' own retention is Kafka's work, see `afspraakbericht topics`."""
    try:
        settings = Settings.from_env(os.environ)
        check(settings)
        now = datetime.now(UTC)
        texts, facts = now - timedelta(days=settings.text_days), now - timedelta(days=settings.audit_days)
        count = asyncio.run(expire_facts(settings.bootstrap, facts, client_settings(settings), dry_run=args.dry_run))
        print(f"{count} audit facts of before {facts.date()} {'would go' if args.dry_run else 'tombstoned'}")
        there = settings.web_database is not None or (settings.data / DEFAULT_FILE).exists()
        if there and not args.dry_run:
            gone = Projection(open_database(settings.web_database, settings.data)).expire(texts, facts)
            print(f"projection: {gone.messages} messages, {gone.records} records and {gone.requests} requests blanked or deleted")
    except (SettingsError, MissingError) as error:
        print(error, file=sys.stderr)
        return 2
    except (KafkaError, SQLAlchemyError, OSError) as error:
        print(f"Kafka or the database does not answer: {type(error).__name__}", file=sys.stderr)
        return 2
    return 0
