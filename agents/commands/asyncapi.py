"""`afspraakbericht asyncapi`: all topics as an AsyncAPI 3 document (JSON), with partitions and copies as set."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

import orjson

from ..kafka.asyncapi import document
from ..settings.settings import Settings, SettingsError


def arguments(parser: ArgumentParser) -> None:
    """Declare none."""


def run(args: Namespace) -> int:
    """Print the document; `deploy/asyncapi.json` is one."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    print(text(settings.partitions, settings.replication, settings.topic_prefix), end="")
    return 0


def text(partitions: int, replication: int, prefix: str = "") -> str:
    """Return the document as JSON."""
    return orjson.dumps(document(partitions, replication, prefix), option=orjson.OPT_INDENT_2).decode() + "\n"
