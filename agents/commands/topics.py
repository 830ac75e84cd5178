"""`afspraakbericht topics`: make the topics, or only look at them."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys

from agents.settings import Settings, SettingsError
from agents.topics import TopicsError, ensure, stores

HELP = "create the topics and check their partitions and settings"


def arguments(parser: argparse.ArgumentParser) -> None:
    """How far it may go."""
    parser.add_argument("--check", action="store_true", help="change nothing, only report")
    shorten = "also apply settings under which Kafka deletes records that it keeps now"
    parser.add_argument("--shorten", action="store_true", help=shorten)


def run(args: argparse.Namespace) -> int:
    """Print a table of the topics; 2 if something is not as it should be."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it writes lines of its own about a broker that is not there
    try:
        ours = Settings.from_env(os.environ)
        wanted = (ours.bootstrap, ours.partitions, ours.replication, ours.application, stores())
        report = asyncio.run(ensure(*wanted, check_only=args.check, shorten=args.shorten))
    except (SettingsError, TopicsError) as error:
        print(error, file=sys.stderr)
        return 2
    width = max(len(line.topic) for line in report.lines)
    print(f"{'topic':<{width}}  partitions  {'kept':<16}  state")
    for line in report.lines:
        print(f"{line.topic:<{width}}  {line.partitions or '-':>10}  {line.kept:<16}  {line.state}")
        if line.state == "corrected":
            print(*(f"{'':{width}}  {note}" for note in line.notes), sep="\n")
    for problem in report.problems:
        print(problem, file=sys.stderr)
    return 2 if report.problems else 0
