"""Protocols of what the engine's parts need of the worker around them, so that they need not import it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn, Protocol

from streams.processing.turn import Output

from .monitor import Monitor
from .node import NodeSpec
from .readiness import NotReadyError


class Log(Protocol):
    """Where a task makes its turns durable."""

    async def append(self, p: int, entries: dict[bytes, bytes | None]) -> None:
        """Append entries atomically and fenced, and apply them to the partition."""

    async def repair(self, p: int, keys: set[bytes]) -> None:
        """Write the true values over stale ones."""


class TaskContext(Protocol):
    """What a task needs of the worker around it."""

    hooks: Monitor
    skipped: frozenset[tuple[str, int, int]]

    def clock(self) -> datetime:
        """Return the time now, in UTC."""

    def fit(self, output: Output) -> Output:
        """Return an output as its topic takes it. Raises TooLargeError."""

    async def send(self, outputs: list[Output], own: int) -> None:
        """Send outputs and wait until all are acknowledged."""

    def finish(self, topic: str, partition: int, offset: int) -> None:
        """Let this offset be committed: what is before it is durable, with all that follows from it."""


class Reader(Protocol):
    """Who takes the records of a partition: `tasks.task.StreamTask`."""

    offsets: dict[str, int]
    anew: set[str]
    waiting: dict[str, int]
    load: int

    def expect(self, topic: str, records: Sequence[Any]) -> None:
        """Count records that are on their way."""

    def receive(self, topic: str, records: list[Any]) -> None:
        """Take records, as the consumer has them."""

    def position(self, topic: str, offset: int) -> None:
        """Note where the consumer begins to read."""

    def is_empty(self, topic: str) -> None:
        """Note that nothing is there to read now."""

    def rewind(self, topic: str, offset: int) -> None:
        """Begin anew at this offset: the topic was made anew."""

    def skip(self, topic: str, offset: int) -> None:
        """Count what lies before this offset and was not delivered as handled: it holds no records."""


class Host(TaskContext, Protocol):
    """The worker, as its parts see it: what they may ask of it. `app.Engine` is one.

    What Faust hands out is Any; so is what would make a circle of modules.
    """

    bootstrap: str
    partitions: int
    topic_prefix: str
    ids: Mapping[str, bytes]
    specs: Sequence[NodeSpec]
    lookup: Any
    tasks: Any
    stores: Any
    watermarks: Any
    disk: Any
    early: Mapping[str, tuple[str, ...]]
    revocations: int
    heard: float
    recovery_timeout: float
    commit_timeout: float
    stall_timeout: float
    audit_interval: float

    # Faust's own
    conf: Any
    topics: Any
    tables: Any
    consumer: Any
    producer: Any
    in_recovery: bool
    should_stop: bool

    def topic_names(self) -> set[str]:
        """Return every topic that must exist before the start."""

    def subscribed(self) -> set[str]:
        """Return every topic of which the group deals out partitions."""

    def new_client(self, **settings: Any) -> Any:
        """Return a Kafka consumer that belongs to no group."""

    def task_of(self, tp: Any) -> Reader | None:
        """Return who handles an input partition; None while it is not ours or not loaded."""

    async def caught_up(self, topics: Iterable[str], bound: float | None = None) -> bool:
        """Wait until the group has committed past the present ends of these topics; False if that took too long."""

    async def open_tasks(self, partitions: Iterable[int], fresh: set[int]) -> bool:
        """Run the processors of these partitions; return False where they were revoked meanwhile."""

    async def close_tasks(self) -> None:
        """Let every task end what it has begun."""

    async def audit(self) -> None:
        """Look whether a former owner wrote to a changelog."""

    async def maybe_start_producer(self) -> Any:
        """Start Faust's producer where it does not run yet."""

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work beside; if it fails the process ends."""

    def die(self, why: str, cause: BaseException | None = None) -> NoReturn:
        """End the process (fail-stop)."""

    def refuse(self, why: NotReadyError, what: str = "cannot start") -> NoReturn:
        """Do not start, or go on."""
