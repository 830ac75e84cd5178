"""Everything of an end-to-end test: a Kafka without topics, worker processes, the fake providers, and events by the handful.

The topics have fixed names, so one `Stand` at a time has a broker: `lent.py`. The fakes run in the test's process: they outlive
a worker.
Waiting is done by looking again until it is so; a wait fails at a generous deadline, or as soon as a worker has ended by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from email import message_from_string
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

import orjson
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from agents.broker.broker import EmbeddedKafka
from agents.broker.cluster import EmbeddedCluster
from agents.broker.jars import VERSION
from agents.engine.transport.names import Admin, Consumer
from agents.fakes.sms import FakeSms
from agents.fakes.smtp import FakeSmtp
from agents.kafka.topics import ensure, stores
from agents.kafka.writer import Event, Feeder
from schemas.topics import TOPICS

from .lent import LentKafka

ROOT = Path(__file__).parent.parent.parent
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DEADLINE = 120.0
"""Seconds after which a wait fails. Nothing is expected to take nearly so long."""
PREFIX = "AFSPRAAKBERICHT_"
BROKER = os.environ.get("AFSPRAAKBERICHT_TEST_KAFKA", VERSION)
"""The version of Kafka that end-to-end tests run on: `make brokers` runs some on each that is supported."""

INPUTS, INTERNAL = (tuple(topic.name for topic in TOPICS if topic.role == role) for role in ("input", "internal"))
SMS_SLOTS, EMAIL_SLOTS = 16, 4
NUMBERS = count(1)
UNSUBSCRIBE = "https://afspraakbericht.example/u/"


def environ(**settings: object) -> dict[str, str]:
    """The environment of a command: ours without any settings but these; no test waits for an organisation's rate."""
    settings = {"organisation_rate": 100_000, **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, "PYTHONPATH": str(ROOT), **{f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}}


def command(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return Worker.run(("agents", *words), environ(**settings), ROOT, DEADLINE)


class Process(Protocol):
    """What is used of `subprocess.Popen`."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, number: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def begin(words: Sequence[str], settings: Mapping[str, str], folder: Path, log: Path) -> Process:
    """Begin `python -m WORDS`; what it prints goes into the log."""
    with log.open("ab") as out:
        words = [sys.executable, "-m", *words]
        return subprocess.Popen(words, env=settings, cwd=folder, stdout=out, stderr=out, start_new_session=True)


def run(words: Sequence[str], settings: Mapping[str, str], folder: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run `python -m WORDS` to its end. Raises subprocess.TimeoutExpired."""
    words = [sys.executable, "-m", *words]
    return subprocess.run(words, env=settings, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)


class Worker:
    """A worker process, or another one of ours that runs until it is stopped."""

    begin: Callable[[Sequence[str], Mapping[str, str], Path, Path], Process] = staticmethod(begin)
    run: Callable[[Sequence[str], Mapping[str, str], Path, float], subprocess.CompletedProcess[str]] = staticmethod(run)
    """How processes are begun, and commands run: the tests of a broker fork them (`tests.broker.forked`)."""

    def __init__(self, log: Path, settings: dict[str, str], program: str = "agents", name: str = "worker") -> None:
        self.log = log
        self.paused = False
        self.expected_to_end = False
        log.write_bytes(b"")
        self.process = self.begin((program, name), settings, ROOT, log)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """As a power cut would."""
        self.expected_to_end = True
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.paused = True
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It may find that it was away for too long, and end itself."""
        self.paused, self.expected_to_end = False, True
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> int:
        """SIGTERM; gives its exit code."""
        self.expected_to_end = True
        self.process.terminate()
        return await asyncio.to_thread(self.process.wait, DEADLINE)

    async def end(self, deadline: float | None = DEADLINE) -> int:
        """Wait until it ends by itself, None: for as long as it takes; gives its exit code."""
        self.expected_to_end = True
        return await asyncio.to_thread(self.process.wait, deadline)


class Tail:
    """All that a topic holds, read on from where the last look ended."""

    def __init__(self, bootstrap: str, topic: str, prefix: str = "") -> None:
        self.topic = topic
        self.found: list[Any] = []
        self.consumer = Consumer(
            topic, topic_prefix=prefix, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed",
        )  # fmt: skip

    async def read(self) -> list[Any]:
        """The records up to now."""
        while not (partitions := self.consumer.assignment()):
            await asyncio.sleep(0.05)
        ends = await self.consumer.end_offsets(partitions)
        while any([await self.consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await self.consumer.getmany(timeout_ms=200)).values():
                self.found.extend(records)
        return self.found


class Stand:
    """A broker, its topics, both providers, and as many workers as a test starts. A `cluster` takes the broker's place.

    The broker is one that stands of this process use one after another, unless this one has settings of its own (`broker`) or
    is to be its `own`: a test stops it, looks into its folder or asks for all of its groups.
    `program`: the module that workers run; `more`: settings of all of them.
    """

    def __init__(
        self, folder: Path, *, partitions: int = 4, session: float = 6.0, broker: dict[str, str] | None = None,
        cluster: EmbeddedCluster | None = None, prefix: str = "", own: bool = False,
    ) -> None:  # fmt: skip
        self.folder, self.partitions, self.session, self.prefix = folder, partitions, session, prefix
        self.application = "endtoend"
        if own or broker is not None or cluster is not None:
            self.kafka: Any = cluster or EmbeddedKafka(folder / "kafka", port=None, extra=broker, version=BROKER)
        else:
            self.kafka = LentKafka(BROKER)
            self.application += f"-{next(NUMBERS)}"  # the group of a worker that was killed lives on for a session
        self.copies = 1 if cluster is None else min(3, len(cluster.nodes))
        self.sms = FakeSms(key="a-key")
        self.smtp = FakeSmtp()
        self.program, self.more = "agents", dict[str, object]()
        self.workers: list[Worker] = []
        self.tails: dict[str, Tail] = {}
        self.emails: list[tuple[str, str, str]] = []
        self.stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        stack = self.stack
        await stack.__aenter__()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            stack.push_async_callback(asyncio.to_thread, self.kafka.stop)
            await asyncio.to_thread(self.kafka.start)
            names = {"topic_prefix": self.prefix}
            report = await ensure(self.kafka.bootstrap, self.partitions, self.copies, self.application, stores(), security=names)
            assert not report.problems
            for fake in (self.sms, self.smtp):
                await stack.enter_async_context(fake)
            self.feeder = await stack.enter_async_context(Feeder(self.kafka.bootstrap, names))
            self.admin = Admin(self.prefix, bootstrap_servers=self.kafka.bootstrap)
            stack.push_async_callback(self.admin.close)
            await self.admin.start()
            # It reads nothing: a consumer of each topic would ask a broker twice a second, in every test.
            self.looker = Consumer(
                topic_prefix=self.prefix, bootstrap_servers=self.kafka.bootstrap, isolation_level="read_committed"
            )  # fmt: skip
            stack.push_async_callback(quietly, self.looker.stop)
            await self.looker.start()
            stack.callback(self.kill_all)
        except BaseException:
            await stack.aclose()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stack.__aexit__(kind, error, trace)

    # -- workers -------------------------------------------------------------------------------------------------------

    def settings(self, **more: object) -> dict[str, object]:
        """A worker's settings, with the fakes as its providers."""
        return {
            "bootstrap": self.kafka.bootstrap, "topic_prefix": self.prefix, "application": self.application,
            "partitions": self.partitions, "session_timeout_seconds": self.session, "data": self.folder / "worker",
            "log_format": "json", "messagebird_url": self.sms.url, "messagebird_key": "a-key", "smtp_host": "127.0.0.1",
            "smtp_port": self.smtp.port, "smtp_tls": "none", "unsubscribe_url": UNSUBSCRIBE,
            "unsubscribe_keys": "a-secret-of-at-least-32-characters", "sms_slots": SMS_SLOTS, "email_slots": EMAIL_SLOTS,
            **self.more, **more,
        }  # fmt: skip

    def worker(self, **more: object) -> Worker:
        """Start a worker; settings as in `Settings`."""
        number = len(self.workers) + 1
        settings = environ(**self.settings(**{"data": self.folder / f"worker-{number}", **more}))
        self.workers.append(Worker(self.folder / f"worker-{number}.log", settings, self.program))
        return self.workers[-1]

    def kill_all(self) -> None:
        """Nothing outlives its test."""
        for worker in self.workers:
            if worker.running:
                worker.kill()

    # -- topics --------------------------------------------------------------------------------------------------------

    async def feed(self, *events: Event | Iterable[Event]) -> None:
        """Write events, in order; those of one handful may come as a list."""
        flat = [one for some in events for one in ([some] if isinstance(some, Event) else some)]
        await self.feeder.feed(flat)

    async def records(self, topic: str) -> list[Any]:
        """What a topic holds."""
        if topic not in self.tails:
            tail = self.tails[topic] = Tail(self.kafka.bootstrap, topic, self.prefix)
            self.stack.push_async_callback(quietly, tail.consumer.stop)
            await tail.consumer.start()
        return await self.tails[topic].read()

    async def log(self, organisation: str | None = None) -> list[dict[str, Any]]:
        """The delivery log, each record once, as its readers count; of one organisation or of all."""
        entries = [orjson.loads(record.value) for record in await self.records("delivery-log")]
        once = {(entry["message"], entry["attempt"], entry["status"]): entry for entry in entries}
        return [entry for entry in once.values() if organisation in (None, entry["organisation"])]

    async def taken_in(self, topics: Iterable[str] = (*INPUTS, *INTERNAL)) -> bool:
        """Whether the workers have committed past all that these topics hold."""
        return not await self.backlog(topics)

    async def backlog(self, topics: Iterable[str]) -> dict[Any, int]:
        """How many records of each partition the workers have not committed yet."""
        ends = await self.looker.end_offsets([TopicPartition(topic, p) for topic in topics for p in range(self.partitions)])
        try:
            committed = await self.admin.list_consumer_group_offsets(self.application)
        except KafkaError:  # a coordinator that moves
            return {None: 1}
        left = {}
        for tp, end in ends.items():
            done = committed[tp].offset if tp in committed else 0
            if done < end:
                left[tp] = end - max(0, done)
        return left

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], Awaitable[Any]], what: str, deadline: float = DEADLINE) -> None:
        """Look again and again until it holds. Fails at the deadline, or when a worker ended that was not to end."""
        limit = time.monotonic() + deadline
        while not await holds():
            for worker in self.workers:
                if not worker.running and not worker.expected_to_end:
                    raise AssertionError(f"a worker ended with {worker.process.returncode}:\n{worker.output[-4000:]}")
            if time.monotonic() > limit:
                last = self.workers[-1].output[-2000:] if self.workers else "no worker"
                raise AssertionError(f"{what}: not so after {deadline:.0f} s; the last worker's log:\n{last}")
            await asyncio.sleep(0.2)

    async def settled(self) -> None:
        """Wait until all that was fed has been taken in, handed on and enqueued at the senders."""
        await self.until(lambda: self.taken_in(INPUTS), "the inputs are taken in")
        await self.until(lambda: self.taken_in(INTERNAL), "the internal topics are taken in")

    async def logged(self, count: int, organisation: str | None = None) -> list[dict[str, Any]]:
        """Wait for so many records in the delivery log; more are a failure too."""
        found: list[dict[str, Any]] = []

        async def enough() -> bool:
            found[:] = await self.log(organisation)
            return len(found) >= count

        await self.until(enough, f"{count} records in the delivery log of {organisation or 'all'}")
        assert len(found) == count, found
        return found

    async def texts(self, organisation: str, count: int) -> list[str]:
        """Wait until so many messages were sent for an organisation; gives their texts, sorted."""
        found = [entry for entry in await self.logged(count, organisation) if entry["status"] == "sent"]
        return sorted(entry["text"] or "" for entry in found)

    # -- what arrived --------------------------------------------------------------------------------------------------

    def received_sms(self) -> list[tuple[str, str]]:
        """Number and text of each SMS, in order."""
        return [("+" + message["recipients"][0], message["body"]) for message in self.sms.received.messages]

    def received_emails(self) -> list[tuple[str, str, str]]:
        """Address, Message-ID and plain text of each e-mail, in order."""
        for message in self.smtp.received.messages[len(self.emails) :]:  # read once: there may be tens of thousands
            self.emails.append((message["recipients"][0], message["message_id"].strip("<>"), plain_text(message["data"])))
        return list(self.emails)


async def quietly(stop: Callable[[], Awaitable[None]]) -> None:
    """Stop a consumer. aiokafka awaits a fetch that it cancelled in its back-off, and raises that (consumer/fetcher.py:457)."""
    with contextlib.suppress(KafkaError, asyncio.CancelledError):
        await stop()


def plain_text(data: str) -> str:
    """The plain part of an e-mail, its lines joined by spaces."""
    part = next(part for part in message_from_string(data).walk() if part.get_content_type() == "text/plain")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return " ".join(content.decode(part.get_content_charset("utf-8")).split())


# -- events ------------------------------------------------------------------------------------------------------------


def number(organisation: str, client: str) -> str:
    """A mobile number that no other client has."""
    return f"+316{10_000_000 + zlib.crc32(f'{organisation}/{client}'.encode()) % 50_000_000}"


def address(organisation: str, client: str) -> str:
    """An e-mail address that no other client has."""
    return f"{client}@{organisation}.example"


def settings(organisation: str, quiet: int = 0, longest: int = 0, **changes: Any) -> Event:
    """An organisation's settings; by default every change is told at once."""
    value = {
        "organisation": organisation, "name": f"Stichting {organisation}", "notifications": True,
        "time_zone": "Europe/Amsterdam", "window": {"quiet_seconds": quiet, "max_seconds": longest}, "reminder": None,
        "quiet_hours": None,
        "sms": {"originator": "Zorg", "before": "", "after": "", "unit_price": "0.075", "currency": "EUR"},
        "email": {"from": f"zorg@{organisation}.example", "reply_to": None, "before": "", "after": ""},
    } | changes  # fmt: skip
    return Event("organisations", organisation, value)


def client(organisation: str, name: str, *channels: str, notifications: bool = True, confirmed: bool = True) -> list[Event]:
    """A client's consent and contact."""
    ids = {"organisation": organisation, "client": name}
    contact = {
        **ids,
        "sms": {"number": number(organisation, name), "confirmed": confirmed},
        "email": {"address": address(organisation, name), "confirmed": confirmed},
    }
    consent = {**ids, "notifications": notifications, "channels": [*channels], "source": "ecd"}
    key = f"{organisation}/{name}"
    return [Event("consents", key, consent), Event("contacts", key, contact)]


def visit(
    organisation: str, id_: str, revision: int, start: datetime, *clients: str, hours: float = 1.0, location: str | None = None,
    series: str | None = None, status: str = "booked", absent: Iterable[str] = (), **changes: Any,
) -> Event:  # fmt: skip
    """An appointment as it is at a revision."""
    there = [{"client": one, "present": True} for one in clients] + [{"client": one, "present": False} for one in absent]
    value = {
        "organisation": organisation, "appointment": id_, "revision": revision, "status": status, "start": start.isoformat(),
        "end": (start + timedelta(hours=hours)).isoformat(), "location": {"name": location} if location else None,
        "series": series, "clients": there,
    } | changes  # fmt: skip
    return Event("appointments", f"{organisation}/{id_}", value)


def request(organisation: str, name: str, id_: str, text: str, **changes: Any) -> Event:
    """A third party's message."""
    value = {
        "organisation": organisation, "client": name, "request": id_, "party": "roqua", "text": text, "subject": "Vragenlijst",
        "send_at": None, "expires_at": None,
    } | changes  # fmt: skip
    return Event("requests", f"{organisation}/{name}", value)


def whole_minute(moment: datetime, ahead: float) -> datetime:
    """The first whole minute at least so many seconds ahead."""
    later = moment + timedelta(seconds=ahead + 59.999)
    return later.replace(second=0, microsecond=0)
