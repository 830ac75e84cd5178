"""The simulation, given the events of the model, and its log as the model's facts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from contextlib import redirect_stderr
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from agents.commands.simulate import Run
from agents.worker.wording import succeed
from streams.simulation import Refused, Simulation
from tests.model.naive import Event, Fact, Said
from tests.model.naive_words import instant


class Simulated(NamedTuple):
    records: list[dict[str, Any]]
    refused: list[int]
    simulation: Simulation

    @property
    def facts(self) -> list[Fact]:
        return [fact for record in self.records for fact in facts(record)]


def lines(events: Iterable[Event]) -> str:
    """The events as a file for `afspraakbericht simulate`."""
    return "".join(json.dumps({**event._asdict(), "at": event.at.isoformat()}) + "\n" for event in events)


def simulated(events: Iterable[Event], until: datetime) -> Simulated:
    simulation, errors = Simulation(succeed), io.StringIO()
    run = Run(simulation, until)
    with redirect_stderr(errors):
        records = [json.loads(record) for record in run.records(io.BytesIO(lines(events).encode()))]
    refused = [int(number) for number in re.findall(r"^line (\d+):", errors.getvalue(), re.MULTILINE)]
    return Simulated(records, refused, simulation)


def reported(events: Iterable[Event], until: datetime, reports: Iterable[Fact | None]) -> Simulated:
    """The same, with reports that messages did not arrive: of each the message, None where none is made."""
    simulation, those = Simulation(succeed), iter(reports)
    records: list[dict[str, Any]] = []
    refused: list[int] = []
    for number, event in enumerate(events, 1):
        if event.at > until:
            break
        records += map(json.loads, simulation.until(event.at))
        value = event.value
        if event.topic == "delivery-reports" and (value := report(next(those), records, event.at)) is None:
            continue
        written = json.dumps(value).encode() if value is not None else None
        try:
            records += map(json.loads, simulation.feed(event.topic, event.key.encode(), written, event.at))
        except Refused:
            refused.append(number)
    records += map(json.loads, simulation.until(until))
    return Simulated(records, refused, simulation)


def report(fact: Fact | None, records: Iterable[dict[str, Any]], at: datetime) -> dict[str, Any] | None:
    """What the provider reports of a message that was sent; None where there is none (any more)."""
    if fact is None:
        return None
    before = {record["message"] for record in records if record["status"] == "failed"}
    found = [each for each in records if each["status"] == "sent" and each["message"] not in before and fact in facts(each)]
    whose = {"organisation": fact.organisation, "client": fact.client, "status": "delivery_failed", "error": 1}
    return {**whose, "message": found[0]["message"], "attempt": 1, "at": at.isoformat()} if found else None


def facts(record: dict[str, Any]) -> list[Fact]:
    """What was not sent, one a notice; of a reminder that was not sent only that it was not."""
    assert record["at"].endswith("Z")
    assert timedelta(0) == instant(record["at"]).utcoffset()
    sent = record["status"] == "sent"
    said = [
        Said(one["kind"], tuple(each for each in (one["appointment"], *one.get("others", ())) if each))
        for one in record["notices"]
    ]
    if not sent and record["reason"] == "reminder":
        said = [Said("reminder", ())]
    groups = [tuple(said)] if sent else [(one,) for one in said]
    return [
        Fact(
            instant(record["at"]),
            record["organisation"],
            record["client"],
            record["reason"],
            record["status"],
            record["detail"],
            record["channel"] if sent else None,
            group,
            record["text"],
        )
        for group in groups
    ]
