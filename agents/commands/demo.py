"""`afspraakbericht demo`: what `make run` runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from argparse import ArgumentParser, Namespace

from aiokafka.errors import KafkaError

from ..broker import BrokerError
from ..demo.stage import Stage
from ..logs import configure
from ..settings import Settings, SettingsError
from ..topics import TopicsError


def arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--once", action="store_true", help="stop after the story, do not wait for Ctrl-C")


def run(args: Namespace) -> int:
    """Play the demo; gives 2 where it cannot start."""
    try:
        settings = Settings.from_env(os.environ)
        configure("error", "console")
        stage = Stage(settings, settings.data / "demo", lambda text: print(text, flush=True))
        return asyncio.run(_until_stopped(stage, stay=not args.once))
    except (SettingsError, BrokerError, TopicsError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"Kafka does not answer: {type(error).__name__}", file=sys.stderr)
        return 2


async def _until_stopped(stage: Stage, *, stay: bool) -> int:
    """Ctrl-C and SIGTERM end it cleanly: worker, then broker."""
    playing = asyncio.ensure_future(stage.run(stay=stay))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    try:
        return await playing
    except asyncio.CancelledError:
        print("\nStopped.")
        return 0
