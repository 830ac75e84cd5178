"""Questions to the ports of this machine, without a client: which are free, and does a Kafka answer."""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack

HOST = "127.0.0.1"


def is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there. SO_REUSEADDR, as Kafka sets it: connections of a stopped broker do not count."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return True
    return False


def free_ports(count: int) -> list[int]:
    """Different free ports: all are held until all are known."""
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind((HOST, 0))
        return [int(sock.getsockname()[1]) for sock in socks]


def members(host: str, port: int, seconds: float = 2.0) -> int:
    """How many brokers the metadata of this broker name; 0 if it does not answer yet or knows no controller.

    One Metadata request by hand (API 3, version 1, no topics): it needs no event loop, so it works in every caller.
    A broker is in its own metadata only when it may serve clients.
    """
    body = struct.pack(">hhih5si", 3, 1, 1, 5, b"probe", 0)
    try:
        with socket.create_connection((host, port), seconds) as sock:
            sock.settimeout(seconds)
            sock.sendall(struct.pack(">i", len(body)) + body)
            (size,) = struct.unpack(">i", _read(sock, 4))
            answer = _read(sock, size)
            (count,) = struct.unpack_from(">i", answer, 4)
            at = 8
            for _ in range(count):
                (length,) = struct.unpack_from(">h", answer, at + 4)
                at += 4 + 2 + length + 4
                (rack,) = struct.unpack_from(">h", answer, at)
                at += 2 + max(0, rack)
            (controller,) = struct.unpack_from(">i", answer, at)
    except (OSError, struct.error):
        return 0
    return int(count) if controller >= 0 else 0


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data
