"""Ask for the ids of topics (KIP-516). A topic that is made anew under its name, or copied to another cluster, has another id.

An offset belongs to one topic only, so whoever keeps offsets keeps the id beside them. aiokafka's own Metadata requests end at
version 5; ids come with version 10, from Kafka 2.8 on. An older broker tells no ids, and then nothing is concluded.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from io import BytesIO
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, KafkaError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

NO_ID = bytes(16)
"""In the place of an id: of a topic that is not there, or that a broker before 2.8 made."""


class Uuid(AbstractType[bytes]):  # type: ignore[misc]
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """Return them as they are."""
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        """Return the next sixteen."""
        return data.read(16)


_TAGS = ("tags", TaggedFields)
_NUMBERS = CompactArray(Int32)


class MetadataResponse(Response):  # type: ignore[misc]
    """Version 11, as Kafka's MetadataResponse.json has it."""

    API_KEY = 3
    API_VERSION = 11
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()), _TAGS,
        )),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("name", CompactString()), ("topic_id", Uuid), ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                ("replicas", _NUMBERS), ("isr", _NUMBERS), ("offline_replicas", _NUMBERS), _TAGS,
            )),
            ("authorized_operations", Int32), _TAGS,
        )),
        _TAGS,
    )  # fmt: skip


class MetadataRequest(RequestStruct):  # type: ignore[misc]
    """Version 11: topics by name."""

    API_KEY = 3
    API_VERSION = 11
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("name", CompactString()), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class IdsRequest(Request[MetadataRequest]):  # type: ignore[misc]
    """Asks for these topics, and has none created."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self.topics = topics

    def build(self, request_struct_class: type[MetadataRequest]) -> MetadataRequest:
        """Return the request as it goes out."""
        return request_struct_class([(NO_ID, topic, {}) for topic in self.topics], False, False, {})


async def topic_ids(client: Any, topics: Collection[str]) -> dict[str, bytes]:
    """Return the ids of topics, without those that do not exist; none at all where the broker knows no ids.

    `client`: aiokafka's, started. Raises KafkaError where no broker answers.
    """
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    error: KafkaError = KafkaConnectionError("no broker is known")
    for node in random.sample(nodes, len(nodes)):
        try:
            answer = await client.send(node, IdsRequest(topics))
        except (IncompatibleBrokerVersion, NotImplementedError):
            return {}
        except KafkaError as failed:
            error = failed
            continue
        return {name: id_ for _, name, id_, *_ in answer.topics if id_ != NO_ID}
    raise error


def is_other(kept: bytes | None, now: bytes | None) -> bool:
    """Tell whether a topic is another one than that of which an offset is kept. Without one of the ids nobody can tell."""
    return kept is not None and now is not None and kept != now
