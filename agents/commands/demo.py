"""`afspraakbericht demo`: what `make run` runs."""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser, Namespace

from ..broker.broker import BrokerError
from ..demo.stage import InUseError, Stage
from ..kafka.topics import TopicsError
from ..logs import configure
from ..settings.settings import Settings
from .endings import one_line
from .running import refused, stop_signal


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--once", action="store_true", help="stop after the story, do not wait for Ctrl-C")


@one_line
def run(args: Namespace) -> int:
    """Play the demo; return 2 where it cannot start."""
    settings = Settings.from_env(os.environ)
    try:
        configure("error", "console")
        stage = Stage(settings, settings.data / "demo", lambda text: print(text, flush=True))
        return asyncio.run(_until_stopped(stage, stay=not args.once))
    except (BrokerError, TopicsError, InUseError) as error:
        return refused(str(error))


async def _until_stopped(stage: Stage, *, stay: bool) -> int:
    """Play until it is over; Ctrl-C and SIGTERM end it cleanly: worker, then broker."""
    playing, stopped = asyncio.ensure_future(stage.run(stay=stay)), asyncio.ensure_future(stop_signal().wait())
    await asyncio.wait((playing, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not playing.done():
        playing.cancel()
        await asyncio.wait((playing,))
        print("\nStopped.")
        return 0
    stopped.cancel()
    return playing.result()
