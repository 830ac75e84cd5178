"""`afspraakbericht settings`: what is in force, and where it came from."""

from __future__ import annotations

import argparse
import os
import sys

from agents.settings import Settings, SettingsError, names, variable

HELP = "the settings in force, secrets masked, with where each came from"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None but the environment."""


def run(args: argparse.Namespace) -> int:
    """Print them all; 2 if one cannot be."""
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
