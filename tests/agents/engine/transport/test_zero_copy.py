"""A produce request without aiokafka's copies is on the wire what aiokafka makes of it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol import produce
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest

from agents.engine.transport.zero_copy import ZeroCopyConnection, pieces

TOPICS = [("één", [(0, b"batch"), (7, bytearray(b"other"))]), ("t", [(3, b"")])]
VERSIONS = [getattr(produce, f"ProduceRequest_v{version}") for version in range(3, 9)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("transaction", [None, "id"])
@pytest.mark.parametrize("topics", [TOPICS, [], [("t", [(0, None)])]])
def test_the_pieces_joined_are_what_aiokafka_encodes(version: Any, transaction: str | None, topics: Any) -> None:
    request = version(transaction, -1, 40_000, topics)

    assert b"".join(pieces(version.SCHEMA, [transaction, -1, 40_000, topics])) == request.encode()


def test_a_batch_is_not_copied() -> None:
    batch = bytearray(b"batch")
    version = VERSIONS[0]

    assert any(piece is batch for piece in pieces(version.SCHEMA, [None, -1, 40_000, [("t", [(0, batch)])]]))


class Writer:
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts: list[bytes]) -> None:
        self.written += b"".join(parts)


class BrokenWriter:
    def writelines(self, parts: list[bytes]) -> None:
        raise BrokenPipeError("gone")

    def close(self) -> None:
        pass


def a_connection(kind: type[AIOKafkaConnection], writer: Any) -> Any:
    connection = kind(host="localhost", port=9092)
    connection._writer = writer
    connection._versions = {0: (0, 8), 3: (0, 5)}
    return connection


def a_produce_request() -> Any:
    return ProduceRequest(transactional_id=None, required_acks=-1, timeout=40_000, topics=TOPICS)


def another_request() -> Any:
    return MetadataRequest(["één"], allow_auto_topic_creation=False)


@pytest.mark.parametrize("make", [a_produce_request, another_request])
async def test_a_connection_sends_what_aiokafka_sends(make: Callable[[], Any]) -> None:
    sent = []
    for kind in (AIOKafkaConnection, ZeroCopyConnection):
        connection = a_connection(kind, Writer())
        waiting = [connection.send(make()), connection.send(make())]
        assert [number for number, _, _ in connection._requests] == [1, 2]
        sent.append(connection._writer.written)
        for each in waiting:
            each.close()

    assert sent[0] == sent[1]
    (size,) = struct.unpack(">i", sent[1][:4])
    assert len(sent[1]) == 2 * (4 + size)


async def test_an_answer_reaches_the_one_who_sent() -> None:
    connection = a_connection(ZeroCopyConnection, Writer())
    waiting = connection.send(a_produce_request())

    ((_, _, answer),) = connection._requests
    answer.set_result("offsets")

    assert await waiting == "offsets"


async def test_a_broken_connection_is_closed_and_said_to_be() -> None:
    connection = a_connection(ZeroCopyConnection, BrokenWriter())

    with pytest.raises(KafkaConnectionError, match="localhost:9092 broken: gone"):
        connection.send(a_produce_request())
    assert not connection.connected()


async def test_a_connection_that_was_closed_says_so() -> None:
    with pytest.raises(KafkaConnectionError, match="No connection to broker at localhost:9092"):
        a_connection(ZeroCopyConnection, None).send(a_produce_request())
