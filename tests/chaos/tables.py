"""The final tables, read from the changelogs by code of its own, against what the inputs and the log say they must be.

A changelog is a list of keys and values. A record with the key `\\0fence` begins the time of an owner; what an earlier owner
wrote after it does not count: its header `e` names an older fence.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .verifier import Inputs, Log, Message, State, Verifier, states

NODES = {
    "intake": ("appointments", "consents", "contacts", "opt-outs", "organisations", "requests"),
    "notices": ("client-events",),
    "sms": ("deliveries-sms",),
    "email": ("deliveries-email",),
}
"""The nodes of the application with what each reads."""
OFFSET = b"\0offset/"
OPEN = ("waiting", "claimed", "retrying", "unknown")

Rows = dict[bytes, bytes]


def fold(records: Iterable[Any]) -> dict[int, Rows]:
    """The rows of each partition."""
    rows: dict[int, Rows] = defaultdict(dict)
    fences: dict[int, int] = defaultdict(int)
    for record in records:
        mine = rows[record.partition]
        if record.key == b"\0fence":
            fences[record.partition] = record.offset
            continue
        owner = dict(record.headers).get("e")
        if owner is not None and int.from_bytes(owner, "big") < fences[record.partition]:
            continue
        if record.value is None:
            mine.pop(record.key, None)
        else:
            mine[record.key] = record.value
    return rows


def gone(records: Iterable[Any]) -> int:
    """How many records compaction has taken away: offsets that nothing has."""
    last: dict[int, int] = {}
    missing = 0
    for record in records:
        missing += record.offset - last.get(record.partition, -1) - 1
        last[record.partition] = record.offset
    return missing


class Tables:
    """One look at the rows of all nodes."""

    def __init__(self, inputs: Inputs, log: Log, changelogs: Mapping[str, Iterable[Any]]) -> None:
        self.inputs, self.faults = inputs, list[str]()
        self.told = Verifier(inputs, log, [], [])  # its index of the log; what it finds wrong is not asked here
        self.parts = {node: fold(records) for node, records in changelogs.items()}
        self.rows: dict[str, dict[str, Any]] = {}
        for node, parts in self.parts.items():
            found = self.rows[node] = {}
            for part, rows in parts.items():
                for key, value in rows.items():
                    name = key.decode()
                    if name[0] == "\0":
                        continue
                    if name in found and not name.startswith("organisations/"):
                        self.faults.append(f"{node}: {name} is in partition {part} and in another one")
                    found[name] = json.loads(value)

    def verify(self, ends: Mapping[str, Mapping[int, int]]) -> list[str]:
        self._places(ends)
        self._same("intake", "appointments", {key: self._snapshot(one) for key, one in self.inputs.appointments.items()})
        for topic in ("consents", "contacts"):
            found = {name.partition("/")[2] for name in self.rows["notices"] if name.startswith(f"{topic}/")}
            if found != set(getattr(self.inputs, topic)):
                self.faults.append(f"notices: {topic} are of {len(found)} clients, {len(getattr(self.inputs, topic))} were fed")
        self._agendas()
        for channel in ("sms", "email"):
            self._ledger(channel)
        return self.faults

    def _places(self, ends: Mapping[str, Mapping[int, int]]) -> None:
        """All is handled, and nothing waits to be sent."""
        for node, topics in NODES.items():
            for part, rows in self.parts[node].items():
                if b"\0outbox" in rows:
                    self.faults.append(f"{node}/{part}: its outbox is not empty")
                for topic in topics:
                    reached = int.from_bytes(rows.get(OFFSET + topic.encode(), b""), "big")
                    if reached != ends[topic][part]:
                        self.faults.append(f"{node}/{part}: {topic} is handled up to {reached} of {ends[topic][part]}")

    @staticmethod
    def _snapshot(revisions: list[dict[str, Any]]) -> dict[str, Any]:
        """What counts of an appointment's events: the first of the highest revision."""
        return max(revisions, key=lambda event: event["revision"])

    def _same(self, node: str, table: str, wanted: Mapping[str, dict[str, Any]]) -> None:
        """The appointments' last snapshots."""
        found = {name.partition("/")[2]: row for name, row in self.rows[node].items() if name.startswith(f"{table}/")}
        if found.keys() != wanted.keys():
            self.faults.append(f"{node}: rows of {len(found)} {table}, {len(wanted)} were fed")
        for key, row in found.items():
            event = wanted.get(key)
            if event is None:
                continue
            was = (row["revision"], row["booked"], viewed(row["view"]), row["clients"])
            clients = {one["client"]: one["present"] for one in event["clients"]}
            here = viewed({**event, "location": (event["location"] or {}).get("name")})
            if was != (event["revision"], event["status"] == "booked", here, clients):
                self.faults.append(f"{node}: {table}/{key} is {was}, its last event {event}")

    def _agendas(self) -> None:
        """What each client was last told is what is so, but where an SMS of unknown outcome flies."""
        wanted: dict[str, dict[str, list[State]]] = defaultdict(dict)
        for key, revisions in self.inputs.appointments.items():
            organisation, appointment = key.split("/")
            zone = ZoneInfo(self.inputs.organisations[organisation]["time_zone"])
            for client in {one["client"] for event in revisions for one in event["clients"]}:
                wanted[f"agendas/{organisation}/{client}"][appointment] = states(revisions, client, zone)
        found = {name: row for name, row in self.rows["notices"].items() if name.startswith("agendas/")}
        for name, row in found.items():
            self._flight(name, row)
        for name, appointments in wanted.items():
            row = found.pop(name, {})
            for appointment, history in appointments.items():
                entry = row.get("appointments", {}).get(appointment)
                told = entry and entry.get("told")
                known = viewed(told) if told else None
                if entry is None or (known != history[-1] and not (known in (None, *history) and self._comes(row, appointment))):
                    self.faults.append(f"notices: {name} was told {told} of {appointment}, which is {history[-1]}")
        self.faults += [f"notices: {name} of nobody" for name, row in found.items() if row.get("appointments")]

    def _flight(self, name: str, row: Mapping[str, Any]) -> None:
        """What flies is open at its sender: the word of what ended has landed."""
        for id_, flying in row.get("flight", {}).items():
            status = self.rows[flying["channel"]].get(f"ledger/{name.partition('/')[2]}/{id_}", {}).get("status")
            if status not in OPEN:
                self.faults.append(f"notices: {id_} of {name} flies and is {status} in the ledger")

    def _comes(self, row: Mapping[str, Any], appointment: str) -> bool:
        """Whether it is said by what flies, or gathers meanwhile, held back by an SMS of which nobody knows."""
        flight = row.get("flight", {})
        if not any(ends_of(one) == OPEN and one.count("unknown") for id_ in flight if (one := self.told.messages.get(id_))):
            return False
        said = {notice.get("appointment") for flying in flight.values() for notice in flying["notices"]}
        return "window" in row or appointment in said

    def _ledger(self, channel: str) -> None:
        """Every message of the log has its row, with the same end; and no row is without one, unless it waits."""
        found = {name.split("/")[-1]: row for name, row in self.rows[channel].items() if name.startswith("ledger/")}
        for message in self.told.messages.values():
            if {record["channel"] for record in message.records} != {channel} or (
                message.count("suppressed") and not message.is_unsure
            ):
                continue
            row = found.pop(message.id, None)
            status = row and row["status"]
            if status not in ends_of(message):
                self.faults.append(f"{channel}: message {message.id} is {status} in the ledger, in the log {message.statuses}")
        self.faults += [
            f"{channel}: {id_} is {row['status']} and not in the log" for id_, row in found.items() if row["status"] not in OPEN
        ]


def ends_of(message: Message) -> tuple[str, ...]:
    """The statuses that a row of the ledger may have."""
    if message.is_dead:
        return ("failed",)
    if message.is_unsure:
        return ("suppressed",)
    for status in ("sent", "superseded"):
        if message.count(status):
            return (status,)
    return OPEN


def viewed(view: Mapping[str, Any]) -> State:
    """Start, end and location."""
    start, end = (datetime.fromisoformat(view[name]) for name in ("start", "end"))
    return start, end, view.get("location")


def verify(
    inputs: Iterable[tuple[str, bytes, bytes]], log: Log, changelogs: Mapping[str, Iterable[Any]],
    ends: Mapping[str, Mapping[int, int]],
) -> list[str]:  # fmt: skip
    """Everything that is wrong with the tables, a sentence each.

    Args:
        inputs, log: as in `verifier.verify`.
        changelogs: the records of each node's, in the order of their partitions.
        ends: of each topic that nodes read, by partition.
    """
    return Tables(Inputs.of(inputs), log, changelogs).verify(ends)
