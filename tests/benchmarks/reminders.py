"""The due index at size: a million clients with two appointments each in one worker's memory.

reminders.py [CLIENTS] [DUE]     prints bytes a client, the time of an advance that finds nothing due, and of DUE at once
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import datetime, timedelta

from agents.engine.worker import tune_gc
from schemas.events import AppointmentEvent, ClientEvent, View
from schemas.inputs import Consent, Contact, Organisation, Phone
from schemas.topics import LEDGERS
from schemas.wire import encode, read
from streams.intake.contacts import known_contact
from streams.notices.notices import Notices
from streams.processing.turn import Decision, Processor, Record, Result, Turn, make_durable
from streams.sending.outcomes import Outcome
from streams.sending.sender import Sending
from tests.world import at, organisation

START = at("2026-03-02 09:00")
DUE = at("2026-03-09 10:00")
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


def feed(part: Part, events: list[ClientEvent], now: datetime) -> None:
    records = [Record("client-events", 0, offset, _key(event), encode(event)) for offset, event in enumerate(events)]
    while records:
        records = records[part.turn(Turn(now, records)).taken :]


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
    notices, sender = Part(), Part()
    notices.processor = kept = Notices(0, notices.rows)
    sender.processor = Sending("sms", LEDGERS["sms"], 0, sender.rows, kept)
    settings = organisation(window={"quiet_seconds": 0, "max_seconds": 0}, reminder={"days_before": 1, "at": "10:00"})
    feed(notices, [ClientEvent(organisation="zorg", settings=read(Organisation, encode(settings)))], START)
    before = memory()
    for number in range(0, clients, 1000):
        feed(notices, [event for one in range(number, number + 1000) for event in client_events(one, due)], START)
    figures: dict[str, float] = {"clients": clients, "bytes_a_client": round((memory() - before) / clients)}

    began = time.perf_counter()
    for _ in range(1000):
        notices.turn(Turn(START, due=START + timedelta(hours=1)))
    figures["advance_with_nothing_due_us"] = round((time.perf_counter() - began) * 1000, 2)

    began, sent, offset = time.perf_counter(), 0, 0
    decision = notices.turn(Turn(DUE, due=DUE))
    while decision.outputs or decision.more:
        records = [Record("deliveries-sms", 0, offset + i, output.key, output.value) for i, output in enumerate(decision.outputs)]
        offset += len(records)
        calls = sender.turn(Turn(DUE, records, due=DUE, room=100_000)).calls
        sent += len(calls)
        sender.turn(Turn(DUE, results=[Result(call.key, SENT) for call in calls], due=DUE))
        decision = notices.turn(Turn(DUE, due=DUE))
    seconds = time.perf_counter() - began
    return figures | {"reminders": sent, "reminders_seconds": round(seconds, 2), "reminders_per_second": round(sent / seconds)}


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    print(json.dumps(measure(*(numbers or [1_000_000, 100_000]))))
