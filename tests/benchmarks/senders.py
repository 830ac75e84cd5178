"""The SMS sender under a steady load: changes of appointments in, requests to a provider that takes 100 ms out.

senders.py BOOTSTRAP [RATE] [SECONDS] [DELAY]     on a broker without our topics; prints the figures as JSON

Broker, worker and provider are processes of their own. `ms` is what a client waits for us: from the moment an appointment is
produced to its topic until the provider has read the whole request, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from agents.kafka.topics import ensure, stores
from agents.kafka.writer import Event, Feeder
from agents.settings.settings import PREFIX

from .events import FIRST, names, state

PARTITIONS = 8
STEP = 0.05
"""Seconds between two bursts of events."""

PATIENCE = 120
"""Seconds after which a run is given up."""


def appointment(client: int, revision: int) -> Event:
    """An appointment of one client's own."""
    org, id_ = names(client)
    value = {
        "organisation": org, "appointment": f"a{client}", "revision": revision, "status": "booked",
        "start": FIRST.isoformat(), "end": FIRST.isoformat(), "location": None, "series": None,
        "clients": [{"client": id_, "present": True}],
    }  # fmt: skip
    return Event("appointments", f"{org}/a{client}", value)


def received(record: Path) -> Iterator[tuple[int, float]]:
    """Client and moment of each request that the provider has read."""
    for line in record.read_bytes().splitlines():
        message = orjson.loads(line)
        yield int(message["recipients"][0]) - 31610_000_000, datetime.fromisoformat(message["at"]).timestamp()


def measure(bootstrap: str, rate: int = 350, seconds: int = 30, delay: float = 0.1) -> dict[str, float]:
    """Let a worker send `rate` messages a second for so many seconds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        record = folder / "received.jsonl"
        provider = subprocess.Popen(
            [
                sys.executable, "-m", "agents", "fake-sms", "--port", "0", "--quiet", "--delay-seconds", str(delay),
                "--record", str(record),
            ],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(provider.wait)
        stack.callback(provider.terminate)
        assert provider.stdout is not None
        url = provider.stdout.readline().split()[-1]
        asyncio.run(ensure(bootstrap, PARTITIONS, 1, "afspraakbericht", stores()))
        given = {
            "BOOTSTRAP": bootstrap, "PARTITIONS": str(PARTITIONS), "DATA": str(folder / "data"), "MESSAGEBIRD_URL": url,
            "MESSAGEBIRD_KEY": "any", "LOG_LEVEL": "warning", "ORGANISATION_RATE": "100000",
        }  # fmt: skip
        environ = {**os.environ, **{f"{PREFIX}{name}": value for name, value in given.items()}}
        worker = subprocess.Popen([sys.executable, "-m", "agents", "worker"], env=environ)
        try:
            figures = asyncio.run(_run(bootstrap, record, rate, seconds))
        finally:
            worker.send_signal(signal.SIGTERM)
            _, _, used = os.wait4(worker.pid, 0)
        return figures | {"worker_cpu_seconds": round(used.ru_utime + used.ru_stime, 1)}


async def _run(bootstrap: str, record: Path, rate: int, seconds: int) -> dict[str, float]:
    clients = rate * seconds
    async with Feeder(bootstrap) as feeder:
        await feeder.feed(state(clients + 50))
        await feeder.feed(appointment(clients + number, 1) for number in range(50))  # the worker is there once these are out
        await _until(record, 50)
        produced: dict[int, float] = {}
        sending: list[asyncio.Task[Any]] = []
        began, next_ = time.time(), 0
        while next_ < clients:
            now = time.time()
            reached = min(clients, int((now - began) * rate))
            burst = range(next_, reached)
            produced.update(dict.fromkeys(burst, now))
            sending.append(asyncio.create_task(feeder.feed([appointment(client, 2) for client in burst])))
            next_ = reached
            await asyncio.sleep(STEP)
        await asyncio.gather(*sending)
        await _until(record, clients + 50)
    return _figures(produced, [one for one in received(record) if one[0] in produced])


async def _until(record: Path, count: int) -> None:
    for _ in range(PATIENCE * 5):
        await asyncio.sleep(0.2)
        if record.exists() and record.read_bytes().count(b"\n") >= count:
            return
    raise RuntimeError(f"after {PATIENCE} s the provider had {record.read_bytes().count(10)} of {count} messages")


def _figures(produced: dict[int, float], sent: list[tuple[int, float]]) -> dict[str, float]:
    waits = sorted(1000 * (at - produced[client]) for client, at in sent)
    moments = sorted(at for _, at in sent)
    in_flight = max(sum(1 for other in moments[index : index + 500] if other < at + 0.1) for index, at in enumerate(moments))
    return {
        "messages": len(sent),
        "sent_twice": len(sent) - len({client for client, _ in sent}),
        "per_second": round(len(sent) / (moments[-1] - moments[0]), 1),
        "most_in_100_ms": in_flight,
        "ms_p50": round(waits[len(waits) // 2]),
        "ms_p99": round(waits[len(waits) * 99 // 100]),
        "ms_most": round(waits[-1]),
    }


if __name__ == "__main__":
    rate, seconds, delay = (*sys.argv[2:], *("350", "30", "0.1")[len(sys.argv) - 2 :])
    print(json.dumps(measure(sys.argv[1], int(rate), int(seconds), float(delay))))
