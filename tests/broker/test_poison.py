"""Records that nobody should have written, on our own topics, at a real broker: the worker sets them aside and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio

from agents.engine.transport.partitioner import partition_for
from agents.exits import REFUSED
from agents.kafka.writer import Event

from .harness import INTERNAL, Stand, client, command, settings, visit

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="module")]

START = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30)

OWN = (*INTERNAL, "delivery-reports")
JUNK: list[bytes | None] = [
    b"", b"junk", b"null", b"[]", b"\xff\xfe", b"[" * 5000, b'{"organisation":"\xff"}', b'{"organisation":1}', None,
]  # fmt: skip
KEYS = [None, b"", b"\xff", b"gif", b"gif/anna", b"gif/anna/x"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One broker for all tests."""
    async with Stand(tmp_path_factory.mktemp("stand")) as made:
        yield made


def changelog(stand: Stand) -> str:
    return f"{stand.application}-notices-changelog"


async def test_junk_and_nulls_with_any_key_on_each_topic_of_ours_are_set_aside_and_a_good_event_behind_them_is_told(
    stand: Stand,
) -> None:
    worker = stand.worker()
    await stand.feed(settings("gif"), client("gif", "anna", "sms"))
    await stand.settled()
    written: dict[tuple[str, int, int], tuple[bytes | None, bytes | None]] = {}
    for topic in OWN:
        for key in KEYS:
            for value in JUNK:
                if topic.startswith("deliveries") and (key, value) == (b"gif/anna", None):
                    continue  # that is how a client's messages are erased
                batch = stand.feeder.producer.create_batch()  # `send` does not write a record of nothing at all
                batch.append(key=key, value=value, timestamp=None)
                partition = len(written) % stand.partitions
                sent = await (await stand.feeder.producer.send_batch(batch, topic, partition=partition))
                written[topic, sent.partition, sent.offset] = (key, value)
    other_zones = {"organisation": "gif", "settings": settings("gif", time_zone="posix/Mars").value}
    await stand.feed(
        Event("client-events", "gif", other_zones), Event("client-events", "gif", {"organisation": "gif", "later": {}})
    )
    await stand.feed(visit("gif", "a", 1, START, "anna"))
    assert await stand.texts("gif", 1)
    await stand.until(lambda: stand.taken_in(OWN), "all is taken in")

    found, places = {}, {}
    for record in await stand.records("dead-letters"):
        topic, partition, offset, _, reason = (value.decode() for _, value in record.headers)
        found[topic, int(partition), int(offset)] = (record.key, record.value)
        places[f"set aside {topic}/{partition}, offset {offset}: {reason}"] = record
    assert written.items() <= found.items(), "every byte is kept, with its place"
    assert len(found) == len(written) + 2
    assert [line for line in places if line not in worker.output] == []
    assert await worker.stop() == 0


async def refused(stand: Stand, offset: int, partition: int, why: str) -> None:
    """A worker does not start, and says where the row is; not whose."""
    worker = stand.worker()
    assert await worker.end() == REFUSED
    (line,) = [line for line in worker.output.splitlines() if "cannot start" in line]
    assert f"cannot start: {changelog(stand)}/{partition}, offset {offset}: the row of " in line
    assert why in line
    assert "RUNBOOK.md, Poison" in line
    assert "anna" not in worker.output


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (b"consents/rij/anna", b"junk", "JSON is malformed"),
        (b"consents/rij/anna", b'{"organisation":"rij","client":"anna"}', "Object missing required field `notifications`"),
        (b"agendas/rij/anna/x", b"{}", "its key is not organisation/client"),
        (b"\xff\x00", b"1", "it is of no table of this version"),
    ],
)
async def test_a_bad_row_in_a_changelog_is_refused_with_its_place_and_mended_by_a_command(
    stand: Stand, key: bytes, value: bytes, why: str
) -> None:
    """As somebody's hand, or a worker of another version, wrote it while no worker ran."""
    worker = stand.worker()
    organisation = f"rij{len(stand.workers)}"
    key, value = (one.replace(b"rij", organisation.encode()) for one in (key, value))
    await stand.feed(settings(organisation), client(organisation, "anna", "sms"))
    await stand.settled()
    assert await worker.stop() == 0
    partition = partition_for(f"{organisation}/anna".encode(), stand.partitions)
    sent: Any = await stand.feeder.producer.send_and_wait(changelog(stand), value, key, partition=partition)
    await refused(stand, sent.offset, partition, why)

    words = ("mend-row", changelog(stand), str(partition), str(sent.offset))
    looked = command(*words, "--dry-run", **stand.settings())
    assert (looked.returncode, looked.stderr) == (0, "")
    await refused(stand, sent.offset, partition, why)
    mended = command(*words, **stand.settings())
    assert (mended.returncode, mended.stderr) == (0, "")
    again = command(*words, **stand.settings())
    assert again.returncode == 1
    assert "the row was written again since" in again.stderr

    worker = stand.worker()
    await stand.feed(visit(organisation, "a", 1, START, "anna"))
    assert await stand.texts(organisation, 1), "the consent that was overwritten is there again"
    assert await worker.stop() == 0


async def test_a_bad_row_that_somebody_writes_while_a_worker_runs_is_put_right_by_it(stand: Stand) -> None:
    worker = stand.worker()
    await stand.feed(settings("bij"), client("bij", "anna", "sms"))
    await stand.settled()
    partition = partition_for(b"bij/anna", stand.partitions)
    await stand.feeder.producer.send_and_wait(changelog(stand), b"junk", b"consents/bij/anna", partition=partition)
    await stand.feed(visit("bij", "a", 1, START, "anna"))
    await stand.texts("bij", 1)
    assert await worker.stop() == 0
    worker = stand.worker()
    await stand.feed(visit("bij", "b", 1, START + timedelta(days=1), "anna"))
    await stand.texts("bij", 2)
    assert await worker.stop() == 0


async def test_a_letter_is_listed_shown_to_whom_it_is_logged_and_given_again_once_what_refused_it_is_mended(stand: Stand) -> None:
    """An appointment that an operator had skipped, since our code failed on it."""
    await stand.feed(settings("brief"), client("brief", "anna", "sms"), Event("consents", "brief/bert", b"junk"))
    event = visit("brief", "a", 1, START, "anna")
    headers = [("ce_id", b"17"), ("baggage", b"client=anna")]
    key = b"brief/a"
    sent = await stand.feeder.producer.send_and_wait(event.topic, orjson.dumps(event.value), key, headers=headers)
    worker = stand.worker(skip_records=f"appointments/{sent.partition}/{sent.offset}")
    await stand.until(lambda: stand.taken_in(("appointments", "consents")), "both are set aside")
    assert await worker.stop() == 0

    alone = command("status", "--json", **stand.settings())
    assert (alone.returncode, orjson.loads(alone.stdout)["workers"]) == (2, 0)
    chosen = ("--topic", "appointments", "--reason", "operator has it skipped")
    listed = command("dead-letters", *chosen, "--json", **stand.settings())
    (group,) = map(orjson.loads, listed.stdout.splitlines())
    assert (listed.returncode, group["letters"], group["again"]) == (0, 1, 1)
    shown = command("dead-letters", "show", *chosen, "--json", **stand.settings())
    (letter,) = map(orjson.loads, shown.stdout.splitlines())
    assert orjson.loads(letter["value"]) == event.value
    assert (letter["from"], letter["headers"]) == (f"appointments/{sent.partition}/{sent.offset}", {"ce_id": "17"})
    looked = command("access", "brief/anna", "--json", **stand.settings())
    actions = [(entry["action"], entry["clients"]) for entry in map(orjson.loads, looked.stdout.splitlines())]
    assert ("dead-letters", ["anna"]) in actions, "who showed it is found under the client"
    assert await stand.log("brief") == []

    again = command("dead-letters", "again", *chosen, **stand.settings())
    assert (again.returncode, again.stdout) == (0, "1 given again, 0 left\n")
    worker = stand.worker(session_timeout_seconds=60)  # it is frozen below for as long as a command takes
    assert await stand.texts("brief", 1)
    await stand.settled()
    status = command("status", "--json", **stand.settings())
    found = orjson.loads(status.stdout)
    assert (status.returncode, found["workers"], found["late"], found["holding"]) == (1, 1, {}, 0)
    assert found["dead_letters"]["appointments"] >= 1
    worker.freeze()
    await stand.feed(visit("brief", "b", 1, START + timedelta(days=1), "anna"))
    await asyncio.sleep(1.5)
    stuck = command("status", "--json", "--late", "1", **stand.settings())
    worker.thaw()
    assert (stuck.returncode, orjson.loads(stuck.stdout)["late"]) == (2, {"appointments": 1})
    last = [record for record in await stand.records("appointments") if record.key == key][-1]
    assert (orjson.loads(last.value), last.headers) == (event.value, (("ce_id", b"17"),)), "as it was"
    assert await worker.stop() == 0
    consents = command("dead-letters", "again", "--topic", "consents", **stand.settings())
    assert consents.returncode == 1
    assert "have upstream send it anew" in consents.stdout


async def test_what_is_no_row_is_not_mended(stand: Stand) -> None:
    for words, told in (
        (("appointments", "0", "0"), f"appointments is no changelog of the application {stand.application}"),
        ((changelog(stand), "99", "0"), f"{changelog(stand)} has no partition 99"),
    ):
        done = command("mend-row", *words, **stand.settings())
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{told}\n")
    done = command("mend-row", changelog(stand), "0", "999999", **stand.settings())
    assert done.returncode == 1
    assert "has no row at offset 999999" in done.stderr
