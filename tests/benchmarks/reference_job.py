"""The reference job on the engine: events a second, comparable with the same job on other frameworks.

reference_job.py produce BOOTSTRAP EVENTS TOPIC     appointment events of EVENTS / 5 clients, on 8 partitions
reference_job.py run BOOTSTRAP EVENTS TOPIC NAME    reads them all, keeps an agenda a client, writes a notice a change
reference_job.py recover BOOTSTRAP EVENTS TOPIC NAME [FOLDER]   starts it again, with one more event a partition, on the rows of
`run`; with a FOLDER the rows are on disk: all are loaded at the first time, at the next only what came since
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.engine.app import Engine
from agents.engine.monitor import Monitor
from agents.engine.node import NodeSpec
from agents.engine.state.rocksdb import RocksDbBackend
from agents.engine.transport.partitioner import partition_for
from agents.engine.worker import run_worker
from streams.processing.turn import Decision, Output, Turn

PARTITIONS = 8


class Event(msgspec.Struct, gc=False):
    client: str
    appointment: str
    start: str
    end: str
    location: str
    revision: int


class Notice(msgspec.Struct, gc=False):
    rev: int
    kind: str
    client: str
    start: str
    end: str
    prev: tuple[str, str, int] | None
    location: str


Agenda = dict[str, tuple[str, str, int]]
decode_event = msgspec.json.Decoder(Event).decode
decode_agenda = msgspec.json.Decoder(Agenda).decode
encode = msgspec.json.Encoder().encode


class Agendas:
    """An agenda per client: of each appointment its start, end and revision."""

    def __init__(self, rows: MutableMapping[bytes, bytes], notices: str) -> None:
        self.rows, self.notices = rows, notices

    def loaded(self) -> None: ...

    def decide(self, turn: Turn) -> Decision:
        decision = Decision()
        fresh: dict[bytes, Agenda] = {}
        for record in turn.records:
            key = record.key or b""
            event = decode_event(record.value or b"")
            agenda = fresh.get(key)
            if agenda is None:
                agenda = fresh[key] = decode_agenda(self.rows.get(key, b"{}"))
            decision.taken += 1
            told = agenda.get(event.appointment)
            if told is not None and told[2] >= event.revision:
                continue
            agenda[event.appointment] = (event.start, event.end, event.revision)
            if told is None or told[0] != event.start or told[1] != event.end:
                kind = "created" if told is None else "moved"
                notice = Notice(event.revision, kind, event.client, event.start, event.end, told, event.location)
                decision.emit(Output(self.notices, key, encode(notice), turn.records[0].partition))
        for key, agenda in fresh.items():
            decision.put(key, encode(agenda))
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None: ...

    def next_due(self) -> datetime | None:
        return None


class Count(Monitor):
    """Ends the worker when all is handled."""

    def __init__(self, events: int) -> None:
        self.events, self.count, self.began, self.turns, self.cpu = events, 0, 0.0, 0, 0.0

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        if not self.began:
            self.began, self.cpu = time.monotonic() - seconds, time.process_time()
        self.count += records
        self.turns += 1
        if self.count >= self.events and self.events:
            rate = self.count / (time.monotonic() - self.began)
            cpu = time.process_time() - self.cpu
            print(f"ENGINE n={self.count} turns={self.turns} {rate:.0f} ev/s cpu={cpu:.1f}", flush=True)
            self.events = 0
            os.kill(os.getpid(), signal.SIGTERM)


class Recovery(Monitor):
    """Ends the worker at its first event, and prints how long that took since the assignment."""

    def __init__(self) -> None:
        self.records, self.loading, self.assigned, self.cpu = 0, 0.0, 0.0, 0.0

    def assignment(self, *_: Any, **__: Any) -> None:
        self.assigned, self.cpu = time.monotonic(), time.process_time()

    def on_recovered(self, node: str, count: int, seconds: float) -> None:
        self.records, self.loading = count, seconds

    def on_turn(self, node: str, records: int, seconds: float) -> None:
        if self.assigned:
            took, self.assigned = time.monotonic() - self.assigned, 0.0
            cpu, rate = time.process_time() - self.cpu, self.records / took
            print(f"RECOVERED n={self.records} {took:.2f} s load={self.loading:.2f} cpu={cpu:.2f} {rate:.0f} rec/s", flush=True)
            os.kill(os.getpid(), signal.SIGTERM)


async def create(bootstrap: str, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    have = await admin.list_topics()
    large = {"max.message.bytes": str(16 << 20)}
    await admin.create_topics([NewTopic(t, PARTITIONS, 1, topic_configs=large) for t in topics if t not in have])
    await admin.close()


async def produce(bootstrap: str, events: int, topic: str, more: int = 0) -> None:
    """All events; or `more` that come after them."""
    await create(bootstrap, topic)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=1 << 18, acks=1)
    await producer.start()
    rnd = random.Random(1)
    for i in range(events, events + more) if more else range(events):
        client, which, day, hour = rnd.randrange(events // 5), rnd.randrange(4), rnd.randrange(1, 28), rnd.randrange(8, 17)
        key = f"org{client % 50}:client{client}".encode()
        event = {
            "specversion": "1.0", "type": "appointment.changed", "id": str(i), "organisation": f"org{client % 50}",
            "client": f"client{client}", "appointment": f"a{client}-{which}",
            "start": f"2026-12-{day:02d}T{hour:02d}:15:00+01:00",
            "end": f"2026-12-{day:02d}T{hour + 1:02d}:15:00+01:00", "location": "Locatie De Linde", "present": True,
            "status": "booked", "revision": i,
        }  # fmt: skip
        await producer.send(topic, encode(event), key=key, partition=partition_for(key, PARTITIONS))
    await producer.stop()


def run(bootstrap: str, topic: str, name: str, hooks: Monitor, folder: str | None = None) -> int:
    asyncio.run(create(bootstrap, f"{name}-notices", f"{name}-agendas-changelog"))
    node = NodeSpec("agendas", (topic,), lambda p, rows, peers: Agendas(rows, f"{name}-notices"))
    disk = RocksDbBackend(Path(folder)) if folder else None
    app = Engine(name, bootstrap, [node], PARTITIONS, hooks=hooks, datadir=tempfile.mkdtemp(), disk=disk)
    if isinstance(hooks, Recovery):
        app.on_partitions_assigned.connect(hooks.assignment)
    return run_worker(app, "WARNING")


if __name__ == "__main__":
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    command, bootstrap, events, topic = sys.argv[1:5]
    if command == "produce":
        asyncio.run(produce(bootstrap, int(events), topic))
    elif command == "run":
        sys.exit(run(bootstrap, topic, sys.argv[5], Count(int(events))))
    elif command == "recover":
        asyncio.run(produce(bootstrap, int(events), topic, 100))
        sys.exit(run(bootstrap, topic, sys.argv[5], Recovery(), *sys.argv[6:7]))
