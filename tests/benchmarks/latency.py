"""From event to provider call: a worker with its senders, the fake SMS provider, and a steady stream of events; windows of 0.

latency.py provider BOOTSTRAP [RATE] [SECONDS]   on a broker without our topics; prints milliseconds as JSON
latency.py call BOOTSTRAP [RATE] [SECONDS]       the same without the provider's SDK

An event's time begins when it is given to the upstream producer and ends when the provider has read the call. The provider and
the producer share this process, so what they cost counts too.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from agents.engine.worker import run_worker
from agents.fakes.sms import FakeSms
from agents.kafka.topics import ensure, stores
from agents.kafka.writer import Feeder
from agents.settings.settings import Settings
from agents.worker.app import create_app
from streams.sending.outcomes import Outcome, SendCall
from tests.broker.harness import environ

from .events import FIRST, names, state
from .pipeline import PARTITIONS

NAME = "latency"
PATIENCE = 60.0
"""Seconds to wait for what was fed to be called."""
STEP = 0.005
FIRST_NUMBER = 10_000_000


async def measure(bootstrap: str, rate: int = 1000, seconds: int = 15) -> dict[str, float]:
    """To the provider: a whole worker, its HTTP calls included. The provider runs in this process."""
    called: dict[int, float] = {}

    def note(message: dict[str, Any]) -> None:
        called.setdefault(int(message["recipients"][0][3:]) - FIRST_NUMBER, time.monotonic())

    with tempfile.TemporaryDirectory() as folder:
        async with FakeSms(key="a-key", on_message=note) as sms:
            settings = environ(
                bootstrap=bootstrap, application=NAME, partitions=PARTITIONS, data=folder, messagebird_url=sms.url,
                messagebird_key="a-key", sms_rate=100_000, sms_slots=256, log_level="warning",
            )  # fmt: skip
            command = [sys.executable, "-m", "agents", "worker"]
            return await _run(bootstrap, command, settings, lambda: called, rate, seconds)


async def to_the_call(bootstrap: str, rate: int = 1000, seconds: int = 15) -> dict[str, float]:
    """To the moment when the worker calls what sends: all that is ours, without the provider's SDK."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "calls"
        out.touch()
        command = [sys.executable, "-m", "tests.benchmarks.latency", "work", bootstrap, folder, str(out)]

        def called() -> dict[int, float]:
            lines = out.read_text().splitlines()
            return {int(number): float(at) for number, _, at in (line.partition(" ") for line in lines)}

        return await _run(bootstrap, command, environ(), called, rate, seconds)


def work(bootstrap: str, folder: str, out: Path) -> int:
    """A worker whose providers take everything at once and write down when."""
    with out.open("a", buffering=1) as calls:

        async def send(call: SendCall) -> Outcome:
            calls.write(f"{int(call.address[4:]) - FIRST_NUMBER} {time.monotonic()}\n")
            return Outcome(kind="sent", text="-", each=(1,))

        names = {"BOOTSTRAP": bootstrap, "APPLICATION": NAME, "PARTITIONS": str(PARTITIONS), "DATA": folder}
        limits = {"SMS_RATE": "100000", "ORGANISATION_RATE": "100000", "SMS_SLOTS": "256"}
        settings = Settings.from_env({f"AFSPRAAKBERICHT_{name}": value for name, value in {**names, **limits}.items()})
        return run_worker(create_app(settings, senders={"sms": send, "email": send}), "WARNING")


async def _run(
    bootstrap: str, command: list[str], settings: dict[str, str], called: Callable[[], dict[int, float]], rate: int, seconds: int
) -> dict[str, float]:
    """One appointment of each client, steadily, after one that says that the worker is ready."""
    clients = rate * seconds
    await ensure(bootstrap, PARTITIONS, 1, NAME, stores())
    fed: dict[int, float] = {}
    with tempfile.TemporaryFile() as log:
        async with Feeder(bootstrap) as feeder:
            process = subprocess.Popen(command, env=settings, stdout=log, stderr=log)
            try:
                await feeder.feed(state(clients + 1))
                await _send(feeder, clients, clients + 1, rate, {})
                await _until(lambda: clients in called(), process)
                before = cpu_seconds(process.pid)
                await _send(feeder, 0, clients, rate, fed)
                behind = clients - (len(called()) - 1)
                await _until(lambda: len(called()) > clients, process)
                cpu = cpu_seconds(process.pid) - before
            finally:
                process.kill()
                process.wait()
    ended = called()
    late = sorted(ended[client] - at for client, at in fed.items())
    return {
        "rate": rate,
        "calls": len(late),
        "behind_at_the_end": behind,
        "worker_cpu_us_a_call": round(cpu / clients * 1e6),
        "p50_ms": round(late[len(late) // 2] * 1000, 1),
        "p99_ms": round(late[len(late) * 99 // 100] * 1000, 1),
        "longest_ms": round(late[-1] * 1000, 1),
    }


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


async def _send(feeder: Feeder, first: int, end: int, rate: int, fed: dict[int, float]) -> None:
    """An appointment of each client, `rate` a second."""
    began, client = time.monotonic(), first
    while client < end:
        while client < end and (client - first) / rate <= time.monotonic() - began:
            organisation, name = names(client)
            value = {
                "organisation": organisation, "appointment": f"a{client}", "revision": 1, "status": "booked",
                "start": FIRST.isoformat(), "end": (FIRST + timedelta(hours=1)).isoformat(), "location": None, "series": None,
                "clients": [{"client": name, "present": True}],
            }  # fmt: skip
            fed[client] = time.monotonic()
            key = f"{organisation}/a{client}".encode()
            await feeder.producer.send("appointments", orjson.dumps(value), key)
            client += 1
        await asyncio.sleep(STEP)
    await feeder.producer.flush()


async def _until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError(f"the provider was not called; the worker's exit code is {process.poll()}")
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    what, bootstrap, *numbers = sys.argv[1:]
    if what == "work":
        sys.exit(work(bootstrap, numbers[0], Path(numbers[1])))
    how = measure if what == "provider" else to_the_call
    print(json.dumps(asyncio.run(how(bootstrap, *map(int, numbers)))))
