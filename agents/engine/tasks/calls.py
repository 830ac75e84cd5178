"""Calls to a provider: a bounded number at a time, each bounded in time, none long after its claim."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from streams.processing.turn import Call, Result

from ..faults import trace
from ..monitor import Monitor
from ..node import NodeSpec

log = logging.getLogger("engine")


class Calls:
    """The calls of one node in this worker.

    `on_free` is called whenever a slot becomes free, so that a processor that waited for room gets a turn.
    """

    def __init__(self, spec: NodeSpec, clock: Callable[[], datetime], hooks: Monitor, on_free: Callable[[], None]) -> None:
        self.spec, self.clock, self.hooks, self.on_free = spec, clock, hooks, on_free
        self.busy = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def room(self, processors: int) -> int:
        """Return how many calls a processor may claim now: its share of the free slots, at least one if there is any."""
        if self.spec.call is None:
            return 0
        free = max(0, self.spec.max_in_flight_calls - self.busy)
        return min(free, max(1, free // max(1, processors)))

    def reserve(self, n: int) -> None:
        """Take slots for calls that a decision claims, before it is durable: other processors decide meanwhile."""
        self.busy += n

    def start(self, call: Call, now: datetime, began: float, deliver: Callable[[Result], None]) -> None:
        """Make a call for which a slot is reserved.

        Args:
            call: what to call.
            now: the clock at the turn that claims it.
            began: `time.monotonic()` then. Both are looked at: one stands still while a machine sleeps, the other may be set.
            deliver: gets the result, also of a call that was not made.
        """
        task = asyncio.create_task(self._run(call, now, began, deliver))
        self._tasks.add(task)  # a strong reference
        task.add_done_callback(self._tasks.discard)

    async def _run(self, call: Call, now: datetime, began: float, deliver: Callable[[Result], None]) -> None:
        result = Result(call.key, None, number=call.number)
        try:
            late = max(time.monotonic() - began, (self.clock() - now) / timedelta(seconds=1))
            if late > self.spec.call_start_within:
                log.warning("a call was not made: its claim is too old", extra=self._told(call, seconds=round(late, 1)))
                self.hooks.on_call_dropped(self.spec.name)
                result = Result(call.key, None, made=False, number=call.number)
            else:
                result = Result(call.key, await self._outcome(call), number=call.number)
        finally:
            self.busy -= 1
            deliver(result)
            self.on_free()

    async def _outcome(self, call: Call) -> Any:
        """Return what the call returned; None where nobody knows. A call that ignores its cancellation does not keep its slot."""
        assert self.spec.call is not None  # noqa: S101 - there is no room for calls without it
        began = time.monotonic()
        task = asyncio.ensure_future(self.spec.call(call.request))
        done, _ = await asyncio.wait([task], timeout=self.spec.call_timeout)
        self.hooks.on_call(self.spec.name, time.monotonic() - began, not done)
        if not done:
            task.cancel()
            self._tasks.add(task)
            task.add_done_callback(self._forget)
            log.warning("a call timed out", extra=self._told(call, seconds=self.spec.call_timeout))
            return None
        if task.cancelled() or task.exception() is not None:
            log.error("a call raised; its outcome is unknown", extra=self._told(call, error=_trace(task)))
            self.hooks.on_call_failed(self.spec.name)
            return None
        outcome = task.result()
        if log.isEnabledFor(logging.DEBUG):
            log.debug("a call ended", extra=self._told(call, outcome=getattr(outcome, "kind", None)))
        return outcome

    def _told(self, call: Call, **more: Any) -> dict[str, Any]:
        """Return the fields of a line about a call. Its name is the message's id, by which `afspraakbericht log` has it."""
        return {"node": self.spec.name, "message_id": call.name, **more}

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()


def _trace(task: asyncio.Task[Any]) -> str:
    """Say what was raised and where, without its message: that may quote the address or the text of the request."""
    error = None if task.cancelled() else task.exception()
    return "CancelledError" if error is None else trace(error)
