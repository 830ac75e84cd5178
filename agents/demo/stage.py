"""Everything on this machine: broker, topics, worker, web, MLLP listener, SMTP server, SMS gateway; the story; a summary."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import orjson

from schemas.topics import DEAD_LETTERS, DELIVERY_LOG, FHIR

from ..broker.broker import EmbeddedKafka
from ..fakes.sms import FakeSms
from ..fakes.smtp import FakeSmtp
from ..kafka.reader import read_topic
from ..kafka.topics import TopicsError, ensure, stores
from ..kafka.writer import Feeder
from ..settings.settings import PREFIX, Settings
from ..web.sign_in import accounts
from . import planner, screen
from .story import PLANNER, PRODUCERS, Act, Story

PARTITIONS = 4
PASSWORD = "afspraakbericht"  # noqa: S105  # it is shown
"""Of every local account: all that this service shows is made up, and it listens on this machine only."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Stage:
    """One run of the demo. `say` prints; `folder` has all it keeps and is made anew by each run."""

    def __init__(self, settings: Settings, folder: Path, say: Callable[[str], None]) -> None:
        self.settings, self.folder, self.say = settings, folder, say

    async def run(self, *, stay: bool) -> int:
        """Play the story; with `stay` go on until Ctrl-C. Returns the exit code."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        async with AsyncExitStack() as stack:
            bootstrap = await self._broker(stack)
            report = await ensure(bootstrap, PARTITIONS, 1, self.settings.application, stores())
            if report.problems:
                raise TopicsError("; ".join(report.problems))
            environ = await self._providers(stack, bootstrap)
            worker = await self._start(stack, environ, "worker")
            await self._start(stack, environ, "web")
            await self._start(stack, environ, "mllp")
            self.say(f"Web: {environ[f'{PREFIX}UNSUBSCRIBE_URL']}… is where the e-mails' unsubscribe links go")
            self.say(f"Overview and settings: http://127.0.0.1:{environ[f'{PREFIX}WEB_PORT']}/  user linde, password {PASSWORD}")
            watch = asyncio.create_task(worker.wait())
            mllp = int(environ[f"{PREFIX}MLLP_PORT"])
            self.say(f"FHIR: topic fhir, of Het Meer   HL7 v2: MLLP at 127.0.0.1:{mllp}, of De Duin")
            play = asyncio.create_task(self._play(bootstrap, mllp, stay))
            done, _ = await asyncio.wait((watch, play), return_when=asyncio.FIRST_COMPLETED)
            play.cancel()
            watch.cancel()
            if watch in done:
                self.say(f"The worker stopped with code {watch.result()}; its log is {self.folder / 'worker.log'}")
                return 1
            await play
        return 0

    async def _broker(self, stack: AsyncExitStack) -> str:
        """Start the embedded Kafka, or take the one that the settings name."""
        if self.settings.sources.get("bootstrap", "default") != "default":
            self.say(f"Kafka: {self.settings.bootstrap}, as the settings say")
            return self.settings.bootstrap
        self.say("Starting Apache Kafka (the first time its jars are fetched: about 100 MB) …")
        kafka = EmbeddedKafka(self.folder / "kafka", fallback=True, jars=self.settings.jars)
        await asyncio.to_thread(kafka.start)
        stack.push_async_callback(asyncio.to_thread, kafka.stop)
        self.say(f"Kafka: {kafka.bootstrap}")
        return kafka.bootstrap

    async def _providers(self, stack: AsyncExitStack, bootstrap: str) -> dict[str, str]:
        """Start the local providers, and return the environment of a worker that sends to them."""
        gateway = FakeSms(on_message=lambda message: self.say(screen.sms(message)), key="demo")
        server = FakeSmtp(on_message=lambda message: self.say(screen.email(message)))
        for fake in (gateway, server):
            await fake.start()
            stack.push_async_callback(fake.stop)
        self.say(f"SMS gateway: {gateway.url}   SMTP server: 127.0.0.1:{server.port}")
        port = free_port()
        accounts_file = self.folder / "accounts.toml"
        accounts_file.write_text("\n".join(accounts.entry(name, name, PASSWORD) for name in ("linde", "plein", "haven")))
        producers = self.folder / "producers.json"
        producers.write_bytes(orjson.dumps(PRODUCERS))
        given = {
            "bootstrap": bootstrap,
            "partitions": str(PARTITIONS),
            "data": str(self.folder),
            "application": self.settings.application,
            "messagebird_url": gateway.url,
            "messagebird_key": "demo",
            "smtp_host": "127.0.0.1",
            "smtp_port": str(server.port),
            "smtp_tls": "none",
            "web_port": str(port),
            "unsubscribe_url": f"http://127.0.0.1:{port}/u/",
            "accounts": str(accounts_file),
            "producers": str(producers),
            "mllp_port": str(free_port()),
            "mllp_organisation": PLANNER,
            "unsubscribe_keys": secrets.token_urlsafe(32),
        }
        ours = {f"{PREFIX}{name.upper()}": value for name, value in given.items()}
        return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | ours

    async def _start(self, stack: AsyncExitStack, environ: dict[str, str], command: str) -> asyncio.subprocess.Process:
        """Start a process of ours as it runs in production, until the stage is cleared."""
        log = stack.enter_context((self.folder / f"{command}.log").open("wb"))
        words = (sys.executable, "-m", "agents", command)
        process = await asyncio.create_subprocess_exec(*words, env=environ, stdout=log, stderr=log, start_new_session=True)

        async def stop() -> None:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.wait()

        stack.push_async_callback(stop)
        self.say(f"{command.capitalize()}: process {process.pid}, its log is {self.folder / f'{command}.log'}")
        return process

    async def _play(self, bootstrap: str, mllp: int, stay: bool) -> None:
        story = Story(datetime.now(UTC))
        async with Feeder(bootstrap) as feeder:
            for act in story.acts():
                self.say(screen.title(act.title))
                await feeder.feed(act.events)
                await self._translated(act, mllp)
                await asyncio.sleep(act.seconds)
        until = (story.reminder_at - datetime.now(UTC)).total_seconds() + 5
        self.say(screen.title(f"The reminders of tomorrow fall due at {story.reminder_at:%H:%M}"))
        if stay:
            await self._summary(bootstrap)
            self._advice(bootstrap)
        await asyncio.sleep(max(0.0, until))
        await self._summary(bootstrap)
        if stay:
            await asyncio.Event().wait()

    async def _translated(self, act: Act, mllp: int) -> None:
        """Say what came as FHIR, and send what goes by MLLP and say how it was answered."""
        for event in act.events:
            if event.topic == FHIR.name:
                self.say(
                    screen.note(f"  FHIR of Het Meer: {event.value['resourceType']}/{event.value['id']}, {event.value['start']}")
                )
        for message in act.messages:
            kind = message.split(b"|")[8].decode()
            self.say(screen.note(f"  MLLP of De Duin: {kind}, answered {await planner.send(mllp, message)}"))

    async def _summary(self, bootstrap: str) -> None:
        """Print what the delivery log says so far."""
        counts: Counter[tuple[str, str, str, str]] = Counter()
        async for record in read_topic(bootstrap, DELIVERY_LOG.name):
            entry = orjson.loads(record.value)
            counts[entry["reason"], entry["channel"] or "-", entry["status"], entry["detail"] or ""] += 1
        dead = [dict(record.headers)["reason"].decode() async for record in read_topic(bootstrap, DEAD_LETTERS.name)]
        rows: list[tuple[str, ...]] = [("reason", "channel", "status", "detail", "messages")]
        rows += [(*key, str(count)) for key, count in sorted(counts.items())]
        self.say(screen.title("The delivery log so far"))
        self.say(screen.table(rows))
        for reason in dead:
            self.say(screen.note(f"  dead letter: {reason}"))

    def _advice(self, bootstrap: str) -> None:
        """Print what to try next."""
        broker = f"{PREFIX}BOOTSTRAP={bootstrap}"
        event = orjson.dumps(Story(datetime.now(UTC)).appointment("linde", "mijn-1", ["anna"], 3, "16:00")._asdict()).decode()
        self.say(screen.title("Try next, in another terminal"))
        self.say(f"  export {broker}")
        self.say("  .venv/bin/afspraakbericht log --follow")
        self.say(f"  echo '{event}' \\\n    | .venv/bin/afspraakbericht feed -")
        self.say("  .venv/bin/afspraakbericht sms 'Uw afspraak in het café is om 10:00 – cliënt'")
        self.say("Ctrl-C stops everything.")
