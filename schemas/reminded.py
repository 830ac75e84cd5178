"""What the agenda keeps of a client's reminders: which are due, and which were decided."""

from __future__ import annotations

from .wire import Instant, Wire


class Due(Wire, frozen=True):
    """A reminder of a local day that is due.

    Attributes:
        day: the one that it is of.
        wall: the local wall time at which it is set, `2026-03-04T18:00`, whatever quiet hours make of it.
        hours: so long after a message that told the same, or another reminder of that day, it is left out.
        place: its place in the organisation's list, by due moment.
    """

    day: str
    wall: str
    hours: int
    place: int = 1


class Reminded(Wire, frozen=True):
    """A reminder that was decided: for which wall time, as `Due` has it, and when it went out, where it did."""

    wall: str
    went: Instant | None = None
