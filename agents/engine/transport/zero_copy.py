"""Send a produce request as the pieces that it is made of.

aiokafka joins a request's content at each level of its schema, then with its header, then with its size: it copied the megabytes
of a turn's rows ten times, into new memory each time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import aiokafka
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Array, Bytes, Int32, Schema
from aiokafka.util import create_future, wait_for


def pieces(field: Any, value: Any) -> Iterator[bytes]:
    """Yield what a field of a request's schema has on the wire, bytes as they are; joined it equals aiokafka's `encode`."""
    if isinstance(field, Schema):
        for part, one in zip(field.fields, value, strict=True):
            yield from pieces(part, one)
    elif type(field) is Array and value is not None:
        yield Int32.encode(len(value))
        for one in value:
            yield from pieces(field.array_of, one)
    elif field is Bytes and value is not None:
        yield Int32.encode(len(value))
        yield value
    else:
        yield field.encode(value)


class ZeroCopyConnection(AIOKafkaConnection):  # type: ignore[misc]
    """A connection to a broker."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Return the future of the response. It is aiokafka/conn.py's, but for the copies that it makes of a produce request."""
        if request.API_KEY != ProduceRequest.API_KEY or not expect_response or self._writer is None:
            return super().send(request, expect_response)
        body = request.prepare(self._versions)
        number = self._next_correlation_id()
        header = body.build_request_header(correlation_id=number, client_id=self._client_id)
        parts = [header.encode(), *pieces(body.SCHEMA, [body.get_item(name) for name in body.SCHEMA.names])]
        try:
            self._writer.writelines([struct.pack(">i", sum(map(len, parts))), *parts])
        except OSError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self._host}:{self._port} broken: {error}") from error
        answer = create_future()
        self._requests.append((number, body, answer))
        return wait_for(answer, self._request_timeout)


class ZeroCopyClient(AIOKafkaClient):  # type: ignore[misc]
    """The producer's connections."""

    async def _get_conn(self, *node: Any, **how: Any) -> Any:
        conn = await super()._get_conn(*node, **how)
        if type(conn) is AIOKafkaConnection:
            conn.__class__ = ZeroCopyConnection
        return conn


class KafkaProducer(aiokafka.AIOKafkaProducer):  # type: ignore[misc]
    """aiokafka's producer over such connections."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client.__class__ = ZeroCopyClient
