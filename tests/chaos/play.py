"""A run: events at a steady rate, one fault after another, and the verifier's judgement of everything in the end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from agents.broker.cluster import EmbeddedCluster
from tests.broker.harness import Stand, Worker

from . import faults, tables
from .feed import Feed
from .fleet import Fleet, Place
from .judge import drained
from .pulse import Back, Pulse

BOUND = 120.0
"""Seconds after which a fault counts as never mended."""
TARGET = 15.0
"""Seconds within which it should flow again."""
BUSY = 3.0
CALM = 1.5
"""Seconds between two faults, beside those for which the level has to hold."""
PARTITIONS = 6
CLEANER = {"log.cleaner.backoff.ms": "500"}


@dataclass
class Outcome:
    """What a run found."""

    faults: int
    backs: list[Back]
    ended: Counter[str]
    reasons: Counter[str]
    events: int
    messages: int
    statuses: Counter[str]
    compacted: int
    seconds: float
    wrong: list[str] = field(default_factory=list)

    @property
    def never_back(self) -> list[str]:
        return [back.kind for back in self.backs if back.seconds is None]

    def table(self) -> str:
        """One line a kind, then the ends of workers, then what is wrong."""
        lines = [f"{'fault':34} {'count':>6} {'median s':>9} {'max s':>7}"]
        for kind in sorted({back.kind for back in self.backs}):
            mine = [back for back in self.backs if back.kind == kind]
            known = [back.seconds for back in mine if back.seconds is not None]
            never = f"  never: {len(mine) - len(known)}" if len(known) < len(mine) else ""
            lines.append(f"{kind:34} {len(mine):6} {median(known or [0]):9.1f} {max(known or [0]):7.1f}{never}")
        every = sorted(back.seconds for back in self.backs if back.seconds is not None)
        late = [back for back in self.backs if back.seconds is None or back.seconds > TARGET]
        busy = sum(back.load > BUSY for back in late)
        lines += ["", f"{self.faults} faults, {len(self.backs)} steps; longest {max(every or [0]):.1f} s"]
        lines.append(
            f"later than {TARGET:.0f} s: {len(late)}, of them {busy} while the machine had more than {BUSY:.0f} tasks a core"
        )
        lines.append("workers ended: " + ", ".join(f"{count} with {code}" for code, count in sorted(self.ended.items())))
        lines += [f"  fail-stop {count:3}: {reason}" for reason, count in self.reasons.most_common()]
        lines.append(
            f"events {self.events:,}, messages at providers {self.messages:,}, compacted away {self.compacted:,} records"
        )
        lines.append("log: " + ", ".join(f"{status} {count:,}" for status, count in sorted(self.statuses.items())))
        lines.append(f"{self.seconds / 60:.0f} minutes. Lost, wrong or twice without `unknown`: {len(self.wrong)}")
        return "\n".join(lines + self.wrong[:30])


class Chaos:
    """What faults act on, and the measure of what they do."""

    def __init__(self, stand: Stand, cluster: EmbeddedCluster, fleet: Fleet, pulse: Pulse, rng: random.Random) -> None:
        self.stand, self.cluster, self.fleet, self.pulse, self.rng = stand, cluster, fleet, pulse, rng
        self.backs: list[Back] = []
        self.count = 0
        self.ending = False
        self.began = time.monotonic()

    def end(self) -> None:
        """No more faults after this one: count what there is."""
        self.ending = True

    def hit(self, place: Place) -> Worker:
        """The worker of a place that is awake."""
        assert place.worker is not None
        return place.worker

    @contextlib.asynccontextmanager
    async def step(self, kind: str) -> AsyncIterator[None]:
        """Do something to them, then wait until the messages flow again; notes how long that took from the begin."""
        began = time.monotonic()
        level = self.pulse.level(began)
        yield
        back = await self.pulse.wait_back(kind, began, level, BOUND)
        self.backs.append(back)
        seconds = "NOT BACK" if back.seconds is None else f"back after {back.seconds:.1f} s"
        machine = f"level {level:.0f}/s, load {back.load:.1f} a core, driver still {back.still:.1f} s"
        print(f"{began - self.began:7.0f} s  {kind:34} {seconds:20} {machine}", flush=True)


async def feeding(stand: Stand, feed: Feed, rate: float) -> None:
    """Events at a steady rate, however long a broker is away: what could not be written yet is written then."""
    began, count = time.monotonic(), 0
    events = feed.stream()
    while True:
        due = int((time.monotonic() - began) * rate) - count
        some = [event for _, event in zip(range(due), events, strict=False)]
        if due and not some:
            raise RuntimeError("the feed is at its end")
        if some:
            await stand.feed(some)
            count += len(some)
        await asyncio.sleep(0.05)


async def run(
    folder: Path, kinds: Iterable[faults.Fault], seed: int, *, workers: int = 3, rate: float = 30.0, blocks: int = 1000
) -> Outcome:
    """Play all faults, the feed going on. `blocks`: groups of three clients, and as many clients with a window."""
    rng = random.Random(seed)
    feed = Feed(rng, blocks=blocks, appointments=3 * blocks, windowed=blocks, rounds=50)
    cluster = EmbeddedCluster(folder / "kafka", 3, extra=CLEANER)
    async with Stand(folder, partitions=PARTITIONS, cluster=cluster) as stand:
        stand.sms.program(delay_seconds=faults.SMS_SECONDS)
        pulse = Pulse((stand.sms.received.messages, stand.smtp.received.messages), feed.clients, PARTITIONS)
        fleet = Fleet(stand, workers)
        chaos = Chaos(stand, cluster, fleet, pulse, rng)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, chaos.end)
        async with fleet.supervised():
            await stand.feed(feed.cast())
            await stand.settled()
            pulse.restart()
            beside = [asyncio.create_task(work) for work in (feeding(stand, feed, rate), pulse.run())]
            await asyncio.sleep(10)
            try:
                for fault in kinds:
                    await asyncio.sleep(CALM)
                    if chaos.ending:
                        break
                    await fault(chaos)
                    chaos.count += 1
                    for task in beside:
                        if task.done():
                            await task  # it raised
                    if len(fleet.problems) > 5:
                        break
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
            wrong, log = await drained(stand, fleet)
        wrong = fleet.problems + [f"never back after: {back.kind}" for back in chaos.backs if back.seconds is None] + wrong
        changelogs = [tail for name, tail in stand.tails.items() if name.endswith("-changelog")]
        compacted = sum([tables.gone(tail.found) for tail in changelogs])
        once = {(entry["message"], entry["attempt"], entry["status"]) for entry in log}
        return Outcome(
            chaos.count, chaos.backs, fleet.ended, fleet.reasons, len(await stand.records("appointments")),
            len(stand.sms.received.messages) + len(stand.smtp.received.messages),
            Counter(status for _, _, status in once), compacted, time.monotonic() - chaos.began, wrong,
        )  # fmt: skip


def script(count: int, seed: int) -> list[faults.Fault]:
    """So many faults: each kind once in its order, the rest by chance."""
    rng = random.Random(seed)
    first = list(faults.KINDS)[:count]
    return first + rng.choices(list(faults.KINDS), weights=list(faults.KINDS.values()), k=count - len(first))
