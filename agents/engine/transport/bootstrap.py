"""Make some topics wait for others at a first start.

An application that starts on topics with years of settings and a month of events must know the settings before it takes in the
events. So where a partition of a dependent topic was never read (no offset in the node's rows, nothing committed), nothing is
fetched from it until the group has committed past the ends that its bootstrap topics had when the wait began.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..monitor import Monitor

log = logging.getLogger("engine")

SOON = 2.0
"""Seconds within which it is over at every start but the first: some partitions never had an event. Of that nothing is said."""


class Bootstrap:
    """The partitions of dependent topics that wait.

    Args:
        early: dependent topic -> its bootstrap topics.
        caught_up: waits until the group has committed past the present ends of topics; False if it took too long.
    """

    def __init__(
        self, early: Mapping[str, tuple[str, ...]], caught_up: Callable[[Iterable[str]], Awaitable[bool]], hooks: Monitor
    ) -> None:
        self.early, self.caught_up, self.hooks = early, caught_up, hooks
        self.held: set[Any] = set()

    def begin(self, unread: Iterable[Any]) -> None:
        """Hold back partitions that were never read, of whatever topics, in place of those held before."""
        self.held = {tp for tp in unread if self.early.get(tp.topic)}

    async def wait(self) -> None:
        """Wait until the bootstrap topics are in; then nothing is held."""
        held = frozenset(self.held)
        if not held:
            return
        topics = sorted({topic for tp in held for topic in self.early[tp.topic]})
        self.hooks.on_bootstrap(len(held))
        waits = partial(log.info, "partitions never read wait for settings", extra={"partitions": len(held), "topics": topics})
        told = asyncio.get_running_loop().call_later(SOON, waits)
        try:
            are_in = await self.caught_up(topics)
        finally:
            told.cancel()
        if not are_in:
            log.warning("settings are not in yet: partitions never read go on", extra={"topics": topics})
            self.hooks.on_bootstrap_timeout()
        self.held -= held
        self.hooks.on_bootstrap(len(self.held))
