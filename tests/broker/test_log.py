"""`afspraakbericht log` and `costs` on a real Kafka: the same rows as Kafka's own tool, from any place, in every form."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pyarrow import parquet

from agents.broker.broker import EmbeddedKafka
from agents.kafka.topics import ensure, settings_of, stores
from agents.kafka.writer import Event, Feeder
from schemas.outcomes import OutcomeRecord
from schemas.topics import DELIVERY_LOG
from schemas.wire import to_json
from tests.agents.export.records import FIRST, record
from tests.world import organisation

from .console import console_consumer
from .harness import ROOT, command, environ

pytestmark = pytest.mark.broker

COUNT, PARTITIONS, TWICE = 4000, 3, 200
BEGUN = int(FIRST.timestamp() * 1000)
LOG = "delivery-log"


def values() -> list[tuple[str, bytes]]:
    """Key and value of each record; the first are there a second time, at the end, as after a crash."""
    chance = random.Random(3)
    ours = [
        (f"{one.organisation}/{one.client}", to_json(one)) for one in (record(chance, number, days=0) for number in range(COUNT))
    ]
    return ours + ours[:TWICE]


VALUES = values()


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker with the log; record number n was written n seconds after `FIRST`, not before its `at`. One was aborted."""
    with EmbeddedKafka(tmp_path_factory.mktemp("log"), None) as broker:
        asyncio.run(fill(broker.bootstrap))
        yield broker.bootstrap


async def keep_times(bootstrap: str) -> None:
    """Let the log keep the times that its producer gives, as while it is filled from a mirror."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    wanted = settings_of(DELIVERY_LOG, 1) | {"message.timestamp.type": "CreateTime"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, LOG, wanted)])
    while wanted["message.timestamp.type"] != await timestamp_type(admin):
        await asyncio.sleep(0.05)
    await admin.close()


async def timestamp_type(admin: Any) -> str:
    resource = ConfigResource(ConfigResourceType.TOPIC, LOG, {"message.timestamp.type": ""})
    return str((await admin.describe_configs([resource]))[0].resources[0][4][0][1])


async def fill(bootstrap: str) -> None:
    report = await ensure(bootstrap, PARTITIONS, 1, "afspraakbericht", stores())
    assert not report.problems
    await keep_times(bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="a-sender", acks="all")
    await producer.start()
    async with producer.transaction():
        for number, (key, value) in enumerate(VALUES):
            await producer.send(LOG, value, key.encode(), timestamp_ms=BEGUN + 1000 * number)
    await producer.begin_transaction()
    await producer.send(LOG, b"never said", b"linde/anna", timestamp_ms=BEGUN)
    await producer.abort_transaction()
    await producer.stop()
    async with Feeder(bootstrap) as feeder:
        zones = {"org0": "America/Curacao", "org1": "Pacific/Auckland"}
        settings = [organisation(organisation=name, time_zone=zone) for name, zone in zones.items()]
        await feeder.feed([Event("organisations", one["organisation"], one) for one in settings])
        await feeder.feed([Event("organisations", "org0", {**settings[0], "time_zone": "Nowhere"})])  # refused by intake, too


def lines(bootstrap: str, *words: str) -> list[bytes]:
    found = command("log", *words, bootstrap=bootstrap)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout.encode().splitlines()


def written(*numbers: int) -> list[bytes]:
    return sorted(VALUES[number][1] for number in numbers)


def test_all_of_it_is_what_kafkas_own_tool_shows(bootstrap: str) -> None:
    theirs = console_consumer(bootstrap, LOG, len(VALUES), "--isolation-level", "read_committed")

    assert len(theirs) == len(VALUES)
    assert sorted(lines(bootstrap, "--all", "--json")) == sorted(theirs)
    for partition in range(PARTITIONS):
        part = lines(bootstrap, "--all", "--json", "--from", f"{partition}:0")
        assert part == console_consumer(
            bootstrap, LOG, len(part), "--partition", str(partition), "--isolation-level", "read_committed"
        )


def test_each_record_comes_once(bootstrap: str) -> None:
    assert sorted(lines(bootstrap, "--format", "json")) == written(*range(COUNT))


def test_every_form_has_the_same_rows(bootstrap: str, tmp_path: Path) -> None:
    plain = {
        orjson.loads(value)["message"]: orjson.loads(value) for value in lines(bootstrap, "--json", "--organisation", "org7")
    }
    assert len(plain) > 5
    for form in ("csv", "parquet"):
        assert lines(bootstrap, "--format", form, "--organisation", "org7", "--output", str(tmp_path / form)) == []
    table = {row["message"]: row for row in parquet.read_table(tmp_path / "parquet").to_pylist()}
    rows = {row["message"]: row for row in csv.DictReader(io.StringIO((tmp_path / "csv").read_text()))}

    assert table.keys() == rows.keys() == plain.keys()
    for message, entry in plain.items():
        assert rows[message]["at"] == entry["at"]
        assert table[message]["at"] == datetime.fromisoformat(entry["at"])
        for name in ("client", "status", "text", "parts", "detail"):
            assert (table[message][name], rows[message][name]) == (entry[name], str("" if entry[name] is None else entry[name]))
    assert len(lines(bootstrap, "--organisation", "org7")) == len(plain)


async def test_an_export_for_figures_has_outcomes_and_no_texts(bootstrap: str, tmp_path: Path) -> None:
    chosen = [orjson.loads(value) for value in lines(bootstrap, "--json", "--organisation", "org9")]
    missed = chosen[0]["notices"][0]["appointment"]
    said = OutcomeRecord(
        organisation="org9", client=chosen[0]["client"], appointment=missed, revision=1, outcome="noshow", start=FIRST, end=FIRST,
        at=FIRST,
    )  # fmt: skip
    async with Feeder(bootstrap) as feeder:
        await feeder.feed([Event("outcomes", f"org9/{said.client}", to_json(said)), Event("outcomes", "org9/x", b"junk")])
    done = await asyncio.to_thread(
        command, "log", "--json", "--organisation", "org9", "--outcomes", "--no-text", bootstrap=bootstrap
    )
    assert (done.returncode, "outcomes/" in done.stderr) == (2, True), "what is no outcome is told"
    wanted = [
        one | {"text": None, "address": None, "outcomes": [
            {"appointment": notice["appointment"], "outcome": "noshow" if notice["appointment"] == missed else None}
            for notice in one["notices"]
        ]}
        for one in chosen
    ]  # fmt: skip
    assert sorted(map(orjson.loads, done.stdout.splitlines()), key=str) == sorted(wanted, key=str)


def test_parquet_goes_through_a_pipe(bootstrap: str, tmp_path: Path) -> None:
    with (tmp_path / "piped").open("wb") as out:
        words = [sys.executable, "-m", "agents", "log", "--format", "parquet"]
        subprocess.run(words, env=environ(bootstrap=bootstrap), cwd=ROOT, stdout=out, check=True, timeout=60)
    assert parquet.read_table(tmp_path / "piped").num_rows == COUNT


def moment(number: int) -> str:
    """When the record of that number was written."""
    return (FIRST + timedelta(seconds=number)).isoformat()


PLACES = (
    (("--since", moment(3000)), [*range(3000, COUNT), *range(TWICE)]),  # what was written twice, the second time
    (("--since", "2026-10-20"), range(COUNT)),  # the local day
    (("--since", "2026-10-20T09:50"), [*range(3000, COUNT), *range(TWICE)]),  # 07:50Z
    (("--until", moment(10)), range(10)),
    (("--since", moment(100), "--until", moment(110)), range(100, 110)),
    (("--until", "2026-10-19"), range(0)),
    (("--since", "2026-10-21"), range(0)),
)


@pytest.mark.parametrize(("words", "numbers"), PLACES, ids=[" ".join(words) for words, _ in PLACES])
def test_a_part_by_when_it_was_written(bootstrap: str, words: tuple[str, ...], numbers: Iterable[int]) -> None:
    assert sorted(lines(bootstrap, "--json", *words)) == written(*numbers)


async def test_a_part_by_offset_begins_at_that_record(bootstrap: str) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    tp = TopicPartition(LOG, 1)
    consumer.assign([tp])
    consumer.seek(tp, 17)
    record = await consumer.getone()
    end = (await consumer.end_offsets([tp]))[tp]
    await consumer.stop()

    found = await asyncio.to_thread(lines, bootstrap, "--all", "--json", "--from", "1:17")
    assert found[0] == record.value
    assert 0 < len(found) < end
    assert await asyncio.to_thread(lines, bootstrap, "--json", "--from", f"1:{end}") == []
    past = await asyncio.to_thread(command, "log", "--from", f"1:{end + 1}", bootstrap=bootstrap)
    assert (past.returncode, past.stderr) == (2, f"partition 1 of delivery-log ends at offset {end}, before {end + 1}\n")
    absent = await asyncio.to_thread(command, "log", "--from", "9:0", bootstrap=bootstrap)
    assert (absent.returncode, absent.stderr) == (2, "delivery-log has no partition 9: it has 0 to 2\n")


async def test_following_gives_what_comes_and_reading_leaves_no_trace(bootstrap: str) -> None:
    words = [sys.executable, "-m", "agents", "log", "--follow", "--json", "--since", moment(COUNT + TWICE + 100)]
    process = await asyncio.create_subprocess_exec(
        *words, "--client", "newcomer", env=environ(bootstrap=bootstrap), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    late = orjson.loads(VALUES[0][1]) | {"client": "newcomer", "message": "late", "status": "expired"}
    try:
        async with Feeder(bootstrap) as feeder:
            found = b""
            for number in range(60):  # until it has begun to follow
                await feeder.feed([Event(LOG, "org0/newcomer", {**late, "attempt": number})])
                try:
                    found = await asyncio.wait_for(process.stdout.readline(), 1)
                    break
                except TimeoutError:
                    continue
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert orjson.loads(found)["message"] == "late"
    assert process.returncode == 0
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    groups = [name for name, _ in await admin.list_consumer_groups()]
    assert [name for name in groups if not name.startswith("console-consumer-")] == []  # Kafka's own tool has one
    await admin.close()


def test_the_bill_of_a_month_is_what_the_rows_say(bootstrap: str) -> None:
    zones = {"org0": "America/Curacao", "org1": "Pacific/Auckland"}
    parts: Counter[str] = Counter()
    money: dict[str, Decimal] = defaultdict(Decimal)
    for entry in (orjson.loads(value) for _, value in VALUES[:COUNT]):
        local = datetime.fromisoformat(entry["at"]).astimezone(ZoneInfo(zones.get(entry["organisation"], "Europe/Amsterdam")))
        if entry["cost"] and (local.year, local.month) == (2026, 10):
            parts[entry["organisation"]] += entry["parts"]
            money[entry["cost"]["currency"]] += Decimal(str(entry["cost"]["amount"]))
    assert len(parts) > 200

    found = command("costs", "--month", "2026-10", "--csv", bootstrap=bootstrap)
    rows = list(csv.DictReader(io.StringIO(found.stdout)))

    assert found.returncode == 0, found.stderr
    counted: Counter[str] = Counter()
    for row in rows:
        if row["what"] == "sms":
            counted[row["organisation"]] += int(row["parts"])
            assert Decimal(row["amount"]) == int(row["parts"]) * Decimal(row["unit_price"])
    assert counted == parts
    for currency, amount in money.items():
        assert sum(Decimal(row["amount"]) for row in rows if row["currency"] == currency) == amount
    one = next(row["organisation"] for row in rows if row["what"] == "email")
    shown = command("costs", "--month", "2026-10", "--organisation", one, bootstrap=bootstrap).stdout
    assert f"  {sum(int(row['messages']) for row in rows if row['organisation'] == one and row['what'] == 'email')}  " in shown
    assert {line.split()[0] for line in shown.splitlines()[2:]} == {one, "total"}


def test_what_is_no_record_and_what_is_newer_is_named(bootstrap: str) -> None:
    async def feed(value: Any) -> None:
        async with Feeder(bootstrap) as feeder:
            await feeder.feed([Event(LOG, "org0/odd", value)])

    asyncio.run(feed(b"no record"))
    asyncio.run(feed({**orjson.loads(VALUES[0][1]), "message": "odd"}))
    found = command("log", "--json", "--client", VALUES[0][0].split("/")[1], bootstrap=bootstrap)
    assert found.returncode == 2
    assert found.stdout
    assert found.stderr.count("\n") == 1
    assert "not a record: JSON is malformed" in found.stderr

    asyncio.run(feed({**orjson.loads(VALUES[0][1]), "schema": 3}))
    for words in (("log",), ("costs", "--month", "2026-11")):
        newer = command(*words, bootstrap=bootstrap)
        assert newer.returncode == 2
        assert newer.stderr.endswith("the delivery log has records of schema 3, and this program reads 2: update it\n")


def test_no_topic_is_one_line(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path, None) as broker:
        events = ("feed", "tests/examples/first.jsonl")
        for words in (("log",), ("costs", "--month", "2026-11"), events, ("why", "linde/anna"), ("project",)):
            found = command(*words, bootstrap=broker.bootstrap, data=tmp_path / "data")
            assert found.returncode == 2
            assert " does not exist: run `afspraakbericht topics` first, or look at the settings\n" in found.stderr
            assert found.stderr.count("\n") == 1
