"""At a first start some topics wait for others.

An application that is started on topics with years of settings and a month of events must know the settings before it takes
in the events. So where a late topic's partition was never read (no offset in the node's rows, nothing committed), nothing is
fetched from it until the group has committed past the ends that the early topics had when the hold began.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from .monitor import Monitor

log = logging.getLogger("engine")


class Hold:
    """The partitions of late topics that wait.

    Args:
        early: late topic -> its early topics.
        caught_up: waits until the group has committed past the present ends of topics; False if it took too long.
    """

    def __init__(
        self, early: Mapping[str, tuple[str, ...]], caught_up: Callable[[Iterable[str]], Awaitable[bool]], hooks: Monitor
    ) -> None:
        self.early, self.caught_up, self.hooks = early, caught_up, hooks
        self.held: set[Any] = set()

    def begin(self, unread: Iterable[Any]) -> None:
        """These partitions were never read, of whatever topics. Replaces what was held before."""
        self.held = {tp for tp in unread if self.early.get(tp.topic)}

    async def wait(self) -> None:
        """Until the early topics are in; then nothing is held."""
        held = frozenset(self.held)
        if not held:
            return
        topics = sorted({topic for tp in held for topic in self.early[tp.topic]})
        self.hooks.on_hold(len(held))
        log.info("first start: %d partitions wait for %s", len(held), ", ".join(topics))
        if not await self.caught_up(topics):
            log.warning("first start: %s are not in yet; going on", ", ".join(topics))
            self.hooks.on_hold_timeout()
        self.held -= held
        self.hooks.on_hold(len(self.held))
