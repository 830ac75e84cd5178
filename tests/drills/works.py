"""Planned and unplanned work of RUNBOOK.md, each as it says there, on a `Scene` that goes on telling meanwhile."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import time
from datetime import timedelta

import orjson
from aiokafka.admin import AIOKafkaAdminClient

from agents.kafka.writer import Feeder
from tests.broker.console import tool
from tests.broker.harness import ROOT, visit
from tests.chaos import leaders

from .scene import Scene
from .upstream import settings_of

OUTAGE_SECONDS = 20.0
JOINED = [f"n{number}" for number in range(20)]
ERASED = ("linde", "wis")


async def first_start(scene: Scene) -> None:
    """The version before: topics, workers, web; organisations off, clients, organisations on."""
    site, upstream = scene.site, scene.upstream
    await scene.run("setup", "topics")
    for number in (1, 2, 3):
        site.worker(number)
    site.web.start()
    scene.did("systemctl enable --now afspraakbericht@1 afspraakbericht@2 afspraakbericht@3 afspraakbericht-web")
    await scene.ready()
    await upstream.connect(site.brokers.login, site.security("upstream"))
    scene.did("upstream writes organisations (`notifications` false), consents, contacts; topic_lag_records 0; organisations on")
    await upstream.write([*upstream.organisations(on=False), *upstream.cast()])
    await scene.read_in()
    await upstream.write(upstream.organisations(on=True))
    await scene.read_in()
    scene.marks["load"] = asyncio.create_task(upstream.run())
    await asyncio.sleep(scene.calm)


async def set_rights(scene: Scene, plain: str | None = None) -> None:
    """Run what `afspraakbericht rights` prints, each call by Kafka's own tool, as an administrator; `plain`: of another Kafka."""
    named = [word for role, name in scene.site.names.items() for word in ("--principal", f"{role}=User:{name}")]
    printed = await scene.run("setup", "rights", *named)
    await give(scene, printed, plain or scene.site.brokers.plain)


async def give(scene: Scene, script: str, plain: str) -> None:
    """Carry out a script of `afspraakbericht rights`."""
    scene.did("sh rights.sh --bootstrap-server … --command-config admin.properties")
    for line in script.splitlines():
        if line.startswith("kafka-acls.sh "):
            words = shlex.split(line.removeprefix('kafka-acls.sh "$@" '))
            await asyncio.to_thread(tool, "AclCommand", "--bootstrap-server", plain, *words)


async def upgrade(scene: Scene) -> None:
    """From 61a36ae, by RELEASES.md: users and topics, then the web, then all workers at once, for there is a new input topic."""
    site = scene.site
    site.upgraded = True
    site.machine.install(ROOT)
    site.set(kafka_user=None)
    await set_rights(scene)
    await scene.run("setup", "topics", "--check", codes=(0, 1, 2, 75))
    await scene.run("setup", "topics")
    scene.did("systemctl restart afspraakbericht-web")
    await site.web.stop()
    site.web.start()
    await scene.until(site.web_is_ready, "the web is back")
    scene.did("systemctl stop afspraakbericht@1 afspraakbericht@2 afspraakbericht@3; then start")
    await asyncio.gather(*(unit.stop() for unit in site.workers.values()))
    for number in list(site.workers):
        site.worker(number)
    await scene.upstream.connect(site.brokers.login, site.security("upstream"))
    await scene.ready()
    await asyncio.sleep(scene.calm)


async def scale(scene: Scene) -> None:
    """Two workers more, in steps, and away again."""
    for number in (4, 5):
        scene.did(f"systemctl start afspraakbericht@{number}")
        scene.site.worker(number)
        await scene.ready()
        await asyncio.sleep(scene.calm / 2)
    for number in (5, 4):
        scene.did(f"systemctl stop afspraakbericht@{number}")
        scene.check(await scene.site.end_worker(number) == 0, f"worker {number} did not end with 0")
        await scene.ready()
        await asyncio.sleep(scene.calm / 2)


async def roll(scene: Scene) -> None:
    """Every worker, one by one, each when the one before is ready."""
    for number, unit in scene.site.workers.items():
        scene.did(f"systemctl restart afspraakbericht@{number}")
        scene.check(await unit.stop() == 0, f"worker {number} did not end with 0")
        unit.start()
        await scene.ready()


async def roll_under_load(scene: Scene) -> None:
    """A restart of all, as an upgrade to the next version is."""
    await asyncio.sleep(scene.calm / 2)
    await roll(scene)
    await asyncio.sleep(scene.calm / 2)


async def lose_disk(scene: Scene) -> None:
    """A worker is killed, and finds nothing of its own."""
    await asyncio.sleep(scene.calm / 2)
    scene.did("kill -9 of a worker; rm -r /var/lib/afspraakbericht/2")
    scene.site.workers[2].kill()
    shutil.rmtree(scene.site.machine.folder / "var" / "2", ignore_errors=True)
    await asyncio.sleep(scene.calm)


async def kill_broker(scene: Scene) -> None:
    """One of three dies with its disk; an empty one with its id takes its place."""
    brokers = scene.site.brokers
    await asyncio.sleep(scene.calm / 2)
    scene.did("kill -9 of broker 2, its disk emptied; an empty one started with the same id")
    await asyncio.to_thread(brokers.kill_with_disk, 1)
    await asyncio.sleep(scene.calm / 2)
    await asyncio.to_thread(brokers.nodes[1].start)
    await in_sync(scene)


async def in_sync(scene: Scene) -> None:
    """Wait until every partition has all its copies: no broker may go before."""
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.site.brokers.plain)
    await admin.start()
    try:
        scene.check(await leaders.wait_in_sync(admin, 3, 180.0), "the brokers are not in sync")
    finally:
        await admin.close()


async def lose_brokers(scene: Scene) -> None:
    """All of them lose their power for a while."""
    scene.did("kill -9 of all brokers; started again")
    await asyncio.sleep(scene.calm / 2)
    await asyncio.to_thread(scene.site.brokers.kill)
    await asyncio.sleep(OUTAGE_SECONDS)
    await asyncio.to_thread(scene.site.brokers.start)
    await in_sync(scene)


async def provider_outage(scene: Scene) -> None:
    """The SMS provider answers 500, then does again what it should. Nobody does anything."""
    await asyncio.sleep(scene.calm / 2)
    scene.site.gateway.program(answer="broken")
    await asyncio.sleep(OUTAGE_SECONDS)
    scene.site.gateway.program()


async def give_again(scene: Scene) -> None:
    """A record on which code is said to fail is skipped by all workers; then the setting goes, and it is given again."""
    site, upstream = scene.site, scene.upstream
    await upstream.write(upstream.join("linde", ["brief"], "sms"))
    await scene.read_in()
    event = upstream.book("linde", "brief")
    await asyncio.gather(*(unit.stop() for unit in site.workers.values()))
    async with Feeder(site.brokers.login, site.security("upstream")) as feeder:
        sent = await feeder.producer.send_and_wait(event.topic, orjson.dumps(event.value), (event.key or "").encode())
    upstream.acknowledge([event])
    scene.did(f"AFSPRAAKBERICHT_SKIP_RECORDS=appointments/{sent.partition}/{sent.offset}; workers started")
    site.set(skip_records=f"appointments/{sent.partition}/{sent.offset}")
    for number in list(site.workers):
        site.worker(number)
    await scene.ready()
    await scene.read_in()
    scene.did("AFSPRAAKBERICHT_SKIP_RECORDS taken away")
    site.set(skip_records=None)
    await roll(scene)
    listed = await scene.run("operator", "dead-letters", "--topic", "appointments")
    scene.check("operator has it skipped" in listed, f"the letter is not listed: {listed[:200]}")
    chosen = ("--topic", "appointments", "--reason", "operator has it skipped")
    said = await scene.run("operator", "dead-letters", "again", *chosen)
    scene.check(said.startswith("1 given again"), f"not one letter was given again: {said[:200]}")


async def add_organisation(scene: Scene) -> None:
    """With clients and appointments ahead, of which nobody is told; from then on it is as the others."""
    upstream = scene.upstream
    start = upstream.midnight + timedelta(days=5, hours=10)
    ahead = [visit("es", f"ahead-{name}", 1, start, name) for name in JOINED]
    people = upstream.join("es", JOINED, "sms")
    scene.did("upstream writes the organisation (`notifications` false), consents, contacts, appointments ahead")
    await upstream.write([settings_of("es", on=False), *people])
    await scene.read_in()
    await upstream.write(ahead)
    await scene.read_in()
    scene.did("the organisation is switched on")
    await upstream.write([settings_of("es", on=True)])
    await scene.read_in()
    upstream.enlist("es", JOINED)
    await asyncio.sleep(scene.calm)


async def erase(scene: Scene) -> None:
    """A client who was told things is ended at the source, then erased, and that is verified."""
    upstream, proof = scene.upstream, scene.site.folder / "erasure.json"
    await upstream.write(upstream.join(ERASED[0], [ERASED[1]], "sms"))
    await scene.read_in()
    await upstream.write([upstream.book(*ERASED)])
    await scene.told()
    await upstream.write([upstream.cancel(*ERASED)])
    await scene.told()
    await scene.read_in()
    name = "/".join(ERASED)
    await scene.run("operator", "erase", name, "--yes", "--reason", "request 2026-114", "--proof", str(proof))
    said = orjson.loads(proof.read_bytes())
    scene.check((said["outcome"], said["to_do"]) == ("done", []), f"the proof says {said['outcome']}, {said['to_do']}")
    await scene.run("operator", "erase", name, "--verify")
    del upstream.people[ERASED]


async def shorten(scene: Scene) -> None:
    """Texts are kept for 100 days in place of 400: nothing changes until it is asked for."""
    scene.site.set(text_days=100)
    scene.did("AFSPRAAKBERICHT_TEXT_DAYS=100")
    await scene.run("setup", "topics", codes=(0, 1, 2))
    await scene.run("setup", "topics", "--shorten")
    await scene.run("setup", "topics", "--check")
    scene.did("systemctl restart afspraakbericht-web")
    await scene.site.web.stop()
    scene.site.web.start()
    await roll(scene)
    await scene.run("operator", "retention")


async def hold(scene: Scene) -> None:
    """An organisation's notices wait, and go when it is over."""
    await scene.run("operator", "hold", "eik", "--set")
    await asyncio.sleep(scene.calm)
    await scene.run("operator", "hold", "eik")
    began = time.monotonic()
    waiting = sum(notice.organisation == "eik" for notice in scene.account.waiting())
    scene.check(waiting > 0, "nothing of the organisation waited")
    await scene.run("operator", "hold", "eik", "--end")
    scene.note(f"{waiting} waited; the end was written after {time.monotonic() - began:.0f} s")


async def rebuild(scene: Scene) -> None:
    """The overview's tables are made anew, beside the web that runs."""
    await scene.run("web", "project", "--rebuild")
    await asyncio.sleep(scene.calm / 2)
