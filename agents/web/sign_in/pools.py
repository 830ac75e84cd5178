"""Threads for one kind of slow work, so that what waits for it delays nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class FullError(Exception):
    """The queue is full: come again later."""


class Pool:
    """`threads` pieces of work at a time, and `waiting` that wait for a thread."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._threads, self._count, self._waiting = ThreadPoolExecutor(threads, thread_name_prefix=name), threads, waiting
        self._jobs: set[Future[Any]] = set()

    async def run(self, work: Callable[..., T], *args: object, spare: int = 0) -> T:
        """Do it in a thread; `spare`: places in the queue beyond those of everybody. Raises FullError, and what it raises.

        Whoever is cancelled leaves the queue. Work that has begun keeps its thread until it ends.
        """
        self._jobs = {job for job in self._jobs if not job.done()}
        if len(self._jobs) >= self._count + self._waiting + spare:
            raise FullError
        job = self._threads.submit(work, *args)
        self._jobs.add(job)
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Let go of the threads; what waits is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
