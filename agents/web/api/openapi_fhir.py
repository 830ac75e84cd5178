"""FHIR's routes in the API's OpenAPI document: what is read of each resource, and the OperationOutcomes that answer.

The schemas are those of the classes that the translator reads with. Elements they do not name are FHIR's, and are left alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from agents.kafka.json_schemas import schemas_of
from streams.translate.fhir_types import AppointmentResource, Bundle, PatientResource

from ..http.outcomes import CODES, FHIR_JSON

PREFIX = "Fhir"
"""Before the name of each schema: FHIR's Appointment is not ours."""

RESOURCES = {"AppointmentResource": "Appointment", "PatientResource": "Patient", "Bundle": "Bundle"}
_REF = "#/components/schemas/"


@cache
def schemas() -> dict[str, Any]:
    """Return the schemas by name."""
    made = schemas_of([AppointmentResource, PatientResource, Bundle], _REF + PREFIX + "{name}")
    for name, kind in RESOURCES.items():
        made[name]["properties"]["resourceType"] = {"const": kind}
        made[name]["required"] = sorted({*made[name].get("required", ()), "resourceType", *(("id",) if kind != "Bundle" else ())})
        if kind != "Bundle":
            made[name]["properties"]["id"] = {"type": "string", "description": "That of the address, where that has one."}
    made["AppointmentResource"]["required"] += ["meta"]
    made["AppointmentResource"]["properties"]["meta"] = {
        "$ref": f"{_REF}{PREFIX}Meta",
        "type": "object",
        "required": ["lastUpdated"],
        "description": "`lastUpdated` says which of two states is the newer.",
    }
    return {**{PREFIX + name: schema for name, schema in made.items()}, "OperationOutcome": _OUTCOME}


def paths() -> dict[str, Any]:
    """Return the routes."""
    resource = {"anyOf": [{"$ref": f"{_REF}{PREFIX}{name}"} for name in ("AppointmentResource", "PatientResource")]}
    bundle = {"$ref": f"{_REF}{PREFIX}Bundle"}
    kind = _in_path("type", "The resource's type.", {"enum": ["Appointment", "Patient"]})
    id_ = _in_path("id", "The resource's id.", {"type": "string"})
    put = _operation("putFhirResource", "Tell the state of an appointment or a patient, at its address", resource)
    post = _operation("postFhirResource", "Tell the state of an appointment or a patient, which must have an id", resource)
    many = _operation("postFhirBundle", "Tell many at once: entries that cannot be used are warnings, if others can", bundle)
    return {
        "/fhir/{organisation}/{type}/{id}": {"parameters": [_ORGANISATION, kind, id_], "put": put},
        "/fhir/{organisation}/{type}": {"parameters": [_ORGANISATION, kind], "post": post},
        "/fhir/{organisation}": {"parameters": [_ORGANISATION], "post": many},
    }


def _in_path(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


_ORGANISATION = _in_path("organisation", "The organisation of the key.", {"type": "string"})


def _operation(id_: str, summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind in (FHIR_JSON, "application/json")}
    return {
        "operationId": id_,
        "summary": summary,
        "description": "With a key of `afspraakbericht api-key --fhir`. R4, R4B, R5 and STU3 are read alike.",
        "requestBody": {"required": True, "content": content},
        "responses": {status: _answer(text, retry=status in ("429", "503")) for status, text in _ANSWERS.items()},
    }


_ANSWERS = {
    "200": "Kafka has it, and it will be decided on. Entries of a Bundle that cannot be used are warnings.",
    "400": "It is not FHIR in JSON, or nested too deeply.",
    "401": "No key, or one that is not known, or one of a third party.",
    "403": "The key is another organisation's, or the organisation is not in the file of producers.",
    "404": "There is no such address: Appointments, Patients and Bundles are taken.",
    "408": "The body came in too slowly.",
    "413": "The body is larger than 1 MiB.",
    "415": "The body is neither `application/fhir+json` nor `application/json`.",
    "422": "It cannot be used; `expression` says which element is wrong.",
    "429": "More requests than the key may make.",
    "503": "Kafka is away: try again.",
}


def _answer(description: str, *, retry: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {FHIR_JSON: {"schema": {"$ref": f"{_REF}OperationOutcome"}}},
    }
    if retry:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    return answer


_OUTCOME = {
    "type": "object",
    "description": "What became of a request, in FHIR. It holds no value of what was sent.",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code", "diagnostics"],
                "properties": {
                    "severity": {"enum": ["error", "warning", "information"]},
                    "code": {"enum": sorted({*CODES.values(), "exception", "informational"})},
                    "diagnostics": {"type": "string"},
                    "expression": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "FHIRPath of the element: `Appointment.participant[1].status`.",
                    },
                },
            },
        },
    },
}
