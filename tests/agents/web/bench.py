"""Figures of the web service on this machine: `python -m tests.agents.web.bench [rows]`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from agents.broker.broker import EmbeddedKafka
from agents.kafka.topics import ensure, stores
from agents.projection.projection import Projection
from agents.projection.queries import Filter, Queries
from agents.projection.tables import open_database
from agents.tokens import Tokens
from schemas.topics import DELIVERY_LOG
from tests.agents.projection.postgres import binaries, postgres

from .samples import entries, record

KEY = "a-key-of-the-benchmark-long-enough"
POSTS, CONNECTIONS = 5000, 64
ORGANISATIONS = 20


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(posts(Path(folder)))
        rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
        asyncio.run(queries("SQLite", f"sqlite:///{folder}/overview.db", Path(folder), rows))
        if binaries() is not None:
            with postgres() as url:
                asyncio.run(queries("PostgreSQL", url, Path(folder), rows))


async def posts(folder: Path) -> None:
    """One-click posts of as many clients, each answered after Kafka acknowledged it."""
    with EmbeddedKafka(folder / "kafka", port=None) as kafka:
        await ensure(kafka.bootstrap, 8, 1, "bench", stores())
        environ = {
            "AFSPRAAKBERICHT_BOOTSTRAP": kafka.bootstrap, "AFSPRAAKBERICHT_UNSUBSCRIBE_KEYS": KEY,
            "AFSPRAAKBERICHT_WEB_PORT": "18473",
            "AFSPRAAKBERICHT_DATA": str(folder / "web"), "AFSPRAAKBERICHT_LOG_LEVEL": "warning",
        }  # fmt: skip
        web = subprocess.Popen([sys.executable, "-m", "agents", "web"], env=os.environ | environ)
        try:
            await _posts()
        finally:
            web.terminate()
            web.wait()


async def _posts() -> None:
    tokens = Tokens([KEY], "unsubscribe")
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession("http://127.0.0.1:18473", connector=connector) as session:
        while True:
            try:
                async with session.post(
                    f"/u/{tokens.seal('o', 'c', 'email')}", data={"List-Unsubscribe": "One-Click"}
                ) as response:
                    if response.status == 200:
                        break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        took: list[float] = []

        async def client(numbers: Iterator[int]) -> None:
            for number in numbers:
                begin = time.perf_counter()
                link = f"/u/{tokens.seal('o', f'client-{number}', 'email')}"
                async with session.post(link, data={"List-Unsubscribe": "One-Click"}) as response:
                    assert response.status == 200
                took.append(time.perf_counter() - begin)

        begin, numbers = time.perf_counter(), iter(range(POSTS))
        await asyncio.gather(*(client(numbers) for _ in range(CONNECTIONS)))
        seconds = time.perf_counter() - begin
        took.sort()
        half, most = (took[POSTS * part // 100] * 1000 for part in (50, 99))
        print(f"unsubscribe: {POSTS / seconds:.0f} posts/s, p50 {half:.0f} ms, p99 {most:.0f} ms")


async def queries(kind: str, url: str, folder: Path, rows: int) -> None:
    """The overview's questions over so many records of the log; the worst of ten."""
    projection = Projection(open_database(url, folder))
    begin, place = time.perf_counter(), 0
    while place < rows:
        projection.take(DELIVERY_LOG.name, 0, place, entries(list(made(place, min(500, rows - place))), place))
        place = min(rows, place + 500)
    print(f"{kind}: {rows} records in {time.perf_counter() - begin:.0f} s")
    ask, middle = Queries(projection.engine), date(2026, 6, 1)
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "the newest": lambda: ask.messages("o1", Filter()),
        "of a client": lambda: ask.messages("o1", Filter(client="c21")),
        "a period": lambda: ask.messages("o1", Filter(since=middle, until=middle)),
        "not sent": lambda: ask.messages("o1", Filter(status="suppressed")),
        "a status and a channel, none": lambda: ask.messages("o1", Filter(status="failed", channel="email")),
        "a status and a period, none": lambda: ask.messages("o1", Filter(status="retrying", since=middle)),
        "a history": lambda: ask.history("o1", "c21"),
        "the months": lambda: ask.months("o1"),
        "the days": lambda: ask.days("o1", middle, middle + timedelta(days=30)),
    }
    for name, question in questions.items():
        took = []
        for _ in range(10):
            begin = time.perf_counter()
            await question()
            took.append((time.perf_counter() - begin) * 1000)
        print(f"  {name}: {max(took):.1f} ms")


def made(start: int, count: int) -> Iterator[dict[str, Any]]:
    """Records of `ORGANISATIONS` organisations over a year: half sent, half delivered, some suppressed."""
    for number in range(start, start + count):
        message = number // 2
        at = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=message * 60)).isoformat()
        status = ("suppressed" if message % 40 == 7 else "delivered") if number % 2 else "sent"
        detail = "client_off" if status == "suppressed" else None
        yield record(
            f"{message:032x}",
            organisation=f"o{message % ORGANISATIONS}",
            client=f"c{message % 5000}",
            at=at,
            status=status,
            detail=detail,
        )


if __name__ == "__main__":
    main()
