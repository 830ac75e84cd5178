"""What is checked before anything starts, each with one line that says what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

if TYPE_CHECKING:
    from .app import Engine

WRITTEN_FOR = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}
"""The versions whose methods are overridden here; `tests/engine/test_overrides.py` has their fingerprints."""


class NotReadyError(Exception):
    """The worker cannot start; the message is for the operator."""


def check_versions(installed: dict[str, str] | None = None) -> None:
    """Raise NotReadyError where another version is installed than the overrides were written for."""
    for package, wanted in WRITTEN_FOR.items():
        found = (installed or {}).get(package) or version(package)
        if found != wanted:
            raise NotReadyError(
                f"{package} {found} is installed; the engine overrides methods of {wanted}. Install that, or port agents/engine"
            )


def check_topics(found: dict[str, int], wanted: Iterable[str], partitions: int) -> None:
    """Raise NotReadyError where a topic is missing or has another number of partitions: reads and writes would hang."""
    for topic in sorted(wanted):
        if topic not in found:
            raise NotReadyError(f"topic {topic} does not exist; create the topics first")
        if found[topic] != partitions:
            raise NotReadyError(
                f"topic {topic} has {found[topic]} partitions where {partitions} are configured; the number is fixed for life"
            )


async def check_broker(app: Engine) -> None:
    """Raise NotReadyError where no broker answers or a topic is not as it must be."""
    client = logging.getLogger("aiokafka")
    level = client.level
    client.setLevel(logging.CRITICAL)  # what it would say of each address is said in our one line
    try:
        found = await app.lookup.partitions()
    except KafkaError as error:
        raise NotReadyError(f"no Kafka broker answers at {app.bootstrap}: {error}") from None
    finally:
        client.setLevel(level)
    check_topics(found, app.topic_names(), app.partitions)
