"""On the wire every topic and group has its prefix, and on our side none: requests and answers of each kind that we use."""

from __future__ import annotations

import importlib
import pkgutil
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import aiokafka.protocol
import pytest
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Array, Bytes, Schema, String

from agents.engine.topic_ids import IdsRequest, MetadataResponse
from agents.engine.transport.names import ANSWERED, ASKED, NamedRequest, NamedResponse, UnknownRequestError, renamed

for module in pkgutil.iter_modules(aiokafka.protocol.__path__):
    importlib.import_module(f"aiokafka.protocol.{module.name}")
STRUCTS = [struct for struct in (*RequestStruct.__subclasses__(), *Response.__subclasses__()) if struct.API_KEY in ASKED]
NO_NAMES = {
    "batch_index_error_message", "client_host", "client_id", "cluster_id", "config_key", "config_name", "config_names",
    "config_value", "consumer_id", "error_message", "group_instance_id", "group_protocol", "host", "leader_id", "member_id",
    "metadata", "protocol", "protocol_name", "protocol_type", "rack", "rack_id", "state",
}  # fmt: skip
"""Texts in these requests that name neither a topic nor a group."""


def texts(schema: Any, names: Any) -> set[str]:
    """The fields of a schema that are texts, and are not in a table of names."""
    found = set()
    for name, field in zip(schema.names, schema.fields, strict=True):
        if isinstance(field, Array) and isinstance(field.array_of, Schema):
            found |= texts(field.array_of, names.get(name, {}))
        elif name not in names and isinstance(getattr(field, "array_of", field), String):
            found.add(name)
    return found


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_no_text_of_a_request_or_an_answer_is_overlooked(struct: Any) -> None:
    names = (ASKED if issubclass(struct, RequestStruct) else ANSWERED).get(struct.API_KEY, {})
    assert texts(struct.SCHEMA, names) <= NO_NAMES


def prepared(request: Any, versions: dict[int, tuple[int, int]]) -> Any:
    return NamedRequest(request, "test.").prepare(versions)


def test_what_is_asked_for_has_the_prefix() -> None:
    asked = prepared(MetadataRequest(["appointments", "contacts"]), {3: (0, 5)})
    assert asked.encode() == MetadataRequest(["test.appointments", "test.contacts"]).prepare({3: (0, 5)}).encode()


def test_all_topics_are_asked_for_as_before() -> None:
    assert prepared(MetadataRequest(None), {3: (0, 5)}).topics is None


def test_ids_are_asked_for_by_the_names_on_kafka() -> None:
    asked = prepared(IdsRequest(["appointments"]), {3: (0, 11)})
    assert asked.encode() == IdsRequest(["test.appointments"]).prepare({3: (0, 11)}).encode()


def test_what_is_answered_has_our_names_and_nothing_of_others() -> None:
    topics: list[Any] = [
        (0, name, id_, False, [(0, number, 1, 0, [1], [1], [], {}) for number in range(2)], 0, {})
        for name, id_ in (("test.contacts", b"a" * 16), ("contacts", b"b" * 16), ("other.contacts", b"c" * 16))
    ]
    answer = MetadataResponse(0, [(1, "host", 9092, None, {})], "cluster", 1, topics, {})
    read = NamedResponse(MetadataResponse, "test.").decode(BytesIO(answer.encode()))
    assert [(topic[1], topic[2], len(topic[4])) for topic in read.topics] == [("contacts", b"a" * 16, 2)]
    assert read.brokers == answer.brokers


def test_what_members_tell_one_another_has_the_names_on_kafka_for_whoever_looks_from_outside() -> None:
    told = ConsumerProtocol.METADATA(0, ["appointments"], b"of the assignor")
    schema = Schema(("group_protocols", Array(("name", String()), ("protocol_metadata", Bytes))))
    outside: Any = renamed(schema, [[("range", told.encode())]], ASKED[11], "test.".__add__)
    (((name, metadata),),) = outside
    seen = ConsumerProtocol.METADATA.decode(metadata)
    assert (name, seen.subscription, seen.user_data) == ("range", ["test.appointments"], b"of the assignor")


def test_a_request_of_which_nobody_has_said_what_its_names_are_is_not_sent() -> None:
    with pytest.raises(UnknownRequestError, match="DeleteTopicsRequest"):
        NamedRequest(aiokafka.protocol.admin.DeleteTopicsRequest(["contacts"], 1000), "test.")


def test_every_client_of_ours_is_made_where_names_get_their_prefix() -> None:
    root = Path(__file__).parents[4] / "agents"
    made = {path.name for path in root.rglob("*.py") if re.search(r"AIOKafka(Consumer|Producer|AdminClient)\b", path.read_text())}
    assert made == {"names.py", "zero_copy.py"}
