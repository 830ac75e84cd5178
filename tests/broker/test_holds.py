"""Holds on a real Kafka: 24 partitions, most clients of one organisation in two of them, and kill -9 of each side."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import aiohttp
import msgspec
import pytest

from agents.broker.probe import free_ports
from agents.web.sign_in import accounts
from schemas.held import HeldRecord
from schemas.holds import Hold
from schemas.wire import read

from .harness import AMSTERDAM, DEADLINE, ROOT, Stand, Worker, client, command, environ, number, settings, visit

pytestmark = pytest.mark.broker

PARTITIONS, URGENT = 24, 8
PASSWORD = "een-lang-wachtwoord"
ORGANISATION = "scheef"


def skewed(count: int, where: tuple[int, ...], prefix: str) -> list[str]:
    """Clients whose partition is one of these."""
    found: list[str] = []
    for name in (f"{prefix}{each}" for each in range(100_000)):
        if crc32(f"{ORGANISATION}/{name}".encode()) % PARTITIONS in where:
            found.append(name)
            if len(found) == count:
                break
    return found


FAR = skewed(80, (3, 17), "v") + skewed(20, tuple(range(PARTITIONS)), "w")
NEAR = skewed(20, (3, 17), "n") + skewed(4, tuple(range(PARTITIONS)), "m")
MENDED, LEFT = FAR[10:], FAR[:10]
"""Of the mistake most is mended upstream while it is held; some of it was none."""


class Web:
    """A web process that may die, on one database and one port; and who presses there."""

    def __init__(self, stand: Stand, folder: Path) -> None:
        self.stand, self.folder, self.port, self.count = stand, folder, free_ports(1)[0], 0
        self.file = folder / "accounts.toml"
        self.file.write_text(accounts.entry("jan", ORGANISATION, PASSWORD, ("inzage", "beheer")))
        self.process: Worker | None = None

    def start(self) -> None:
        self.count += 1
        given = self.stand.settings(
            data=self.folder / "web", web_port=self.port, accounts=self.file, session_keys="s" * 32, metrics_port=free_ports(1)[0]
        )
        self.process = Worker(self.folder / f"web-{self.count}.log", environ(**given), name="web")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    async def browser(self) -> aiohttp.ClientSession:
        """A browser that is signed in, once the web answers."""
        session = aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with asyncio.timeout(DEADLINE):
            while True:
                assert self.process is not None
                assert self.process.running, self.process.output
                try:
                    async with session.get("/ready") as response:
                        if response.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.2)
        async with session.get("/aanmelden") as response:
            found = re.findall(r'name="formulier" value="([^"]+)"', await response.text())
        said = {"formulier": found[0], "gebruiker": "jan", "wachtwoord": PASSWORD}
        async with session.post("/aanmelden", data=said) as response:
            assert response.status == 200
        return session


def form(page: str, what: str) -> dict[str, str]:
    """The hidden fields of the form that asks for this."""
    forms = [dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', one)) for one in page.split("<form")]
    return next(one for one in forms if one.get("wat") == what)


async def waiting(stand: Stand) -> dict[str, HeldRecord]:
    """What waits, by client: the last record of each."""
    found: dict[str, HeldRecord] = {}
    for record in await stand.records("held"):
        name = record.key.decode().partition("/")[2]
        found.pop(name, None)
        if record.value is not None:
            found[name] = msgspec.json.decode(record.value, type=HeldRecord)
    return found


def killed_command(rng: random.Random, stand: Stand, *words: str) -> None:
    """A command that is killed somewhere on its way."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agents", *words], env=environ(**stand.settings()), cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with suppress(subprocess.TimeoutExpired):
        process.wait(rng.uniform(0.5, 4))
    process.kill()
    process.wait()


def visits(names: list[str], revision: int, start: datetime) -> list[Any]:
    return [visit(ORGANISATION, f"a-{name}", revision, start, name) for name in names]


async def test_a_mistake_that_is_held_and_mended_sends_nothing_though_each_side_is_killed(tmp_path: Path) -> None:
    rng = random.Random(1)
    now = datetime.now(AMSTERDAM).replace(second=0, microsecond=0)
    far, near = now + timedelta(days=20), now + timedelta(hours=5)
    async with Stand(tmp_path, partitions=PARTITIONS) as stand:
        web = Web(stand, tmp_path)
        try:
            workers = [stand.worker(), stand.worker()]
            web.start()
            await stand.feed(settings(ORGANISATION, flood={"urgent": URGENT}))
            await stand.feed(*[client(ORGANISATION, name, "sms") for name in (*FAR, *NEAR)], visits(FAR, 1, far))
            await stand.logged(len(FAR), ORGANISATION)

            for _ in range(3):
                await asyncio.to_thread(killed_command, rng, stand, "hold", ORGANISATION, "--set")
            done = await asyncio.to_thread(lambda: command("hold", ORGANISATION, "--set", **stand.settings()))
            assert done.returncode == 0, done.stderr
            await stand.settled()

            # A roster import goes wrong: all that is far ahead moves; and some appointments of tomorrow are new.
            feeding = asyncio.create_task(stand.feed(visits(FAR, 2, far + timedelta(hours=2)), visits(NEAR, 1, near)))
            for which in (0, 1):
                await asyncio.sleep(rng.uniform(0.2, 2))
                workers[which].kill()
                workers[which] = stand.worker()
            await feeding

            async def all_wait() -> bool:
                held = await waiting(stand)
                return set(FAR) <= held.keys() and sum(one.near for one in held.values()) == len(NEAR) - URGENT

            await stand.until(all_wait, "all that is far waits, and what is near beyond the urgent ones")
            await stand.settled()
            went = [entry for entry in await stand.log(ORGANISATION) if entry["client"] in NEAR]
            assert len({entry["message"] for entry in went}) == URGENT
            assert {entry["client"] for entry in await stand.log(ORGANISATION) if entry["status"] == "unknown"} <= set(NEAR)
            shown = await asyncio.to_thread(lambda: command("hold", ORGANISATION, **stand.settings()))
            count = len(FAR) + len(NEAR) - URGENT
            assert f"{count} messages to {count} clients would go now; of these {len(NEAR) - URGENT} are" in shown.stdout

            # It is mended upstream, and a worker is killed in the midst of that, too.
            feeding = asyncio.create_task(stand.feed(visits(MENDED, 3, far)))
            await asyncio.sleep(rng.uniform(0.1, 1))
            workers[0].kill()
            workers[0] = stand.worker()
            await feeding
            await stand.feed(visits(NEAR, 2, near + timedelta(days=20)))  # these were of another day

            async def falls() -> bool:
                return not set(MENDED) & (await waiting(stand)).keys()

            await stand.until(falls, "the number falls as upstream mends")
            await stand.settled()

            # The web is killed as the end is pressed: then it is pressed again, by whoever comes back.
            async with await web.browser() as browser:
                page = await (await browser.get("/tegenhouden")).text()
                asked = await (await browser.post("/tegenhouden", data=form(page, "laat"))).text()
                sure = form(asked, "laat")
                assert sure["zeker"] == "ja"
                pressing = asyncio.create_task(browser.post("/tegenhouden", data=sure))
                await asyncio.sleep(rng.uniform(0, 0.02))
                web.kill()
                with suppress(aiohttp.ClientError):
                    await pressing
            web.start()
            async with await web.browser() as browser:
                for _ in range(2):  # and once more, by somebody who saw nothing happen
                    page = await (await browser.get("/tegenhouden")).text()
                    if "worden tegengehouden" in page:
                        async with browser.post("/tegenhouden", data=form(page, "laat") | {"zeker": "ja"}) as response:
                            assert "gaan gewoon weg" in await response.text()
            await stand.until(lambda: told(stand, LEFT), "what was no mistake is told")
            await stand.until(lambda: none_waits(stand), "nothing waits any more")
            await stand.settled()

            found = await stand.records("holds")
            assert len({record.partition for record in found}) == 1, "command and web write in one order"
            holds = [read(Hold, record.value) for record in found]
            assert {hold.notices for hold in holds} == {True, False}
            assert holds[-1].notices is False
            log = [entry for entry in await stand.log(ORGANISATION) if entry["status"] == "sent"]
            sms = Counter(to for to, _ in stand.received_sms())
            assert {name: sms[number(ORGANISATION, name)] for name in MENDED} == dict.fromkeys(MENDED, 1)
            assert Counter(entry["client"] for entry in log if entry["client"] in LEFT) == dict.fromkeys(LEFT, 2)
            assert sum("is verplaatst naar" in text for to, text in stand.received_sms()) >= len(LEFT)
        finally:
            if web.process is not None and web.process.running:
                web.kill()


async def told(stand: Stand, names: list[str]) -> bool:
    """Whether each of them was told twice: that it is, and that it moved."""
    found = Counter(entry["client"] for entry in await stand.log(ORGANISATION) if entry["status"] == "sent")
    return all(found[name] >= 2 for name in names)


async def none_waits(stand: Stand) -> bool:
    return not await waiting(stand)
