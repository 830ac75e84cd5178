"""`afspraakbericht worker`: a Faust worker. Start as many as there are partitions at most."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext

from ..app import create_app
from ..engine import NotReadyError, run_worker
from ..health import HealthError, HealthServer
from ..kafka_security import check
from ..logs import configure
from ..metrics import Metrics
from ..sampling import watch
from ..settings import Settings, SettingsError


def arguments(parser: ArgumentParser) -> None:
    """All is said by settings."""


def run(args: Namespace) -> int:
    """Run until SIGTERM or Ctrl-C; gives 0, 2 for settings or a broker that cannot be, 70 when it had to stop itself."""
    try:
        settings = Settings.from_env(os.environ).for_worker()
        _make_folder(settings)
        configure(settings.log_level, settings.log_format)
        check(settings)
        metrics = Metrics()
        app = create_app(settings, hooks=metrics)
        watch(app, metrics)
        with _pages(settings, metrics):
            return run_worker(app, settings.log_level.upper())
    except (SettingsError, HealthError, NotReadyError) as error:
        print(error, file=sys.stderr)
        return 2


def _pages(settings: Settings, metrics: Metrics) -> AbstractContextManager[object]:
    """The metrics port, where the settings name one."""
    if settings.metrics_port is None:
        return nullcontext()
    return HealthServer(metrics, metrics.registry, settings.metrics_host, settings.metrics_port)


def _make_folder(settings: Settings) -> None:
    """Faust makes the last folder of its path only."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"AFSPRAAKBERICHT_DATA is {settings.data}, which cannot be made: {error.strerror}") from error
