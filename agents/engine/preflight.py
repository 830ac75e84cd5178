"""Check what must hold before anything starts; each check has one line that says what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib.metadata import version

from aiokafka import codec
from aiokafka.errors import KafkaError

from .host import Host
from .readiness import NotReadyError, NotYetError

WRITTEN_FOR = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}
"""The versions whose methods are overridden here; `tests/agents/engine/test_overrides.py` has their fingerprints."""


def check_versions(installed: dict[str, str] | None = None) -> None:
    """Raise NotReadyError where another version is installed than the overrides were written for."""
    for package, wanted in WRITTEN_FOR.items():
        found = (installed or {}).get(package) or version(package)
        if found != wanted:
            raise NotReadyError(
                f"{package} {found} is installed; the engine overrides methods of {wanted}. Install that, or port agents/engine"
            )


def check_codecs() -> None:
    """Raise NotReadyError where a codec cannot be read: a producer, or the broker's default, may use any of the four."""
    known = {"gzip": codec.has_gzip, "snappy": codec.has_snappy, "lz4": codec.has_lz4, "zstd": codec.has_zstd}
    if missing := [name for name, is_there in known.items() if not is_there()]:
        raise NotReadyError(f"records that are compressed with {', '.join(missing)} cannot be read: install the package cramjam")


def check_topics(found: dict[str, int], wanted: Iterable[str], partitions: int) -> None:
    """Raise NotReadyError where a topic is missing or has another number of partitions: reads and writes would hang."""
    for topic in sorted(wanted):
        if not found.get(topic):  # a topic that is just being made has no partitions
            raise NotYetError(f"topic {topic} does not exist, or may not be seen; create the topics first")
    for topic in sorted(wanted):
        if found[topic] != partitions:
            raise NotReadyError(
                f"topic {topic} has {found[topic]} partitions where {partitions} are configured; the number is fixed for life"
            )


async def check_broker(app: Host) -> None:
    """Raise NotReadyError where no broker answers or a topic is not as it must be."""
    client = logging.getLogger("aiokafka")
    level = client.level
    client.setLevel(logging.CRITICAL)  # what it would say of each address is said in our one line
    try:
        found = await app.lookup.partitions()
    except KafkaError as error:
        raise NotYetError(f"no Kafka broker answers at {app.bootstrap}: {error}") from None
    finally:
        client.setLevel(level)
    check_topics(found, app.topic_names(), app.partitions)
