"""`afspraakbericht rights [--table] [--principal ROLE=PRINCIPAL]`: what each user of Kafka may do, as a script that sets it."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from ..kafka.rights import ROLES, Role, grants, script, table
from ..settings.settings import Settings
from .endings import ArgumentError, one_line


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--table", action="store_true", help="topic by role, in Markdown, in place of the script")
    parser.add_argument(
        "--principal", metavar="ROLE=PRINCIPAL", action="append", default=[],
        help=f"how Kafka knows a role ({', '.join(ROLES)}), such as web=User:CN=web (default: User:ROLE, as deploy/ has them)",
    )  # fmt: skip
    parser.add_argument("--role", metavar="ROLE", action="append", help="of this role only; repeatable")


@one_line
def run(args: Namespace) -> int:
    """Print the script, or the table."""
    settings = Settings.from_env(os.environ)
    granted = grants(settings.application, settings.topic_prefix)
    if args.table:
        print(table(granted))
        return 0
    principals: dict[Role, str] = {role: f"User:{role}" for role in ROLES}
    for text in args.principal:
        name, _, principal = text.partition("=")
        if ":" not in principal:
            raise ArgumentError(f"--principal is {text!r}: expected ROLE=PRINCIPAL, such as web=User:CN=web")
        principals[_role("--principal", name)] = principal
    print(script(granted, principals, [_role("--role", name) for name in args.role] if args.role else ROLES), end="")
    return 0


def _role(option: str, name: str) -> Role:
    found = next((role for role in ROLES if role == name), None)
    if found is None:
        raise ArgumentError(f"{option} is {name!r}: expected one of {', '.join(ROLES)}")
    return found
