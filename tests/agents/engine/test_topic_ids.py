"""Which topic an offset is of: when its id says that it is another one, and how a broker is asked for it."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError

from agents.engine.topic_ids import NO_ID, IdsRequest, MetadataRequest, MetadataResponse, is_other, topic_ids

ONE, OTHER = bytes(range(16)), bytes(range(16, 32))


@pytest.mark.parametrize(
    ("kept", "now", "other"),
    [
        pytest.param(ONE, ONE, False, id="the same topic"),
        pytest.param(ONE, OTHER, True, id="made anew, or of a mirror"),
        pytest.param(None, ONE, False, id="rows of before have no id: it is taken for the same"),
        pytest.param(ONE, None, False, id="a broker that tells no ids: nobody can say"),
        pytest.param(None, None, False, id="neither has one"),
    ],
)
def test_a_topic_is_another_one_where_both_ids_are_known_and_differ(kept: bytes | None, now: bytes | None, other: bool) -> None:
    assert is_other(kept, now) is other


def test_a_request_names_topics_and_creates_none() -> None:
    """Byte for byte as Kafka's MetadataRequest.json has version 11."""
    request = IdsRequest(["a", "bc"]).prepare({3: (0, 13)})
    assert request.encode() == b"\x03" + NO_ID + b"\x02a\x00" + NO_ID + b"\x03bc\x00" + b"\x00\x00\x00"


def described() -> MetadataResponse:
    """What a broker answers of two topics of which one is not there."""
    partition: Any = (0, 0, 1, 7, [1], [1], [], {})
    topics: Any = [(0, "a", ONE, False, [partition], -(1 << 31), {}), (3, "bc", NO_ID, False, [], -(1 << 31), {})]
    return MetadataResponse(0, [(1, "localhost", 9092, None, {})], "cluster", 1, topics, {})


class Client:
    """A client that knows brokers; each answers, or raises."""

    def __init__(self, **brokers: Any) -> None:
        self.brokers = brokers
        self.cluster = SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=name) for name in brokers])

    async def send(self, node: str, request: Any) -> Any:
        answer = self.brokers[node]
        if isinstance(answer, Exception):
            raise answer
        request.prepare({3: answer})
        return MetadataResponse.decode(BytesIO(described().encode()))


@pytest.mark.parametrize(
    ("brokers", "found"),
    [
        pytest.param({"one": (0, 13)}, {"a": ONE}, id="of those alone that are there"),
        pytest.param({"one": NodeNotReadyError(), "two": (0, 13)}, {"a": ONE}, id="another broker is asked where one is away"),
        pytest.param({"one": (0, 9)}, {}, id="a broker before 2.8 knows none"),
    ],
)
async def test_the_ids_are_those_that_a_broker_tells(brokers: dict[str, Any], found: dict[str, bytes]) -> None:
    assert await topic_ids(Client(**brokers), ["a", "bc"]) == found


@pytest.mark.parametrize("brokers", [{}, {"one": NodeNotReadyError()}], ids=["none is known", "none answers"])
async def test_where_no_broker_answers_nothing_is_concluded(brokers: dict[str, Any]) -> None:
    with pytest.raises((KafkaConnectionError, NodeNotReadyError)):
        await topic_ids(Client(**brokers), ["a"])


def test_the_version_is_one_that_every_broker_from_2_8_on_has() -> None:
    assert (MetadataRequest.API_VERSION, MetadataRequest.FLEXIBLE_VERSION) == (11, True)
