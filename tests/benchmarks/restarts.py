"""Workers that are killed, restarted and replaced under a steady load: how long their partitions stand still.

restarts.py BOOTSTRAP [STORE [EVENTS]]     on a broker of its own; prints seconds as JSON

Three workers with fixed names run the reference job (`reference_job.py`) on the rows of EVENTS events. A partition's gap is the
longest time between two of its notices at a reader beside; with 1,000 events a second each partition has one every 8 ms.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agents.engine.app import Engine
from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.state.rocksdb import RocksDbBackend
from agents.engine.transport.partitioner import partition_for
from agents.engine.worker import run_worker

from .reference_job import PARTITIONS, Agendas, create, encode, produce

NAME = "restarts-{store}"
"""Of the application: one of its own for each store. A worker does not start on a changelog that was made anew."""

RATE = 1000
WORKERS = 3
SETTLE = 4.0
"""Seconds of load between two events."""


class Beginning(Monitor):
    """Writes down when the first event after the start was handled."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        if records and not self.out.exists():
            self.out.write_text(f"{time.monotonic()} {time.process_time()}")


def work(bootstrap: str, topic: str, number: str, folder: str, store: str) -> int:
    """A worker with a fixed name."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home, name = Path(folder) / number, NAME.format(store=store)
    node = NodeSpec("agendas", (topic,), lambda p, rows, peers: Agendas(rows, f"{name}-notices"))
    app = Engine(
        name, bootstrap, [node], PARTITIONS, hooks=Beginning(home / f"first-{os.getpid()}"), datadir=str(home / "faust"),
        consumer_group_instance_id=f"worker-{number}", disk=RocksDbBackend(home / "state") if store == "rocksdb" else None,
    )  # fmt: skip
    return run_worker(app, "INFO")


class Fleet:
    """The workers, and when each partition's notices came."""

    def __init__(self, bootstrap: str, topic: str, folder: Path, store: str) -> None:
        self.bootstrap, self.topic, self.folder, self.store = bootstrap, topic, folder, store
        self.notices = f"{NAME.format(store=store)}-notices"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.at: list[list[float]] = [[] for _ in range(PARTITIONS)]

    def start(self, number: int) -> subprocess.Popen[bytes]:
        home = self.folder / str(number)
        home.mkdir(parents=True, exist_ok=True)
        words = ["-m", "tests.benchmarks.restarts", "work", self.bootstrap, self.topic, str(number), str(self.folder), self.store]
        with (home / "log").open("ab") as log:
            return subprocess.Popen([sys.executable, *words], stdout=log, stderr=log)

    async def first_event(self, number: int, began: float) -> tuple[float, float]:
        """Seconds from `began` until the worker handled an event, and its processor time: other work adds nothing to that."""
        out = self.folder / str(number) / f"first-{self.workers[number].pid}"
        while not (out.exists() and (text := out.read_text())):
            if time.monotonic() - began > 60:
                raise RuntimeError(f"worker {number} handles nothing: {(self.folder / str(number) / 'log').read_text()[-2000:]}")
            await asyncio.sleep(0.01)
        at, cpu = map(float, text.split())
        return at - began, cpu

    async def watch(self) -> None:
        """Note when notices come, for ever."""
        async with AIOKafkaConsumer(self.notices, bootstrap_servers=self.bootstrap, fetch_max_wait_ms=50) as reader:
            while True:
                for tp in await reader.getmany(timeout_ms=50):
                    self.at[tp.partition].append(time.monotonic())

    def gap(self, since: float) -> float:
        """The longest time in which a partition had no notice."""
        now = time.monotonic()
        longest = 0.0
        for times in self.at:
            mine = [since, *(at for at in times if at > since), now]
            longest = max(longest, max(later - earlier for earlier, later in itertools.pairwise(mine)))
        return longest


async def load(bootstrap: str, topic: str, first: int, clients: int) -> None:
    """A steady stream of events, each of which leads to a notice."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks=1, linger_ms=2) as producer:
        began = time.monotonic()
        for i in itertools.count():
            while (ahead := i / RATE - (time.monotonic() - began)) > 0:
                await asyncio.sleep(ahead)
            client = i % clients
            event = {
                "client": f"client{client}", "appointment": f"a{client}-0", "start": f"s{i}", "end": f"e{i}",
                "location": "Locatie De Linde", "revision": first + i,
            }  # fmt: skip
            key = f"org{client % 50}:client{client}".encode()
            await producer.send(topic, encode(event), key=key, partition=partition_for(key, PARTITIONS))


async def measure(bootstrap: str, store: str = "memory", events: int = 300_000) -> dict[str, Any]:
    """Fill the rows, then kill, restart and roll."""
    name = NAME.format(store=store)
    topic = f"{name}-{events}"
    await create(bootstrap, topic, f"{name}-notices", f"{name}-agendas-changelog")
    await produce(bootstrap, events, topic)
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(bootstrap, topic, Path(folder), store)
        fleet.workers = [fleet.start(number) for number in range(WORKERS)]
        beside = [asyncio.create_task(load(bootstrap, topic, events, events // 5)), asyncio.create_task(fleet.watch())]
        try:
            await settled(fleet)
            killed: list[tuple[float, float]] = []
            stopped: list[float] = []
            for number in range(WORKERS):
                fleet.workers[number].kill()
                fleet.workers[number].wait()
                began = time.monotonic()
                fleet.workers[number] = fleet.start(number)
                killed.append(await fleet.first_event(number, began))
                await asyncio.sleep(SETTLE)
            for number in range(WORKERS):
                began = time.monotonic()
                fleet.workers[number].terminate()
                await asyncio.to_thread(fleet.workers[number].wait)
                fleet.workers[number] = fleet.start(number)
                await fleet.first_event(number, time.monotonic())
                await asyncio.sleep(SETTLE)
                stopped.append(fleet.gap(began))
        finally:
            for task in beside:
                task.cancel()
            for worker in fleet.workers:
                worker.kill()
                worker.wait()
    return {
        "rows": events // 5,
        "killed_restart_to_first_event_s": " / ".join(f"{seconds:.2f}" for seconds, _ in killed),
        "processor_time_of_that_s": " / ".join(f"{cpu:.2f}" for _, cpu in killed),
        "rolling_restart_longest_gap_s": round(max(stopped), 2),
        "rolling_restart_gap_of_each_s": " / ".join(f"{seconds:.2f}" for seconds in stopped),
    }


async def settled(fleet: Fleet) -> None:
    """Wait until every partition's notices have come for a while: the backlog is in, and all work on the load."""
    limit = time.monotonic() + 180
    while True:
        since = time.monotonic()
        await asyncio.sleep(5.0)
        if fleet.gap(since) < 1.0:
            return
        if time.monotonic() > limit:
            raise RuntimeError("the load is not worked off")


if __name__ == "__main__":
    if sys.argv[1] == "work":
        sys.exit(work(*sys.argv[2:]))
    bootstrap, *rest = sys.argv[1:]
    store, events = [*rest, *("memory", "300000")[len(rest) :]]
    print(json.dumps(asyncio.run(measure(bootstrap, store, int(events)))))
