"""`afspraakbericht project`: bring the overview's projection up to date. The web service does the same all the time."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from schemas.deliveries import NewerSchemaError

from ..kafka_security import client_settings
from ..logs import configure
from ..reading import MissingError
from ..settings import Settings, SettingsError
from ..web.projection import Follower, OvertakenError, Projection
from ..web.tables import open_database


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--rebuild", action="store_true", help="forget what is there and read the topics from their start")


def run(args: Namespace) -> int:
    """Read up to the topics' ends; gives 2 where Kafka or the database is away."""
    try:
        settings = Settings.from_env(os.environ)
        configure(settings.log_level, settings.log_format)
        projection = Projection(open_database(settings.web_database, settings.data))
        follower = Follower(projection, settings.bootstrap, client_settings(settings))
        if args.rebuild:
            projection.clear()
        count = asyncio.run(follower.read())
        now = datetime.now(UTC)
        projection.expire(now - timedelta(days=settings.text_days), now - timedelta(days=settings.audit_days))
    except (SettingsError, MissingError, NewerSchemaError) as error:
        print(error, file=sys.stderr)
        return 2
    except OvertakenError:
        print("another process brings the projection up to date: it is done by that", file=sys.stderr)
        return 0
    except (KafkaError, SQLAlchemyError, OSError) as error:
        print(f"Kafka or the database does not answer: {type(error).__name__}", file=sys.stderr)
        return 2
    print(f"{count} records taken in")
    return 0
