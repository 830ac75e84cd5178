"""Answer a supervisor, an orchestrator and a monitor, and run the tasks beside the pages.

/live    the main loop turns. It says nothing else: a restart brings neither Kafka nor a database back.
/ready   requests may come: as soon as the overview was read once, or that took too long. It never says no because Kafka or the
         database is away: they are away for all processes at once, unsubscribing and status reports need no database, and each
         page itself says what it lacks.
/health  how old the overview is; 503 beyond a bound. It is for people and monitors: nobody acts on it by itself.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web

from ..monitoring.web_metrics import WebMetrics
from ..projection.follower import Follower

log = structlog.get_logger(__name__)

STALE_SECONDS = 60.0
"""Age of the projection, in seconds, beyond which the service does not count as healthy."""

BEHIND_SECONDS = 300.0
"""The same for how far it is behind, in seconds."""

READ_SECONDS = 60.0
"""How long a process waits at its start for its first look at the whole log, before requests come."""

DIED = web.AppKey("died", asyncio.Event)
"""Set when a task ended that must not end: the process has to stop."""


class Watching:
    """The routes. `follower` None: there is no projection to watch."""

    def __init__(self, metrics: WebMetrics, follower: Follower | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.metrics, self.follower, self.monotonic = metrics, follower, monotonic
        self._began = monotonic()

    def routes(self) -> list[web.RouteDef]:
        """Return routes that need no sign-in: they say nothing of anybody."""
        return [web.get("/live", self.live), web.get("/ready", self.ready), web.get("/health", self.health)]

    @property
    def is_ready(self) -> bool:
        """Answer whether requests may come."""
        waited = self.monotonic() - self._began >= READ_SECONDS
        return self.follower is None or self.follower.caught_up or waited

    def behind(self) -> float | None:
        """Return how old, in seconds, what pages show may be; None while the topics are read for the first time."""
        if self.follower is None:
            return 0.0
        return max(self.follower.age(), self.follower.lag()) if self.follower.caught_up else None

    async def live(self, request: web.Request) -> web.Response:
        """Answer."""
        return web.json_response({"status": "live"})

    async def ready(self, request: web.Request) -> web.Response:
        """Answer whether requests may come."""
        if self.is_ready:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": self.metrics.unready}, status=503)

    async def health(self, request: web.Request) -> web.Response:
        """Answer how old the overview is."""
        if self.follower is None:
            return web.json_response({"status": "ok"})
        age, lag = self.follower.age(), self.follower.lag()
        well = age <= STALE_SECONDS and lag <= BEHIND_SECONDS
        figures = {"age_seconds": round(age, 1), "lag_seconds": round(lag, 1)}
        return web.json_response({"status": "ok" if well else "behind", "projection": figures}, status=200 if well else 503)

    async def beat(self) -> None:
        """Note every second that the loop turns, and look the gauges up."""
        while True:
            self.metrics.on_tick()
            self.metrics.ready = self.is_ready
            if self.follower is not None:
                self.metrics.age.set(self.follower.age())
                self.metrics.lag.set(self.follower.lag())
            await asyncio.sleep(1)


@asynccontextmanager
async def tasks(app: web.Application, **running: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these beside the pages. One that ends by itself is told in one line, and sets `app[DIED]`."""

    def over(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        frames = traceback.extract_tb(error.__traceback__) if error is not None else []
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "-"
        log.critical("a task ended that must not", task=task.get_name(), error=type(error).__name__, where=where)
        app[DIED].set()

    started = [asyncio.create_task(coroutine, name=name) for name, coroutine in running.items()]
    for task in started:
        task.add_done_callback(over)
    try:
        yield
    finally:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)
