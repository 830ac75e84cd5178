"""What the decisions alone cost: intake and notices driven by hand, no Kafka. CPU time, so a busy machine does not change it.

decisions.py [EVENTS] [--profile]     prints microseconds an event as JSON; with --profile where they go
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import orjson

from agents.engine.worker import tune_gc
from agents.kafka.writer import Event
from schemas.topics import CLIENT_EVENTS
from streams.intake.intake import Intake
from streams.notices.notices import Notices
from streams.processing.turn import Decision, Output, Processor, Record, Turn, make_durable

from .events import appointments, state

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TURN = 4000


class Part:
    """A processor with its rows, driven by hand."""

    def __init__(self, make: Callable[[dict[bytes, bytes]], Processor]) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.processor = make(self.rows)
        self.cpu = 0.0

    def turn(self, records: list[Record]) -> Decision:
        began = time.process_time()
        decision = self.processor.decide(Turn(NOW, records, due=NOW))
        self.cpu += time.process_time() - began
        make_durable(self.processor, self.rows, decision)
        return decision

    def feed(self, records: list[Record]) -> list[Output]:
        outputs: list[Output] = []
        while records:
            decision = self.turn(records[:TURN])
            outputs += decision.outputs
            records = records[decision.taken :]
        return outputs


def records(events: Iterable[Event]) -> list[Record]:
    return [
        Record(event.topic, 0, offset, (event.key or "").encode(), orjson.dumps(event.value))
        for offset, event in enumerate(events)
    ]


def measure(events: int) -> dict[str, float]:
    """Microseconds of CPU an appointment event, by node, on filled tables."""
    tune_gc()
    intake, notices = Part(lambda rows: Intake(1, rows)), Part(lambda rows: Notices(0, rows))
    for batch in (records(state()), records(appointments(events))):
        intake.cpu = notices.cpu = 0.0
        outputs = [output for output in intake.feed(batch) if output.topic == CLIENT_EVENTS.name]
        notices.feed([Record(o.topic, 0, offset, o.key, o.value) for offset, o in enumerate(outputs)])
    return {
        "events": events,
        "intake_us_an_event": round(intake.cpu / events * 1e6, 2),
        "notices_us_an_event": round(notices.cpu / events * 1e6, 2),
    }


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    profile = cProfile.Profile() if "--profile" in sys.argv else None
    if profile is not None:
        profile.enable()
    figures = measure(*(numbers or [100_000]))
    if profile is not None:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
    print(json.dumps(figures))
