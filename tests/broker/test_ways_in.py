"""A worker takes in FHIR and HL7 v2: what is read, told and set aside, on a real broker; after a kill it says nothing twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.kafka.writer import Event

from .harness import Stand, client, command, settings

pytestmark = pytest.mark.broker

START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)
PRODUCERS = [{"organisation": "fhirzorg"}, {"organisation": "siuzorg", "clients": "SIU"}]


def fhir(id_: str, updated: datetime, status: str = "booked", **more: Any) -> Event:
    value = {
        "resourceType": "Appointment", "id": id_, "meta": {"lastUpdated": updated.isoformat()}, "status": status,
        "start": START.isoformat(), "end": (START + timedelta(hours=1)).isoformat(),
        "participant": [
            {"actor": {"reference": "Patient/anna"}, "status": "accepted"},
            {"actor": {"reference": "Location/1", "display": "De Linde"}, "status": "accepted"},
        ],
    } | more  # fmt: skip
    return Event("fhir", f"fhirzorg/{id_}", value)


def siu(id_: str, event: str, sent: datetime) -> Event:
    at = f"{START:%Y%m%d%H%M%S}+0000^{START + timedelta(hours=1):%Y%m%d%H%M%S}+0000"
    lines = [
        rf"MSH|^~\&|PLAN|SIU|||{sent:%Y%m%d%H%M%S}+0000||SIU^{event}|m|P|2.5",
        f"SCH||{id_}|||||||||^^^{at}",
        "PID|||bram^^^SIU",
    ]
    return Event("hl7v2", f"siuzorg/{id_}", "\r".join(lines).encode())


async def test_what_comes_as_fhir_and_hl7_is_told_once_whatever_happens_to_the_worker(tmp_path: Path) -> None:
    agreed = tmp_path / "producers.json"
    agreed.write_bytes(orjson.dumps(PRODUCERS))
    now = datetime.now(UTC)
    async with Stand(tmp_path) as stand:
        await stand.feed(
            settings("fhirzorg"), settings("siuzorg"), client("fhirzorg", "anna", "sms"), client("siuzorg", "bram", "sms"),
            fhir("a", now), siu("s", "S12", now), fhir("x", now, status="zzz"),
        )  # fmt: skip
        worker = stand.worker(producers=agreed)
        assert len(await stand.texts("fhirzorg", 1)) == 1
        assert len(await stand.texts("siuzorg", 1)) == 1
        worker.kill()
        await stand.feed(fhir("a", now), siu("s", "S12", now), fhir("a", now + timedelta(seconds=5), status="cancelled"))
        stand.worker(producers=agreed)
        await stand.feed(siu("s", "S15", now + timedelta(seconds=5)))
        for organisation in ("fhirzorg", "siuzorg"):
            made, gone = await stand.texts(organisation, 2)
            assert made.startswith("Er is een afspraak met u gemaakt op ")
            assert gone.endswith(" is geannuleerd.")
        letters = {dict(record.headers)["reason"].decode() for record in await stand.records("dead-letters")}
        assert letters == {"Invalid enum value - at `Appointment.status`"}, "set aside once more after a kill, perhaps"


def test_a_worker_does_not_start_on_a_file_of_producers_that_cannot_be(tmp_path: Path) -> None:
    agreed = tmp_path / "producers.json"
    agreed.write_bytes(b'[{"organisation":"zorg","time_zone":"Nergens"}]')
    ended = command("worker", producers=agreed, messagebird_key="a-key", data=tmp_path / "data")
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        2, f"the file of producers {agreed}: unknown time zone - at `$[0].time_zone`"
    )  # fmt: skip


CLIENTS = tuple(f"c{number}" for number in range(25))


def snapshots(revision: int, *starts: datetime) -> list[Event]:
    """One of each client, with an appointment at each of these moments."""
    there = [
        {"appointment": f"a{number}", "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
        for number, start in enumerate(starts)
    ]
    around = {"from": (START - timedelta(days=1)).isoformat(), "to": (START + timedelta(days=9)).isoformat()}
    return [
        Event("agenda-snapshots", f"leeg/{one}", {
            "organisation": "leeg", "client": one, **around, "revision": revision, "appointments": there,
        })
        for one in CLIENTS
    ]  # fmt: skip


async def test_a_source_of_snapshots_that_answers_with_nothing_waits_for_a_person_and_nobody_is_told(tmp_path: Path) -> None:
    async with Stand(tmp_path, partitions=1) as stand:
        await stand.feed(settings("leeg"), *[client("leeg", one, "sms") for one in CLIENTS], snapshots(1, START))
        worker = stand.worker(snapshot_patience_seconds=1)
        await stand.texts("leeg", len(CLIENTS))

        def said(*words: str) -> tuple[int, str]:
            ended = command(*words, **stand.settings())
            return ended.returncode, ended.stdout

        async def doubted(organisations: int) -> None:
            async def is_so() -> bool:
                code, status = await asyncio.to_thread(said, "status", "--json")
                return (code, orjson.loads(status)["doubted"]) == (bool(organisations), organisations)

            await stand.until(is_so, f"snapshots of {organisations} organisations are doubted")

        await stand.feed(snapshots(2))
        await doubted(1)
        assert "snapshots of leeg miss appointments of 2" in (await asyncio.to_thread(said, "hold"))[1]
        worker.kill()
        await stand.feed(snapshots(3))
        stand.worker(snapshot_patience_seconds=1)
        await stand.settled()
        await doubted(1)
        await stand.feed(snapshots(4, START))
        await doubted(0)
        assert [(record.key, record.value is None) for record in await stand.records("doubted")][-1] == (b"leeg/0", True)
        assert all(" gemaakt " in text for text in await stand.texts("leeg", len(CLIENTS))), "nobody heard of a cancellation"
