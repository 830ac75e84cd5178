"""`afspraakbericht topics`: make the topics, or only look at them."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable

from agents.exits import NOT_YET, REFUSED
from schemas.topics import Topic, catalogue, changelog, named

from ..kafka.security import KafkaRefusesError, check, client_settings
from ..kafka.topics import Report, TopicsError, ensure, settings_of, stores
from ..settings.settings import Settings, SettingsError
from .endings import quiet

NAMED = 3
"""So many topics with the same fault are named one by one; of more, these are. The table has them all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how far it may go."""
    parser.add_argument("--check", action="store_true", help="change nothing, only report")
    shorten = "also apply settings under which Kafka deletes records that it keeps now"
    manifest = "only print the topics as YAML, with partitions and copies as set, for who makes them by other means"
    parser.add_argument("--manifest", action="store_true", help=manifest)
    parser.add_argument("--shorten", action="store_true", help=shorten)


def run(args: argparse.Namespace) -> int:
    """Print a table of the topics; return 2 if something is not as it should be, 75 where no broker answers (yet)."""
    try:
        ours = Settings.from_env(os.environ)
        topics = catalogue(ours.text_days, ours.opt_out_days, ours.audit_days)
        if args.manifest:
            every = [*topics, *(changelog(ours.application, store) for store in stores())]
            print(as_yaml(ours.partitions, ours.replication, named(every, ours.topic_prefix)), end="")
            return 0
        wanted = (ours.bootstrap, ours.partitions, ours.replication, ours.application, stores())
        check(ours)
        security = client_settings(ours)
        with quiet():
            report = asyncio.run(
                ensure(*wanted, check_only=args.check, shorten=args.shorten, topics=topics, security=security)
            )  # fmt: skip
    except (SettingsError, TopicsError) as error:
        print(error, file=sys.stderr)
        return NOT_YET if isinstance(error, TopicsError | KafkaRefusesError) else REFUSED
    names = {line.topic: ours.topic_prefix + line.topic for line in report.lines}
    width = max(map(len, names.values()))
    print(f"{'topic':<{width}}  partitions  {'kept':<16}  state")
    for line in report.lines:
        print(f"{names[line.topic]:<{width}}  {line.partitions or '-':>10}  {line.kept:<16}  {line.state}")
        if line.state == "corrected":
            print(*(f"{'':{width}}  {note}" for note in line.notes), sep="\n")
    for problem in summed(report):
        print(problem, file=sys.stderr)
    return 2 if report.problems else 0


def summed(report: Report) -> list[str]:
    """Return what is wrong, each thing once: most often one setting of ours is at fault for all topics."""
    found: dict[str, list[str]] = {}
    for line in report.lines:
        for note in line.notes if line.state in ("missing", "wrong") else ():
            found.setdefault(note, []).append(line.topic)
    lines = []
    for note, topics in found.items():
        if len(topics) > NAMED:
            lines.append(f"{', '.join(topics[:NAMED])} and {len(topics) - NAMED} more: {note}")
        else:
            lines += [f"{topic}: {note}" for topic in topics]
    return lines


def as_yaml(partitions: int, replication: int, topics: Iterable[Topic]) -> str:
    """Write the catalogue of `schemas/topics.py` with its changelogs, as a list that any tool can read."""
    lines = [
        "# Made by `afspraakbericht topics --manifest` from schemas/topics.py. The partition count is fixed for life.",
        "topics:",
    ]
    for topic in topics:
        lines += [f"  - name: {topic.name}", f"    partitions: {partitions}", f"    replication: {replication}", "    config:"]
        lines += [f'      {name}: "{value}"' for name, value in sorted(settings_of(topic, replication).items())]
    return "\n".join(lines) + "\n"
