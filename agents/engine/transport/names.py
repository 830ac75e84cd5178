"""Where a name of ours becomes one of Kafka's: a prefix goes before topics and groups, and comes off what the brokers answer.

So two installations live side by side on one Kafka, and all else, rows, metrics and lines of the log among it, knows a topic by
one name. It is done at the connection, which everything passes: a request of a kind that is not in the tables below is refused,
so that none can name another installation's topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import aiokafka
import aiokafka.admin
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.protocol.types import Schema

from .zero_copy import ZeroCopyConnection

Rename = Callable[[str], str | None]
"""What becomes of a name; None: it is nobody's of ours, and what it names is left out."""

Names = Mapping[str, Any]
"""Fields of a schema that are names, or lists of names (NAME), have names in their elements (again such a mapping), or are bytes
that have some (Packed)."""


class Packed(NamedTuple):
    """Bytes in which a group's members tell one another what they read."""

    struct: Any
    names: Names


NAME: Names = {}
TOPICS: Names = {"topics": {"topic": NAME}}
RESOURCES: Names = {"resources": {"resource_name": NAME}}
SUBSCRIPTION = Packed(ConsumerProtocol.METADATA, {"subscription": NAME})
ASSIGNMENT = Packed(ConsumerProtocol.ASSIGNMENT, {"assignment": {"topic": NAME}})

ASKED: Mapping[int, Names] = {
    0: {**TOPICS, "transactional_id": NAME},  # Produce
    1: {**TOPICS, "forgotten_topics_data": {"topic": NAME}},  # Fetch
    2: TOPICS,  # ListOffsets
    3: {"topics": {"name": NAME}},  # Metadata
    8: {**TOPICS, "consumer_group": NAME},  # OffsetCommit
    9: {**TOPICS, "consumer_group": NAME},  # OffsetFetch
    10: {"consumer_group": NAME, "coordinator_key": NAME},  # FindCoordinator
    11: {"group": NAME, "group_protocols": {"protocol_metadata": SUBSCRIPTION}},  # JoinGroup
    12: {"group": NAME},  # Heartbeat
    13: {"group": NAME},  # LeaveGroup
    14: {"group": NAME, "group_assignment": {"member_metadata": ASSIGNMENT}},  # SyncGroup
    15: {"groups": NAME},  # DescribeGroups
    19: {"create_topic_requests": {"topic": NAME}},  # CreateTopics
    22: {"transactional_id": NAME},  # InitProducerId
    32: RESOURCES,  # DescribeConfigs: we ask for topics' alone
    33: RESOURCES,  # AlterConfigs
}
"""By the number of a kind of request (`API_KEY`)."""

ANSWERED: Mapping[int, Names] = {
    0: TOPICS,
    1: {"topics": {"topics": NAME}},  # aiokafka calls the field so
    2: TOPICS,
    3: {"topics": {"topic": NAME, "name": NAME}},
    8: TOPICS,
    9: TOPICS,
    11: {"members": {"member_metadata": SUBSCRIPTION}},
    14: {"member_assignment": ASSIGNMENT},
    15: {"groups": {"group": NAME, "members": {"member_metadata": SUBSCRIPTION, "member_assignment": ASSIGNMENT}}},
    19: {"topic_errors": {"topic": NAME}},
    32: RESOURCES,
    33: RESOURCES,
}
"""The same, of what is answered; of kinds that are missing nothing is a name."""


class UnknownRequestError(Exception):
    """A request of a kind of which nobody has said which of its fields are names."""


def renamed(schema: Any, values: Any, names: Names, rename: Rename) -> list[Any] | None:
    """Return a schema's values with their names changed; None where what they tell of is nobody's of ours."""
    changed = list(values)
    for place, (name, field) in enumerate(zip(schema.names, schema.fields, strict=True)):
        if name in names and changed[place] is not None:
            changed[place] = _value(field, changed[place], names[name], rename)
            if changed[place] is None:
                return None
    return changed


def _value(field: Any, value: Any, names: Any, rename: Rename) -> Any:
    if isinstance(names, Packed):
        return _packed(value, names, rename) if value else value  # empty: nobody has told anything yet
    if isinstance(value, str):
        return rename(value)
    if not isinstance(field.array_of, Schema):
        return [name for name in map(rename, value) if name is not None]
    elements = (renamed(field.array_of, one, names, rename) for one in value)
    return [tuple(one) for one in elements if one is not None]


def _packed(value: bytes, names: Packed, rename: Rename) -> bytes | None:
    struct = names.struct.decode(value)
    fields = renamed(struct.SCHEMA, [struct.get_item(name) for name in struct.SCHEMA.names], names.names, rename)
    return None if fields is None else names.struct(*fields).encode()


class NamedRequest:
    """A request with Kafka's names in it, whose answer has ours again. It stands in a request's place at a connection."""

    def __init__(self, request: Any, prefix: str) -> None:
        self.request, self.prefix, self.API_KEY = request, prefix, request.API_KEY
        if self.API_KEY not in ASKED:
            raise UnknownRequestError(f"{type(request).__name__}: say in {__name__} which of its fields are names")

    def prepare(self, versions: Any) -> Any:
        """Return what goes out, in a version that the broker knows."""
        body = self.request.prepare(versions)
        values = [body.get_item(name) for name in body.SCHEMA.names]
        named = type(body)(*(renamed(body.SCHEMA, values, ASKED[self.API_KEY], self.prefix.__add__) or ()))
        named.RESPONSE_TYPE = NamedResponse(body.RESPONSE_TYPE, self.prefix)
        return named


class NamedResponse(NamedTuple):
    """The type of a response, as far as a connection asks for it."""

    kind: Any
    prefix: str

    def decode(self, data: Any) -> Any:
        """Return the response with our names; of topics and groups of others it says nothing."""
        response = self.kind.decode(data)
        values = [response.get_item(name) for name in response.SCHEMA.names]
        return self.kind(*(renamed(response.SCHEMA, values, ANSWERED.get(self.kind.API_KEY, {}), self._ours) or ()))

    def _ours(self, name: str) -> str | None:
        return name.removeprefix(self.prefix) if name.startswith(self.prefix) else None


class NamedConnection(ZeroCopyConnection):
    """A connection to a broker that knows topics and groups by other names than we do."""

    prefix: str

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Return the future of the response."""
        return super().send(NamedRequest(request, self.prefix), expect_response)


class NamedClient(AIOKafkaClient):  # type: ignore[misc]
    """The connections of a consumer, a producer or an admin client."""

    prefix: str

    async def _get_conn(self, *node: Any, **how: Any) -> Any:
        conn = await super()._get_conn(*node, **how)
        if type(conn) is AIOKafkaConnection:
            conn.__class__, conn.prefix = NamedConnection, self.prefix
        return conn


def use_prefix(client: Any, prefix: str) -> None:
    """Have a client of aiokafka's, before it starts, put a prefix before every name; an empty one leaves it as it is."""
    if prefix:
        client.__class__, client.prefix = NamedClient, prefix


class Consumer(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's, with our names."""

    def __init__(self, *topics: str, topic_prefix: str = "", **settings: Any) -> None:
        super().__init__(*topics, **settings)
        use_prefix(self._client, topic_prefix)


class Producer(aiokafka.AIOKafkaProducer):  # type: ignore[misc]
    """aiokafka's, with our names."""

    def __init__(self, topic_prefix: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        use_prefix(self.client, topic_prefix)


class Admin(aiokafka.admin.AIOKafkaAdminClient):  # type: ignore[misc]
    """aiokafka's, with our names."""

    def __init__(self, topic_prefix: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        use_prefix(self._client, topic_prefix)
