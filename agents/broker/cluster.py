"""Run several Kafka nodes on this machine, with every record on three of them: for tests that take brokers away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from .broker import EmbeddedKafka
from .java import new_id
from .probe import free_ports
from .properties import Quorum


class EmbeddedCluster:
    """`nodes[0]` is node 1; each can be stopped, killed, frozen and started again by itself, with its port kept.

    A majority of the nodes must run for a topic to be made or a leader to change. Some 220 MB of memory a node.
    """

    def __init__(
        self,
        data: Path | str,
        count: int = 3,
        *,
        extra: Mapping[str, str] | None = None,
        heap: str = "256m",
        jars: Path | None = None,
    ) -> None:
        ports = free_ports(2 * count)
        quorum = Quorum(new_id(), tuple(ports[count:]))
        self.nodes = [
            EmbeddedKafka(Path(data) / str(node), ports[node - 1], extra=extra, heap=heap, jars=jars, quorum=quorum, node=node)
            for node in range(1, count + 1)
        ]

    @property
    def bootstrap(self) -> str:
        """All nodes' addresses, so that clients find the cluster while one is away."""
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> Self:
        """Start all nodes and return when each knows all others; none is left if one cannot."""
        try:
            for node in self.nodes:
                node.spawn()
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def wait_ready(self) -> None:
        """Return when each node that runs knows all that run: after a restart too."""
        running = [node for node in self.nodes if node.alive]
        for node in running or self.nodes:
            node.wait_ready(len(running))

    def stop(self) -> None:
        """Stop them in order. The last two have no majority to agree with and would wait for one: they are ended."""
        for at, node in enumerate(self.nodes):
            if len(self.nodes) - at > len(self.nodes) // 2:
                node.stop()
            else:
                node.kill()

    def kill(self) -> None:
        """End all at once, as a power cut would."""
        for node in self.nodes:
            node.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
