"""Three brokers: records stay while one is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agents.broker.cluster import EmbeddedCluster
from agents.kafka.topics import ensure
from schemas.topics import TOPICS

pytestmark = pytest.mark.broker


async def test_a_broker_may_be_killed_and_come_back(tmp_path: Path) -> None:
    with EmbeddedCluster(tmp_path) as cluster:
        report = await ensure(cluster.bootstrap, 2, 3, "a", ["notices"])
        assert report.problems == []
        topic = TOPICS[0].name
        async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all", enable_idempotence=True) as producer:
            for number, node in enumerate(cluster.nodes):
                node.kill()
                await producer.send_and_wait(topic, str(number).encode(), partition=number % 2)
                node.start()
                cluster.wait_ready()
        async with AIOKafkaConsumer(topic, bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest") as consumer:
            values = {(await consumer.getone()).value for _ in range(3)}

    assert values == {b"0", b"1", b"2"}
    assert not any(node.alive for node in cluster.nodes)
