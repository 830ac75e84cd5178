"""Makes what lets the next brokers start quickly: one broker starts, is used and ends for it, some 20 s of CPU time."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from .broker import EmbeddedKafka
from .jars import VERSION, class_path
from .java import kept_classes, making_classes

SECONDS = 600.0
"""How long Java may take to write its file, and to start when it does; some 10 s where nothing else runs."""


def warm(cache: Path | None, use: Callable[[str], Coroutine[Any, Any, None]]) -> Path:
    """Make the ahead-of-time cache if there is none; return its file. BrokerError if the broker does not start.

    `use` asks of the broker at an address what is usually asked: what Java did not meet here, each broker loads anew.
    """
    class_path(VERSION, cache)  # the folder beside which it lies
    file = kept_classes(VERSION, cache)
    if not file.exists():
        with tempfile.TemporaryDirectory(prefix=".warm-", dir=file.parent) as folder:
            made, data = Path(folder) / "aot", Path(folder) / "kafka"
            options = making_classes(made)
            with EmbeddedKafka(data, None, jars=cache, options=options, grace=SECONDS, start_seconds=SECONDS) as broker:
                asyncio.run(use(broker.bootstrap))
            os.replace(made, file)  # in one step: a start finds the whole of it or nothing
    return file
