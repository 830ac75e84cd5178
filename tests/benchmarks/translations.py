"""What the node `translate` alone costs, driven by hand, no Kafka: FHIR and SIU of the size that records and planners send.

CPU time, so a busy machine does not change it much. A translation that is refused or ignored ends the run: it would be cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson

from agents.engine.worker import tune_gc
from schemas.topics import APPOINTMENTS, FHIR, HL7V2
from streams.processing.turn import Record
from streams.translate.node import Translate
from streams.translate.producers import Producer

from .decisions import Part

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
    return figures


def _batches(events: int) -> Iterator[range]:
    for first in range(0, events, 4000):
        yield range(first, min(first + 4000, events))
