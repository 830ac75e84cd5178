"""A drill of RUNBOOK.md "Upgrade without a gap": three workers under load are replaced one by one; every notice comes once."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agents.broker_probe import free_ports
from tests.broker.harness import AMSTERDAM, Stand, Worker, address, client, number, settings, visit

pytestmark = pytest.mark.broker

CLIENTS = [f"c{count}" for count in range(40)]
PARTITIONS = 6


def asked(port: int, page: str) -> str | None:
    """What the metrics port answers; None where it does not, or says no."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


class Load:
    """An appointment of each client a round, until it is told to end."""

    def __init__(self, stand: Stand) -> None:
        self.stand, self.rounds, self.over = stand, 0, asyncio.Event()
        self.start = (datetime.now(AMSTERDAM) + timedelta(days=30)).replace(hour=8, minute=0, second=0, microsecond=0)

    async def run(self) -> None:
        while not self.over.is_set():
            day = self.start + timedelta(days=self.rounds)
            await self.stand.feed([visit("o", f"{name}-{self.rounds}", 1, day, name) for name in CLIENTS])
            self.rounds += 1
            await asyncio.sleep(0.2)


async def test_three_workers_are_replaced_under_load_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    ports = free_ports(3)
    async with Stand(tmp_path, partitions=PARTITIONS, session=30.0) as stand:

        def start(which: int) -> Worker:
            return stand.worker(instance=f"worker-{which}", metrics_port=ports[which])

        async def ready() -> bool:
            pages = await asyncio.gather(*(asyncio.to_thread(asked, port, "ready") for port in ports))
            return all(page == "ready\n" for page in pages)

        workers = [start(which) for which in range(3)]
        await stand.until(ready, "three workers are ready")
        await stand.feed(settings("o"), *[client("o", name, "sms" if at % 2 else "email") for at, name in enumerate(CLIENTS)])
        await stand.settled()
        load = Load(stand)
        running = asyncio.create_task(load.run())
        for which in range(3):
            before = len(stand.received_sms())
            assert await workers[which].stop() == 0
            workers[which] = start(which)
            await stand.until(ready, f"worker {which} is back")

            async def moved(than: int = before) -> bool:
                return len(stand.received_sms()) > than

            await stand.until(moved, "messages go out")
        load.over.set()
        await running
        await stand.logged(load.rounds * len(CLIENTS), "o")

        shares = [asked(port, "metrics") or "" for port in ports]
        sms, emails = Counter(stand.received_sms()), Counter((to, text) for to, _, text in stand.received_emails())
        statuses = Counter(entry["status"] for entry in await stand.log("o"))

    assert statuses == {"sent": load.rounds * len(CLIENTS)}
    assert set(sms.values()) | set(emails.values()) == {1}, "nothing came twice"
    for at, name in enumerate(CLIENTS):
        to, received = (number("o", name), sms) if at % 2 else (address("o", name), emails)
        assert sum(1 for key in received if key[0] == to) == load.rounds, f"{name} heard of every appointment"
    assert all("afspraakbericht_partitions_assigned 2.0" in share for share in shares), "each has its own partitions back"
