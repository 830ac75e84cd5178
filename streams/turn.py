"""What a node of the graph is given, and what it answers. The engine (`agents/engine`) and `simulate` both drive nodes by this.

A node has one *shard* for each partition. A shard owns the rows of its partition and whatever it derives from them (an index of
due moments, decoded settings). The driver hands it a `Turn`; it answers with a `Decision`; the driver makes rows, outputs and
input offsets durable together, then calls `applied`, then starts the calls. A decision is never taken back: where it cannot be
made durable the process stops. So a shard may keep its derived parts up to date while it decides, but its rows change only
by what `applied` is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record of an input topic. `written`: when, by Kafka, in milliseconds since 1970; 0 or less where nobody says.

    No decision may hang on it, since it is another machine's clock, or upstream's: it is for the metrics.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    written: int = 0


class Output(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record to write. `partition` None: by its key, with our partitioner (CRC32, `agents/engine`)."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Call(NamedTuple):
    """A call to a provider, to start after the decision that claims it is durable. `key` names the row that claims it."""

    key: bytes
    request: Any


class Result(NamedTuple):
    """What became of a call. `outcome` is None when nobody knows: it timed out or was cut off."""

    key: bytes
    outcome: Any


@dataclass
class Turn:
    """What a shard has to handle now.

    Attributes:
        now: the worker's clock when the batch is handled; UTC.
        records: in order of each topic, of this partition.
        results: of calls that ended.
        due: moments up to and including this one fire; None: none does (the backlog is not in yet).
        room: how many calls may start.
        limit: how many moments may fire in this turn.
    """

    now: datetime
    records: Sequence[Record] = ()
    results: Sequence[Result] = ()
    due: datetime | None = None
    room: int = 0
    limit: int = 1000


@dataclass
class Decision:
    """What a shard decided in a turn.

    Attributes:
        rows: new rows; None deletes.
        outputs: in order.
        calls: to start once this is durable.
        taken: how many of the turn's records it handled. Fewer than all where the decision grew to `FULL`; the rest comes again.
        more: moments are still due that did not fit into this turn.
        scrub: keys of rows whose older values must not stay anywhere, as far as the driver can help it.
        size: bytes of rows and outputs so far.
        tally: what was decided, counted for the metrics: (name, labels…) -> how often. Labels have few values.
    """

    FULL = 2 << 20

    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    scrub: set[bytes] = field(default_factory=set)
    taken: int = 0
    more: bool = False
    size: int = 0
    tally: dict[tuple[str, ...], int] = field(default_factory=dict)

    def count(self, *what: str, times: int = 1) -> None:
        """Count something for the metrics."""
        self.tally[what] = self.tally.get(what, 0) + times

    def measure(self, *what: str, time: timedelta) -> None:
        """Measure a time for the metrics: counted like all else, its seconds last, rounded up to a tenth; none is negative."""
        tenths = math.ceil(max(time, timedelta()) / timedelta(milliseconds=100))
        self.count(*what, f"{tenths / 10:.1f}")

    def put(self, key: bytes, value: bytes | None) -> None:
        """A new row, or None to delete it."""
        self.rows[key] = value
        self.size += len(key) + len(value or b"")

    def erase(self, key: bytes, value: bytes | None = None) -> None:
        """As `put`, of a row whose former value is to be erased."""
        self.put(key, value)
        self.scrub.add(key)

    def emit(self, output: Output) -> None:
        """A record to write."""
        self.outputs.append(output)
        self.size += len(output.value or b"") + 64

    @property
    def full(self) -> bool:
        """Whether it is time to make this durable before more is decided."""
        return self.size >= self.FULL


class Shard(Protocol):
    """The part of a node that handles one partition."""

    def loaded(self) -> None:
        """The rows were read from the changelog: derive from them what is derived."""

    def decide(self, turn: Turn) -> Decision:
        """Handle a turn."""

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """These rows are durable: they are what later turns see."""

    def next_due(self) -> datetime | None:
        """The earliest moment that waits, None where there is none. Costs the same however many wait."""


ShardFactory = Callable[[int, MutableMapping[bytes, bytes], Mapping[str, Shard]], Shard]
"""Makes the shard of a partition over rows that the driver keeps; last come other nodes' shards of the same partition."""
