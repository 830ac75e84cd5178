"""The worker as an operator and an upstream service meet it: what it refuses, what it says, how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiokafka.admin import NewPartitions

from agents.broker.probe import free_ports
from agents.engine.state.outbox import FORMAT_KEY
from agents.exits import NOT_YET, REFUSED
from agents.kafka.writer import Event
from schemas.topics import AUDIT_LOG, DELIVERY_LOG, ROWS

from .harness import Stand, address, client, command, number, request, settings, visit

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="module")]

START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One broker for all tests; each has an organisation of its own."""
    async with Stand(tmp_path_factory.mktemp("stand")) as made:
        yield made


def changed(event: Event, **values: Any) -> Event:
    return Event(event.topic, event.key, {**event.value, **values})


GOOD = visit("slecht", "a", 1, START, "anna")
BAD: dict[str, tuple[Event, str]] = {
    "not JSON": (Event("appointments", "slecht/a", b'{"organisation": "slecht", "appoint'), "not JSON"),
    "not UTF-8": (Event("appointments", "slecht/a", b'{"organisation": "\xff"}'), "not JSON"),
    "a list": (Event("appointments", "slecht/a", b"[]"), "Expected `object`"),
    "a wrong type": (changed(GOOD, revision="1"), "$.revision"),
    "a missing field": (Event("appointments", "slecht/a", {"organisation": "slecht"}), "`appointment`"),
    "a time without offset": (changed(GOOD, start="2030-01-01T10:00:00"), "$.start"),
    "an end before its start": (changed(GOOD, end=(START - timedelta(minutes=1)).isoformat()), "$.end"),
    "a key that does not match": (Event("appointments", "slecht/b", GOOD.value), "key"),
    "no key": (Event("appointments", None, GOOD.value), "key"),
    "more than 1000 clients": (visit("slecht", "a", 1, START, *(f"c{n}" for n in range(1001))), "$.clients"),
    "a slash in an id": (changed(GOOD, clients=[{"client": "a/b", "present": True}]), "$.clients[0].client"),
    "an unknown time zone": (settings("slecht", time_zone="Europe/Amsterdm"), "$.time_zone"),
    "a template that is too long": (
        settings("slecht", email={"from": "zorg@slecht.example", "before": "x" * 201}), "$.email.before"
    ),
    "a null request": (Event("requests", "slecht/anna", None), "null"),
    "a null opt-out": (Event("opt-outs", "slecht/anna", None), "null"),
    "a link that is not https": (request("slecht", "anna", "r", "http://slecht.example"), "$.text"),
    # What of these can be used counts, so they are another client's.
    "a channel that is no text": (changed(client("slecht", "bob")[0], channels=["sms", 1]), "$.channels[1]"),
    "a contact that is a text": (changed(client("slecht", "bob")[1], sms="0612345678"), "$.sms"),
    "a null appointment without ids": (Event("appointments", "slecht", None), "key"),
}  # fmt: skip


async def test_bad_input_is_set_aside_and_the_next_good_event_is_handled(stand: Stand) -> None:
    worker = stand.worker()
    await stand.feed(settings("slecht"), client("slecht", "anna", "sms"))
    await stand.settled()
    wanted = {}
    for event, names in BAD.values():
        key = event.key.encode() if event.key is not None else None
        value = event.value if event.value is None or isinstance(event.value, bytes) else orjson.dumps(event.value)
        sent = await stand.feeder.producer.send_and_wait(event.topic, value, key)
        wanted[sent.topic, sent.partition, sent.offset] = (key, value, names)
    for topic in ("appointments", "consents", "organisations"):
        sent = await stand.feeder.producer.send_and_wait(topic, None, b"\xff\xfe/\x00")
        wanted[sent.topic, sent.partition, sent.offset] = (b"\xff\xfe/\x00", None, "key")
    await stand.feed(GOOD)
    await stand.settled()

    assert await stand.texts("slecht", 1), "the good event is handled, under the last good settings"
    found = {}
    for record in await stand.records("dead-letters"):
        headers = {name: value.decode() for name, value in record.headers}
        assert set(headers) == {"topic", "partition", "offset", "written", "reason"}
        place = (headers["topic"], int(headers["partition"]), int(headers["offset"]))
        assert place not in found, "set aside twice"
        found[place] = (record.key, record.value, headers["reason"])
    assert found.keys() == wanted.keys()
    for place, (key, value, names) in wanted.items():
        assert found[place][:2] == (key, value), "the bytes are the original ones"
        assert names in found[place][2], place
        assert "slecht" not in found[place][2], "a reason holds no value of the event"
    assert await worker.stop() == 0


async def test_sigterm_ends_it_well_and_a_restart_repeats_nothing(stand: Stand) -> None:
    worker = stand.worker()
    names = [f"c{n}" for n in range(50)]
    await stand.feed(settings("einde"), [event for name in names for event in client("einde", name, "sms")])
    await stand.settled()
    await stand.feed(visit("einde", f"a{n}", 1, START + timedelta(days=n), *names) for n in range(4))
    await stand.until(lambda: some_sent(stand), "the first are sent")
    assert await worker.stop() == 0
    at_the_stop = [entry for entry in await stand.log("einde") if entry["status"] == "sent"]
    mine = {number("einde", name) for name in names}
    assert len(at_the_stop) == sum(to in mine for to, _ in stand.received_sms()), "what was under way was waited for, and logged"

    again = stand.worker()
    await stand.logged(4 * len(names), "einde")
    await stand.settled()
    assert {entry["status"] for entry in await stand.log("einde")} == {"sent"}
    assert sum(to in mine for to, _ in stand.received_sms()) == 4 * len(names)
    assert await again.stop() == 0


async def test_what_it_wrote_says_what_it_is_and_rows_of_a_newer_version_are_left_alone(stand: Stand) -> None:
    """In headers of what others read; in a row of each changelog, of which one is here as a newer version would have it."""
    worker = stand.worker()
    await stand.feed(settings("later"), client("later", "anna", "sms"), visit("later", "a", 1, START, "anna"))
    await stand.logged(1, "later")
    assert await worker.stop() == 0
    said = {(one.topic, tuple(one.headers)) for topic in (DELIVERY_LOG, AUDIT_LOG) for one in await stand.records(topic.name)}
    assert said == {(topic.name, topic.headers) for topic in (DELIVERY_LOG, AUDIT_LOG)}
    changelog = f"{stand.application}-notices-changelog"
    formats = [one for one in await stand.records(changelog) if one.key == FORMAT_KEY]
    assert {(one.partition, one.value) for one in formats} == {(p, b"%d" % ROWS) for p in range(stand.partitions)}

    await stand.feeder.producer.send_and_wait(changelog, b"%d" % (ROWS + 1), FORMAT_KEY, partition=1)
    refused = stand.worker()
    assert await refused.end() == REFUSED
    assert (
        f"{changelog}/1 has rows of format {ROWS + 1}, and this version knows {ROWS}: a newer version wrote them"
        in refused.output
    )
    await stand.feeder.producer.send_and_wait(changelog, b"%d" % ROWS, FORMAT_KEY, partition=1)
    back = stand.worker()
    await stand.feed(visit("later", "b", 1, START, "anna"))
    await stand.logged(2, "later")  # it works: all there was is settled before it has begun
    assert await back.stop() == 0


async def some_sent(stand: Stand) -> bool:
    return len(await stand.log("einde")) > 20


async def test_its_log_holds_nothing_of_a_client(stand: Stand) -> None:
    """Names, numbers, addresses and texts are marked, and looked for; also where a provider fails."""
    mark = "Geheim"
    worker = stand.worker(log_level="debug")
    sms = {"originator": "Zorg", "before": f"{mark}1:", "unit_price": 0.08}
    email = {"from": f"{mark}2 <zorg@geheim.example>", "before": f"{mark}3"}
    await stand.feed(settings("prive", sms=sms, email=email, name=f"{mark}4"))
    await stand.feed(client("prive", "geheim-anna", "sms"), client("prive", "geheim-bram", "email"))
    await stand.feed(client("prive", "geheim-cor", "sms"))
    await stand.settled()
    stand.sms.program(answer="no_recipient", times=1)
    await stand.feed(visit("prive", "bij-geheim-cor", 1, START, "geheim-cor"))
    await stand.logged(3, "prive")
    asked = request("prive", "geheim-anna", "r1", f"{mark}5 https://geheim.example/token")
    wrong = changed(visit("prive", "x", 1, START, "geheim-anna", location=f"{mark}6"), end="geheim-einde")
    for name in ("geheim-anna", "geheim-bram"):
        await stand.feed(visit("prive", f"bij-{name}", 1, START, name, location=f"{mark}7"))
    await stand.feed(asked, wrong, Event("appointments", "prive/y", f'{{"{mark}8": '.encode()))
    await stand.logged(6, "prive")
    assert await worker.stop() == 0
    statuses = sorted((entry["client"], entry["status"]) for entry in await stand.log("prive"))
    assert statuses == [
        ("geheim-anna", "sent"), ("geheim-anna", "sent"), ("geheim-bram", "sent"),
        ("geheim-cor", "failed"), ("geheim-cor", "superseded"), ("geheim-cor", "suppressed"),
    ]  # fmt: skip

    said = worker.output.lower()
    secrets = [
        "geheim",
        *(number("prive", name)[1:] for name in ("geheim-anna", "geheim-bram", "geheim-cor")),
        "er is een afspraak",
    ]
    assert said
    assert [secret for secret in secrets if secret in said] == []
    assert address("prive", "geheim-bram") not in said
    for entry in await stand.log("prive"):
        assert entry["address"] not in (number("prive", "geheim-anna"), address("prive", "geheim-bram")), "masked"
        assert f"{mark}5" not in orjson.dumps(entry).decode(), "a request's text is not logged"


async def test_without_a_broker_it_says_so_in_a_line(stand: Stand) -> None:
    done = command("worker", **stand.settings(bootstrap=f"127.0.0.1:{free_ports(1)[0]}"))
    assert done.returncode == NOT_YET
    assert_one_line(done.stderr, "127.0.0.1")


async def test_a_data_folder_that_cannot_be_made_is_said_in_a_line(stand: Stand) -> None:
    done = command("worker", **stand.settings(data=stand.kafka.log / "below-a-file"))
    assert done.returncode == 2
    assert_one_line(done.stderr, "AFSPRAAKBERICHT_DATA")


async def test_other_partition_counts_than_configured_are_said_in_a_line(stand: Stand) -> None:
    done = command("worker", **stand.settings(partitions=stand.partitions + 1))
    assert done.returncode == 2
    assert_one_line(done.stderr, f"has {stand.partitions} partitions")


async def test_a_missing_topic_is_said_in_a_line(stand: Stand) -> None:
    done = command("worker", **stand.settings(application="another"))
    assert done.returncode == NOT_YET
    assert_one_line(done.stderr, "another-")


async def test_zz_one_topic_with_another_count_is_said_in_a_line(stand: Stand) -> None:
    """Last: the topics are of no use after it."""
    await stand.admin.create_partitions({"consents": NewPartitions(total_count=stand.partitions + 1)})
    done = command("worker", **stand.settings())
    assert done.returncode == 2
    assert_one_line(done.stderr, "consents has 5 partitions")


def assert_one_line(said: str, names: str) -> None:
    lines = [line for line in said.strip().splitlines() if '"event":"starting a worker"' not in line]
    assert len(lines) == 1, said
    assert names in lines[0]
    assert "Traceback" not in said
