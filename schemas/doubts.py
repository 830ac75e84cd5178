"""Snapshots of agendas that are not believed for now (`streams/README.md`, "Snapshots"): what waits for a person."""

from __future__ import annotations

from .wire import Instant, Wire


class DoubtedRecord(Wire, frozen=True, kw_only=True):
    """`doubted`, key `organisation/partition`: so many clients miss appointments that none is cancelled; null: that is over.

    It is also intake's row of it, and names no client.

    Attributes:
        partition: of the clients, who are counted in each by itself.
        since: when it began; `at`: when this was counted.
        clients: of whom something is doubted; `known`: of all of whom there are snapshots.
        until: when the last appointment that is doubted begins: then nothing of it waits any more.
    """

    organisation: str
    partition: int
    since: Instant
    at: Instant
    clients: int
    known: int
    until: Instant
