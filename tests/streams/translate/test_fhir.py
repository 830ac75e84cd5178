"""FHIR as our records: each row is a resource, and what is so then."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.intake.intake import Intake
from streams.processing.turn import Record, Turn
from streams.translate.fhir import translate_fhir
from tests.streams.translate.origins import SYSTEM, origin, told
from tests.world import at

PATIENT = {"actor": {"reference": "Patient/anna", "display": "Anna Jansen"}, "status": "accepted"}
LOCATION = {"actor": {"reference": "Location/1", "display": "De Linde"}, "status": "accepted"}
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment", "id": "a-77", "meta": {"versionId": "7", "lastUpdated": "2026-03-02T09:00:00.123+01:00"},
    "status": "booked", "start": "2026-04-17T13:15:00+02:00", "end": "2026-04-17T14:15:00+02:00",
    "participant": [PATIENT, {"actor": {"reference": "Practitioner/x"}, "status": "accepted"}, LOCATION],
}  # fmt: skip
BOOKED: dict[str, Any] = {
    "organisation": "zorg", "appointment": "a-77", "revision": 1772438400123, "status": "booked",
    "start": "2026-04-17T13:15:00+02:00", "end": "2026-04-17T14:15:00+02:00", "location": {"name": "De Linde"},
    "series": "a-77", "clients": [{"client": "anna", "present": True}], "replaces": None, "keep": [], "order": 0,
}  # fmt: skip


def read(plain: Any, **agreed: Any) -> list[Any]:
    value = plain if isinstance(plain, bytes) else orjson.dumps(plain)
    return told(translate_fhir, value, origin(**{"clients": None, **agreed}))


def with_patient(**changes: Any) -> dict[str, Any]:
    return APPOINTMENT | {"participant": [PATIENT | changes, LOCATION]}


def test_a_booked_appointment() -> None:
    assert read(APPOINTMENT) == [BOOKED]


@pytest.mark.parametrize(
    ("status", "so"),
    [
        ("proposed", "cancelled"), ("pending", "cancelled"), ("waitlist", "cancelled"), ("booked", "booked"),
        ("arrived", "arrived"), ("checked-in", "arrived"), ("fulfilled", "fulfilled"), ("noshow", "noshow"),
        ("cancelled", "cancelled"), ("entered-in-error", "cancelled"),
    ],
)  # fmt: skip
def test_a_status_says_what_is_so(status: str, so: str) -> None:
    (record,) = read(APPOINTMENT | {"status": status})
    assert record["status"] == so


CARER: dict[str, Any] = {"actor": {"reference": "PractitionerRole/x", "display": "A. de Vries"}, "status": "accepted"}


@pytest.mark.parametrize(
    ("changes", "field", "then"),
    [
        ({"appointmentType": {"coding": [{"system": "s", "code": "intake/1"}]}}, "label", "intake%2F1"),
        ({"appointmentType": {"coding": [{"system": "s"}, {"code": "FOLLOWUP"}]}}, "label", "FOLLOWUP"),
        ({"appointmentType": {"text": "Intake"}}, "label", None),
        ({"appointmentType": {"coding": [{"code": "TEL"}]}}, "kind", "phone"),
        (
            {"appointmentType": {"coding": [{"code": "TEL"}]}, "virtualService": [{"addressUrl": "https://x.example"}]},
            "kind",
            "phone",
        ),
        ({"virtualService": [{"addressUrl": "https://video.linde.example/a-77"}]}, "kind", "video"),
        ({"virtualService": [{"addressUrl": "https://video.linde.example/a-77"}]}, "link", "https://video.linde.example/a-77"),
        ({"virtualService": [{"addressUrl": "http://video.linde.example/a-77"}]}, "link", None),
        ({"virtualService": [{"addressContactPoint": {"system": "phone", "value": "+31541123456"}}]}, "kind", "phone"),
        ({"virtualService": []}, "kind", None),
        ({"class": [{"coding": [{"code": "HH"}]}]}, "kind", "home"),
        ({"class": [{"coding": [{"code": "AMB"}]}]}, "kind", None),
        ({"class": {"code": "HH"}}, "kind", None),
        ({"class": "HH", "virtualService": "Zoom"}, "kind", None),
        ({"virtualService": [{"addressUrl": ["https://video.linde.example/a-77"]}]}, "link", None),
        ({"appointmentType": {"coding": [{"code": "in/take"}]}}, "kind", "video"),
        ({"participant": [PATIENT, CARER]}, "practitioner", "A. de Vries"),
        (
            {"participant": [PATIENT, CARER, CARER | {"actor": {"reference": "Practitioner/y", "display": "B. Smit"}}]},
            "practitioner",
            None,
        ),
        ({"participant": [PATIENT, CARER | {"status": "declined"}]}, "practitioner", None),
        ({"participant": [PATIENT, {"actor": {"reference": "Practitioner/x"}, "status": "accepted"}]}, "practitioner", None),
        ({"patientInstruction": "Neem uw medicijnen mee."}, "instructions", "Neem uw medicijnen mee."),
        ({"patientInstruction": [{"concept": {"text": "Nuchter"}}]}, "instructions", None),
        ({"patientInstruction": " "}, "instructions", None),
    ],
)
def test_what_is_known_besides(changes: dict[str, Any], field: str, then: str | None) -> None:
    (record,) = read(APPOINTMENT | changes, kinds={"TEL": "phone", "in/take": "video"})
    assert record.get(field) == then


@pytest.mark.parametrize("status", ["proposed", "cancelled", "entered-in-error"])
def test_what_is_not_on_may_have_no_times(status: str) -> None:
    bare = {name: value for name, value in APPOINTMENT.items() if name not in ("start", "end")}
    (record,) = read(bare | {"status": status})
    assert (record["status"], record["start"], record["end"], record["revision"]) == ("cancelled", None, None, 1772438400123)


@pytest.mark.parametrize(
    ("status", "present"), [("accepted", True), ("tentative", True), ("needs-action", True), ("declined", False)]
)
def test_who_declined_is_not_present(status: str, present: bool) -> None:
    (record,) = read(with_patient(status=status))
    assert record["clients"] == [{"client": "anna", "present": present}]


@pytest.mark.parametrize(
    ("required", "present"), [("required", True), ("optional", True), ("information-only", False), (True, True), (False, True)]
)
def test_who_is_informed_only_is_not_expected(required: str | bool, present: bool) -> None:
    (record,) = read(with_patient(required=required))
    assert record["clients"] == [{"client": "anna", "present": present}]


@pytest.mark.parametrize("code", ["R", "V"])
def test_of_what_is_confidential_nothing_is_told_first(code: str) -> None:
    meta = APPOINTMENT["meta"] | {
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code}]
    }
    (record,) = read(APPOINTMENT | {"meta": meta})
    assert (record["notify"], record["clients"]) == ("none", [{"client": "anna", "present": True}])


def test_relatives_and_others_are_no_clients_and_an_appointment_without_clients_has_none() -> None:
    others = [{"actor": {"reference": f"{kind}/x"}, "status": "accepted"} for kind in ("RelatedPerson", "Practitioner", "Device")]
    (record,) = read(
        APPOINTMENT | {"participant": [*others, {"status": "accepted"}, {"actor": {"display": "Bel"}, "status": "accepted"}]}
    )
    assert (record["clients"], record["location"]) == ([], None)


@pytest.mark.parametrize(
    ("participant", "name"),
    [
        pytest.param({"reference": "Location/1", "display": " De  Linde "}, "De Linde", id="by its display"),
        pytest.param({"reference": "#l"}, "Zuidvleugel", id="by the name of the resource that comes along"),
        pytest.param({"reference": "Location/9", "display": "Oud"}, "Nieuw", id="by the name that was agreed"),
        pytest.param({"reference": "Location/1"}, None, id="else there is none: nothing is fetched"),
        pytest.param({"type": "Location", "display": "De Linde"}, "De Linde", id="without a reference"),
    ],
)
def test_where(participant: dict[str, Any], name: str | None) -> None:
    contained = [{"resourceType": "Location", "id": "l", "name": "Zuidvleugel", "address": {"line": ["Dorpsstraat 1"]}}]
    plain = APPOINTMENT | {"participant": [PATIENT, {"actor": participant, "status": "accepted"}], "contained": contained}
    (record,) = read(plain, places={"Location/9": "Nieuw"})
    assert record["location"] == ({"name": name} if name else None)


def identified(**identifier: Any) -> dict[str, Any]:
    return {"reference": "Patient/1", "identifier": {"system": SYSTEM, "value": "12345"} | identifier}


BSN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NNNLD"}]}
ANNA = {"resourceType": "Patient", "id": "p", "identifier": [{"system": SYSTEM, "value": "12345"}]}


@pytest.mark.parametrize(
    ("actor", "client"),
    [
        pytest.param(identified(), "12345", id="the identifier of the authority beside the reference"),
        pytest.param({"type": "Patient", "identifier": {"system": SYSTEM, "value": "12345"}}, "12345", id="without a reference"),
        pytest.param({"reference": "#p"}, "12345", id="or that of the Patient that comes along"),
        pytest.param(identified(value="a/7%"), "a%2F7%25", id="in a form that fits a key"),
        pytest.param({"reference": "Patient/1"}, None, id="the id on the server is not what was agreed"),
        pytest.param(identified(system="https://elders.example"), None, id="nor is another authority's"),
        pytest.param(identified(type=BSN), None, id="nor a citizen service number by its type"),
    ],
)
def test_a_client_is_the_identifier_of_the_authority_that_was_agreed(actor: dict[str, Any], client: str | None) -> None:
    plain = with_patient(actor=actor) | {"contained": [ANNA]}
    place = "Appointment.participant[0].actor.identifier"
    found = read(plain, clients=SYSTEM)
    if client is None:
        assert found == [f"no identifier of the client's authority - at `{place}`"]
    else:
        assert found[0]["clients"] == [{"client": client, "present": True}]


@pytest.mark.parametrize(
    ("reference", "server", "client"),
    [
        ("Patient/anna/_history/3", None, "anna"),
        ("https://ecd.example/fhir/Patient/anna", "https://ecd.example/fhir/", "anna"),
        ("https://ecd.example/fhir/Patient/anna", None, None),
        ("https://elders.example/fhir/Patient/anna", "https://ecd.example/fhir", None),
        ("https://ecd.example/fhir.elders.example/Patient/anna", "https://ecd.example/fhir", None),
    ],
)
def test_a_patient_of_another_server_is_nobodys(reference: str, server: str | None, client: str | None) -> None:
    found = read(with_patient(actor={"reference": reference}), server=server)
    if client is None:
        assert found == ["a reference to another server - at `Appointment.participant[0].actor.reference`"]
    else:
        assert found[0]["clients"] == [{"client": client, "present": True}]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"status": "geheim"}, "Invalid enum value - at `Appointment.status`"),
        ({"start": "2026-04-17T13:15:00"}, "Expected `datetime` with a timezone component - at `Appointment.start`"),
        ({"start": None}, "it is missing - at `Appointment.start`"),
        ({"end": "2026-04-17T10:00:00Z"}, "the end is before the start - at `Appointment.end`"),
        ({"start": "1969-04-17T13:15:00Z"}, "the year must be 1970 to 2199 - at `Appointment.start`"),
        ({"id": None}, "an id is missing - at `Appointment.id`"),
        ({"id": "x" * 201}, "an id of more than 200 characters - at `Appointment.id`"),
        ({"meta": {"versionId": "7"}}, "it is missing - at `Appointment.meta.lastUpdated`"),
        ({"meta": None}, "it is missing - at `Appointment.meta.lastUpdated`"),
        ({"participant": [{"status": "geheim"}]}, "Invalid enum value - at `Appointment.participant[0].status`"),
        ({"participant": [PATIENT, {}]}, "Object missing required field `status` - at `Appointment.participant[1]`"),
        ({"participant": {}}, "Expected `array | null`, got `object` - at `Appointment.participant`"),
        (
            {"participant": [PATIENT, PATIENT | {"status": "declined"}]},
            "a client takes part twice, and is expected once - at `Appointment.participant[1]`",
        ),
        (
            {"participant": [{"actor": {"reference": f"Patient/{number}"}, "status": "accepted"} for number in range(1001)]},
            "more than 1000 clients - at `Appointment.participant`",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_the_words_of_the_standard(changes: dict[str, Any], refusal: str) -> None:
    assert read(APPOINTMENT | changes) == [refusal]


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (b"{", "not JSON: unexpected end of data at line 1, column 2 - at `$`"),
        (b"[]", "it is no FHIR resource in JSON - at `resourceType`"),
        (b"<Appointment/>", "not JSON: unexpected character, expected a JSON value at line 1, column 1 - at `$`"),
        (b'{"resourceType":"Appointment","x":' + b"[" * 40 + b"]" * 40 + b"}", "it is nested more than 32 levels deep - at `$`"),
        (b'{"x":"' + b"x" * (1 << 20) + b'"}', "1048584 bytes; at most 1048576 are taken - at `$`"),
    ],
)
def test_what_is_no_resource_is_refused(value: bytes, refusal: str) -> None:
    assert read(value) == [refusal]


def test_another_source_than_agreed_is_refused() -> None:
    plain = APPOINTMENT | {"meta": APPOINTMENT["meta"] | {"source": "https://ecd.example/fhir#req-1"}}
    assert read(plain, sources=["https://ecd.example/"]) == [BOOKED]
    assert read(plain, sources=["https://elders.example/"]) == [
        "it is of another producer than the record's key says - at `Appointment.meta.source`"
    ]


def test_what_r5_says_of_other_appointments() -> None:
    more = {
        "originatingAppointment": {"reference": "Appointment/first"}, "recurrenceId": 2,
        "replaces": [{"reference": "Appointment/old/_history/1"}, {"display": "?"}],
        "recurrenceTemplate": [{"recurrenceType": {"text": "weekly"}, "occurrenceCount": 500}],
    }  # fmt: skip
    assert read(APPOINTMENT | more) == [BOOKED | {"series": "first", "replaces": ["old"]}, "(replaces)"]


LONG = "Een hele tekst. " * 20
VIDEO = {"virtualService": [{"addressUrl": f"https://video.linde.example/{'x' * 600}"}]}


@pytest.mark.parametrize(
    ("changes", "more", "ignored"),
    [
        ({"appointmentType": {"coding": [{"code": LONG}]}}, {}, ["(label)"]),
        ({"appointmentType": {"coding": [{"code": " "}]}}, {}, ["(label)"]),
        ({"appointmentType": "Intake"}, {}, ["(label)"]),
        ({"appointmentType": [{"coding": []}]}, {}, ["(label)"]),
        ({"appointmentType": {"text": LONG}}, {}, []),
        ({"originatingAppointment": {"reference": f"Appointment/{'s' * 201}"}}, {}, ["(series)"]),
        ({"originatingAppointment": {"display": LONG}}, {}, ["(series)"]),
        ({"originatingAppointment": "s-1"}, {}, ["(series)"]),
        ({"replaces": [{"reference": f"Appointment/{'r' * 201}"}, {"reference": "Appointment/r"}]}, {"replaces": ["r"]},
         ["(replaces)"]),
        ({"replaces": {"reference": "Appointment/r"}}, {"replaces": ["r"]}, []),
        ({"replaces": "r"}, {}, ["(replaces)"]),
        ({"replaces": [{"reference": f"Appointment/{n}"} for n in range(11)]},
         {"replaces": [str(n) for n in range(10)]}, ["(replaces)"]),
        ({"participant": [PATIENT, {"actor": {"reference": "Location/1", "display": LONG}, "status": "accepted"}]},
         {"location": {"name": "Een hele tekst. " * 12 + "Een hele"}}, []),
        ({"participant": [PATIENT, {"actor": {"reference": "Location/1", "display": {"nl": "Noord"}}, "status": "accepted"}]},
         {"location": None}, []),
        ({"participant": [PATIENT, LOCATION, CARER | {"actor": CARER["actor"] | {"display": 7}}]}, {}, []),
        ({"description": 7, "comment": [LONG], "note": LONG, "reasonCode": "x", "serviceType": 1}, {}, []),
        ({"patientInstruction": {"text": LONG}, "virtualService": "Zoom", "class": 7}, {}, []),
    ],
)  # fmt: skip
def test_what_only_describes_an_appointment_never_costs_it(
    changes: dict[str, Any], more: dict[str, Any], ignored: list[str]
) -> None:
    assert read(APPOINTMENT | changes) == [BOOKED | more, *ignored]


@pytest.mark.parametrize(
    ("changes", "field", "place"),
    [
        ({"patientInstruction": LONG}, "instructions", "instructions"),
        (VIDEO, "link", "link"),
        (
            {"participant": [PATIENT, LOCATION, CARER | {"actor": CARER["actor"] | {"display": LONG}}]},
            "practitioner",
            "practitioner",
        ),
    ],
)
def test_what_a_reminder_cannot_say_is_left_to_intake_which_names_it_and_takes_the_rest(
    changes: dict[str, Any], field: str, place: str
) -> None:
    (record,) = read(APPOINTMENT | changes)
    assert record[field]
    taken = Intake(4, {}).decide(Turn(at("2026-03-02 09:00"), [Record("appointments", 0, 0, b"zorg/a-77", orjson.dumps(record))]))
    assert [output.topic for output in taken.outputs] == ["client-events", "dead-letters"]
    assert f"`$.{place}`" in dict(taken.outputs[1].headers)["reason"].decode()


def test_another_resource_is_ignored() -> None:
    assert read({"resourceType": "Observation", "id": "x"}) == ["(type)"]
    assert read({"resourceType": "Patient", "id": "x"}) == ["(contact)"]


# -- bundles -----------------------------------------------------------------------------------------------------------


def bundle(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "history", "entry": list(entries), **more}


def test_a_bundle_is_as_many_results_and_a_bad_entry_spoils_no_other() -> None:
    bad = APPOINTMENT | {"status": "geheim"}
    found = read(bundle({"resource": bad}, {"resource": APPOINTMENT}, {"resource": {"resourceType": "Slot"}}, {}))
    assert found == ["Invalid enum value - at `Bundle.entry[0].resource.status`", BOOKED, "(type)", "(empty)"]


def test_a_bad_entry_is_set_aside_by_itself() -> None:
    value = orjson.dumps(bundle({"resource": APPOINTMENT}, {"resource": {"resourceType": "Appointment"}}))
    (_, refused) = list(translate_fhir(value, origin(clients=None)))
    assert refused.part == b'{"resource":{"resourceType":"Appointment"}}'  # type: ignore[union-attr]


def test_references_are_resolved_within_the_bundle() -> None:
    urn = "urn:uuid:7d9f"
    booked = with_patient(actor={"reference": urn})
    found = read(bundle({"resource": booked}, {"fullUrl": urn, "resource": ANNA}), clients=SYSTEM)
    assert found == [BOOKED | {"clients": [{"client": "12345", "present": True}]}, "(contact)"]


@pytest.mark.parametrize(
    ("entry", "more", "found"),
    [
        (
            {"request": {"method": "DELETE", "url": "Appointment/a-77"}, "response": {"lastModified": "2026-03-02T09:00:00Z"}},
            {},
            1772442000000,
        ),
        ({"request": {"method": "DELETE", "url": "Appointment/a-77"}}, {"timestamp": "2026-03-02T09:00:00Z"}, 1772442000000),
        (
            {"request": {"method": "DELETE", "url": "Appointment/a-77"}},
            {},
            "nothing says when it was deleted - at `Bundle.entry[0].response.lastModified`",
        ),
        ({"request": {"method": "DELETE", "url": "Slot/a-77"}}, {}, "(type)"),
    ],
)
def test_what_a_history_deletes_is_cancelled_and_never_null(
    entry: dict[str, Any], more: dict[str, Any], found: int | str
) -> None:
    (result,) = read(bundle(entry, **more))
    if isinstance(found, str):
        assert result == found
    else:
        assert (result["appointment"], result["status"], result["revision"]) == ("a-77", "cancelled", found)


def test_a_bundle_of_more_than_a_thousand_is_refused_whole() -> None:
    assert read(bundle(*[{}] * 1001)) == ["Expected `array` of length <= 1000 - at `Bundle.entry`"]


# -- patients ----------------------------------------------------------------------------------------------------------

MOBILE = {"system": "phone", "use": "mobile", "value": "06 12345678"}
MAIL = {"system": "email", "value": "anna@example.org"}


def patient(*telecom: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "anna",
        "meta": {"lastUpdated": "2026-03-02T09:00:00Z"},
        "telecom": list(telecom),
    } | more


@pytest.mark.parametrize(
    ("telecom", "number", "address"),
    [
        pytest.param([MOBILE, MAIL], "06 12345678", "anna@example.org", id="the mobile number and the address"),
        pytest.param([MOBILE | {"use": "home"}], None, None, id="no other number"),
        pytest.param([{"system": "sms", "value": "06 1"}], "06 1", None, id="one for SMS is mobile"),
        pytest.param([MOBILE | {"use": "old"}, MAIL | {"use": "old"}], None, None, id="nothing old"),
        pytest.param(
            [MOBILE | {"period": {"end": "2025"}}, MAIL | {"period": {"end": "2027-01"}}],
            None,
            "anna@example.org",
            id="nothing that ended",
        ),
        pytest.param([MOBILE | {"rank": 2}, MOBILE | {"value": "06 2", "rank": 1}], "06 2", None, id="by rank"),
        pytest.param([MAIL | {"value": "geen"}, MOBILE], "06 12345678", None, id="what is no address is unknown"),
        pytest.param([], None, None, id="nothing: then nothing is known"),
    ],
)
def test_where_a_patient_can_be_reached(telecom: list[dict[str, Any]], number: str | None, address: str | None) -> None:
    (record,) = told(translate_fhir, orjson.dumps(patient(*telecom)), origin(1772442000000, clients=None, contacts=True))
    assert record == {
        "organisation": "zorg", "client": "anna", "revision": 1772442000000,
        "sms": {"number": number, "confirmed": None} if number else None,
        "email": {"address": address, "confirmed": None} if address else None,
    }  # fmt: skip


@pytest.mark.parametrize("more", [{"active": False}, {"deceasedBoolean": True}, {"deceasedDateTime": "2026-02-01"}])
def test_of_who_died_or_is_no_patient_any_more_nothing_is_known(more: dict[str, Any]) -> None:
    (record,) = read(patient(MOBILE, MAIL, **more), contacts=True)
    assert (record["sms"], record["email"]) == (None, None)
