"""What the demo sends in other standards is taken as it is meant."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from agents.demo.story import PRODUCERS, Story
from schemas.appointments import Appointment
from schemas.wire import encode
from streams.translate.node import TRANSLATORS
from streams.translate.producers import read_producers
from streams.translate.results import Origin, Translated


def test_what_the_demo_says_in_fhir_and_hl7_v2_becomes_appointments_that_are_moved_and_cancelled() -> None:
    acts = list(Story(datetime(2026, 3, 2, 9, tzinfo=UTC)).acts())
    agreed = read_producers(orjson.dumps(PRODUCERS))
    fhir = [orjson.dumps(event.value) for act in acts for event in act.events if event.topic == "fhir"]
    siu = [message for act in acts for message in act.messages]

    results = [one for value in fhir for one in TRANSLATORS["fhir"](value, Origin(agreed["meer"]))]
    results += [one for value in siu for one in TRANSLATORS["hl7v2"](value, Origin(agreed["duin"]))]
    told = []
    for one in results:
        assert isinstance(one, Translated), one
        assert isinstance(one.record, Appointment)
        plain = orjson.loads(encode(one.record))
        told.append((plain["organisation"], plain["status"], plain["start"], [each["client"] for each in plain["clients"]]))
    assert told == [
        ("meer", "booked", "2026-03-14T09:30:00+01:00", ["mila"]),
        ("meer", "booked", "2026-03-14T11:30:00+01:00", ["mila"]),
        ("duin", "booked", "2026-03-15T10:00:00Z", ["niek"]),
        ("duin", "booked", "2026-03-15T13:00:00Z", ["niek"]),
        ("duin", "cancelled", "2026-03-15T13:00:00Z", ["niek"]),
    ]
