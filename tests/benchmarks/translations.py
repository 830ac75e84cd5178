"""What the node `translate` alone costs, driven by hand, no Kafka: FHIR and SIU of the size that records and planners send.

translations.py [EVENTS]      prints the figures as JSON

And what it costs our own records that others may have an envelope: intake with and without looking for one, by turns in one run.
CPU time, so a busy machine does not change it much. A translation that is refused or ignored ends the run: it would be cheap.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import orjson

from agents.engine.worker import tune_gc
from schemas.topics import APPOINTMENTS, FHIR, HL7V2
from streams.intake.checks import NAMES
from streams.intake.intake import Intake
from streams.processing.turn import Record
from streams.translate.envelopes import opened
from streams.translate.node import Translate
from streams.translate.producers import Producer

from .decisions import TURN, Part, records
from .events import appointments

SENT, CLIENTS = datetime(2026, 3, 2, 9, tzinfo=UTC), "https://ecd.example/client"
PRODUCERS = {"fhir": Producer(organisation="fhir", clients=CLIENTS), "siu": Producer(organisation="siu", clients="ZORG")}


def moments(number: int) -> tuple[datetime, datetime, datetime]:
    """When it was said, and from when to when it is."""
    start = datetime(2099, 1, 1, 9, tzinfo=UTC) + timedelta(minutes=15 * (number % 100_000))
    return SENT + timedelta(seconds=number), start, start + timedelta(hours=1)


def fhir(number: int) -> Record:
    """An Appointment of R4 with what a record puts around it, of about 1.0 kB."""
    sent, start, end = moments(number)
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "185349003", "display": "Controle"}], "text": "Controle"}
    value = {
        "resourceType": "Appointment", "id": f"a-{number}",
        "meta": {"versionId": "1", "lastUpdated": sent.isoformat(), "profile": ["http://hl7.org/fhir/StructureDefinition/Appointment"]},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Een afspraak op de polikliniek</div>'},
        "identifier": [{"system": "https://ecd.example/appointment", "value": str(number)}],
        "status": "booked", "serviceType": [code], "reasonCode": [code], "minutesDuration": 60,
        "start": start.isoformat(), "end": end.isoformat(),
        "participant": [
            {"actor": {"type": "Patient", "identifier": {"system": CLIENTS, "value": f"client{number}"}}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/7", "display": "Dr. De Boer"}, "status": "accepted"},
            {"actor": {"reference": "Location/1", "display": "De Linde"}, "status": "accepted"},
        ],
    }  # fmt: skip
    return Record(FHIR.name, 0, number, f"fhir/a-{number}".encode(), orjson.dumps(value))


def siu(number: int) -> Record:
    """An SIU^S12 as planners send it, in local times, of about 0.4 kB."""
    sent, start, end = moments(number)
    lines = [
        rf"MSH|^~\&|PLANNER|ZORG|AFSPRAAKBERICHT|ZORG|{sent:%Y%m%d%H%M%S}||SIU^S12^SIU_S12|m-{number}|P|2.5|||AL|NE||8859/1",
        f"SCH|a-{number}^PLANNER|a-{number}^PLANNER||||CONTROLE^Controle|||60|min|^^60^{start:%Y%m%d%H%M%S}^{end:%Y%m%d%H%M%S}"
        "|||||||||||||||Booked",
        f"PID|1||999911120^^^NLMINBIZA^NNNLD~client{number}^^^ZORG^PI||Bos&&Bos^Anna^^^^^L||19700101|F|||Dorpsstraat 1^^Ons Dorp",
        "PV1|1|O|||||7^De Boer",
        "RGS|1|A",
        "AIL|1|A|P2^^^^^^^^Polikliniek 2",
        "AIP|1|A|7^De Boer",
    ]
    return Record(HL7V2.name, 0, number, f"siu/a-{number}".encode(), "\r".join(lines).encode())


def measure(events: int) -> dict[str, float]:
    """Events a second and microseconds an event, of each standard."""
    tune_gc()
    figures: dict[str, float] = {"events": events}
    for name, make in (("fhir", fhir), ("siu", siu)):
        part = Part(lambda rows: Translate(PRODUCERS, rows))
        made = [output for batch in _batches(events) for output in part.feed([make(number) for number in batch])]
        if len(made) != events or {output.topic for output in made} != {APPOINTMENTS.name}:
            raise RuntimeError(f"{name}: {len(made)} of {events} are appointments")
        figures[f"{name}_bytes"] = len(make(0).value or b"")
        figures[f"{name}_us_an_event"] = round(part.cpu / events * 1e6, 2)
        figures[f"{name}_events_per_second"] = round(events / part.cpu)
    return {**figures, **own(events)}


def own(events: int) -> dict[str, float]:
    """What an own record costs in intake, with what it takes to see that it has no envelope, without that, and that alone."""
    made = records(appointments(events))
    parts = {opened: Part(lambda rows: Intake(1, rows)), _as_it_is: Part(lambda rows: Intake(1, rows))}
    ways = list(parts)
    for first in range(0, events, TURN):
        for way in ways:
            with patch("streams.intake.intake.opened", way):
                parts[way].feed(made[first : first + TURN])
        ways.reverse()  # each is first as often: what a turn leaves behind for the next one's garbage collector falls on both
    names = NAMES[APPOINTMENTS.name]
    began = time.process_time()
    for record in made:
        opened(record, names)
    alone = time.process_time() - began
    with_, without = parts[opened].cpu, parts[_as_it_is].cpu
    return {
        "own_us_an_event": round(with_ / events * 1e6, 2),
        "own_us_an_event_without_looking": round(without / events * 1e6, 2),
        "own_ratio": round(with_ / without, 4),
        "looking_us_an_event": round(alone / events * 1e6, 3),
    }


def _as_it_is(record: Record, names: Sequence[str]) -> Record:
    return record


def _batches(events: int) -> Iterator[range]:
    for first in range(0, events, 4000):
        yield range(first, min(first + 4000, events))


if __name__ == "__main__":
    print(json.dumps(measure(*(int(word) for word in sys.argv[1:] or ["100000"]))))
