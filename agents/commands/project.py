"""`afspraakbericht project`: bring the overview's projection up to date. The web service does the same all the time."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from ..kafka.security import client_settings
from ..logs import configure
from ..projection.follower import Follower
from ..projection.projection import OvertakenError, Projection
from ..projection.tables import connect, prepare
from ..settings.settings import Settings
from ..terminal import counted, progress
from .endings import one_line
from .running import refused


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--rebuild", action="store_true", help="drop the tables and read the topics from their start")


@one_line
def run(args: Namespace) -> int:
    """Read up to the topics' ends; return 2 where the database is away."""
    settings = Settings.from_env(os.environ)
    try:
        configure(settings.log_level, settings.log_format)
        engine = connect(settings.web_database, settings.data)
        prepare(engine, anew=args.rebuild)
        projection = Projection(engine)
        follower = Follower(
            projection, settings.application, settings.bootstrap, client_settings(settings), progress=progress
        )  # fmt: skip
        count = asyncio.run(follower.read())
        now = datetime.now(UTC)
        projection.expire(now - timedelta(days=settings.text_days), now - timedelta(days=settings.audit_days))
    except OvertakenError:
        print("another process brings the projection up to date: it is done by that", file=sys.stderr)
        return 0
    except (SQLAlchemyError, OSError) as error:
        return refused(f"the projection's database does not answer: {type(error).__name__}")
    print(f"{counted(count, 'record')} taken in")
    return 0
