"""The topics as an AsyncAPI 3 document, made from the catalogue (`schemas/topics.py`) and the records' JSON Schemas."""

from __future__ import annotations

import inspect
from typing import Any

from schemas.topics import TOPICS, Topic

from .json_schemas import schemas_of

VERSION = "3.0.0"
REF = "#/components/schemas/{name}"
BINDING = "0.5.0"

WHO = {
    "input": ("receive", "Upstream services write it; intake reads it."),
    "internal": ("send", "Written and read by our own nodes only. Its records may change with any release."),
    "reported": ("receive", "Our web process writes what a provider reported; the SMS sender reads it."),
    "foreign": ("receive", "Written by upstream services, in another standard: it is translated into the inputs."),
    "output": ("send", "Written by us, for anybody who may read it."),
    "access": ("send", "Written by our web process and our commands before they show anything of a client."),
}
"""By a topic's role: what this application does with it, as others see it, and in words."""


FOREIGN: dict[str, dict[str, Any]] = {
    "fhir": {
        "contentType": "application/fhir+json",
        "description": "An Appointment, a Patient or a Bundle of them: FHIR R4, R4B, R5, or STU3 as in eAfspraak.",
    },
    "hl7v2": {
        "contentType": "x-application/hl7-v2+er7",
        "description": "One message of HL7 v2, SIU^S12 to S26, without a frame.",
    },
}
"""Messages in other standards."""


def document(partitions: int, replication: int, prefix: str = "") -> dict[str, Any]:
    """Return the whole document, as JSON has it. Partitions, copies and the prefix of names are settings of all topics."""
    records = {topic.record.__name__: topic.record for topic in TOPICS if topic.record is not None}
    schemas = schemas_of(records.values(), REF)
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "afspraakbericht",
            "version": "1.0.0",
            "description": "Tells clients of care organisations about their appointments. Every topic has the same number of "
            "partitions, fixed for life; a record's key says whose it is. Unknown fields are to be ignored.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, partitions, replication, prefix + topic.name) for topic in TOPICS},
        "operations": {f"{WHO[topic.role][0]}-{topic.name}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {topic.name: _message(topic) for topic in TOPICS},
            "schemas": _without_refs_beside(schemas),
        },
    }


def _channel(topic: Topic, partitions: int, replication: int, address: str) -> dict[str, Any]:
    kept = topic.settings
    configuration: dict[str, Any] = {"cleanup.policy": kept["cleanup.policy"].split(",")}
    for name in ("retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"):
        if name in kept:
            configuration[name] = int(kept[name])
    kafka = {
        "topic": address, "partitions": partitions, "replicas": replication, "topicConfiguration": configuration,
        "bindingVersion": BINDING,
    }  # fmt: skip
    return {
        "address": address,
        "description": WHO[topic.role][1],
        "messages": {topic.name: {"$ref": f"#/components/messages/{topic.name}"}},
        "bindings": {"kafka": kafka},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": WHO[topic.role][0],
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{topic.name}"}],
    }


def _message(topic: Topic) -> dict[str, Any]:
    key = {"type": "string", "description": topic.key}
    message = {"name": topic.name, "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}}}
    if topic.role == "foreign":
        return message | FOREIGN[topic.name]
    if topic.record is None:
        headers = {name: {"type": "string"} for name in ("topic", "partition", "offset", "written", "reason")}
        return message | {
            "contentType": "application/octet-stream",
            "description": "The bytes of an event that could not be used, as they came.",
            "headers": {"type": "object", "properties": headers},
        }
    if topic.headers:
        said = {name: {"const": value.decode()} for name, value in topic.headers}
        message |= {"headers": {"type": "object", "properties": said}}
    about = inspect.getdoc(topic.record) or ""
    return message | {"description": about.split("\n\n")[0], "payload": {"$ref": REF.format(name=topic.record.__name__)}}


def _without_refs_beside(schemas: Any) -> Any:
    """Put what stands beside a `$ref` around it: in draft 7, which AsyncAPI takes, it would not count."""
    if isinstance(schemas, list):
        return [_without_refs_beside(one) for one in schemas]
    if not isinstance(schemas, dict):
        return schemas
    plain = {name: _without_refs_beside(value) for name, value in schemas.items()}
    if "$ref" in plain and len(plain) > 1:
        return {"allOf": [{"$ref": plain.pop("$ref")}], **plain}
    return plain
