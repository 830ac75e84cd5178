"""`afspraakbericht worker`: a Faust worker. Start as many as there are partitions at most."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

from ..app import create_app
from ..engine import NotReadyError, run_worker
from ..logs import configure
from ..settings import Settings, SettingsError


def arguments(parser: ArgumentParser) -> None:
    """All is said by settings."""


def run(args: Namespace) -> int:
    """Run until SIGTERM or Ctrl-C; gives 0, 2 for settings or a broker that cannot be, 70 when it had to stop itself."""
    try:
        settings = Settings.from_env(os.environ).for_worker()
        configure(settings.log_level, settings.log_format)
        return run_worker(create_app(settings), settings.log_level.upper())
    except (SettingsError, NotReadyError) as error:
        print(error, file=sys.stderr)
        return 2
