"""A drill of every alert that can be provoked: something breaks, the alert fires; it is mended, the alert ends. `make drill`.

`DRILL=ChannelPaused,WorkerDown make drill` does some of them only.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.broker.probe import free_ports
from agents.fakes.smtp import ScriptedAnswer
from agents.kafka.writer import Event
from tests.broker.harness import AMSTERDAM, Stand, Worker, client, request, settings, visit
from tests.drills.prometheus import ALERTS, Prometheus
from tests.drills.rolling import asked

WEB = {
    "WebErrors",
    "WebSlow",
    "SignaturesRefused",
    "SignInsTurnedAway",
    "TokensUnknown",
    "ProjectionBehind",
    "ProjectionSkipped",
    "OrganisationBusy",
}
NOT_HERE = dict.fromkeys(WEB, "no web runs in this drill; tests/agents/web provokes what these count") | {
    "NoEvents": "it looks at the hour of the day",
    "SourceSilent": "it comes after three days",
    "TranslationsRefused": "no source of FHIR or HL7 v2 writes in this drill; tests/streams/translate has what is refused",
    "BacklogGivenUp": "it comes after five real minutes",
    "FirstReadGivenUp": "it comes after five real minutes",
    "CallsRaise": "it takes a fault in our code",
    "NoWords": "it takes a fault in our code",
    "AgendasDoubted": "it comes after ten real minutes; tests/streams/intake/test_snapshots.py has a source that fails",
    "NoRest": "it takes five refused addresses of one client in a row; tests/streams/notices/test_flights.py has them",
    "OutputSetAside": "it takes a fault in our code",
    "FormerOwnerWrote": "the write of a frozen worker cannot be timed from outside; tests/broker/test_engine.py makes one",
    "KafkaSilent": "the other drills' workers stop after a minute without brokers; tests/agents/engine/test_outlook.py counts it",
    "HoldLasts": "it comes after a day",
    "MllpDown": "no MLLP listener runs in this drill; tests/broker/test_mllp.py kills one",
    "RecordsLost": "it empties a topic that the other drills need; tests/broker/test_lost.py does it",
    "TopicReadAnew": "it makes a topic anew that the other drills need; tests/broker/test_topic_ids.py does it",
}
"""Alerts that are not provoked here, and why; promtool alone tests them."""

ALWAYS = {"ReportsMissing", "WebDown"}
"""They fire as soon as there is some load: no web takes the reports in this drill."""

CLIENTS = [f"c{count}" for count in range(240)]
"""Many, each with few messages: one whose message is to be tried again, or is unknown, hears nothing else for that time."""

AT_ONCE = 6

STARTED, LIVES = "process_start_time_seconds", 6
"""A worker's life has two rebalances, and RebalancesOften wants more than six: so many lives are enough, with some to spare."""


class Scene:
    """Two workers, Prometheus, and a little load all the time."""

    def __init__(self, stand: Stand, prometheus: Prometheus, ports: list[int]) -> None:
        self.stand, self.prometheus, self.ports = stand, prometheus, ports
        self.workers: dict[int, Worker] = {}
        self.count = 0
        self.every, self.at_once, self.names = 0.5, AT_ONCE, CLIENTS
        self.start = (datetime.now(AMSTERDAM) + timedelta(days=30)).replace(hour=8, minute=0, second=0, microsecond=0)

    def run(self, which: int, **more: object) -> None:
        """Start a worker and have it scraped."""
        given: dict[str, Any] = {"metrics_port": self.ports[which], "sms_timeout_seconds": 1, "sms_slots": 2, **more}
        self.workers[which] = self.stand.worker(**given)
        self.prometheus.target(*(self.ports[each] for each in self.workers))

    async def end(self, which: int) -> None:
        """Stop a worker for good."""
        await self.workers.pop(which).stop()
        self.prometheus.target(*(self.ports[each] for each in self.workers))

    async def book(self, *names: str) -> None:
        """An appointment for each of these."""
        self.count += 1
        at = self.start + timedelta(minutes=self.count)
        await self.stand.feed([visit("o", f"{name}-{self.count}", 1, at, name) for name in names])

    async def book_next(self) -> None:
        """Some more clients, in turn."""
        first = self.count * self.at_once % len(self.names)
        await self.book(*self.names[first : first + self.at_once])

    async def load(self) -> None:
        """Some events each half a second."""
        while True:
            await self.book_next()
            await asyncio.sleep(self.every)


@asynccontextmanager
async def refused_events(scene: Scene) -> AsyncIterator[None]:
    bad = visit("o", "bad", 1, scene.start, "c1")
    for _ in range(3):
        await scene.stand.feed([bad._replace(value={**bad.value, "start": "soon"})])
        await asyncio.sleep(2)
    yield


@asynccontextmanager
async def contradictions(scene: Scene) -> AsyncIterator[None]:
    """Upstream does not raise its revision."""
    for hours in range(1, 5):
        await scene.stand.feed([visit("o", "twice", 1, scene.start + timedelta(days=1, hours=hours), "c1")])
        await asyncio.sleep(2)
    yield


@asynccontextmanager
async def unknown_channels(scene: Scene) -> AsyncIterator[None]:
    for _ in range(3):
        await scene.stand.feed(client("o", "modern", "sms", "whatsapp"))
        await asyncio.sleep(2)
    yield


@asynccontextmanager
async def poison(scene: Scene) -> AsyncIterator[None]:
    """What nobody but our own programs should write."""
    for _ in range(3):
        await scene.stand.feed([Event("client-events", "o/c1", b"junk")])
        await asyncio.sleep(2)
    yield


@asynccontextmanager
async def much_of_one_client(scene: Scene) -> AsyncIterator[None]:
    """A name that stands on everything."""
    later = scene.start.isoformat()
    for turn in range(3):
        names = [f"{turn}-{count}" for count in range(400)]
        await scene.stand.feed([visit("o", f"all-{name}", 1, scene.start, "everybody") for name in names])
        await scene.stand.feed([request("o", "everybody", name, "Vul in.", send_at=later) for name in names[:60]])
        await asyncio.sleep(2)
    yield


def provider(**program: Any) -> Callable[[Scene], Any]:
    """The SMS provider behaves like this."""

    @asynccontextmanager
    async def behave(scene: Scene) -> AsyncIterator[None]:
        scene.stand.sms.program(**program)
        yield
        scene.stand.sms.program()

    behave.__name__ = "SMS provider: " + ", ".join(f"{name} {value}" for name, value in program.items())
    return behave


@asynccontextmanager
async def refused_numbers(scene: Scene) -> AsyncIterator[None]:
    """Of clients of its own: one whose number was refused is told nothing any more."""
    scene.names = [f"f{count}" for count in range(600)]
    await scene.stand.feed(*[client("o", name, "sms") for name in scene.names])
    await asyncio.sleep(2)
    scene.stand.sms.program(answer="no_recipient")
    yield
    scene.stand.sms.program()
    scene.names = CLIENTS


@asynccontextmanager
async def slow_provider(scene: Scene) -> AsyncIterator[None]:
    """So slow that what waits for a place waits for long."""
    scene.stand.sms.program(delay_seconds=0.9)
    scene.every = 0.2
    yield
    scene.stand.sms.program()
    scene.every = 0.5


@asynccontextmanager
async def refused_sender(scene: Scene) -> AsyncIterator[None]:
    scene.stand.smtp.program(ScriptedAnswer(at="mail", reply="550 5.1.8 bad sender"))
    for _ in range(3):
        await scene.book("post")
        await asyncio.sleep(2)
    yield
    scene.stand.smtp.program()


@asynccontextmanager
async def frozen_broker(scene: Scene) -> AsyncIterator[None]:
    """Nothing is committed, nothing is handled, and what starts now gets no partitions."""
    scene.every = 0.02  # so that something is in hand, and waits to be committed
    await asyncio.sleep(2)
    scene.run(2)
    await asyncio.sleep(1)
    scene.stand.kafka.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        scene.stand.kafka.signal(signal.SIGCONT)
        scene.every = 0.5
    await scene.end(2)


@asynccontextmanager
async def long_backlog(scene: Scene) -> AsyncIterator[None]:
    """Workers that were away find more than they can take in at once."""
    for which in (0, 1):
        await scene.end(which)
    scene.at_once, scene.names = 500, [f"b{count}" for count in range(30_000)]
    for _ in range(100):
        await scene.book_next()
    scene.every = 0.0
    for which in (0, 1):
        scene.run(which)
    yield
    scene.every, scene.at_once, scene.names = 0.5, AT_ONCE, CLIENTS


@asynccontextmanager
async def frozen_worker(scene: Scene) -> AsyncIterator[None]:
    """For longer than a call may start after its claim, again and again: one of them meets a claim."""

    async def shake() -> None:
        while True:
            await asyncio.sleep(4)
            scene.workers[0].process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(6)
            scene.workers[0].process.send_signal(signal.SIGCONT)

    shaking = asyncio.create_task(shake())
    scene.every = 0.05
    try:
        yield
    finally:
        shaking.cancel()
        with suppress(asyncio.CancelledError):
            await shaking
        scene.workers[0].process.send_signal(signal.SIGCONT)
        scene.every = 0.5


@asynccontextmanager
async def no_targets(scene: Scene) -> AsyncIterator[None]:
    """As when the last pod is gone: there is nothing that could be down."""
    scene.prometheus.target()
    yield
    scene.prometheus.target(*(scene.ports[each] for each in scene.workers))


@asynccontextmanager
async def dead_worker(scene: Scene) -> AsyncIterator[None]:
    scene.workers[1].kill()
    yield
    scene.run(1)


@asynccontextmanager
async def unsteady_worker(scene: Scene) -> AsyncIterator[None]:
    """It starts, joins, and ends, over and over.

    On a busy machine a life may take so long that too few fall into the range that the rules look back on: so that follows it.
    """
    prometheus, port = scene.prometheus, scene.ports[1]

    async def shake() -> None:
        while True:
            began, before = time.monotonic(), await prometheus.value(STARTED, port)
            await scene.workers[1].stop()
            scene.run(1)
            while await asyncio.to_thread(asked, port, "ready") is None or await prometheus.value(STARTED, port) in (
                before,
                None,
            ):
                await asyncio.sleep(0.2)  # this life is ready, and was scraped
            prometheus.look_back(max(prometheus.longest, LIVES * (time.monotonic() - began)))

    shaking = asyncio.create_task(shake())
    try:
        yield
    finally:
        shaking.cancel()
        with suppress(asyncio.CancelledError):
            await shaking
    if not scene.workers[1].running:
        scene.run(1)
    prometheus.look_back()


@asynccontextmanager
async def other_time_zones(scene: Scene) -> AsyncIterator[None]:
    folder = scene.stand.folder / "zones"
    folder.mkdir()
    (folder / "tzdata.zi").write_text("# version 1999a\n")
    os.environ["PYTHONTZPATH"] = str(folder)
    try:
        scene.run(2)
    finally:
        del os.environ["PYTHONTZPATH"]
    yield
    await scene.end(2)


BREAKS: list[tuple[Callable[[Scene], Any], set[str]]] = [
    (refused_events, {"DeadLetters"}),
    (contradictions, {"RevisionsContradict"}),
    (unknown_channels, {"ChannelsUnknown"}),
    (poison, {"PoisonOnInternalTopic"}),
    (much_of_one_client, {"TooManyOfOneClient", "ClientRowLarge"}),
    (other_time_zones, {"BuildsDiffer"}),
    (refused_sender, {"OrganisationPaused"}),
    (provider(more_parts=1), {"SmsPartsDiffer"}),
    (refused_numbers, {"MessagesFail"}),
    (provider(answer="broken"), {"ProviderRefuses"}),
    (provider(hang_every=2, times=12), {"OutcomesUnknown"}),
    (slow_provider, {"PromiseBroken", "PromiseSlips"}),
    (frozen_worker, {"CallsDropped"}),
    (frozen_broker, {"CommitsStuck", "MomentsLate", "WorkerNotReady"}),
    (long_backlog, {"InputBehind"}),
    (no_targets, {"NoWorkers"}),
    (dead_worker, {"WorkerDown", "PartitionsWithoutWorker"}),
    (unsteady_worker, {"WorkerRestarts", "RebalancesOften"}),
    (provider(answer="wrong_key"), {"ChannelPaused"}),
]


def test_every_alert_is_provoked_or_has_its_reason() -> None:
    names = set(re.findall(r"- alert: (\w+)", ALERTS.read_text()))
    assert set().union(*(fires for _, fires in BREAKS)) | set(NOT_HERE) | ALWAYS == names


@pytest.mark.broker
@pytest.mark.skipif("DRILL" not in os.environ, reason="takes some minutes: make drill")
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (Debian package prometheus)")
async def test_every_alert_fires_and_ends(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        stand = await stack.enter_async_context(Stand(tmp_path, partitions=4, session=10.0, own=True))
        prometheus = stack.enter_context(Prometheus(tmp_path / "prometheus"))
        scene = Scene(stand, prometheus, free_ports(3))
        for which in (0, 1):
            scene.run(which)
        await stand.feed(settings("o", quiet=1, longest=2), *[client("o", name, "sms") for name in CLIENTS])
        await stand.feed(client("o", "post", "email"))
        loading = asyncio.create_task(scene.load())
        stack.callback(loading.cancel)
        took = await prometheus.until(ALWAYS, fire=True)
        print(f"{took:5.0f} s  {', '.join(ALWAYS)} fires")
        wanted = set(os.environ["DRILL"].split(","))
        for broken, names in BREAKS:
            if wanted != {"1"} and not wanted & names:
                continue
            called = ", ".join(sorted(names))
            print(f"         {broken.__name__.replace('_', ' ')}", flush=True)
            await prometheus.until(names, fire=False)  # what broke before has ended
            async with broken(scene):
                took = await prometheus.until(names, fire=True)
            print(f"{took:5.0f} s  {called} fired", flush=True)
            took = await prometheus.until(names, fire=False)
            print(f"{took:5.0f} s  {called} ended", flush=True)
        loading.cancel()
        took = await prometheus.until(ALWAYS - {"WebDown"}, fire=False)  # there is no web to come back
        print(f"{took:5.0f} s  {', '.join(ALWAYS - {'WebDown'})} ended")
        for worker in stand.workers:
            worker.expected_to_end = True
