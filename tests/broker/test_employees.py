"""Employees on a real Kafka: a digest is sent once however the worker dies, is explained, and is forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.kafka.writer import Event

from .harness import Stand, command, settings, visit

pytestmark = pytest.mark.broker

NURSES = [f"m-{number}" for number in range(6)]


def nurse(id_: str, index: int) -> Event:
    value = {
        "organisation": "linde", "employee": id_, "notifications": "all", "channels": ["sms"],
        "sms": {"number": f"+3161234500{index}", "confirmed": True},
    }  # fmt: skip
    return Event("employees", f"linde//{id_}", value)


async def test_a_digest_goes_once_though_the_worker_is_killed_and_is_explained_and_forgotten(tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=24)).replace(minute=0, second=0, microsecond=0)
    on = [{"employee": id_, "attending": True} for id_ in NURSES]
    async with Stand(tmp_path, partitions=2) as stand:
        first = stand.worker()
        await stand.feed(
            settings("linde", 2, 10, employees={"notifications": True, "digest_at": "03:00"}),
            [nurse(id_, index) for index, id_ in enumerate(NURSES)],
        )
        await stand.settled()
        for revision in range(1, 6):
            await stand.feed(visit("linde", "a1", revision, soon + timedelta(minutes=revision), employees=on, author="planner"))
        await stand.until(lambda: stand.records("employee-events"), "something is on its way")
        first.kill()
        stand.worker()
        entries = await stand.logged(len(NURSES), "linde")
        assert {(one["client"], one["status"]) for one in entries} == {("", "sent")}
        assert sorted(one["recipient"] for one in entries) == [f"e:{id_}" for id_ in NURSES]
        assert len({text for _, text in stand.received_sms()}) == 1
        assert len(stand.received_sms()) == len(NURSES)
        given = stand.settings(data=tmp_path / "web")
        said = await asyncio.to_thread(lambda: command("why", "linde//m-0", **given))
        assert said.returncode == 0, said.stderr
        assert "Er staat een afspraak in uw agenda op" in said.stdout
        assert "level: all; channels: sms" in said.stdout
        erased = await asyncio.to_thread(lambda: command("erase", "linde//m-0", "--yes", **given))
        assert erased.returncode == 0, erased.stdout + erased.stderr
        nobody = await asyncio.to_thread(lambda: command("why", "linde//m-0", "--since", "2199-01-01T00:00:00Z", **given))
        assert (nobody.returncode, nobody.stderr.strip()) == (1, "nothing is kept of employee m-0 of organisation linde")
        assert [record for record in await stand.records("dead-letters") if record.value is not None] == []
