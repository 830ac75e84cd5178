"""Send to one partition of a topic: one batch is on its way, and what comes meanwhile goes together as the next.

Turns of many partitions give each of many others a few records. The client has one batch of a partition on its way (it is an
idempotent producer), so separate batches of each turn queued behind one another, and caused small turns at their readers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

BatchEntry = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers of a record."""


class PartitionSender:
    """Sends entries in the order in which they were put. `send` returns when all that it was given are acknowledged."""

    def __init__(self, send: Callable[[list[BatchEntry]], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: list[BatchEntry] = []
        self._landing: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    def put(self, entries: Iterable[BatchEntry]) -> asyncio.Future[None]:
        """Send entries; the future is done when they are acknowledged.

        Others wait for it too: do not cancel it (`asyncio.wait` does not).
        """
        if self._error is not None:
            raise self._error
        self._waiting += entries
        if self._landing is None:
            self._landing = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return self._landing

    async def _run(self) -> None:
        while (landing := self._landing) is not None:
            entries, self._waiting, self._landing = self._waiting, [], None
            try:
                await self._send(entries)
            except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                self._error = error  # and nothing that came later may overtake what did not arrive
                landing.set_exception(error)
                if self._landing is not None:
                    self._landing.set_exception(error)
                return
            landing.set_result(None)
        self._task = None
