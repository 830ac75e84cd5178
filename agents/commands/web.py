"""`afspraakbericht web`: the web service, a process of its own beside the workers. Any number of them may run."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
import sys
from argparse import ArgumentParser, Namespace

import structlog

from ..kafka_security import client_settings
from ..logs import configure
from ..settings import Settings, SettingsError
from ..web import accounts
from ..web.app import create_web
from ..web.projection import Follower, Projection
from ..web.publishing import KafkaPublisher
from ..web.serving import Server
from ..web.tables import open_database

log = structlog.get_logger(__name__)


def arguments(parser: ArgumentParser) -> None:
    """All but one is said by settings."""
    parser.add_argument(
        "--account", nargs=2, metavar=("USER", "ORGANISATION"), help="print the lines of a local account; its password is asked"
    )


def run(args: Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; gives 2 where it cannot start."""
    if args.account is not None:
        return _account(*args.account)
    try:
        settings = Settings.from_env(os.environ)
        configure(settings.log_level, settings.log_format)
        return asyncio.run(_serve(settings))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot listen on {settings.web_host} port {settings.web_port}: {error.strerror}", file=sys.stderr)
        return 2


def _account(user: str, organisation: str) -> int:
    """The lines for the file of AFSPRAAKBERICHT_ACCOUNTS; the password from the terminal, or the first line of standard input."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if len(password) < accounts.SHORTEST or not user or not organisation or "/" in organisation:
        print(
            f"expected a user, an organisation without a slash, and a password of {accounts.SHORTEST} characters", file=sys.stderr
        )
        return 2
    print(accounts.entry(user, organisation, password), end="")
    return 0


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    security = client_settings(settings)
    publisher = KafkaPublisher(settings.bootstrap, settings.web_publish_seconds, security)
    projection = Projection(open_database(settings.web_database, settings.data))
    app = create_web(settings, publisher, Follower(projection, settings.bootstrap, security))
    async with Server(app, settings.web_host, settings.web_port, settings.web_slow_seconds) as server:
        log.info("serving", url=server.url)
        await stop.wait()
    return 0
