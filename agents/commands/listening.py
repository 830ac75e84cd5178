"""What the processes that listen on a port share: how they begin, and the one line of those that cannot."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from ..about import about
from ..engine.preflight import check_codecs
from ..engine.readiness import NotReadyError
from ..exits import of_port, reason
from ..logs import configure
from ..monitoring.health import HealthError
from ..settings.settings import Settings, SettingsError
from .running import refused

log = structlog.get_logger(__name__)


def listen(
    what: str, named: tuple[str, ...], serve: Callable[[Settings], Coroutine[Any, Any, int]],
    address: Callable[[Settings], tuple[str, int]],
) -> int:  # fmt: skip
    """Serve by the settings until a signal; return what `serve` does, or one of `agents/exits.py`.

    `named`: the settings that the first line of the log has. `address`: host and port, for the line that says they are taken.
    """
    try:
        settings = Settings.from_env(os.environ)
        configure(settings.log_level, settings.log_format)
        log.info(f"starting {what}", **about(settings, named))
        check_codecs()
    except (SettingsError, NotReadyError) as error:
        return refused(str(error))
    try:
        return asyncio.run(serve(settings))
    except (SettingsError, NotReadyError) as error:
        return refused(str(error))
    except HealthError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        host, port = address(settings)
        print(f"cannot listen on {host} port {port}: {reason(error)}", file=sys.stderr)
        return of_port(error)
