"""A client with marks in every field is erased on a real Kafka; then all topics and files are searched for the marks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.kafka.reader import read_topic
from agents.kafka.topics import settings_of, stores
from agents.kafka.writer import Event
from agents.projection.follower import Follower
from agents.projection.projection import Projection
from agents.projection.tables import open_database
from schemas.topics import TOPICS, changelog

from .harness import DEADLINE, Stand, client, command, request, settings, visit

pytest.importorskip("rocksdict")
pytestmark = pytest.mark.broker

WHO = "merk-kq7x"
MARKS = (WHO, "31687654321", "merkadres", "Merkplaats", "Merktekst")
QUICK = {
    "log.retention.check.interval.ms": "500", "log.cleaner.backoff.ms": "200", "log.initial.task.delay.ms": "500",
    "log.segment.delete.delay.ms": "0",
}  # fmt: skip
"""A broker that does in seconds what it else does in days."""

COMPACTED = {
    "min.cleanable.dirty.ratio": "0.0", "segment.ms": "100", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "500",
    "delete.retention.ms": "0", "file.delete.delay.ms": "0",
}  # fmt: skip
EXPIRED = {"retention.ms": "1", "file.delete.delay.ms": "0"}


async def test_after_an_erasure_no_topic_table_file_or_database_has_the_client(tmp_path: Path) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    web = tmp_path / "web"
    async with Stand(tmp_path, partitions=2, broker=QUICK) as stand:
        worker = stand.worker(store="rocksdb")
        await stand.feed(settings("linde"), client("linde", "bert", "email"), marked(start))
        await stand.until(lambda: told(stand, 3), "an SMS, a request and an e-mail are sent")
        await stand.feed(late_marks())
        await stand.settled()
        projection = Projection(open_database(None, web))
        await Follower(projection, stand.application, stand.kafka.bootstrap).read()
        projection.engine.dispose()  # to read a database's file in this process would undo SQLite's locks on it

        everywhere = {mark: {place(path, tmp_path) for path in files_with(tmp_path, mark)} for mark in MARKS}
        assert {"kafka", "worker-1", "web"} <= everywhere[WHO], "the marks are found where they are"
        assert all("kafka" in found for found in everywhere.values()), everywhere
        assert all("worker-1" in everywhere[mark] for mark in ("31687654321", "merkadres", "Merkplaats", "Merktekst")), everywhere

        # Looking changes nothing, and says that there is something.
        looked = await erase(stand, web, "--dry-run")
        assert (looked["outcome"], {topic["state"] for topic in looked["topics"]} >= {"left"}) == ("planned", True)
        assert projection.messages_of("linde", WHO) > 0

        proof = await erase(stand, web)
        states = {topic["topic"]: topic["state"] for topic in proof["topics"]}
        assert proof["to_do"] == []
        assert (proof["outcome"], proof["audit"], states["audit-log"]) == ("done", "kept", "kept")
        assert {states[name] for name in ("consents", "contacts", "delivery-log", "dead-letters", "opt-outs")} == {"waits"}
        assert projection.messages_of("linde", WHO) == 0
        assert not any(mark in json.dumps(proof) for mark in MARKS), "the proof names nobody"
        again = Projection(open_database(f"sqlite:///{tmp_path / 'web' / 'again.db'}", web))
        await Follower(again, stand.application, stand.kafka.bootstrap).read()
        assert again.messages_of("linde", WHO) == 0
        assert again.messages_of("linde", "bert") == projection.messages_of("linde", "bert") > 0

        # The facts stay, under the id and without anything else, until they are asked for too.
        facts = [record async for record in read_topic(stand.kafka.bootstrap, "audit-log") if WHO.encode() in (record.key or b"")]
        assert {orjson.loads(record.value)["status"] for record in facts} >= {"sent", "suppressed"}
        assert not any(mark.encode() in record.value for record in facts for mark in MARKS[1:])
        proof = await erase(stand, web, "--with-audit")
        assert (proof["outcome"], proof["to_do"]) == ("done", [])
        written = next(topic["tombstoned"] for topic in proof["topics"] if topic["topic"] == "audit-log")
        assert len(written) == len({record.key for record in facts})

        # The others go on as before.
        await stand.feed(visit("linde", "shared", 2, start + timedelta(days=1, hours=1), "bert"))
        await stand.until(lambda: said(stand, "bert", "verplaatst"), "bert is told")
        verified = await erase(stand, web, "--verify", "--with-audit")
        assert (verified["outcome"], verified["to_do"]) == ("done", [])
        assert await worker.stop() == 0
        for database in (projection, again):
            await Follower(database, stand.application, stand.kafka.bootstrap).read()
            database.engine.dispose()
        for mark in MARKS:
            assert not list(files_with(tmp_path / "worker-1", mark)), "the worker's copy on disk has it"
            assert not list(files_with(web, mark)), "the projection has it"

        await forget(stand)
        left = await until_none(stand, tmp_path)
        assert left == set()
        for topic in names(stand):
            async for record in read_topic(stand.kafka.bootstrap, topic):
                assert not any(mark.encode() in (record.key or b"") + (record.value or b"") for mark in MARKS), topic
        clean = await erase(stand, web, "--verify", "--with-audit")
        assert {topic["state"] for topic in clean["topics"] if topic["topic"] != "access-log"} == {"nothing"}
        assert (clean["outcome"], clean["gone_by"]) == ("done", None)


def marked(start: datetime) -> list[Event]:
    """The client's consent and contact, three messages by both channels, and one that waits."""
    ids, key = {"organisation": "linde", "client": WHO}, f"linde/{WHO}"
    email = {"address": "merkadres@merk.example", "confirmed": True}
    contact = {**ids, "sms": {"number": "+31687654321", "confirmed": True}, "email": email}
    return [
        Event("consents", key, {**ids, "notifications": True, "channels": ["sms", "email"], "source": "ecd"}),
        Event("contacts", key, contact),
        visit("linde", "alone", 1, start, WHO, location="Merkplaats"),
        visit("linde", "shared", 1, start + timedelta(days=1), WHO, "bert"),
        request("linde", WHO, "waits", "Merktekst van later.", send_at=(start + timedelta(days=9)).isoformat()),
    ]


def late_marks() -> list[Event]:
    """What no message comes of: an opt-out, a report, and an event that cannot be used."""
    ids, key = {"organisation": "linde", "client": WHO}, f"linde/{WHO}"
    report = {**ids, "message": "0" * 32, "attempt": 1, "status": "delivered", "at": "2026-03-02T09:00:00Z"}
    return [
        Event("opt-outs", key, {**ids, "channel": "sms", "off": True, "source": "link"}),
        Event("delivery-reports", key, report),
        Event("consents", key, {**ids, "notifications": "Merktekst"}),
    ]


async def told(stand: Stand, count: int) -> bool:
    return len([entry for entry in await stand.log("linde") if entry["status"] == "sent"]) >= count


async def said(stand: Stand, who: str, word: str) -> bool:
    texts = [str(entry["text"]) for entry in await stand.log("linde") if entry["client"] == who]
    return any(word in text for text in texts)


async def erase(stand: Stand, web: Path, *words: str) -> Any:
    """Run the command to its end; gives its proof."""
    proof = stand.folder.parent / f"{stand.folder.name}-proof.json"
    given = stand.settings(data=web)
    done = await asyncio.to_thread(lambda: command("erase", f"linde/{WHO}", "--yes", "--proof", str(proof), *words, **given))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(proof.read_text())


def names(stand: Stand) -> list[str]:
    return [topic.name for topic in (*TOPICS, *(changelog(stand.application, store) for store in stores()))]


def files_with(folder: Path, mark: str) -> Iterator[Path]:
    """Every file that has these bytes anywhere."""
    for path in folder.rglob("*"):
        try:
            if path.is_file() and mark.encode() in path.read_bytes():
                yield path
        except FileNotFoundError:  # a segment that goes at this moment
            continue


def place(path: Path, folder: Path) -> str:
    return path.relative_to(folder).parts[0]


async def forget(stand: Stand) -> None:
    """Let the broker do at once what retention and compaction do in their time. Settings are replaced as a whole."""
    changes = []
    for topic in (*TOPICS, *(changelog(stand.application, store) for store in stores())):
        short = COMPACTED if topic.retention_ms is None else EXPIRED
        changes.append(ConfigResource(ConfigResourceType.TOPIC, topic.name, {**settings_of(topic, 1), **short}))
    for answer in await stand.admin.alter_configs(changes):
        assert not [message for code, message, *_ in answer.resources if code]


async def until_none(stand: Stand, folder: Path) -> set[str]:
    """Write on, since a segment is only closed by a record after it; until no file has a mark. Gives the files that still do."""
    producer = AIOKafkaProducer(bootstrap_servers=stand.kafka.bootstrap)
    await producer.start()
    limit = time.monotonic() + DEADLINE
    try:
        while True:
            for topic in names(stand):
                for partition in range(stand.partitions):
                    await producer.send(topic, b"filler", b"filler", partition)
            await producer.flush()
            left = {f"{mark}: {path.relative_to(folder)}" for mark in MARKS for path in files_with(folder, mark)}
            if not left or time.monotonic() > limit:
                return left
            await asyncio.sleep(0.5)
    finally:
        await producer.stop()


async def test_without_a_worker_it_says_what_is_to_do_and_the_next_one_does_it(tmp_path: Path) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    web = tmp_path / "web"
    async with Stand(tmp_path, partitions=2) as stand:
        worker = stand.worker()
        await stand.feed(settings("linde"), marked(start))
        await stand.until(lambda: told(stand, 2), "two SMS are sent")
        assert await worker.stop() == 0

        given = stand.settings(data=web)
        done = await asyncio.to_thread(lambda: command("erase", f"linde/{WHO}", "--yes", "--wait", "2", **given))
        assert done.returncode == 1, done.stdout + done.stderr
        assert "to do: the workers did not take in the erasure within 2 s: start them, and run it again" in done.stderr
        assert f"{stand.application}-notices-changelog: " in done.stderr
        assert not web.exists(), "looking for a projection makes none"

        stand.worker()
        assert (await erase(stand, web))["outcome"] == "done"


async def test_audit_facts_go_after_their_time_and_not_before(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ages = {"old": 1830, "older": 4000, "young": 1820, "today": 0}
    async with Stand(tmp_path, partitions=2) as stand:
        for name, age in sorted(ages.items(), key=lambda one: -one[1]):
            fact = {
                "message": name, "organisation": "linde", "client": "anna", "channel": "sms", "reason": "direct",
                "status": "sent", "detail": None, "at": (now - timedelta(days=age)).isoformat(), "kinds": ["created"],
                "template": None, "attempt": 1,
            }  # fmt: skip
            await stand.feed(Event("audit-log", f"linde/anna/{name}/1/sent", fact))

        junk = {"none": b"{", "ahead": orjson.dumps(fact | {"at": "2190-01-01T00:00:00Z"})}
        for name, value in junk.items():
            await stand.feed(Event("audit-log", f"linde/anna/{name}/1/sent", value))

        planned = await asyncio.to_thread(lambda: command("retention", "--dry-run", **stand.settings()))
        assert (planned.returncode, planned.stdout.split()[0]) == (2, "2"), "two values are no facts; the others count"
        assert planned.stderr.count(": not a record: ") == planned.stderr.count("\n") == 2
        done = await asyncio.to_thread(lambda: command("retention", **stand.settings()))
        assert (done.returncode, done.stdout.split()[0]) == (2, "2"), done.stderr
        again = await asyncio.to_thread(lambda: command("retention", **stand.settings()))
        assert again.stdout.split()[0] == "0"

        last = {record.key: record.value async for record in read_topic(stand.kafka.bootstrap, "audit-log")}
        assert {key.split(b"/")[2].decode() for key, value in last.items() if value is not None} == {"young", "today", *junk}
