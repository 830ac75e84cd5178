"""Workers by their places, and a supervisor that starts again who has ended."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.broker.harness import Stand, Worker

ENDS = (0, 70, -9, -15)
"""How a worker may end: in order, by a fail-stop, killed, or stopped while Python was still starting."""
FAIL_STOP = re.compile(r"fail-stop: ([^\n\"]+)")


class Place:
    """Where a worker runs: its name in the group, its store, its folder. Its workers come one after another."""

    def __init__(self, number: int, *, named: bool, store: str) -> None:
        self.number, self.named, self.store = number, named, store
        self.worker: Worker | None = None
        self.supervised = True


class Fleet:
    """Three workers and more. Some have a fixed name in the group and some not, some keep their rows on disk.

    `problems`: what no worker may do, a sentence each.
    """

    def __init__(self, stand: Stand, workers: int) -> None:
        self.stand = stand
        self.places: list[Place] = []
        self.ended: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.problems: list[str] = []
        for number in range(workers):
            self.add(named=number < 2, store="rocksdb" if number in (1, 2) else "memory")

    def add(self, *, named: bool = False, store: str = "memory") -> Place:
        """One more place, with its worker."""
        number = max((place.number for place in self.places), default=-1) + 1
        place = Place(number, named=named, store=store)
        self.places.append(place)
        self._start(place)
        return place

    def _start(self, place: Place) -> None:
        more = {"instance": f"worker-{place.number}"} if place.named else {}
        place.worker = self.stand.worker(
            data=self.folder(place), store=place.store, sms_timeout_seconds=4, smtp_timeout_seconds=4, **more
        )

    def folder(self, place: Place) -> Path:
        """What it keeps; its next worker finds it there."""
        return self.stand.folder / f"place-{place.number}"

    @property
    def awake(self) -> list[Place]:
        """Places whose worker runs."""
        return [place for place in self.places if place.worker and place.worker.running and not place.worker.paused]

    async def supervise(self) -> None:
        """For ever: who has ended is noted and started again."""
        while True:
            self.look()
            await asyncio.sleep(0.1)

    def look(self) -> None:
        """One look at all."""
        for place in self.places:
            worker = place.worker
            if worker is None or worker.running:
                continue
            self._note(worker)
            place.worker = None
            if place.supervised:
                self._start(place)

    def _note(self, worker: Worker) -> None:
        code = worker.process.returncode
        self.ended[str(code)] += 1
        if code not in ENDS:
            self.problems.append(f"a worker ended with {code}:\n{worker.output[-3000:]}")
        if code == 70:
            said = FAIL_STOP.findall(worker.output)
            self.reasons[re.sub(r"\d+(\.\d+)?", "N", said[-1])[:110] if said else "nothing was said"] += 1

    async def remove(self, place: Place) -> None:
        """Stop its worker in order; nobody takes its place."""
        place.supervised = False
        if (worker := place.worker) is not None:
            code = await worker.stop()
            if code != 0 and not (code == -15 and not worker.output):  # Python was still starting
                self.problems.append(f"a worker that was told to stop ended with {code}:\n{worker.output[-3000:]}")
        self.look()
        self.places.remove(place)

    async def stop(self) -> None:
        """Stop all in order."""
        for place in list(self.places):
            await self.remove(place)

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait; TimeoutError after that."""
        limit = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > limit:
                raise TimeoutError
            await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def supervised(self):  # type: ignore[no-untyped-def]
        """Supervise while the block runs."""
        task = asyncio.create_task(self.supervise())
        try:
            yield self
        finally:
            task.cancel()
