"""Time and outages: what fell due, or came in, while no worker ran."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from .harness import AMSTERDAM, Stand, client, request, settings, visit, whole_minute

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="module")]

START = (datetime.now(AMSTERDAM) + timedelta(days=30)).replace(hour=10, minute=0, second=0, microsecond=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One broker for the tests that need no first start; each has an organisation of its own."""
    async with Stand(tmp_path_factory.mktemp("stand"), own=True) as made:
        yield made


async def test_at_a_first_start_settings_come_before_the_appointments_that_were_written_before_them(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        names = [f"c{n}" for n in range(40)]
        await stand.feed(visit("eerst", f"a{n}", 1, START + timedelta(days=n), *names) for n in range(10))
        await stand.feed(request("eerst", "c1", "r1", "Een vraag"))
        await stand.feed(*(client("vol", f"c{n}", "sms") for n in range(3_000)))  # so that it takes a while
        await stand.feed(event for name in names for event in client("eerst", name, "sms"))
        await stand.feed(settings("eerst"))
        stand.worker()
        wanted = [(name, f"a{n}") for name in names for n in range(10)]

        async def told() -> list[tuple[str, str]]:
            return [(entry["client"], note["appointment"]) for entry in await stand.log("eerst") for note in entry["notices"]]

        async def enough() -> bool:
            return len(await told()) > len(wanted)  # and the request

        await stand.until(enough, "all is told")
        assert sorted(await told(), key=str) == sorted([*wanted, ("c1", None)], key=str)
        assert {entry["status"] for entry in await stand.log("eerst")} == {"sent"}


async def test_after_an_outage_the_cancellation_goes_out_and_the_reminder_does_not(stand: Stand) -> None:
    """The worker is down from before the cancellation until after the reminder's moment. Another reminder is late, and goes."""
    worker = stand.worker()
    await stand.feed(settings("storing"), client("storing", "anna", "sms"), client("storing", "bram", "email"))
    await stand.settled()
    tomorrow = (datetime.now(AMSTERDAM) + timedelta(days=1)).replace(hour=13, minute=15, second=0, microsecond=0)
    await stand.feed(visit("storing", "a", 1, tomorrow, "anna"), visit("storing", "b", 1, tomorrow, "bram"))
    await stand.logged(2, "storing")
    due = whole_minute(datetime.now(UTC), 30).astimezone(AMSTERDAM)
    days = (tomorrow.date() - due.date()).days
    await stand.feed(settings("storing", reminder={"days_before": days, "at": f"{due:%H:%M}", "not_within_hours": 0}))
    await stand.settled()
    assert await worker.stop() == 0
    assert datetime.now(UTC) < due, "this machine is too slow for a reminder 30 seconds ahead"

    await stand.feed(visit("storing", "a", 2, tomorrow, "anna", status="cancelled"))
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds() + 2)
    await asyncio.to_thread(stand.kafka.stop)  # and the broker was away too
    await asyncio.to_thread(stand.kafka.start)
    worker = stand.worker()
    await stand.logged(4, "storing")
    await stand.settled()
    log = await stand.log("storing")
    told = sorted((entry["client"], entry["notices"][0]["kind"], entry["status"]) for entry in log)
    assert told == [
        ("anna", "cancelled", "sent"), ("anna", "created", "sent"), ("bram", "created", "sent"), ("bram", "reminder", "sent"),
    ]  # fmt: skip
    assert await worker.stop() == 0


async def test_a_window_survives_a_kill_and_closes_though_nothing_else_comes(stand: Stand) -> None:
    quiet = 20
    worker = stand.worker()
    await stand.feed(settings("venster", quiet, 60), client("venster", "anna", "sms"))
    await stand.settled()
    await stand.feed(visit("venster", "a", 1, START, "anna"))
    await stand.feed(visit("venster", "a", 2, START + timedelta(hours=2), "anna"))
    opened = datetime.now(UTC)
    await stand.settled()
    worker.kill()
    assert await stand.log("venster") == [], "this machine is too slow for a window of 20 seconds"

    worker = stand.worker()
    texts = await stand.texts("venster", 1)
    assert "van 12:00 tot 13:00" in texts[0]
    decided = datetime.fromisoformat((await stand.log("venster"))[0]["at"])
    assert decided - opened > timedelta(seconds=quiet - 2), "not before its time"
    assert await worker.stop() == 0
