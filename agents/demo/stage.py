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
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from schemas.topics import DEAD_LETTERS, DELIVERY_LOG, FHIR

from ..broker.broker import EmbeddedKafka
from ..fakes import SHOWN, Message
from ..fakes.sms import FakeSms, Program
from ..fakes.smtp import FakeSmtp
from ..kafka.reader import read_topic
from ..kafka.topics import TopicsError, ensure, stores
from ..kafka.writer import Feeder
from ..settings.settings import PREFIX, Settings
from ..web.api import keys
from ..web.sign_in import accounts
from . import planner, screen
from .inbox import Inbox
from .story import ORGANISATIONS, PLANNER, PRODUCERS, ZONE, Act, Story, names

PARTITIONS = 4
PASSWORD = "afspraakbericht"  # noqa: S105  # it is shown
"""Of every local account: all that this service shows is made up, and it listens on this machine only."""

KEY = "afb_demo"
"""With which a third party asks for messages of De Linde; for the same reason it is shown."""


METRICS = f"{PREFIX}METRICS_PORT"


class InUseError(Exception):
    """Another demo runs in the folder. A line that says so."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Have the folder alone, and empty: what a demo before left in it goes. Raises InUseError where one still runs in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder.with_suffix(".lock"), timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            yield
    except Timeout:
        raise InUseError(f"a demo runs in {folder} already: stop it first, or set {PREFIX}DATA to another folder") from None


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
        """Play the story; with `stay` go on until Ctrl-C. Returns the exit code. Raises InUseError."""
        async with AsyncExitStack() as stack:
            stack.enter_context(claimed(self.folder))
            inbox = await stack.enter_async_context(Inbox(ZONE, names(Story(datetime.now(UTC)).cast())))
            self.say(f"Inbox: {inbox.url}   every SMS and e-mail, as it arrives")
            bootstrap = await self._broker(stack)
            report = await ensure(bootstrap, PARTITIONS, 1, self.settings.application, stores())
            if report.problems:
                raise TopicsError("; ".join(report.problems))
            environ = await self._providers(stack, bootstrap, inbox)
            metrics = {command: str(free_port()) for command in ("worker", "web")}
            worker = await self._start(stack, environ | {METRICS: metrics["worker"]}, "worker")
            await self._start(stack, environ | {METRICS: metrics["web"]}, "web")
            await self._start(stack, environ, "mllp")
            web = f"http://127.0.0.1:{environ[f'{PREFIX}WEB_PORT']}/"
            figures = f"http://127.0.0.1:{metrics['worker']}/metrics"
            inbox.places = {"Overview": f"{web}berichten", "Settings": f"{web}instellingen", "Metrics": figures}
            self.places = screen.places(inbox.url, web, figures, PASSWORD, ORGANISATIONS, KEY)
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

    async def _providers(self, stack: AsyncExitStack, bootstrap: str, inbox: Inbox) -> dict[str, str]:
        """Start the local providers, and return the environment of processes that send to them and hear of them."""
        signing = secrets.token_urlsafe(32)
        gateway = FakeSms(
            on_message=self._shown(inbox.take_sms, screen.sms), key="demo", signing_key=signing,
            program=Program(report_delay_seconds=1.0),
        )  # fmt: skip
        server = FakeSmtp(on_message=self._shown(inbox.take_email, screen.email))
        for fake in (gateway, server):
            await fake.start()
            stack.push_async_callback(fake.stop)
        self.say(f"SMS gateway: {gateway.url}   SMTP server: 127.0.0.1:{server.port}")
        port = free_port()
        accounts_file = self.folder / "accounts.toml"
        accounts_file.write_text("\n".join(accounts.entry(name, name, PASSWORD) for name in ORGANISATIONS))
        api_keys = self.folder / "api-keys.toml"
        api_keys.write_text(keys.entry("vragenlijsten", "linde", KEY))
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
            "report_url": f"http://127.0.0.1:{port}/webhooks/messagebird/",
            "messagebird_signing_keys": signing,
            "api_keys": str(api_keys),
            "accounts": str(accounts_file),
            "producers": str(producers),
            "mllp_port": str(free_port()),
            "mllp_organisation": PLANNER,
            "unsubscribe_keys": secrets.token_urlsafe(32),
        }
        ours = {f"{PREFIX}{name.upper()}": value for name, value in given.items()}
        return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | ours

    def _shown(self, take: SHOWN, draw: Callable[[Message], str]) -> SHOWN:
        """Return what puts a message into the inbox, and prints it."""

        def show(message: Message) -> None:
            take(message)
            self.say(draw(message))

        return show

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
        self.say(screen.title("Look further"))
        self.say(self.places)
        if stay:
            self.say("Ctrl-C stops everything.")
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
        event = Story(datetime.now(UTC)).appointment("linde", "mijn-1", ["anna"], 3, "16:00")
        file = self.folder / "event.jsonl"
        file.write_bytes(orjson.dumps(event._asdict()) + b"\n")
        self.say(screen.title("Look further"))
        self.say(self.places)
        self.say("\n  In another terminal:")
        self.say(f"  export {PREFIX}BOOTSTRAP={bootstrap} {PREFIX}PARTITIONS={PARTITIONS}")
        self.say("  .venv/bin/afspraakbericht log --follow")
        self.say("  .venv/bin/afspraakbericht why plein/gerda     # who got no message")
        self.say(f"  .venv/bin/afspraakbericht feed {file}    # an appointment more")
        self.say("Ctrl-C stops everything.")
