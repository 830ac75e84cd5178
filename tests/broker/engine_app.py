"""Workers for the engine's broker tests, as processes: `engine_app.py KIND NAME BOOTSTRAP [FILE [INSTANCE [FOLDER]]]`.

AUDIT_SECONDS in the environment: between two looks at whether somebody else wrote to a changelog.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from agents.engine.app import Engine
from agents.engine.node import NodeSpec
from agents.engine.worker import run_worker
from agents.logs import configure
from streams.processing.turn import Call, Decision, Output, Processor, Turn

N = 4
json = msgspec.json


class Words:
    """Counts a word's records. Output: word and count, so that (word, count) is its id."""

    def __init__(self, name: str, rows: MutableMapping[bytes, bytes]) -> None:
        self.name, self.rows = name, rows

    def loaded(self) -> None:
        pass

    def decide(self, turn: Turn) -> Decision:
        decision = Decision()
        for record in turn.records:
            key = record.key or b""
            before = decision.rows.get(key) or self.rows.get(key) or b"0"
            count = b"%d" % (int(before) + 1)
            decision.put(key, count)
            decision.emit(Output(f"{self.name}-counts", key, count + b" " + (record.value or b"")))
            decision.taken += 1
            if decision.full:
                break
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        pass

    def next_due(self) -> datetime | None:
        return None


class Caller:
    """Claims a row for each record, calls, writes what came of it. A claim older than `stale` is resolved as `unknown`."""

    stale = timedelta(seconds=4)

    def __init__(self, name: str, rows: MutableMapping[bytes, bytes]) -> None:
        self.name, self.rows, self.now = name, rows, datetime(2000, 1, 1, tzinfo=UTC)
        self.open: dict[bytes, dict[str, Any]] = {}

    def loaded(self) -> None:
        self.open = {
            key: row for key, value in self.rows.items() if (row := json.decode(value))["state"] in ("waiting", "claimed")
        }

    def decide(self, turn: Turn) -> Decision:
        decision = Decision(taken=len(turn.records))
        for record in turn.records:
            assert record.key is not None
            self.put(decision, record.key, {"state": "waiting", "at": turn.now.isoformat()})
        for result in turn.results:
            self.end(decision, result.key, "sent" if result.outcome == "ok" else "unknown")
        room = turn.room
        for key, row in list(self.open.items()):
            if row["state"] == "claimed" and turn.now - datetime.fromisoformat(row["at"]) > self.stale:
                self.end(decision, key, "unknown")
            elif row["state"] == "waiting" and room:
                room -= 1
                self.put(decision, key, {"state": "claimed", "at": turn.now.isoformat()})
                decision.calls.append(Call(key, key.decode()))
        return decision

    def put(self, decision: Decision, key: bytes, row: dict[str, Any]) -> None:
        decision.put(key, json.encode(row))
        self.open[key] = row

    def end(self, decision: Decision, key: bytes, state: str) -> None:
        if self.open.pop(key, None):
            decision.put(key, json.encode({"state": state}))
            decision.emit(Output(f"{self.name}-log", key, state.encode()))

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        pass

    def next_due(self) -> datetime | None:
        times = (
            datetime.fromisoformat(row["at"]) + (self.stale if row["state"] == "claimed" else timedelta())
            for row in self.open.values()
        )
        return min(times, default=None)


class Alarms:
    """A record `set` makes a moment that is due at once, `cancel` takes it away. Reads both from an intake's topic."""

    def __init__(self, name: str, rows: MutableMapping[bytes, bytes]) -> None:
        self.name, self.rows = name, rows
        self.due: dict[bytes, datetime] = {}

    def loaded(self) -> None:
        self.due = {key: datetime.fromisoformat(value.decode()) for key, value in self.rows.items()}

    def decide(self, turn: Turn) -> Decision:
        decision = Decision(taken=len(turn.records))
        for record in turn.records:
            assert record.key is not None
            if record.value == b"cancel":
                self.due.pop(record.key, None)
                decision.put(record.key, None)
            else:
                self.due[record.key] = turn.now
                decision.put(record.key, turn.now.isoformat().encode())
        for key, moment in list(self.due.items()):
            if turn.due is not None and moment <= turn.due:
                del self.due[key]
                decision.put(key, None)
                decision.emit(Output(f"{self.name}-rung", key, b"rung"))
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        pass

    def next_due(self) -> datetime | None:
        return min(self.due.values(), default=None)


class Intake:
    """Passes on what it reads, as slowly as it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name

    def loaded(self) -> None:
        pass

    def decide(self, turn: Turn) -> Decision:
        decision = Decision()
        for record in turn.records[:50]:
            decision.emit(Output(f"{self.name}-clean", record.key, record.value))
            decision.taken += 1
        return decision

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        pass

    def next_due(self) -> datetime | None:
        return None


def nodes(kind: str, name: str) -> list[NodeSpec]:
    if kind in ("words", "words-of-two"):
        topics = (f"{name}-in", f"{name}-more")[: 1 if kind == "words" else 2]
        return [NodeSpec("words", topics, lambda p, rows, peers: Words(name, rows))]
    if kind == "caller":

        async def call(request: str) -> str:
            with Path(sys.argv[4]).open("a") as made:
                made.write(request + "\n")
            await asyncio.sleep(0.5)
            return "ok"

        return [
            NodeSpec(
                "ledger",
                (f"{name}-in",),
                lambda p, rows, peers: Caller(name, rows),
                call=call,
                max_in_flight_calls=16,
                call_timeout=5.0,
            )
        ]
    if kind == "alarms":

        def alarms(p: int, rows: MutableMapping[bytes, bytes], peers: Mapping[str, Processor]) -> Processor:
            assert set(peers) == {"intake"}
            return Alarms(name, rows)

        return [
            NodeSpec("alarms", (f"{name}-clean",), alarms, peers=("intake",), waits_for=(f"{name}-in", f"{name}-late")),
            NodeSpec(
                "intake",
                (f"{name}-in", f"{name}-late"),
                lambda p, rows, peers: Intake(name),
                hold={f"{name}-late": (f"{name}-in",)},
            ),
        ]
    raise ValueError(kind)


if __name__ == "__main__":
    kind, name, bootstrap = sys.argv[1:4]
    configure("info", "json")
    settings: dict[str, Any] = {"fit": lambda output: output}  # the topics of these tests take all that is written
    settings |= {"broker_session_timeout": 6.0, "broker_heartbeat_interval": 1.0, "datadir": tempfile.mkdtemp()}
    if "AUDIT_SECONDS" in os.environ:
        settings["audit_interval"] = float(os.environ["AUDIT_SECONDS"])
    if len(sys.argv) > 5:
        settings["consumer_group_instance_id"] = sys.argv[5]
    if len(sys.argv) > 6:
        from agents.engine.state.rocksdb import RocksDbBackend

        settings["disk"] = RocksDbBackend(Path(sys.argv[6]))
    app = Engine(name, bootstrap, nodes(kind, name), N, **settings)
    sys.exit(run_worker(app, "INFO"))
