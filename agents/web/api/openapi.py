"""Build the API's OpenAPI 3.1 document. What a field may hold comes from the record itself, so that the two cannot differ."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from agents.kafka.json_schemas import schemas_of
from schemas.channels import CHANNELS
from schemas.deliveries import Status
from schemas.inputs import Request
from streams.processing.caps import MOST_REQUESTS

from . import openapi_fhir

FROM_KEY = ("organisation", "party")
"""Fields of a request that come from the key."""

DESCRIPTIONS = {
    "client": "The client's id in the care organisation's record.",
    "request": "The party's own id of this request. The same id and content again is the same message, never a second one. It "
    "stands in an address and so must not tell who the client is.",
    "text": "The message, in Dutch. Links must be https.",
    "subject": "The subject, where it goes by e-mail.",
    "send_at": "Not before this instant, in the years 1970 to 2199; at once without it. It may wait for the organisation's quiet "
    "hours.",
    "expires_at": "Not after this instant, in the years 1970 to 2199.",
}


_YEARS = "^(19[7-9][0-9]|2[01][0-9][0-9])-"
"""The years that intake takes, as `streams/intake/checks.py` has them."""


@cache
def _record() -> dict[str, Any]:
    """Return the JSON Schema of a request, as a party writes it."""
    schema: dict[str, Any] = schemas_of([Request], "#/components/schemas/{name}")["Request"]
    for name in FROM_KEY:
        del schema["properties"][name]
        schema["required"].remove(name)
    for name, text in DESCRIPTIONS.items():
        schema["properties"][name]["description"] = text
    for name in ("send_at", "expires_at"):
        for choice in schema["properties"][name]["anyOf"]:
            if choice.get("format") == "date-time":
                choice["pattern"] = _YEARS
    schema["additionalProperties"] = False
    schema["description"] = "A message that a third party asks for. Its organisation and party are those of the key."
    return schema


def _problem(description: str, *, retry: bool = False) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if retry:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    return answer


def _state(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}}


@cache
def document() -> dict[str, Any]:
    """Return the whole document."""
    both = {
        "401": _problem("No key, or one that is not known."),
        "429": _problem(f"More requests than the key may make, or than may wait for one client ({MOST_REQUESTS}).", retry=True),
        "503": _problem("Kafka or the projection is away: try again.", retry=True),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "afspraakbericht: messages of third parties, and appointments in FHIR",
            "version": "1",
            "description": "Ask for a message to a client of a care organisation. It goes out by the channel that the client "
            "chose, and only if the client and the organisation allow it. Or tell of an organisation's appointments, in FHIR.",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": {
            "/v1/requests": {
                "post": {
                    "operationId": "makeRequest",
                    "summary": "Ask for a message",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
                    },
                    "responses": {
                        "202": _state("It is stored and will be decided on.")
                        | {"headers": {"Location": {"schema": {"type": "string"}, "description": "Where its state is."}}},
                        "400": _problem("The body is not JSON."),
                        "403": _problem("The body names another organisation or party than the key."),
                        "408": _problem("The body came in too slowly."),
                        "409": _problem("The id is used for a request with other content."),
                        "413": _problem("The body is larger than 64 KiB."),
                        "415": _problem("The body is not `application/json`."),
                        "422": _problem("A field is missing or wrong; `errors` points at it."),
                        **both,
                    },
                }
            },
            "/v1/requests/{id}": {
                "get": {
                    "operationId": "findRequest",
                    "summary": "What became of a request",
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string", "maxLength": 200},
                            "description": "The party's own id.",
                        }
                    ],
                    "responses": {
                        "200": _state("Its state; seconds behind at most."),
                        "404": _problem("This party has no such request, or it was not taken in yet."),
                        **both,
                    },
                }
            },
            **openapi_fhir.paths(),
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Request": _record(), "State": _STATE, "Problem": _PROBLEM, **openapi_fhir.schemas()},
        },
    }


_STATE = {
    "type": "object",
    "required": ["request", "message", "state", "detail", "channel", "at"],
    "properties": {
        "request": {"type": "string", "description": "The party's own id."},
        "message": {"type": "string", "description": "The message's id, as the delivery log has it."},
        "state": {
            "enum": ["accepted", *get_args(Status)],
            "description": "`accepted`: not decided yet. `sent`: the provider took it. `delivered`: it arrived. `suppressed`: "
            "the client or the organisation does not want it; `detail` says which. `retrying`: it is tried again.",
        },
        "detail": {"type": ["string", "null"]},
        "channel": {"enum": [*sorted(CHANNELS), None]},
        "at": {"type": ["string", "null"], "format": "date-time"},
    },
}

_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer (RFC 6901) to the field that is wrong."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
