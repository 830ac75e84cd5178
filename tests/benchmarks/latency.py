"""From event to provider call: a worker with its senders, the fake SMS provider, and a steady stream of events; windows of 0.

latency.py BOOTSTRAP [RATE] [SECONDS]     on a broker without our topics; prints milliseconds as JSON

An event's time begins when it is given to the upstream producer and ends when the provider has read the call. The provider and
the producer share this process, so what they cost counts too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from agents.fakes.sms import FakeSms
from agents.feeding import Feeder
from agents.topics import ensure, stores
from tests.broker.harness import Worker, environ

from .events import FIRST, names, state
from .pipeline import PARTITIONS

NAME = "latency"
PATIENCE = 60.0
"""Seconds to wait for what was fed to be called."""
STEP = 0.005


async def measure(bootstrap: str, rate: int = 1000, seconds: int = 15) -> dict[str, float]:
    """Percentiles of the latency, and how many calls were made."""
    clients = rate * seconds
    called: dict[int, float] = {}

    def note(message: dict[str, Any]) -> None:
        called.setdefault(int(message["recipients"][0][3:]) - 10_000_000, time.monotonic())

    await ensure(bootstrap, PARTITIONS, 1, NAME, stores())
    with tempfile.TemporaryDirectory() as folder:
        async with FakeSms(key="a-key", on_message=note) as sms, Feeder(bootstrap) as feeder:
            worker = Worker(
                Path(folder) / "worker.log",
                environ(
                    bootstrap=bootstrap, application=NAME, partitions=PARTITIONS, data=folder, messagebird_url=sms.url,
                    messagebird_key="a-key", sms_rate=100_000, sms_slots=256, log_level="warning", smtp_host="127.0.0.1",
                ),
            )  # fmt: skip
            try:
                await feeder.feed(state(clients + 1))
                await _send(feeder, clients, clients + 1, rate, {})
                await _until(lambda: clients in called, worker)
                fed: dict[int, float] = {}
                await _send(feeder, 0, clients, rate, fed)
                behind = len(fed) - (len(called) - 1)
                await _until(lambda: len(called) > clients, worker)
            finally:
                worker.kill()
    late = sorted(called[client] - at for client, at in fed.items())
    return {
        "rate": rate,
        "calls": len(late),
        "behind_at_the_end": behind,
        "p50_ms": round(late[len(late) // 2] * 1000, 1),
        "p99_ms": round(late[len(late) * 99 // 100] * 1000, 1),
        "longest_ms": round(late[-1] * 1000, 1),
    }


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


async def _until(holds: Any, worker: Worker) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline or not worker.running:
            raise RuntimeError(f"the provider was not called:\n{worker.output[-2000:]}")
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], *map(int, sys.argv[2:])))))
