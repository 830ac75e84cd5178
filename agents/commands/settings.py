"""`afspraakbericht settings`: what is in force, and where it came from."""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import sys
import textwrap
from dataclasses import is_dataclass
from itertools import pairwise

from ..settings.settings import Settings, SettingsError, names, variable


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare none: the environment says all."""
    parser.add_argument("--example", action="store_true", help="every setting with its default and what it means, for a file")


def run(args: argparse.Namespace) -> int:
    """Print them all; 2 if one cannot be."""
    if args.example:
        print(example(), end="")
        return 0
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    rows = [(variable(name), settings.shown(name), settings.sources[name]) for name in names()]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for setting, value, source in rows:
        print(f"{setting:<{first}}  {value:<{second}}  {source}")
    return 0


def example() -> str:
    """Write a file of variables with every setting commented out: what it means, and its default."""
    lines = ["# Every setting of afspraakbericht with its default, as `afspraakbericht settings --example` prints it.", ""]
    for name, text in meanings().items():
        lines += [f"# {line}" for line in textwrap.wrap(text, 118)]
        default = getattr(Settings, name, None)
        lines += [f"#{variable(name)}={'' if default in (None, ()) else default}", ""]
    return "\n".join(lines)


def meanings() -> dict[str, str]:
    """Return the docstring of each setting."""
    bodies = [ast.parse(inspect.getsource(one)).body[0] for one in Settings.__mro__ if is_dataclass(one)]
    found = {
        one.target.id: " ".join(two.value.value.split())
        for body in bodies
        if isinstance(body, ast.ClassDef)
        for one, two in pairwise(body.body)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if isinstance(two, ast.Expr) and isinstance(two.value, ast.Constant) and isinstance(two.value.value, str)
    }
    return {name: found[name] for name in names()}
