"""Figures of the web service on this machine: `python -m tests.agents.web.bench [rows [sqlite|postgresql]]`."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from agents.broker.broker import EmbeddedKafka
from agents.kafka.topics import ensure, stores
from agents.projection.projection import Projection, TopicEntry
from agents.projection.queries import Filter, Queries
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.tokens import Tokens
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from agents.web.sign_in.sessions import Sessions
from schemas.inputs import OptOut
from schemas.outcomes import OutcomeRecord
from schemas.topics import DELIVERY_LOG, OPT_OUTS, OUTCOMES, changelog
from schemas.wire import encode
from tests.agents.projection.postgres import binaries, postgres

from . import calls
from .conftest import Kept
from .samples import NOW, entries, record

KEY = "a-key-of-the-benchmark-long-enough"
POSTS, CONNECTIONS = 5000, 64
ORGANISATIONS = 20
BATCH = 5000


def main() -> None:
    """Print the figures; of the pages alone where a number of rows is given, and of one database where that is named."""
    with tempfile.TemporaryDirectory() as folder:
        rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
        wanted = sys.argv[2] if len(sys.argv) > 2 else None
        if len(sys.argv) == 1:
            asyncio.run(posts(Path(folder)))
        if wanted in (None, "sqlite"):
            asyncio.run(queries("SQLite", f"sqlite:///{folder}/overview.db", Path(folder), rows))
        if wanted in (None, "postgresql") and binaries() is not None:
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
    """The questions of the pages over so many records of the log, and the pages themselves."""
    projection = Projection(open_database(url, folder))
    begin, place = time.perf_counter(), 0
    while place < rows:
        projection.take(DELIVERY_LOG.name, 0, place, entries(list(made(place, min(BATCH, rows - place))), place))
        place = min(rows, place + BATCH)
    print(f"{kind}: {rows} records in {time.perf_counter() - begin:.0f} s")
    others(projection, rows)
    ask, middle = Queries(projection.engine), date(2026, 6, 1)
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "the newest": lambda: ask.messages("o1", Filter()),
        "of a client": lambda: ask.messages("o1", Filter(clients=("c21",))),
        "a period": lambda: ask.messages("o1", Filter(since=middle, until=middle)),
        "not sent": lambda: ask.messages("o1", Filter(outcome="suppressed")),
        "a reason": lambda: ask.messages("o1", Filter(outcome="suppressed", cause="client_off")),
        "a status and a channel, none": lambda: ask.messages("o1", Filter(outcome="failed", channel="email")),
        "a status and a period, none": lambda: ask.messages("o1", Filter(outcome="retrying", since=middle)),
        "a history": lambda: ask.history("o1", "c21"),
    }
    for name, question in questions.items():
        print(f"  {name}: {await took(question)}")
    await pages(url, folder)


async def took(question: Callable[[], Awaitable[Any]]) -> str:
    """How many milliseconds it took, of twenty after a first one: the middle and the slowest; and the processor's of one."""
    await question()
    found, spent = [], time.process_time()
    for _ in range(20):
        begin = time.perf_counter()
        await question()
        found.append((time.perf_counter() - begin) * 1000)
    spent = (time.process_time() - spent) * 1000 / len(found)
    return f"{statistics.median(found):.1f} ms, at most {max(found):.1f} ms; {spent:.1f} ms of our processor"


def others(projection: Projection, rows: int) -> None:
    """What else the pages show: rows of the clients of one organisation, who turned a channel off, who came."""
    kept = calls.world().simulation.rows["notices"]
    of_joris = {key: value for key, value in kept.items() if key.endswith(b"/joris") or key.count(b"/") == 1}
    found = [
        (key.replace(b"zorg", b"o1").replace(b"joris", b"c%d" % number), value.replace(b"zorg", b"o1"))
        for number in range(1, 5000, ORGANISATIONS)
        for key, value in of_joris.items()
    ]
    states = changelog("afspraakbericht", "notices").name
    for start in range(0, len(found), 500):
        some = enumerate(found[start : start + 500], start)
        projection.take(states, 0, start, [TopicEntry(number, value, NOW, key) for number, (key, value) in some])
    off = [
        TopicEntry(number, encode(OptOut(organisation="o1", client=f"c{number}", channel="sms", off=True, source="link")), NOW)
        for number in range(1, 5000, ORGANISATIONS)
    ]
    projection.take(OPT_OUTS.name, 0, 0, off)
    for start in range(0, rows // ORGANISATIONS, 500):
        came = [TopicEntry(number, encode(visit(number)), NOW) for number in range(start, start + 500)]
        projection.take(OUTCOMES.name, 0, start, came)


def visit(number: int) -> OutcomeRecord:
    """What became of an appointment, spread over a year."""
    start = datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=number % 365)
    return OutcomeRecord(
        organisation="o1", client=f"c{number % 5000}", appointment=f"a{number}", revision=1,
        outcome="noshow" if number % 20 == 0 else "fulfilled", start=start, end=start, at=start,
    )  # fmt: skip


async def pages(url: str, folder: Path) -> None:
    """The pages as a browser gets them, of one organisation of those."""
    accounts_file = folder / "accounts.toml"
    accounts_file.write_text(accounts.entry("jan@o1.example", "o1", "een-lang-wachtwoord"))
    settings = Settings(web_port=0, data=folder, accounts=accounts_file, session_keys=(KEY,), web_database=url)
    clock, sessions = datetime(2026, 12, 10, 12, tzinfo=UTC), Sessions([KEY])
    anna = sessions.client("o1", "c21")
    paths = {
        "/berichten": "/berichten", "/berichten, not sent": "/berichten?status=suppressed",
        "/berichten, of fifty clients": f"/berichten?client={sessions.client('o1', 'C1')}",
        "/clienten/…": f"/clienten/{anna}", "/kosten": "/kosten", "/kosten, a year": "/kosten?dagen=365",
    }  # fmt: skip
    app = create_web(settings, Kept(), clock=lambda: clock)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    async with Server(app, settings.web_host, 0, settings.web_slow_seconds) as server:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(server.url, cookie_jar=jar) as browser:
            async with browser.get("/aanmelden") as response:
                form = re.findall(r'name="formulier" value="([^"]+)"', await response.text())[0]
            said = {"formulier": form, "gebruiker": "jan@o1.example", "wachtwoord": "een-lang-wachtwoord"}
            async with browser.post("/aanmelden", data=said) as response:
                assert response.status == 200

            async def get(path: str) -> None:
                async with browser.get(path) as response:
                    assert response.status == 200
                    await response.read()

            for name, path in paths.items():
                print(f"  page {name}: {await took(lambda path=path: get(path))}")  # type: ignore[misc]


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
            start=(datetime(2026, 1, 9, 9, tzinfo=UTC) + timedelta(seconds=message * 60)).isoformat(),
        )


if __name__ == "__main__":
    main()
