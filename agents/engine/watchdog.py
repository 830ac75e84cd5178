"""Exit rather than hang: a supervisor restarts a worker within a second, but a silent worker keeps its partitions for ever."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable

from ..exits import STOPPED
from .host import Host

BEAT = 0.5
"""Seconds between two looks."""


class LoopStall(threading.Thread):
    """Ends the process when the main loop has not turned for `limit` seconds.

    The group's heartbeats have a thread of their own, so a worker with a stuck main loop would remain a member. It also ends a
    worker that was frozen for so long: by then others have its partitions. `doing` says what the loop is in, if anything.
    """

    def __init__(self, limit: float, doing: Callable[[], str]) -> None:
        super().__init__(name="loop-stall", daemon=True)
        self.limit, self.doing = limit, doing
        self.turned = time.monotonic()
        self.over = threading.Event()

    def beat(self) -> None:
        """Note that the loop turns. After a freeze it may do so before this thread has looked, and must not go on either."""
        self.look()
        self.turned = time.monotonic()

    def run(self) -> None:
        """Look every half second."""
        while not self.over.wait(BEAT):
            self.look()

    def look(self) -> None:
        """End the process where it is too late. The loop may be unable to log, so this writes and exits by itself."""
        stalled = time.monotonic() - self.turned
        if stalled > self.limit:
            doing = self.doing()
            where = f", in a decision of {doing}" if doing else ""
            sys.stderr.write(f"fail-stop: the main loop has not turned for {stalled:.1f} s{where}\n")
            sys.stderr.flush()
            os._exit(STOPPED)


async def watch(app: Host) -> None:
    """Beat for the stall thread, and end the process when recovery or a commit takes too long."""
    stall = LoopStall(app.stall_timeout, app.tasks.deciding)
    stall.start()
    try:
        while True:
            await asyncio.sleep(BEAT)
            stall.beat()
            now = time.monotonic()
            recovering = app.tables.recovery._recovery_started_at
            if app.in_recovery and recovering and now - recovering > app.recovery_timeout:
                app.die(f"recovery takes longer than {app.recovery_timeout:.0f} s")
            waiting = app.consumer.waiting_since
            if waiting and now - waiting > app.commit_timeout:
                app.die(f"nothing could be committed for {app.commit_timeout:.0f} s")
    finally:
        stall.over.set()


async def audit(app: Host) -> None:
    """Look at the changelogs now and then. Not in `watch`: a broker that hangs would hold up the beat, and look like a stall."""
    while True:
        await asyncio.sleep(app.audit_interval)
        await app.audit()
