"""Three workers under load are replaced one by one (RUNBOOK.md "Upgrade without a gap"): what came, and how long nothing did.

`python -m tests.drills.rolling` prints the figures; test_rolling_upgrade.py holds that nothing is lost or doubled.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from agents.broker.probe import free_ports
from tests.broker.harness import AMSTERDAM, Stand, Worker, address, client, number, settings, visit

CLIENTS = [f"c{count}" for count in range(40)]
PARTITIONS = 6
EVERY = 0.2
"""Seconds between two rounds of the load: a gap cannot be seen shorter."""


def asked(port: int, page: str) -> str | None:
    """What the metrics port answers; None where it does not, or says no."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


SENTENCE = re.compile(r"Er is een afspraak [^.]*\.")
"""A notice, as clients hear it: what changes while a message is on its way goes together as the next one."""


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
            await asyncio.sleep(EVERY)


@dataclass
class Upgrade:
    """What a rolling upgrade did.

    Attributes:
        statuses: of notices, by the log.
        gaps: of each partition the longest time without a message at a provider, in seconds.
    """

    rounds: int
    statuses: Counter[str]
    heard: dict[str, int]
    copies: int
    gaps: dict[int, float]
    shares: list[str]


def partition_of(name: str) -> int:
    """Where a client's events are (agents/engine/transport/partitioner.py)."""
    return zlib.crc32(f"o/{name}".encode()) % PARTITIONS


def gaps(arrivals: list[tuple[float, str]]) -> dict[int, float]:
    """The longest time between two messages of each partition: `(moment, client)` in order."""
    last: dict[int, float] = {}
    longest: dict[int, float] = {}
    for moment, name in arrivals:
        p = partition_of(name)
        longest[p] = max(longest.get(p, 0.0), moment - last.get(p, moment))
        last[p] = moment
    return longest


async def upgrade(folder: Path) -> Upgrade:
    """Do it."""
    ports = free_ports(3)
    names = {number("o", name): name for name in CLIENTS} | {address("o", name): name for name in CLIENTS}
    arrivals: list[tuple[float, str]] = []
    async with Stand(folder, partitions=PARTITIONS, session=30.0) as stand:

        def start(which: int) -> Worker:
            return stand.worker(instance=f"worker-{which}", metrics_port=ports[which])

        async def ready() -> bool:
            pages = await asyncio.gather(*(asyncio.to_thread(asked, port, "ready") for port in ports))
            return all(page == "ready\n" for page in pages)

        async def watch() -> None:
            sms = emails = 0
            while True:
                seen_sms, seen_emails = stand.sms.received.messages, stand.smtp.received.messages
                now = time.monotonic()
                arrivals.extend((now, names["+" + one["recipients"][0]]) for one in seen_sms[sms:])
                arrivals.extend((now, names[one["recipients"][0]]) for one in seen_emails[emails:])
                sms, emails = len(seen_sms), len(seen_emails)
                await asyncio.sleep(0.02)

        workers = [start(which) for which in range(3)]
        await stand.until(ready, "three workers are ready")
        await stand.feed(settings("o"), *[client("o", name, "sms" if at % 2 else "email") for at, name in enumerate(CLIENTS)])
        await stand.settled()
        load = Load(stand)
        running, watching = asyncio.create_task(load.run()), asyncio.create_task(watch())
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
        await stand.settled()  # on a busy machine the load is a backlog by now

        async def all_logged() -> bool:
            return sum(len(entry["notices"]) for entry in await stand.log("o")) >= load.rounds * len(CLIENTS)

        await stand.until(all_logged, "the log has every notice")
        watching.cancel()

        shares = [asked(port, "metrics") or "" for port in ports]
        messages = [*stand.received_sms(), *((to, text) for to, _, text in stand.received_emails())]
        received = Counter((to, said) for to, text in messages for said in SENTENCE.findall(" ".join(text.split())))
        statuses = Counter(entry["status"] for entry in await stand.log("o") for _ in entry["notices"])
    heard = Counter(names[to] for to, _ in received)
    return Upgrade(load.rounds, statuses, dict(heard), max(received.values()), gaps(arrivals), shares)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        done = asyncio.run(upgrade(Path(folder) / "stand"))
    expected = done.rounds * len(CLIENTS)
    print(f"notices: {expected} decided, {sum(done.heard.values())} heard, at most {done.copies} of each; {dict(done.statuses)}")
    print("longest gap of each partition, s: " + "  ".join(f"{p}: {gap:.1f}" for p, gap in sorted(done.gaps.items())))
    print(f"longest of all: {max(done.gaps.values()):.1f} s")


if __name__ == "__main__":
    main()
