"""Makes what lets the next brokers start quickly: one broker starts and ends for it, some 20 s of CPU time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .broker import EmbeddedKafka
from .jars import VERSION, class_path
from .java import kept_classes, making_classes

SECONDS = 600.0
"""How long Java may take to write its file; some 10 s where nothing else runs."""


def warm(cache: Path | None = None) -> Path:
    """Make the ahead-of-time cache if there is none; return its file. BrokerError if the broker does not start."""
    class_path(VERSION, cache)  # the folder beside which it lies
    file = kept_classes(VERSION, cache)
    if not file.exists():
        with tempfile.TemporaryDirectory(prefix=".warm-", dir=file.parent) as folder:
            made = Path(folder) / "aot"
            with EmbeddedKafka(Path(folder) / "kafka", None, jars=cache, options=making_classes(made), grace=SECONDS):
                pass
            os.replace(made, file)  # in one step: a start finds the whole of it or nothing
    return file
