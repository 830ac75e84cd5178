"""`afspraakbericht worker`: a Faust worker. Start as many as there are partitions at most."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser, Namespace

import structlog

from ..about import WORKER, about
from ..engine.readiness import NotReadyError
from ..engine.worker import run_worker
from ..exits import NOT_YET, REFUSED, leave
from ..kafka.security import KafkaRefusesError, check
from ..logs import configure
from ..monitoring.health import HealthError, serving
from ..monitoring.metrics import Metrics
from ..settings.settings import Settings, SettingsError
from ..worker.app import create_app
from ..worker.gauges import install

log = structlog.get_logger(__name__)


def arguments(parser: ArgumentParser) -> None:
    """Declare none: settings say all."""


def run(args: Namespace) -> int:
    """Run until SIGTERM or Ctrl-C; return 0, or one of `agents/exits.py`."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))  # nothing has begun before Faust sets its own
    try:
        settings = Settings.from_env(os.environ).for_worker()
        _make_folder(settings)
        configure(settings.log_level, settings.log_format)
        log.info("starting a worker", **about(settings, WORKER))
        check(settings)
        metrics = Metrics()
        app = create_app(settings, hooks=metrics)
        install(app, metrics)
        with serving(metrics, metrics.registry, settings.metrics_host, settings.metrics_port):
            leave(run_worker(app, settings.log_level.upper()))
    except (HealthError, NotReadyError) as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except SettingsError as error:
        print(error, file=sys.stderr)
        return NOT_YET if isinstance(error, KafkaRefusesError) else REFUSED


def _make_folder(settings: Settings) -> None:
    """Make the data folder with its parents: Faust makes the last folder of its path only."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"AFSPRAAKBERICHT_DATA is {settings.data}, which cannot be made: {error.strerror}") from error
