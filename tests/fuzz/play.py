"""A run: hostile events in batches, after each a canary that must be told, and an account of every record in the end."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from jsonschema import Draft202012Validator

from schemas.topics import TOPICS
from tests.broker.harness import AMSTERDAM, Stand, Worker, client, settings, visit

from .hostile import CODECS, INPUTS, Hostile, events, key_of

BATCH = 250
CANARY = "kanarie"
MEMORY_MIB = 1500
"""Resident memory that a worker may have had at its most: the manifests give it 2 GiB."""
REQUEST = 80 << 20
"""Bytes that the producers would send, so that the broker and not they say what is too large."""

Place = tuple[str, int, int]


@dataclass
class Account:
    """What became of every record.

    Attributes:
        refused_by_broker: never accepted, by the producer's error.
        dead: accepted, and set aside with its reason.
        taken: accepted, and used.
        wrong: what must not be; empty where all is well.
    """

    events: int = 0
    refused_by_broker: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    canaries: list[float] = field(default_factory=list)
    memory: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Return the account for people."""
        lines = [
            f"{self.events} hostile events in {self.seconds:.0f} s: {self.refused_by_broker.total()} refused by the broker,"
            f" {self.dead.total()} set aside, {self.taken.total()} taken",
            "refused by the broker: " + (", ".join(f"{name} {n}" for name, n in self.refused_by_broker.most_common()) or "none"),
            "set aside, by topic: " + ", ".join(f"{name} {n}" for name, n in self.dead.most_common()),
            f"canaries: {len(self.canaries)}, the slowest told after {max(self.canaries, default=0):.1f} s",
            f"the worker's memory at its most: {self.memory} MiB",
            *self.wrong,
            f"{len(self.wrong)} wrong",
        ]
        return "\n".join(lines)


async def run(folder: Path, count: int, seed: int, partitions: int = 4) -> Account:
    """Write `count` hostile events to a broker with a worker of its own; AssertionError where a canary stays silent."""
    rng, account, sent = random.Random(seed), Account(count), dict[Place, Hostile]()
    began = time.monotonic()
    async with Stand(folder, partitions=partitions) as stand, producers(stand.kafka.bootstrap) as codecs:
        worker = stand.worker()
        await stand.feed(settings(CANARY), client(CANARY, "anna", "sms"))
        await stand.settled()
        for first in range(0, count, BATCH):
            batch = events(rng, min(BATCH, count - first))
            sent |= await write(codecs, batch, account)
            await canary(stand, first // BATCH, account)
        await stand.settled()
        account.memory = peak(worker)
        await judge(stand, sent, account)
        if not worker.running:
            account.wrong.append(f"the worker ended with {worker.process.returncode}")
        await worker.stop()
    account.seconds = time.monotonic() - began
    return account


@contextlib.asynccontextmanager
async def producers(bootstrap: str) -> AsyncIterator[dict[str | None, AIOKafkaProducer]]:
    """A producer for each codec."""
    async with AsyncExitStack() as stack:
        made = {}
        for codec in CODECS:
            producer = AIOKafkaProducer(
                bootstrap_servers=bootstrap, acks="all", compression_type=codec, max_request_size=REQUEST, max_batch_size=1 << 20,
            )  # fmt: skip
            made[codec] = await stack.enter_async_context(producer)
        yield made


async def write(codecs: dict[str | None, AIOKafkaProducer], batch: Iterable[Hostile], account: Account) -> dict[Place, Hostile]:
    """Write a batch; return where Kafka put each record that it took."""
    waiting = []
    for one in batch:
        send = codecs[one.codec].send(one.topic, one.value, one.key, timestamp_ms=one.time, headers=list(one.headers))
        try:
            waiting.append((one, await send))
        except (KafkaError, AssertionError) as error:
            account.refused_by_broker[type(error).__name__] += 1
    found = {}
    for one, future in waiting:
        try:
            landed = await future
        except KafkaError as error:
            account.refused_by_broker[type(error).__name__] += 1
        else:
            found[landed.topic, landed.partition, landed.offset] = one
    return found


async def canary(stand: Stand, number: int, account: Account) -> None:
    """Book an appointment for somebody who must hear of it, and wait until it was sent."""
    began = time.monotonic()
    start = (datetime.now(AMSTERDAM) + timedelta(days=30 + number)).replace(hour=10, minute=0, second=0, microsecond=0)
    await stand.feed(visit(CANARY, f"k{number}", 1, start, "anna"))

    async def told() -> bool:
        return any(
            entry["status"] == "sent" for entry in await canaries(stand) if entry["notices"][0]["appointment"] == f"k{number}"
        )

    await stand.until(told, f"canary {number} is told")
    account.canaries.append(time.monotonic() - began)


async def canaries(stand: Stand) -> list[dict[str, Any]]:
    """The delivery log of the canary; junk that was written to that topic by hand is not ours to read."""
    found = []
    for record in await stand.records("delivery-log"):
        with contextlib.suppress(orjson.JSONDecodeError, TypeError):
            entry = orjson.loads(record.value)
            if isinstance(entry, dict) and entry.get("organisation") == CANARY and "status" in entry:
                found.append(entry)
    return found


def peak(worker: Worker) -> int:
    """The most memory that a worker had at once, in MiB."""
    lines = Path(f"/proc/{worker.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


async def judge(stand: Stand, sent: dict[Place, Hostile], account: Account) -> None:
    """Hold every record against the dead letters: set aside as it was, or right by the published schema."""
    letters: dict[Place, Any] = {}
    for record in await stand.records("dead-letters"):
        headers = dict(record.headers)
        if {"topic", "partition", "offset", "reason"} <= headers.keys():
            place = headers["topic"].decode(), int(headers["partition"]), int(headers["offset"])
            letters[place] = (record, headers)
    for place, one in sent.items():
        if place in letters:
            account.dead[one.topic] += 1
            account.wrong += [f"{where(place)}: {fault}" for fault in altered(one, *letters[place])]
        else:
            account.taken[one.topic] += 1
            if one.topic in INPUTS and (fault := unfit(one)):
                account.wrong.append(f"{where(place)} was taken though {fault}")
    if account.memory > MEMORY_MIB:
        account.wrong.append(f"the worker had {account.memory} MiB of memory, at most {MEMORY_MIB} are allowed")


def where(place: Place) -> str:
    return f"{place[0]}/{place[1]} at {place[2]}"


def altered(one: Hostile, letter: Any, headers: dict[str, bytes]) -> list[str]:
    """Say what of a record its dead letter does not have: its bytes, or their size and hash."""
    faults = []
    if letter.value != one.value:
        value = one.value or b""
        marks = (headers.get("size"), headers.get("sha256"))
        if letter.value is not None or marks != (str(len(value)).encode(), hashlib.sha256(value).hexdigest().encode()):
            faults.append("its dead letter has other bytes")
    if letter.key != one.key and not (letter.key is None and len(one.key or b"") > 1 << 19):
        faults.append("its dead letter has another key")
    return faults


def clear(event: dict[str, Any]) -> dict[str, Any]:
    """Put right what is taken since its meaning is clear, and what is skipped: the schema says only what is best."""
    for name, value in event.items():
        if isinstance(value, dict):
            event[name] = clear(value)
        elif isinstance(value, str) and name in ("before", "after", "text"):
            event[name] = " ".join(value.split())
        elif isinstance(value, str) and name in ("name", "from", "reply_to", "subject", "originator", "number", "address"):
            event[name] = value.strip()
    for detail in ("practitioner", "instructions", "link", "label", "series", "call_name"):  # left out where it cannot be used
        event.pop(detail, None)
    for parts in ("appointments", "gone", "people"):  # each by itself, and not at all where the snapshot is stale
        if isinstance(event.get(parts), list):
            event[parts] = []
    if isinstance(event.get("channels"), list):
        event["channels"] = [one for one in event["channels"] if one in ("sms", "email")]
    if isinstance(event.get("location"), dict) and isinstance(event["location"].get("name", None), str | None):
        event["location"] = {"name": "any place"} if "name" in event["location"] else event["location"]
    return event


SCHEMAS = {
    topic.name: Draft202012Validator(msgspec.json.schema(topic.record))
    for topic in TOPICS if topic.role == "input" and topic.record is not None
}  # fmt: skip


def unfit(one: Hostile) -> str | None:
    """Say why the published schema would not take a record that was taken; None where it would."""
    if one.value is None or one.value in (b"", b"null"):
        return None
    value = one.value[5:] if one.value[:1] == b"\0" else one.value  # Confluent's wire format
    if value in (b"", b"null"):
        return None
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return "it is not JSON"
    if not isinstance(event, dict):
        return "it is no object"
    if one.key != key_of(one.topic, event):
        return "its key says something else"
    fault = next(SCHEMAS[one.topic].iter_errors(clear(event)), None)
    return f"its schema refuses {list(fault.absolute_path)}: {fault.validator}" if fault is not None else None


def main_account(folder: Path, count: int, seed: int) -> Account:
    """Run it from outside of a loop."""
    return asyncio.run(run(folder, count, seed))
