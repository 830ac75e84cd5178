"""Ask the ports of this machine: which are free, and does a Kafka answer?"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

HOST = "127.0.0.1"


def is_taken(host: str, port: int) -> bool:
    """Tell whether somebody listens there. SO_REUSEADDR, as Kafka sets it: connections of a stopped broker do not count."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return True
    return False


def free_ports(count: int) -> list[int]:
    """Return different free ports: all are held until all are known."""
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind((HOST, 0))
        return [int(sock.getsockname()[1]) for sock in socks]


def members(host: str, port: int, seconds: float = 2.0) -> int:
    """Return how many brokers the metadata of this broker name; 0 if it does not answer yet or knows no controller.

    A broker is in its own metadata only when it may serve clients. A thread of its own: the caller's may have an event loop.
    """
    if not is_taken(host, port):
        return 0
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _members(host, port, seconds)).result()


async def _members(host: str, port: int, seconds: float) -> int:
    try:
        async with asyncio.timeout(seconds):
            connection = await create_conn(host, port, client_id="probe", request_timeout_ms=int(seconds * 1000))
            try:
                answer = await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except (KafkaError, OSError, TimeoutError):
        return 0
    return len(answer.brokers) if answer.controller_id >= 0 else 0
