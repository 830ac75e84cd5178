"""Workers are killed, frozen and stopped in the middle of many events; then everything is counted at the providers.

`CHAOS=long` (`make chaos`): three workers, fifty faults, a broker that is killed as well.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.feeding import Event
from tests.chaos.verifier import verify

from .harness import AMSTERDAM, EMAIL_SLOTS, SMS_SLOTS, Stand, Worker, client, settings, visit

pytestmark = pytest.mark.broker

LONG = os.environ.get("CHAOS") == "long"
SEED = int(os.environ.get("CHAOS_SEED", "1"))
FAULTS = int(os.environ.get("CHAOS_FAULTS", "50"))
CHANNELS = (("sms",), ("sms", "email"), ("email",), ("email", "sms"), ())
READ = ("organisations", "consents", "contacts", "appointments")
KINDS = ("kill", "freeze", "stop", "broker")
SLOTS = SMS_SLOTS + EMAIL_SLOTS
"""Calls that a worker has under way at most: as many claims a kill can leave behind."""
DRAIN_SECONDS = 1800.0 if LONG else 240.0
"""How long working off the rest may take."""


class Feed:
    """Events whose texts are all different for each client, so that a text tells which notice it is."""

    def __init__(self, rng: random.Random, blocks: int, appointments: int, windowed: int, rounds: int) -> None:
        self.rng, self.rounds = rng, rounds
        self.midnight = datetime.now(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)
        self.people = {f"p{block}-{n}": CHANNELS[(block + n) % 5] for block in range(blocks) for n in range(3)}
        self.lone = {f"w{n}": CHANNELS[n % 4] for n in range(windowed)}
        self.state: dict[tuple[str, str], dict[str, Any]] = {}
        for number in range(appointments):
            block, day = number % blocks, 20 + 10 * (number // blocks)
            clients = [f"p{block}-{n}" for n in rng.sample(range(3), rng.choice((1, 1, 2, 3)))]
            self.state["direct", f"a{number}"] = {"clients": clients, "day": day, "known": [f"p{block}-{n}" for n in range(3)]}
        for number in range(windowed):
            self.state["venster", f"v{number}"] = {"clients": [f"w{number}"], "day": 20, "known": [f"w{number}"]}

    def cast(self) -> list[Event]:
        events = [settings("direct"), settings("venster", 1, 3)]
        for organisation, people in (("direct", self.people), ("venster", self.lone)):
            for name, channels in people.items():
                events += client(organisation, name, *channels, confirmed=not name.endswith("7-2"))
        return events

    def round(self, revision: int) -> list[Event]:
        """A revision of every appointment, some twice, some with an old one behind it."""
        events = []
        for (organisation, id_), row in self.state.items():
            new = self._revised(organisation, id_, row, revision)
            events.append(new)
            if self.rng.random() < 0.05:
                events.append(self.rng.choice((new, row.get("event", new))))
            row["event"] = new
        self.rng.shuffle(events)  # not of one appointment: see `ordered`
        return ordered(events)

    def _revised(self, organisation: str, id_: str, row: dict[str, Any], revision: int) -> Event:
        """Moved, relocated, cancelled, booked again, or with other clients."""
        what = self.rng.choice(("move", "move", "place", "cancel", "clients")) if revision > 1 else "move"
        if what == "move" or row.get("status") == "cancelled":
            row.update(
                start=self.midnight + timedelta(days=row["day"] + revision, hours=8, minutes=11 * revision), status="booked"
            )
        elif what == "place":
            row["location"] = f"Kamer {revision}"
        elif what == "cancel":
            row["status"] = "cancelled"
        elif organisation == "direct":
            row["clients"] = self.rng.sample(row["known"], self.rng.choice((1, 2, 3)))
            row["start"] += timedelta(minutes=1)
        return visit(
            organisation, id_, revision, row["start"], *row["clients"], location=row.get("location"), status=row["status"]
        )  # fmt: skip


def ordered(events: list[Event]) -> list[Event]:
    """The same, with the revisions of each appointment in order: a stale one comes behind its later one."""
    places: dict[str | None, list[int]] = {}
    for place, event in enumerate(events):
        places.setdefault(event.key, []).append(place)
    result = list(events)
    for mine in places.values():
        newest_first = sorted((events[place] for place in mine), key=lambda event: -event.value["revision"])
        for place, event in zip(mine, newest_first, strict=True):
            result[place] = event
    return result


class Chaos:
    """Faults while a feed is worked off."""

    def __init__(self, stand: Stand, rng: random.Random, workers: int, *, named: bool) -> None:
        self.stand, self.rng, self.named = stand, rng, named
        self.present: list[Worker] = [self.start(number) for number in range(workers)]
        self.frozen: list[tuple[float, int, Worker]] = []
        self.done: Counter[str] = Counter()

    def start(self, number: int) -> Worker:
        """A worker; a named one takes its place in the group at once when it comes back."""
        return self.stand.worker(instance=f"worker-{number}") if self.named else self.stand.worker()

    @property
    def received(self) -> int:
        return len(self.stand.sms.received.messages) + len(self.stand.smtp.received.messages)

    async def progress(self, to: int) -> None:
        """Wait until the providers have got so many messages, or there is nothing left to get."""
        last, moved = self.received, time.monotonic()
        while self.received < to:
            self.supervise()
            await asyncio.sleep(0.02)
            if self.received != last:
                last, moved = self.received, time.monotonic()
            elif time.monotonic() - moved > 5 and await self.stand.taken_in():
                return

    def supervise(self) -> None:
        """Thaw who was away for long enough, and start again who has ended; a named one only when its former self is gone."""
        for until, number, worker in list(self.frozen):
            if time.monotonic() > until:
                self.frozen.remove((until, number, worker))
                worker.thaw()
                self.done["thawed"] += 1
        for number, worker in enumerate(self.present):
            if not worker.running:
                code = worker.process.returncode
                assert code in (0, 70, -9, -15), f"a worker ended with {code}:\n{worker.output[-3000:]}"
                self.done[f"ended with {code}"] += 1
                self.present[number] = self.start(number)

    async def fault(self, kind: str) -> None:
        while all(worker.paused for worker in self.present):
            self.supervise()
            await asyncio.sleep(0.1)
        awake = [number for number, worker in enumerate(self.present) if not worker.paused and worker.running]
        number = self.rng.choice(awake)
        worker = self.present[number]
        self.done[kind] += 1
        if kind == "kill":
            worker.kill()
        elif kind == "stop":
            code = await worker.stop()
            assert code == 0 or (code == -15 and not worker.output), "in order, or while Python was still starting"
        elif kind == "freeze":
            worker.freeze()
            self.frozen.append((time.monotonic() + self.stand.session + 5, number, worker))
        elif kind == "broker":
            await asyncio.to_thread(self.stand.kafka.kill)
            await asyncio.to_thread(self.stand.kafka.start)
        self.supervise()

    async def drained(self) -> list[str]:
        """Wait until there is no fault left that time would mend, then for the end of all workers; gives the faults."""
        faults: list[str] = ["?"]
        limit = time.monotonic() + DRAIN_SECONDS
        while faults and time.monotonic() < limit:
            await self.quiet()
            faults = await self.faults()
        for worker in self.present:
            assert await worker.stop() == 0, worker.output[-3000:]
        return await self.faults()

    async def quiet(self) -> None:
        """Wait until all is taken in and the log has not grown for a while."""
        last, grown = -1, time.monotonic()
        while time.monotonic() - grown < 2.5:
            self.supervise()
            await asyncio.sleep(0.25)
            count = len(await self.stand.records("delivery-log"))
            if count != last or self.frozen or not await self.stand.taken_in():
                last, grown = count, time.monotonic()

    async def faults(self) -> list[str]:
        """What the verifier says of all that there is now."""
        inputs = [(topic, record.key, record.value) for topic in READ for record in await self.stand.records(topic)]
        records = list(await self.stand.records("delivery-log"))
        arrived = (self.stand.received_sms(), self.stand.received_emails())
        # In a thread: the providers, which are in this process, have to answer meanwhile.
        return await asyncio.to_thread(lambda: verify(inputs, [orjson.loads(record.value) for record in records], *arrived))


async def play(stand: Stand, feed: Feed, chaos: Chaos, faults: list[tuple[int, str]]) -> list[str]:
    """Feed it in rounds; each fault comes when the providers have got so many messages. Gives what is wrong in the end."""
    await stand.feed(feed.cast())
    await stand.settled()

    async def feeding() -> None:
        for revision in range(1, feed.rounds + 1):
            await stand.feed(feed.round(revision))
            await asyncio.sleep(1.0)

    task = asyncio.create_task(feeding())
    for count, kind in sorted(faults):
        await chaos.progress(count)
        await chaos.fault(kind)
    while not task.done():
        chaos.supervise()
        await asyncio.sleep(0.1)
    await task
    return await chaos.drained()


async def report(stand: Stand, chaos: Chaos) -> Counter[str]:
    """How the messages ended; printed for whoever reads along."""
    log = await stand.log()
    ends = Counter(entry["status"] for entry in log)
    print(f"events {len(await stand.records('appointments'))}, received {chaos.received}, log {dict(ends)}, {dict(chaos.done)}")
    return ends


async def test_a_worker_is_killed_in_the_middle_of_10000_events(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    feed = Feed(rng, blocks=250, appointments=1400, windowed=600, rounds=5)
    async with Stand(tmp_path) as stand:
        stand.sms.program(delay_seconds=0.03)
        chaos = Chaos(stand, rng, 1, named=True)
        faults = [(rng.randrange(1, 600), "kill"), (rng.randrange(600, 1500), "kill"), (rng.randrange(1500, 2500), "kill")]
        wrong = await play(stand, feed, chaos, faults)
        ends = await report(stand, chaos)
        assert wrong == []
        assert len(await stand.records("appointments")) > 10_000
        assert ends["sent"] > 2_500
        # A slot is free again when its call has ended; the outcome may still be on its way to the ledger when the kill comes.
        assert ends["unknown"] <= 3 * 2 * SLOTS
        assert chaos.done == Counter({"kill": 3, "ended with -9": 3})


async def test_a_frozen_worker_wakes_up_when_others_have_its_partitions(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    feed = Feed(rng, blocks=80, appointments=400, windowed=100, rounds=4)
    async with Stand(tmp_path) as stand:
        stand.sms.program(delay_seconds=0.03)
        chaos = Chaos(stand, rng, 2, named=False)
        wrong = await play(stand, feed, chaos, [(100, "freeze"), (400, "stop")])
        await report(stand, chaos)
        assert wrong == []


@pytest.mark.skipif(not LONG, reason="CHAOS=long: about half an hour")
async def test_many_faults(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    feed = Feed(rng, blocks=500, appointments=6000, windowed=2000, rounds=6)
    async with Stand(tmp_path, partitions=6) as stand:
        stand.sms.program(delay_seconds=0.05)
        chaos = Chaos(stand, rng, 3, named=False)
        kinds = [*KINDS, *rng.choices(KINDS, weights=(5, 3, 2, 1), k=FAULTS - len(KINDS))]
        wrong = await play(stand, feed, chaos, [(rng.randrange(1, 15_000), kind) for kind in kinds])
        await report(stand, chaos)
        assert wrong == []
