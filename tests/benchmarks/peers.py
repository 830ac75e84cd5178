"""The reference job on other frameworks, for comparison: their code is not part of this repository.

A folder of peers has a program `run EVENTS` that takes BROKER and PYTHON from its environment, leaves the events on topic
`peers-EVENTS`, and prints a line a peer that begins with its name and has `… ev/s` in it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path

DEFAULT = Path("../shared/peers")
NAMES = {
    "RAW": "aiokafka loop by hand",
    "QUIX": "Quix Streams, at least once",
    "KSTREAMS at_least_once": "Kafka Streams, at least once",
    "KSTREAMS exactly_once_v2": "Kafka Streams, exactly once",
    "FAUST": "Faust as it comes",
}
LINE = re.compile(r"(\d+(?:\.\d+)?) ev/s")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
COMPARED = ("aiokafka loop by hand", "Quix Streams, at least once", "Kafka Streams, at least once")
"""Those that the target is about."""


def parse(line: str) -> tuple[str, float] | None:
    """A peer and its events a second; None where the line has no result."""
    line = COLOURS.sub("", line)
    if (found := LINE.search(line)) is None:
        return None
    for begin, name in NAMES.items():
        first, *rest = begin.split()
        if line.startswith(first) and all(word in line for word in rest):
            return name, float(found[1])
    return line.split()[0], float(found[1])


def measure(folder: Path, bootstrap: str, events: int, python: str, seconds: float) -> dict[str, float]:
    """Run the peers; what is not done after `seconds` is given up, with all its processes."""
    environment = {**os.environ, "BROKER": bootstrap, "PYTHON": python}
    process = subprocess.Popen(
        [str(folder.resolve() / "run"), str(events)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip
    timer = threading.Timer(seconds, _end, [process])
    timer.start()
    results: dict[str, float] = {}
    try:
        for line in process.stdout or ():
            if (result := parse(line)) is not None:
                results[result[0]] = result[1]
        process.wait()
    finally:
        timer.cancel()
        _end(process)
    return results


def _end(process: subprocess.Popen[str]) -> None:
    """End it and all that it started. `timeout` makes process groups of its own, so the session is looked at."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            if session == process.pid:
                os.kill(int(folder.name), signal.SIGKILL)
        except (OSError, ValueError, IndexError):
            continue
