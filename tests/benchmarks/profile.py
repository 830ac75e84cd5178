"""`make profile`: where a worker's time goes in the full pipeline, as a table; the stacks for a flame graph stay in a file.

profile.py [EVENTS] [--stacks FILE]     py-spy looks at the worker from outside, so the figures are hardly disturbed
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shlex
import sys
import tempfile
from collections import Counter
from pathlib import Path

from agents.broker.broker import EmbeddedKafka

from . import pipeline

LINE = re.compile(r":\d+\)$")


def table(stacks: str, rows: int) -> str:
    """The functions with the most samples of their own, and how many of all samples they were on the stack of."""
    own: Counter[str] = Counter()
    on_stack: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, samples = line.rpartition(" ")
        names = [LINE.sub(")", frame) for frame in frames.split(";")]
        own[names[-1]] += int(samples)
        for name in set(names):
            on_stack[name] += int(samples)
    whole = max(own.total(), 1)
    lines = [f"{own[name] / whole:6.1%} {on_stack[name] / whole:7.1%}  {name}" for name, _ in own.most_common(rows)]
    return "\n".join(["   own   total  function", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="make profile")
    parser.add_argument("events", nargs="?", type=int, default=100_000)
    parser.add_argument("--stacks", type=Path, default=Path("data/profile.stacks"))
    parser.add_argument("--rows", type=int, default=40)
    args = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that a topic just made has no leader yet
    args.stacks.parent.mkdir(parents=True, exist_ok=True)
    spy = Path(sys.executable).with_name("py-spy")
    os.environ["PROFILER"] = shlex.join(
        [str(spy), "record", "--rate", "400", "--format", "raw", "--output", str(args.stacks), "--"]
    )
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder), port=None) as kafka:
        figures = pipeline.measure(kafka.bootstrap, args.events)
    print(table(args.stacks.read_text(), args.rows))
    print(f"{figures['per_second']:,.0f} events/s under the profiler; the stacks are in {args.stacks}")


if __name__ == "__main__":
    main()
