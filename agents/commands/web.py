"""`afspraakbericht web`: the web service, a process of its own beside the workers. Any number of them may run."""

from __future__ import annotations

import asyncio
import getpass
import sys
from argparse import ArgumentParser, Namespace

import structlog
from sqlalchemy.exc import ArgumentError

from schemas.access import ROLES

from ..about import WEB
from ..exits import STOPPED
from ..kafka.publisher import KafkaPublisher
from ..kafka.security import client_settings
from ..monitoring.health import serving
from ..projection.follower import Follower
from ..projection.projection import Projection
from ..projection.tables import connect
from ..settings.settings import Settings, SettingsError, variable
from ..web.app import create_web
from ..web.http.server import Server
from ..web.sign_in import accounts
from ..web.watching import DIED
from .listening import listen
from .running import stop_signal

log = structlog.get_logger(__name__)


def arguments(parser: ArgumentParser) -> None:
    """Declare the one argument: settings say the rest."""
    parser.add_argument(
        "--account", nargs=2, metavar=("USER", "ORGANISATION"), help="print the lines of a local account; its password is asked"
    )
    words = f"of that account, with commas between them (default: {','.join(ROLES)})"
    parser.add_argument("--roles", metavar="ROLES", default=",".join(ROLES), help=words)


def run(args: Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; return 0, or one of `agents/exits.py`."""
    if args.account is not None:
        return _account(args.account[0], args.account[1], args.roles.split(","))
    return listen("the web service", WEB, _serve, lambda settings: (settings.web_host, settings.web_port))


def _account(user: str, organisation: str, roles: list[str]) -> int:
    """Print the lines for the file of AFSPRAAKBERICHT_ACCOUNTS; the password comes from the terminal, or as a line of stdin."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if len(password) < accounts.SHORTEST or not user or not organisation or "/" in organisation:
        print(
            f"expected a user, an organisation without a slash, and a password of {accounts.SHORTEST} characters", file=sys.stderr
        )
        return 2
    if unknown := [role for role in roles if role not in ROLES]:
        print(f"--roles has {unknown[0]!r}: expected some of {', '.join(ROLES)}", file=sys.stderr)
        return 2
    print(accounts.entry(user, organisation, password, [role for role in ROLES if role in roles]), end="")
    return 0


async def _serve(settings: Settings) -> int:
    """Serve until it is told to stop, or cannot go on. Neither Kafka nor the database has to be there."""
    stop = stop_signal()
    security = client_settings(settings)
    publisher = KafkaPublisher(settings.bootstrap, settings.web_publish_seconds, security)
    try:
        database = connect(settings.web_database, settings.data)
    except ArgumentError:
        raise SettingsError(f"{variable('web_database')} is no database's URL") from None
    follower = Follower(Projection(database), settings.application, settings.bootstrap, security)
    app = create_web(settings, publisher, follower)
    with serving(follower.metrics, follower.metrics.registry, settings.metrics_host, settings.metrics_port):
        async with Server(app, settings.web_host, settings.web_port, settings.web_slow_seconds) as server:
            log.info("serving", url=server.url)
            waits = [asyncio.create_task(event.wait()) for event in (stop, app[DIED])]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
    return STOPPED if app[DIED].is_set() and not stop.is_set() else 0
