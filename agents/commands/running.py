"""What commands that run until a signal share, and the one line of those that cannot."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ..exits import REFUSED, reason

if TYPE_CHECKING:  # it brings a web server, which most commands do not need
    from ..fakes import Fake

F = TypeVar("F", bound="Fake")


def refused(line: str) -> int:
    """Print a line on stderr and return exit code 2."""
    print(line, file=sys.stderr)
    return REFUSED


def stop_signal() -> asyncio.Event:
    """Return what SIGINT or SIGTERM sets, in the running loop."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # a loop without signals
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def serve(make: Callable[[], F], words: Callable[[F], str], what: str) -> int:
    """Run a fake provider until it is stopped; `words` are printed once it listens. Returns 2 where it cannot."""

    async def until_stopped() -> None:
        stopped, fake = stop_signal(), make()
        await fake.start()
        try:
            print(words(fake), flush=True)
            await stopped.wait()
        finally:
            await fake.stop()

    try:
        asyncio.run(until_stopped())
    except OSError as error:
        return refused(f"cannot run {what}: {reason(error)}")
    return 0
