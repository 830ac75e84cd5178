"""`afspraakbericht completion bash|zsh`: a script by which the shell completes our commands, options and files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path

import shtab

from ..main import COMMANDS, module_of, parser

SHELLS = ("bash", "zsh")
FILES = ("FILE", "EVENTS.jsonl", "KEYS.toml")
"""How the usage of an argument says that it is a file."""


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", choices=SHELLS, help="whose script")


def run(args: Namespace) -> int:
    """Print the script. A command whose extra is not installed is completed without its options."""
    print(script(args.shell))
    return 0


def script(shell: str) -> str:
    """Write the script."""
    whole = parser([name for name in COMMANDS if _is_there(name)])
    for action in whole._actions:
        if isinstance(action, _SubParsersAction):
            for sub in action.choices.values():
                _mark_files(sub)
    return str(shtab.complete(whole, shell=shell))


def _is_there(name: str) -> bool:
    try:
        module_of(name)
    except ImportError:
        return False
    return True


def _mark_files(sub: ArgumentParser) -> None:
    for action in sub._actions:
        if action.type is Path or action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
