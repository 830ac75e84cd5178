"""The node that translates, within the graph: what comes in as FHIR or HL7 v2 is told as if it had come as our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from agents.worker.wording import succeed
from schemas.topics import FHIR
from schemas.wire import BadRecordError
from streams.processing.turn import Decision, Record, Turn
from streams.simulation import Simulation
from streams.translate.node import TRANSLATORS, Translate
from streams.translate.producers import Producer, read_producers
from streams.translate.results import Origin, Result
from tests.streams.translate.origins import said
from tests.streams.translate.test_fhir import APPOINTMENT, BOOKED, bundle
from tests.streams.translate.test_siu import message
from tests.world import World, at

NOW = at("2026-03-02 09:00")
PRODUCERS = {"zorg": Producer(organisation="zorg", clients=None)}


def world() -> World:
    bare = World(bare=True)
    bare.simulation = Simulation(succeed, PRODUCERS)
    return bare.settings().consent().contact()


def take(topic: str, key: bytes | None, value: bytes | None) -> Decision:
    return Translate(PRODUCERS, {}).decide(Turn(NOW, [Record(topic, 0, 7, key, value)]))


def test_a_fhir_appointment_is_told() -> None:
    told = world().feed("fhir", "zorg/a-77", APPOINTMENT).wait("2026-03-02 09:05")
    assert (told.sent, told.refused) == (
        ["Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15. Locatie: De Linde."], []
    )  # fmt: skip


def test_what_is_proposed_is_not_told_and_what_is_no_longer_booked_is_taken_back() -> None:
    told = world().feed("fhir", "zorg/a-77", APPOINTMENT | {"status": "proposed"}).wait("2026-03-02 09:05")
    assert told.outcomes == []
    told.feed("fhir", "zorg/a-77", APPOINTMENT | {"meta": {"lastUpdated": "2026-03-02T09:05:00+01:00"}}).wait("2026-03-02 09:10")
    proposed = APPOINTMENT | {"status": "proposed", "meta": {"lastUpdated": "2026-03-02T09:06:00+01:00"}}
    told.feed("fhir", "zorg/a-77", proposed).wait("2026-03-02 09:15")
    assert [text[:30] for text in told.sent] == ["Er is een afspraak met u gemaa", "Uw afspraak op vrijdag 17 apri"]


def test_messages_of_one_moment_count_in_the_order_of_their_offsets() -> None:
    """A planner writes two messages in one second, MSH-7 has no smaller ones."""
    told = world()
    for value in (message(), message("S13").replace(b"131500", b"151500").replace(b"141500", b"161500")):
        list(told.simulation.feed("hl7v2", b"zorg/m", value.replace(b"12345^^^ZORG^PI", b"anna"), told.now))
    told.wait("2026-03-02 09:05")
    assert told.sent == ["Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 15:15 tot 16:15. Locatie: De Linde."]


def test_our_record_has_its_own_key_whatever_the_sources_was() -> None:
    (output,) = take("fhir", b"zorg/Appointment/7", orjson.dumps(APPOINTMENT)).outputs
    assert (output.topic, output.key, said(orjson.loads(output.value or b""))) == (
        "appointments",
        b"zorg/a-77",
        BOOKED | {"order": 7},
    )


@pytest.mark.parametrize(
    ("topic", "key", "value", "reason"),
    [
        ("fhir", b"elders/a", b"{}", "the key does not begin with an organisation that is in the file of producers"),
        ("fhir", None, b"{}", "the key does not begin with an organisation that is in the file of producers"),
        ("fhir", b"\xff/a", b"{}", "the key does not begin with an organisation that is in the file of producers"),
        ("hl7v2", b"zorg/a", None, "a value is missing: null is not allowed here"),
        ("hl7v2", b"zorg/a", b"PID|", "it is no HL7 v2 message: it does not begin with MSH - at `MSH`"),
        ("fhir", b"zorg/a", b'{"specversion":"1.0"}', "the event has no data - at `$.data`"),
    ],
)
def test_what_cannot_be_translated_is_set_aside_as_it_came(
    topic: str, key: bytes | None, value: bytes | None, reason: str
) -> None:
    decision = take(topic, key, value)
    (output,) = decision.outputs
    headers = dict(output.headers)
    assert (output.topic, output.key, output.value, headers["reason"].decode()) == ("dead-letters", key, value, reason)
    assert (headers["topic"], decision.tally) == (topic.encode(), {("events", topic): 1, ("refused", topic): 1})


def test_of_a_bundle_each_bad_entry_is_a_dead_letter_of_its_own() -> None:
    bad = {"resource": {"resourceType": "Appointment", "status": "geheim"}}
    decision = take(
        "fhir", b"zorg/b", orjson.dumps(bundle(bad, {"resource": APPOINTMENT}, {"resource": {"resourceType": "Slot"}}))
    )
    assert [(output.topic, output.value) for output in decision.outputs if output.topic == "dead-letters"] == [
        ("dead-letters", orjson.dumps(bad))
    ]
    assert decision.tally == {
        ("events", "fhir"): 1, ("refused", "fhir"): 1, ("translated", "fhir"): 1, ("ignored", "fhir", "type"): 1
    }  # fmt: skip


def test_a_fault_of_a_translator_costs_its_record_and_not_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(value: bytes, origin: Origin) -> Iterator[Result]:
        yield from ()
        raise ZeroDivisionError("geheim")

    monkeypatch.setitem(TRANSLATORS, FHIR.name, broken)
    decision = take("fhir", b"zorg/a", b"{}")
    (output,) = decision.outputs
    assert dict(output.headers)["reason"] == b"our translator failed on it: ZeroDivisionError"
    assert decision.remarks == ["fhir/0, offset 7: our translator failed on it: ZeroDivisionError"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time_zone": "Europe/Nergens"}, "unknown time zone - at `$[0].time_zone`"),
        ({"clients": "http://fhir.nl/fhir/NamingSystem/bsn"}, "(BSN) names no client here - at `$[0].clients`"),
        ({"clients": "NLMINBIZA"}, "(BSN) names no client here - at `$[0].clients`"),
        (
            {"statuses": {"Scheduled": "geboekt"}},
            "mean none of booked, cancelled, arrived, fulfilled, noshow - at `$[0].statuses`",
        ),
        ({"kinds": {"TEL": "telefoon"}}, "mean none of on_site, phone, video, home - at `$[0].kinds`"),
        ({"organisation": "a/b"}, "at `$[0].organisation`"),
        ({"contacts": "ja"}, "Expected `bool`, got `str` - at `$[0].contacts`"),
    ],
)
def test_a_file_of_producers_that_cannot_be_names_the_field(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRecordError) as refused:
        read_producers(orjson.dumps([{"organisation": "zorg"} | changes]))
    assert reason in str(refused.value)


def test_an_organisation_is_agreed_with_once() -> None:
    with pytest.raises(BadRecordError, match="the organisation is there twice"):
        read_producers(b'[{"organisation":"zorg"},{"organisation":"zorg","time_zone":"UTC"}]')
    assert list(read_producers(b'[{"organisation":"zorg"},{"organisation":"plein"}]')) == ["zorg", "plein"]
