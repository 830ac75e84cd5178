"""When messages count as flowing again: enough of them, and from every partition."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from tests.broker.harness import address, number

from .pulse import Pulse

CLIENTS = [("o", f"c{n}") for n in range(20)]
PARTITIONS = 2


def partition(client: str) -> int:
    return zlib.crc32(f"o/{client}".encode()) % PARTITIONS


def played(silent: range, of: int | None = None, rate: int = 10) -> Pulse:
    """Twenty seconds of messages, by turns of all clients, without those of a partition (or of all) for a while."""
    received: list[dict[str, Any]] = []
    pulse = Pulse((received,), CLIENTS, PARTITIONS)
    for tick in range(20 * rate):
        moment = tick / rate
        _, client = CLIENTS[tick % len(CLIENTS)]
        if int(moment) not in silent or (of is not None and partition(client) != of):
            to = number("o", client)[1:] if tick % 2 else address("o", client)
            received.append({"recipients": [to]})
        pulse.look(moment)
    return pulse


@pytest.mark.parametrize(
    ("silent", "of", "seconds"),
    [
        (range(0), None, 0.0),
        (range(8, 12), None, 5.0),
        (range(8, 12), 0, 4.0),
        (range(8, 9), 0, 0.0),
    ],
    ids=["nothing happens", "all stand still", "one partition stands still", "shorter than is looked at"],
)
def test_seconds_until_messages_flow_again(silent: range, of: int | None, seconds: float) -> None:
    assert played(silent, of).back(8.0, 18.0, level=10.0) == pytest.approx(seconds, abs=0.7)
