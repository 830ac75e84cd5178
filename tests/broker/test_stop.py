"""SIGTERM while Kafka is away: a process ends soon, with exit code 0 and without a trace-back; and nothing is lost by it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import orjson
import pytest

from agents.tokens import Tokens

from .harness import ROOT, Stand, client, environ, settings, visit

pytestmark = pytest.mark.broker

START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)
SOON = 20.0
"""Seconds after which a stop counts as hanging: it took 48 to 60. It is bounded by 8 s where the machine is not too busy."""

KEY = "a-secret-of-at-least-32-characters"
BACK_OFF = 8.0
"""Seconds after which every part of the client has met that no broker is there, and waits to try again."""


@pytest.mark.parametrize("away", [0.0, BACK_OFF], ids=["just gone", "gone for a while"])
async def test_a_worker_ends_soon_and_the_next_one_goes_on(tmp_path: Path, away: float) -> None:
    async with Stand(tmp_path, own=True) as stand:
        worker = stand.worker()
        await stand.feed(settings("stop"), client("stop", "anna", "sms"), visit("stop", "a", 1, START, "anna"))
        await stand.texts("stop", 1)
        await asyncio.to_thread(stand.kafka.stop)
        await asyncio.sleep(away)
        worker.expected_to_end = True
        worker.process.terminate()
        assert await asyncio.to_thread(worker.process.wait, SOON) == 0
        assert "Traceback" not in worker.output

        await asyncio.to_thread(stand.kafka.start)
        stand.worker()
        await stand.feed(visit("stop", "b", 1, START + timedelta(days=1), "anna"))
        await stand.texts("stop", 2)
        assert len(stand.received_sms()) == 2


async def test_the_web_service_ends_soon(tmp_path: Path) -> None:
    async with Stand(tmp_path, own=True) as stand:
        log = tmp_path / "web.log"
        given = environ(
            bootstrap=stand.kafka.bootstrap, data=tmp_path / "web", web_port=0, log_format="json", unsubscribe_keys=KEY,
        )  # fmt: skip
        with log.open("wb") as out:
            web = subprocess.Popen([sys.executable, "-m", "agents", "web"], env=given, cwd=ROOT, stdout=out, stderr=out)
        try:

            async def serving() -> bool:
                return "serving" in log.read_text()

            await stand.until(serving, "it serves")
            url = orjson.loads(next(line for line in log.read_text().splitlines() if '"serving"' in line))["url"]
            link = f"{url}/u/{Tokens([KEY], 'unsubscribe').seal('stop', 'anna', 'email')}"
            async with aiohttp.ClientSession() as session:
                assert (await session.post(link, data={"keuze": "afmelden"})).status == 200
                await asyncio.to_thread(stand.kafka.stop)
                await asyncio.sleep(BACK_OFF)
                waiting = asyncio.create_task(session.post(link, data={"keuze": "afmelden"}))
                await asyncio.sleep(0.5)
                web.send_signal(signal.SIGTERM)
                assert (await waiting).status == 503, "who waits is told so"
            assert await asyncio.to_thread(web.wait, SOON) == 0
            assert "Traceback" not in log.read_text()
        finally:
            web.kill()
            await asyncio.to_thread(stand.kafka.start)
