"""The due index at size: a million clients with two appointments each in one worker's memory.

reminders.py [CLIENTS] [DUE]     prints bytes a client, the time of an advance that finds nothing due, and of DUE at once
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from agents.engine.worker import tune_gc
from schemas.events import AppointmentEvent, ClientEvent, View
from schemas.inputs import Consent, Contact, Organisation, Phone
from schemas.topics import CLIENT_EVENTS, DELIVERIES, LEDGERS
from schemas.wire import encode, read
from streams.employees.employees import Employees
from streams.intake.contacts import known_contact
from streams.notices.notices import Notices
from streams.processing.turn import Decision, Output, Processor, Record, Result, Turn, make_durable
from streams.sending.outcomes import Outcome
from streams.sending.sender import Sending
from tests.world import at, organisation

START = at("2026-03-02 09:00")
DUE = at("2026-03-09 10:00")
ROOM = 100_000
SENT = Outcome(kind="sent", text="…", each=(1,))


class Part:
    """A processor with its rows, driven by hand."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.processor: Processor

    def turn(self, turn: Turn) -> Decision:
        decision = self.processor.decide(turn)
        make_durable(self.processor, self.rows, decision)
        return decision


def _key(event: ClientEvent) -> bytes:
    return "/".join(filter(None, (event.organisation, event.client))).encode()


def feed(part: Part, records: list[Record], now: datetime) -> list[Output]:
    """What it decided of these records."""
    outputs = []
    while records:
        decision = part.turn(Turn(now, records))
        outputs += decision.outputs
        records = records[decision.taken :]
    return outputs


def records_of(topic: str, entries: Iterable[tuple[bytes | None, bytes | None]]) -> list[Record]:
    return [Record(topic, 0, offset, key, value) for offset, (key, value) in enumerate(entries)]


def upstream(events: list[ClientEvent]) -> list[Record]:
    return records_of(CLIENT_EVENTS.name, ((_key(event), encode(event)) for event in events))


def send(notices: Part, sender: Part, outputs: list[Output], now: datetime) -> int:
    """Send what was decided, tell `notices` that it went out, and what it decides then, until nothing is left; the calls."""
    sent = 0
    while deliveries := records_of(DELIVERIES["sms"].name, kept(outputs, DELIVERIES["sms"].name)):
        told = []
        claimed = None
        while claimed is None or claimed.taken or claimed.calls:
            claimed = sender.turn(Turn(now, deliveries, due=now, room=ROOM))
            deliveries = deliveries[claimed.taken :]
            sent += len(claimed.calls)
            ended = sender.turn(Turn(now, results=[Result(call.key, SENT) for call in claimed.calls], due=now))
            told += kept([*claimed.outputs, *ended.outputs], CLIENT_EVENTS.name)
        outputs = [*feed(notices, records_of(CLIENT_EVENTS.name, told), now), *advance(notices, now)]
    return sent


def kept(outputs: list[Output], topic: str) -> list[tuple[bytes | None, bytes | None]]:
    return [(one.key, one.value) for one in outputs if one.topic == topic]


def advance(part: Part, now: datetime) -> list[Output]:
    """What it decides of all that is due."""
    outputs, decision = [], part.turn(Turn(now, due=now))
    while decision.outputs or decision.more:
        outputs += decision.outputs
        decision = part.turn(Turn(now, due=now))
    return outputs


def sender_of(notices: Part) -> Part:
    part = Part()
    assert isinstance(notices.processor, Notices)
    part.processor = Sending("sms", LEDGERS["sms"], 0, part.rows, notices.processor, Employees(0, {}, notices.processor))
    return part


def client_events(number: int, due: int) -> list[ClientEvent]:
    """Consent, contact and two appointments; the reminders of the first `due` clients fall due in the same minute."""
    client = f"c{number}"
    first = at("2026-03-10 11:00") if number < due else at("2027-03-10 11:00")
    views = (
        View(first, first + timedelta(hours=1), "De Linde"),
        View(first + timedelta(days=30), first + timedelta(days=30, hours=1)),
    )
    return [
        ClientEvent(
            organisation="zorg",
            client=client,
            consent=Consent(organisation="zorg", client=client, notifications=True, channels=["sms"]),
        ),
        ClientEvent(
            organisation="zorg",
            client=client,
            contact=known_contact(
                Contact(organisation="zorg", client=client, sms=Phone(number=f"+316{number:08d}", confirmed=True))
            ),
        ),
        *(
            ClientEvent(
                organisation="zorg",
                client=client,
                appointment=AppointmentEvent(appointment=f"a{number}-{index}", revision=1, booked=True, present=True, view=view),
            )
            for index, view in enumerate(views)
        ),
    ]


def memory() -> int:
    """Bytes of this process at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(clients: int, due: int) -> dict[str, float]:
    tune_gc()
    notices = Part()
    notices.processor = Notices(0, notices.rows)
    settings = organisation(window={"quiet_seconds": 0, "max_seconds": 0}, reminder={"days_before": 1, "at": "10:00"})
    feed(notices, upstream([ClientEvent(organisation="zorg", settings=read(Organisation, encode(settings)))]), START)
    before = memory()
    for number in range(0, clients, 1000):
        events = [event for one in range(number, number + 1000) for event in client_events(one, due)]
        # By a sender of its own, whose ledger goes: what is measured is what `notices` keeps.
        send(notices, sender_of(notices), feed(notices, upstream(events), START), START)
    figures: dict[str, float] = {"clients": clients, "bytes_a_client": round((memory() - before) / clients)}

    began = time.perf_counter()
    for _ in range(1000):
        decision = notices.turn(Turn(START, due=START + timedelta(minutes=1)))
        assert decision == Decision(), "something was due"
    figures["advance_with_nothing_due_us"] = round((time.perf_counter() - began) * 1000, 2)

    sender = sender_of(notices)
    began = time.perf_counter()
    sent = send(notices, sender, advance(notices, DUE), DUE)
    seconds = time.perf_counter() - began
    assert sent == due, f"{sent} reminders of {due}"
    return figures | {"reminders": sent, "reminders_seconds": round(seconds, 2), "reminders_per_second": round(sent / seconds)}


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    print(json.dumps(measure(*(numbers or [1_000_000, 100_000]))))
