"""The index of due moments of one processor: derived from the rows, rebuilt after recovery.

A heap with one live entry for each name. An entry that was overtaken stays in the heap until it comes up, and is then passed
over, so that setting a moment costs O(log n) and asking for the next one nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from typing import Any

Moment = tuple[Any, ...]
"""`(when, kind, …)`: moments are handled in the order of these tuples."""


class Timers:
    """The next moment of each name."""

    def __init__(self) -> None:
        self._live: dict[str, Moment] = {}
        self.kinds: dict[Any, int] = {}
        """How many names have a next moment of each kind, a moment's second item."""
        self._heap: list[tuple[Moment, str]] = []

    def put(self, name: str, moment: Moment | None) -> None:
        """Set the name's next moment; None: it has none."""
        if moment is None:
            self._forget(name)
        elif (old := self._live.get(name)) != moment:
            if old is None or _kind(old) != _kind(moment):
                self._forget(name)
                self.kinds[_kind(moment)] = self.kinds.get(_kind(moment), 0) + 1
            self._live[name] = moment
            heapq.heappush(self._heap, (moment, name))
            if len(self._heap) > 2 * len(self._live) + 1000:  # more overtaken entries than live ones: start afresh
                self._heap = [(live, owner) for owner, live in self._live.items()]
                heapq.heapify(self._heap)

    def put_by(self, name: str, moment: Moment) -> None:
        """Put as `put` does what may be looked at too early without harm: one of its kind that comes before `moment` stays.

        Whoever finds at that moment that nothing is to do puts the next one. So a moment that moves ahead all the time costs
        nothing until it comes.
        """
        old = self._live.get(name)
        if old is None or old > moment or _kind(old) != _kind(moment):
            self.put(name, moment)

    def get(self, name: str) -> Moment | None:
        """Return the name's next moment."""
        return self._live.get(name)

    def next(self) -> datetime | None:
        """Return the earliest moment of all."""
        self._skip()
        when: datetime | None = self._heap[0][0][0] if self._heap else None
        return when

    def is_due(self, due: datetime | None) -> bool:
        """Tell whether a moment waits at or before `due`."""
        upcoming = self.next()
        return due is not None and upcoming is not None and upcoming <= due

    def due(self, due: datetime | None, limit: int) -> Iterator[str]:
        """Yield the names whose moments are due, in order, each taken off as it is yielded. What is put meanwhile counts too."""
        while limit > 0 and self.is_due(due):
            _, name = heapq.heappop(self._heap)
            self._forget(name)
            limit -= 1
            yield name

    def _forget(self, name: str) -> None:
        old = self._live.pop(name, None)
        if old is not None:
            self.kinds[_kind(old)] -= 1

    def _skip(self) -> None:
        heap, live = self._heap, self._live
        while heap and live.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)

    def __len__(self) -> int:
        return len(self._live)


def _kind(moment: Moment) -> Any:
    return moment[1] if len(moment) > 1 else None
