"""Bound the end of a worker that was told to stop, whatever Kafka does.

A stop waits for calls in flight, for appends, for a last commit, and for clients that themselves wait for brokers. Without
brokers each of these takes a minute, or never ends. Cutting it off loses nothing: what was decided is durable, and the outcome of
a call that could not be written is unknown after the next start, as after a crash.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from ..exits import leave

if TYPE_CHECKING:
    from .app import Engine

log = logging.getLogger("engine")

LOOK = 0.2
"""Seconds between two looks."""

PATIENCE = 7.0
"""Seconds without a call in flight and without an answer of Kafka after which the rest of a stop is skipped."""

MOST = 50.0
"""Seconds that a stop may take in all: below the 60 s that the manifests in deploy/ grant it."""


class Ending(threading.Thread):
    """Ends the process where a stop does not get on. A thread, since a stop also blocks the main loop (mode/threads.py)."""

    def __init__(self, app: Engine) -> None:
        super().__init__(name="ending", daemon=True)
        self.app = app
        self.began = self.moved = time.monotonic()

    def run(self) -> None:
        """Look until the process ends."""
        while (why := self.stuck()) is None:
            time.sleep(LOOK)
        log.warning("stopped, but not as it should: %s. What was under way is taken up at the next start", why)
        leave(0)

    def stuck(self) -> str | None:
        """Say why the stop is not waited for any longer; None while it is."""
        now = time.monotonic()
        if self.app.tasks.in_flight:
            self.moved = now
        if now - self.began > MOST:
            return f"it took more than {MOST:.0f} s"
        quiet = now - max(self.moved, self.app.heard)
        return f"Kafka has not answered for {quiet:.0f} s" if quiet > PATIENCE else None
