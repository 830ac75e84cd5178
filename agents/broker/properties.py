"""The `server.properties` of an embedded broker: a small heap, quick starts, nothing created by accident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
LOGS = "log"
LARGEST_RECORD = 17 << 20
"""Bytes: a changelog's batch has up to 16 MiB, and some around it."""


@dataclass(frozen=True)
class Quorum:
    """The nodes that make up one cluster: its id, and the controller port of each node, the first being node 1."""

    cluster_id: str
    controllers: tuple[int, ...]

    @property
    def voters(self) -> str:
        """In Kafka's words. Ports may differ from start to start: nothing on disk remembers them."""
        return ",".join(f"{node}@{HOST}:{port}" for node, port in enumerate(self.controllers, 1))


def properties(quorum: Quorum, node: int, port: int, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the properties of broker and controller in one process, on the loopback address only; `extra` wins."""
    copies = str(min(3, len(quorum.controllers)))
    in_sync = "2" if copies == "3" else "1"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": quorum.voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{quorum.controllers[node - 1]}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": LOGS,  # relative to the data folder, where Kafka runs: a comma in a folder's name would split the list
        # A topic that nobody created has the wrong partition count: `afspraakbericht topics` creates them.
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": "8",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        # A group that lost its offsets reads everything again, also after a holiday of the machine.
        "offsets.retention.minutes": str(90 * 24 * 60),
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",  # so that tests need not wait 6 s for a killed worker
        "message.max.bytes": str(LARGEST_RECORD),
        "replica.fetch.max.bytes": str(LARGEST_RECORD),
        "log.segment.bytes": str(64 << 20),
        "log.index.size.max.bytes": str(1 << 20),  # reserved for each partition; 64 MiB need 200 kB
        "log.cleaner.dedupe.buffer.size": str(16 << 20),  # 128 MiB by default, out of our small heap
        "log.cleaner.threads": "1",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.replica.fetchers": "1",
        "background.threads": "2",
        "group.coordinator.threads": "1",
        "share.coordinator.threads": "1",
        "metadata.max.idle.interval.ms": "0",  # else an idle broker writes, and syncs, a record that says nothing twice a second
        "broker.heartbeat.interval.ms": "500",  # a start and a stop wait for a heartbeat
        "broker.session.timeout.ms": "4000",  # after a kill the next start waits until the last one is given up; 9 s by default
        **extra,
    }


def as_file(values: Mapping[str, str]) -> str:
    """Write a file of Java properties, where a backslash escapes."""
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in values.items())
