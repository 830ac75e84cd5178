"""What a node of the graph is given, and what it answers. The engine (`agents/engine`) and `simulate` both drive nodes by this.

A node has one *processor* for each partition. It owns the rows of its partition and whatever it derives from them (an index of
due moments, decoded settings). The driver hands it a `Turn`; it answers with a `Decision`; the driver makes rows, outputs and
input offsets durable together, then calls `applied`, then starts the calls. A decision is never taken back: where it cannot be
made durable the process stops. So a processor may keep its derived parts up to date while it decides, but its rows change only
by what `applied` is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec

_TENTH = timedelta(milliseconds=100)


class BadRowError(Exception):
    """A row that cannot be used: of another version, or none of ours.

    Its text names nothing of a client; `key`, which does, is for the driver.
    """

    def __init__(self, key: bytes, why: str) -> None:
        super().__init__(why)
        self.key = key


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record of an input topic. `written`: when, by Kafka, in milliseconds since 1970; 0 or less where nobody says.

    Never decide by it: it is another machine's clock, and upstream's on a topic that keeps its producers' times. Nor by
    `headers`, which are upstream's too: a dead letter has them.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    written: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


EVERY = -1
"""As the partition of an output: one record in every partition of its topic. In the outbox it stands once."""

FRAME, HEADER_FRAME = 100, 10
"""Bytes that Kafka puts around a record that is a batch of its own, and around each header, at most."""


class Output(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record to write. `partition` None: by its key, with our partitioner (CRC32, `agents/engine`)."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it takes on its topic at most, key, headers and Kafka's own framing included."""
        size = len(self.key or b"") + len(self.value or b"") + FRAME
        for name, value in self.headers:
            size += len(name) + len(value) + HEADER_FRAME
        return size


class Call(NamedTuple):
    """A call to a provider, to start after the decision that claims it is durable. `key` names the row that claims it.

    `name`: what the log may call it; a hash, nothing of a client. `number`: which call of that row it is, from 1.
    """

    key: bytes
    request: Any
    name: str = ""
    number: int = 0


class Result(NamedTuple):
    """What became of a call. `outcome` is None when nobody knows: it timed out or was cut off; `made` False: it never began.

    `number`: that of the call; 0: of the last one.
    """

    key: bytes
    outcome: Any
    made: bool = True
    number: int = 0


@dataclass
class Turn:
    """What a processor has to handle now.

    Attributes:
        now: the worker's clock when the batch is handled; UTC.
        records: in order of each topic, of this partition.
        results: of calls that ended.
        due: moments up to and including this one fire; None: none does (the backlog is not in yet).
        room: how many calls may start.
        limit: how many moments may fire in this turn.
        skipped: records, by topic, partition and offset, that an operator wants set aside as they are.
    """

    now: datetime
    records: Sequence[Record] = ()
    results: Sequence[Result] = ()
    due: datetime | None = None
    room: int = 0
    limit: int = 1000
    skipped: Collection[tuple[str, int, int]] = ()


@dataclass
class Decision:
    """What a processor decided in a turn.

    Attributes:
        rows: new rows; None deletes.
        outputs: in order.
        calls: to start once this is durable.
        taken: how many of the turn's records it handled. Fewer than all where the decision grew to `FULL`; the rest comes again.
        settled: how many of the turn's results, in the same way; None: all.
        more: moments are still due that did not fit into this turn.
        scrub: keys of rows whose older values must not stay anywhere, as far as the driver can help it.
        size: bytes of rows and outputs so far.
        remarks: lines for the log, to be written once this is durable. None holds anything of a client.
        tally: what was decided, counted for the metrics: (name, labels…) -> how often. Labels have few values.
    """

    FULL = 2 << 20

    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    scrub: set[bytes] = field(default_factory=set)
    taken: int = 0
    settled: int | None = None
    more: bool = False
    size: int = 0
    remarks: list[str] = field(default_factory=list)
    tally: dict[tuple[str, ...], int] = field(default_factory=dict)

    def count(self, *what: str, times: int = 1) -> None:
        """Count something for the metrics."""
        self.tally[what] = self.tally.get(what, 0) + times

    def measure(self, *what: str, time: timedelta) -> None:
        """Measure a time for the metrics: counted like all else, its seconds last, rounded up to a tenth; none is negative."""
        tenths = max(-(-time // _TENTH), 0)
        self.count(*what, f"{tenths / 10:.1f}")

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write a new row; None deletes it."""
        self.rows[key] = value
        self.size += len(key) + len(value or b"")

    def erase(self, key: bytes, value: bytes | None = None) -> None:
        """Put as `put` does a row whose former value is to be erased."""
        self.put(key, value)
        self.scrub.add(key)

    def emit(self, output: Output) -> None:
        """Write a record."""
        self.outputs.append(output)
        self.size += output.size

    def comes_again(self) -> None:
        """Have the record come again for the rest: the decision is full, and it is done in part only."""
        self.taken -= 1

    @property
    def full(self) -> bool:
        """Tell whether it is time to make this durable before more is decided."""
        return self.size >= self.FULL


class Processor(Protocol):
    """The part of a node that handles one partition."""

    def loaded(self) -> None:
        """Derive what is derived from the rows: they were read from the changelog. Raises BadRowError for a useless one."""

    def decide(self, turn: Turn) -> Decision:
        """Handle a turn."""

    def applied(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Hear that these rows are durable: they are what later turns see."""

    def next_due(self) -> datetime | None:
        """Return the earliest moment that waits; None where there is none. It costs the same however many wait."""


def make_durable(processor: Processor, rows: MutableMapping[bytes, bytes], decision: Decision) -> None:
    """Change a processor's rows as its decision says, and tell it: what a driver does that keeps them in memory."""
    for key, value in decision.rows.items():
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
    processor.applied(decision.rows)


ProcessorFactory = Callable[[int, MutableMapping[bytes, bytes], Mapping[str, Processor]], Processor]
"""Makes the processor of a partition over rows that the driver keeps; last come other nodes' processors of the same partition."""
