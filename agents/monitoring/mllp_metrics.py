"""The figures of one MLLP listener for Prometheus. Labels are words of ours, nothing of a message."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge

from .figures import Figures

ANSWERS = ("AA", "AR", "none")
"""To a message: taken, never ours, or nothing, since Kafka is away."""

ENDS = ("tls", "frame", "slow", "large", "stranger", "busy")
"""Why a connection was closed by us."""


class MllpMetrics(Figures):
    """Counters and gauges of the listener."""

    unready = "it does not listen yet"

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic)
        self.messages = self._make(Counter, "mllp_messages", "Messages of HL7 v2, by their answer", "answer")
        self.closed = self._make(Counter, "mllp_connections_closed", "Connections that we closed, by why", "reason")
        self.connections = self._make(Gauge, "mllp_connections", "Connections that are open")
        for answer in ANSWERS:
            self.messages.labels(answer)
        for end in ENDS:
            self.closed.labels(end)
