"""`why` and `replay --dry-run` on what a real worker decided; and that looking moves and writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.engine.transport.partitioner import partition_for
from agents.kafka.topics import stores
from agents.kafka.writer import Event
from schemas.deliveries import SCHEMA
from schemas.topics import TOPICS, changelog

from .harness import Stand, address, client, command, number, request, settings, visit

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="module")]

START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)
EARLY = "2026-01-01T00:00:00Z"
OPTED_OUT = {"organisation": "linde", "client": "iris", "channel": "sms", "off": True, "source": "link"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """A worker that has decided some things. What is told to `gert` is refused, and one SMS is of unknown outcome."""
    async with Stand(tmp_path_factory.mktemp("stand"), own=True) as made:
        # What is there before its first start, appointments first: it takes in settings and clients before them.
        await made.feed(visit("linde", "a1", 1, START, "anna", "hans", location="De Linde"))
        await made.feed(
            settings("linde", 1, 4), settings("plein"), client("linde", "anna", "sms"), client("plein", "bram", "email")
        )
        await made.feed(
            client("linde", "hans", "sms", confirmed=False), client("linde", "iris", "sms"), client("plein", "gert", "sms")
        )
        await made.feed(Event("opt-outs", "linde/iris", OPTED_OUT))
        made.worker()
        await made.logged(2)
        made.sms.program(answer="no_recipient", times=1)
        await made.feed(visit("plein", "g1", 1, START, "gert"))
        await made.logged(5)  # failed, superseded (rerouted), and decided anew: no channel is left
        await made.settled()
        await made.feed(visit("plein", "g2", 1, START + timedelta(days=1), "gert"), visit("linde", "i1", 1, START, "iris"))
        await made.feed(visit("plein", "b1", 1, START, "bram"), request("plein", "bram", "r1", "Wilt u de lijst invullen?"))
        await made.logged(9)
        await made.feed(visit("linde", "a1", 2, START + timedelta(hours=1), "anna", "hans", location="De Linde"))
        await made.logged(11)
        later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        await made.feed(request("linde", "anna", "later", "Tot later", send_at=later))
        await made.settled()
        yield made


async def state(stand: Stand) -> dict[Any, Any]:
    """Ends of all topics, the groups, and what the worker's group has committed."""
    names = [topic.name for topic in TOPICS] + [changelog(stand.application, store).name for store in stores()]
    tps = [TopicPartition(name, p) for name in names for p in range(stand.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=stand.kafka.bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(tps)
    finally:
        await consumer.stop()
    committed = await stand.admin.list_consumer_group_offsets(stand.application)
    groups = sorted(name for name, *_ in await stand.admin.list_consumer_groups())
    return {"ends": ends, "committed": {tp: one.offset for tp, one in committed.items()}, "groups": groups}


def look(stand: Stand, *words: str) -> str:
    done = command(*words, **stand.settings())
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


async def test_why_says_what_the_worker_decided(stand: Stand) -> None:
    anna, hans = look(stand, "why", "linde/anna"), look(stand, "why", "linde/hans")

    assert "sent by sms" in anna
    assert "moved a1" in anna
    assert "is verplaatst naar" in anna
    assert "Locatie: De Linde" in anna
    assert "request roqua/later: waits until" in anna
    assert "contact_unconfirmed: closed – sms: not confirmed" in hans
    assert hans.count("contact_unconfirmed – no listed channel had") == 2
    assert "still to be taken in" not in anna.lower()
    assert "client_off: closed – every listed channel is opted out: sms by link" in look(stand, "why", "linde/iris")
    gert = look(stand, "why", "plein/gert")
    assert "a provider said that it takes no messages" in gert
    assert "it was refused for good" in gert
    for shown, organisation, name in ((anna, "linde", "anna"), (hans, "linde", "hans"), (gert, "plein", "gert")):
        assert number(organisation, name)[3:] not in shown
        assert address(organisation, name) not in shown


async def test_why_of_one_appointment_and_a_period_for_programs(stand: Stand) -> None:
    plain = orjson.loads(look(stand, "why", "plein/gert", "--appointment", "g2", "--json"))
    assert [one["appointment"] for one in plain["appointments"]] == ["g2"]
    assert [(one["status"], one["detail"]) for one in plain["history"]] == [("suppressed", "contact_unconfirmed")]

    late = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert orjson.loads(look(stand, "why", "plein/gert", "--since", late, "--json"))["history"] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["why", "linde/niemand"], 1, "nothing is kept of client niemand of organisation linde"),
        (["why", "linde"], 2, "expected two ids joined by '/'"),
        (["why", "linde/anna/a1"], 2, "expected two ids joined by '/'"),
        (["why", "linde/anna", "--since", "gisteren"], 2, "--since"),
        (["replay"], 2, "replay only compares: give --dry-run. A replay that sends does not exist."),
        (["replay", "--dry-run", "--since", "2026-02-01T00:00:00Z", "--until", EARLY], 2, "--since is after --until"),
        (["replay", "--dry-run", "--organisations", "none.json"], 2, "none.json: No such file"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_said(stand: Stand, words: list[str], code: int, said: str) -> None:
    done = command(*words, **stand.settings())

    assert done.returncode == code
    assert said in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


async def test_under_the_rules_it_was_decided_by_nothing_differs(stand: Stand) -> None:
    found = orjson.loads(look(stand, "replay", "--dry-run", "--json"))

    assert found["differences"] == []
    assert found["same"] == 9
    assert "9 notices are the same." in look(stand, "replay", "--dry-run")


async def test_other_settings_show_what_they_would_change(stand: Stand, tmp_path: Path) -> None:
    file = tmp_path / "anders.json"
    value = settings("linde", 1, 4).value
    file.write_bytes(orjson.dumps({**value, "sms": {**value["sms"], "before": "De Linde:"}}))
    found = orjson.loads(look(stand, "replay", "--dry-run", "--organisations", str(file), "--json"))

    assert [(one["what"], one["client"], one["notices"][0]["kind"]) for one in found["differences"]] == [
        ("text", "anna", "created"), ("text", "anna", "moved"),
    ]  # fmt: skip
    for one in found["differences"]:
        assert one["rules"]["text"] == f"De Linde: {one['log']['text']}"

    file.write_bytes(orjson.dumps(settings("plein", notifications=False).value))
    shown = look(stand, "replay", "--dry-run", "--organisation", "plein", "--organisations", str(file))
    assert "suppressed organisation_off" in shown
    assert "linde" not in shown
    assert "1 notice is the same" in shown, "of g2: gert's contact was refused, a gate that comes before the organisation's"
    assert shown.count("another outcome") == 3 + 1, shown


async def test_what_was_decided_outside_the_period_is_not_compared(stand: Stand) -> None:
    early = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    found = orjson.loads(look(stand, "replay", "--dry-run", "--until", early, "--json"))

    assert (found["same"], found["differences"]) == (0, [])


async def test_looking_back_writes_nothing_and_moves_nothing(stand: Stand) -> None:
    assert await stand.workers[0].stop() == 0
    before = await state(stand)
    assert sum(before["ends"].values()) > 50
    assert before["committed"]
    look(stand, "why", "linde/anna")
    look(stand, "replay", "--dry-run")

    after = await state(stand)
    looked = sum(after["ends"][tp] - before["ends"][tp] for tp in after["ends"] if tp.topic == "access-log")
    assert looked == 2
    for ends in (before["ends"], after["ends"]):
        for tp in [tp for tp in ends if tp.topic == "access-log"]:
            del ends[tp]
    assert after == before


async def log_of_anna(stand: Stand, *values: bytes) -> None:
    """Write where the worker writes what became of anna's messages."""
    producer, key = AIOKafkaProducer(bootstrap_servers=stand.kafka.bootstrap), b"linde/anna"
    await producer.start()
    for value in values:
        await producer.send_and_wait("delivery-log", value, key, partition_for(key, stand.partitions))
    await producer.stop()


async def test_junk_on_the_log_is_named_by_every_command_and_what_is_newer_stops_it(stand: Stand) -> None:
    """The last test of this file: what it writes stays."""
    await log_of_anna(stand, b"{", b'{"message":"m"}')
    commands = (
        ("why", "linde/anna"), ("replay", "--dry-run"), ("replay", "--dry-run", "--json"), ("log",), ("log", "--all"),
        ("log", "--format", "csv"), ("costs", "--month", f"{datetime.now(UTC):%Y-%m}"),
    )  # fmt: skip
    for words in commands:
        done = command(*words, **stand.settings())
        assert (done.returncode, done.stderr.count("\n")) == (2, 2), (words, done.stderr)
        assert all(": not a record: " in line and line.startswith("delivery-log/") for line in done.stderr.splitlines()), words
        assert done.stdout, words

    await log_of_anna(stand, b'{"schema":99,"message":7}')
    for words in commands:
        done = command(*words, **stand.settings())
        assert (done.returncode, done.stderr.splitlines()[-1]) == (
            2, f"the delivery log has records of schema 99, and this program reads {SCHEMA}: update it",
        ), words  # fmt: skip
        assert "Traceback" not in done.stderr
