"""The full pipeline: appointments in, delivery commands out, consent and contact tables filled for 50,000 clients.

pipeline.py BOOTSTRAP EVENTS [PARTITIONS]     on a broker without our topics; prints the figure as JSON

Every event is a change and every window is 0, so each passes intake and the agenda. The first of each client passes the gates and
ends in a delivery; later ones gather behind that, since senders are measured apart and nobody says that it went out.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from agents.engine.monitor import Monitor
from agents.engine.worker import run_worker
from agents.kafka.topics import ensure, stores
from agents.kafka.writer import Event, Feeder
from agents.settings.settings import Settings
from agents.worker.app import create_app
from schemas.channels import CHANNELS
from streams import topology as graph_module

from .events import ORGANISATIONS, appointments, state

PARTITIONS = 8

TIMEOUT = 300
"""Seconds after which a worker is given up."""


class Count(Monitor):
    """Ends the worker when the notices node has taken in so many events, and writes how long that took."""

    def __init__(self, events: int, out: Path) -> None:
        self.events, self.out, self.count, self.began, self.cpu = events, out, 0, 0.0, 0.0

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        if not self.began:
            self.began, self.cpu = time.monotonic() - seconds, time.process_time()
        if node != "notices":
            return
        self.count += records
        if self.events and self.count >= self.events:
            self.events = 0
            seconds = time.monotonic() - self.began
            figures = {
                "events": self.count,
                "seconds": round(seconds, 2),
                "per_second": round(self.count / seconds),
                "cpu_us_an_event": round((time.process_time() - self.cpu) / self.count * 1e6, 1),
            }
            self.out.write_bytes(orjson.dumps(figures))
            os.kill(os.getpid(), signal.SIGTERM)


def work(bootstrap: str, partitions: str, events: int, out: Path) -> int:
    """A worker without its senders: they are measured apart, against providers."""
    whole = graph_module.graph
    import agents.worker.app

    agents.worker.app.graph = lambda *args: tuple(node for node in whole(*args) if node.name not in CHANNELS)  # type: ignore[attr-defined]
    names = {"BOOTSTRAP": bootstrap, "PARTITIONS": partitions}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env({f"AFSPRAAKBERICHT_{name}": value for name, value in {**names, "DATA": folder}.items()})
        return run_worker(create_app(settings, senders={}, hooks=Count(events, out)), "WARNING")


async def feed(bootstrap: str, events: Iterator[Event]) -> int:
    async with Feeder(bootstrap) as feeder:
        return await feeder.feed(events)


def measure(bootstrap: str, events: int, partitions: int = PARTITIONS) -> dict[str, float]:
    """Fill the tables, then let a fresh worker handle a backlog of appointments."""
    asyncio.run(ensure(bootstrap, partitions, 1, "afspraakbericht", stores()))
    filled = asyncio.run(feed(bootstrap, state())) - ORGANISATIONS + ORGANISATIONS * partitions
    _worker(bootstrap, partitions, filled)
    asyncio.run(feed(bootstrap, appointments(events)))
    return _worker(bootstrap, partitions, events)


def _worker(bootstrap: str, partitions: int, events: int) -> dict[str, float]:
    """A worker process, under the profiler that PROFILER names, if any; gives what it measured."""
    with tempfile.NamedTemporaryFile() as out:
        command = [sys.executable, "-m", "tests.benchmarks.pipeline", "work", bootstrap, str(partitions), str(events), out.name]
        command = [*shlex.split(os.environ.get("PROFILER", "")), *command]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
        if not (written := Path(out.name).read_bytes()):
            raise RuntimeError(result.stdout[-1000:] + result.stderr[-2000:])
        figures: dict[str, float] = orjson.loads(written)
    return figures


if __name__ == "__main__":
    if sys.argv[1] == "work":
        sys.exit(work(sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5])))
    print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:]))))
