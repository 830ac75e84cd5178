"""Fetch Kafka's jars from Maven Central into a cache folder, without Maven, Docker or Java."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

VERSION = "4.4.0"
"""The version of Apache Kafka that the embedded broker runs."""

SLF4J = "1.7.36"
"""The API version that Kafka is built on; `slf4j-simple` writes to stderr and reads no file."""

LIST = "classpath.tsv"
LOCK_SECONDS = 600


class BrokerError(Exception):
    """The broker cannot run; the message is one line that says what to do. Details are in the broker's log file."""


def default_cache() -> Path:
    """Return the folder for the jars where no setting names one: `afspraakbericht` in the user's cache folder."""
    platformdirs, _ = _libraries()
    return Path(platformdirs.user_cache_path("afspraakbericht"))


def _libraries() -> tuple[Any, Any]:
    """Return what only this needs; BrokerError where the extra is not installed."""
    try:
        import filelock
        import platformdirs
    except ImportError as error:
        raise BrokerError("the embedded broker needs the extra `local`: pip install -e '.[local]'") from error
    return platformdirs, filelock


def class_path(version: str = VERSION, cache: Path | None = None) -> list[Path]:
    """Return the jars of a Kafka version. The first call fetches them (40 MB, some 10 s); later ones look at sizes only.

    They are fetched into a folder beside the final one, which gets its name in one step when all are there: a fetch that
    is broken off leaves no half jar that a later start would take for a whole one. The lock only saves a second download.
    """
    root = (cache or default_cache()).expanduser().resolve()
    final = root / f"kafka-{version}"
    if jars := _listed(final):
        return jars
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = root / f".kafka-{version}.lock"
        with _libraries()[1].FileLock(lock, LOCK_SECONDS):  # it goes away with its process, however that ends
            if jars := _listed(final):  # by the process that we waited for
                return jars
            with tempfile.TemporaryDirectory(prefix=f".kafka-{version}-", dir=root) as part:
                _fetch(version, Path(part))
                if final.exists():  # a jar was missing or cut
                    shutil.rmtree(final)
                os.rename(part, final)
                os.mkdir(part)  # what the context manager expects to remove
    except TimeoutError:
        message = f"another process has been fetching Kafka's jars for {LOCK_SECONDS} s; see who holds {lock}"
        raise BrokerError(message) from None
    except OSError as error:
        if _is_network(error):
            raise _unreachable(version, root, error) from error
        raise BrokerError(f"Kafka's jars cannot be kept in {root}: {error}; name a writable cache folder") from error
    return _listed(final)


def _listed(folder: Path) -> list[Path]:
    """Return the jars that the folder's list names, or nothing if one of them is missing or has another size."""
    try:
        rows = [line.split("\t") for line in (folder / LIST).read_text().splitlines()]
        jars = [(folder / name, int(size)) for name, size in rows]
        return [jar for jar, _ in jars] if all(jar.stat().st_size == size for jar, size in jars) else []
    except (OSError, ValueError):
        return []


def _fetch(version: str, folder: Path) -> None:
    """Resolve and download with jgo, then write the list. `jgo.build` is not used: it would fetch a JDK to sort the jars."""
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise BrokerError("the embedded broker needs the extra `local`: pip install -e '.[local]'") from error
    context = MavenContext(repo_cache=folder, local_repos=[], timeout=30)
    # No logging implementation that manages dependencies of its own: log4j's pulls kafka-clients down to an older version.
    wanted = [f"org.apache.kafka:kafka_2.13:{version}", f"org.slf4j:slf4j-simple:{SLF4J}"]
    try:
        named, others = context.resolver.resolve([context.create_dependency(name) for name in wanted])
        needed = [*named, *(dependency for dependency in others if dependency.scope in ("compile", "runtime"))]
        jars: list[Path] = [dependency.artifact.resolve() for dependency in needed]
    except (OSError, RuntimeError, ValueError) as error:  # requests' errors are OSErrors, jgo's own RuntimeErrors
        raise _unreachable(version, folder.parent, error) from error
    if not any(jar.name == f"kafka-clients-{version}.jar" for jar in jars):
        raise BrokerError(f"Maven Central gave Kafka {version} with a kafka-clients of another version; choose another version")
    lines = [f"{jar.relative_to(folder)}\t{jar.stat().st_size}\n" for jar in jars]
    (folder / LIST).write_text("".join(lines))


def _is_network(error: OSError) -> bool:
    return type(error).__module__.partition(".")[0] in ("requests", "urllib3", "socket")


def _unreachable(version: str, root: Path, error: Exception) -> BrokerError:
    reason = " ".join(str(error).split())[:200]
    return BrokerError(
        f"Kafka {version}'s jars could not be fetched from Maven Central: check the network or proxy, "
        f"or copy the folder kafka-{version} of another machine's cache to {root} ({type(error).__name__}: {reason})"
    )
