"""Start a worker from code: no command line, no banner, no web server, and nothing of Faust's on stdout."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
import time
from signal import Signals
from typing import Any

import faust
import mode.loop

from .app import Engine
from .ending import Ending
from .faults import told


class Seldom(logging.Filter):
    """Lets a message through once in `seconds`: while a broker is away aiokafka says so thirty times a second."""

    def __init__(self, seconds: float = 5.0) -> None:
        super().__init__()
        self.seconds = seconds
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to let it through; the same message with other arguments is the same."""
        now, last = time.monotonic(), self._said.get(record.msg)
        if last is not None and now - last < self.seconds:
            return False
        self._said[record.msg] = now
        return True


def tune_gc() -> None:
    """Collect less often: with 100,000 and more live records the default costs a fifth of the throughput."""
    gc.set_threshold(100_000, 50, 1000)


class Worker(faust.Worker):  # type: ignore[misc]
    """Faust's worker without its terminal."""

    def __init__(self, app: Engine, **settings: Any) -> None:
        super().__init__(app, quiet=True, redirect_stdouts=False, override_logging=False, **settings)
        self.spinner = None

    def _crash(self, reason: BaseException) -> None:
        self.app.die(f"a service crashed: {told(reason)}", reason)

    def _schedule_shutdown(self, signal: Signals) -> None:
        """Stop at the first signal; another one changes nothing."""
        if not self._signal_stop_time:
            Ending(self.app).start()
        super()._schedule_shutdown(signal)

    def _on_sigusr1(self) -> None:
        """Print where every thread is.

        mode's own (mode/worker.py:230) also prints all local variables, and so the clients' data.
        """
        faulthandler.dump_traceback(2, all_threads=True)

    def _on_sigusr2(self) -> None:
        """Do nothing: mode opens a debugger here (mode/worker.py:239), and stands still."""

    async def on_execute(self) -> None:
        """Set no process title (faust/worker.py:349)."""

    def on_worker_shutdown(self) -> None:
        """Set none here either."""

    async def _sentinel_task(self) -> None:
        """Do nothing: all is stopped, and mode sleeps a second here (mode/worker.py:353)."""


def run_worker(app: Engine, loglevel: str = "INFO") -> int:
    """Run until SIGTERM or SIGINT, which end calls in flight and commit; return the exit code.

    Logging is the caller's; where there is none, warnings and our own lines go to stderr.
    """
    tune_gc()
    if not logging.getLogger().handlers:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("faust", "mode", "aiokafka"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(loglevel)))
    for part in ("", ".consumer.fetcher", ".consumer.group_coordinator", ".producer.sender", ".cluster"):
        logging.getLogger("aiokafka" + part).addFilter(Seldom())
    logging.getLogger("mode.timers").setLevel(logging.ERROR)  # says that a commit took longer than its interval
    logging.getLogger("engine").setLevel(loglevel)
    mode.loop.use("uvloop")  # of this thread and the Kafka client's: a tenth less CPU an event than with asyncio's own
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    code: object = 0
    try:
        Worker(app, loop=loop).execute_from_commandline()
    except SystemExit as end:
        code = end.code
    logging.getLogger("engine").info("stopped")
    return code if isinstance(code, int) else 1
