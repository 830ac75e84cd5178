"""Events that Kafka kept, in the order in which the rules are to see them again; and the rules, run over them in memory.

Three things a topic does not keep are made up for here, as well as can be:
- at a first start the worker takes in settings and clients before appointments, whatever their times: `Kept.began`;
- of compacted topics older values are gone, so the oldest that is kept of a key counts from the start, where something is
  missing before it in its partition;
- what a provider said of an address comes back as the event that it was (`client-events`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from schemas.notices import request_id
from schemas.topics import APPOINTMENTS, BOOTSTRAP_TOPICS, CLIENT_EVENTS, DEPENDENT_TOPICS, INPUTS, ORGANISATIONS, REQUESTS

from ..simulation import Provider, Refused, Simulation

EARLY_NAMES = tuple(topic.name for topic in BOOTSTRAP_TOPICS)
COMPACTED = tuple(topic.name for topic in BOOTSTRAP_TOPICS if topic.retention_ms is None)
OTHERS = tuple(topic for topic in INPUTS if topic not in (*BOOTSTRAP_TOPICS, *DEPENDENT_TOPICS))
ORDER = {topic.name: number for number, topic in enumerate([*BOOTSTRAP_TOPICS, CLIENT_EVENTS, *OTHERS, *DEPENDENT_TOPICS])}


class Kept(NamedTuple):
    """An event as Kafka has it. `at`: its timestamp; `gap`: something is missing before it in its partition."""

    at: datetime
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    gap: bool = False


class Ordered(NamedTuple):
    """The events in order, and how many oldest values of compacted topics were moved to the start."""

    events: list[Kept]
    moved: int


def ordered(events: Iterable[Kept], began: datetime | None = None) -> Ordered:
    """Merge by timestamp, keeping the order of each partition, in which timestamps may go back.

    `began`: the worker's first start, where all it wrote then is still kept: what is older was taken in at that moment, early
    topics first.
    """
    partitions: dict[tuple[str, int], list[Kept]] = {}
    for event in events:
        partitions.setdefault((event.topic, event.partition), []).append(event)
    timed: list[tuple[datetime, int, int, int, Kept]] = []
    moved: list[Kept] = []
    for (topic, partition), kept in partitions.items():
        latest = began
        seen: set[bytes | None] = set()
        for event in sorted(kept, key=lambda one: one.offset):
            if topic in COMPACTED and event.gap and event.key not in seen:
                moved.append(event)
            else:
                latest = event.at if latest is None else max(latest, event.at)
                timed.append((latest, ORDER[topic], partition, event.offset, event))
            seen.add(event.key)
    timed.sort(key=lambda one: one[:4])
    start = timed[0][0] if timed else min((event.at for event in moved), default=None)
    first = sorted(moved, key=lambda one: (ORDER[one.topic], one.partition, one.offset))
    return Ordered(
        [one._replace(at=start or one.at) for one in first] + [one._replace(at=at) for at, *_, one in timed], len(first)
    )


def instead(events: list[Kept], settings: dict[str, bytes]) -> list[Kept]:
    """Return the events with other settings for these organisations, from the start on."""
    names = {organisation.encode(): value for organisation, value in settings.items()}
    rest = [event for event in events if event.topic != ORGANISATIONS.name or event.key not in names]
    at = rest[0].at if rest else datetime(1970, 1, 1, tzinfo=UTC)
    return [Kept(at, ORGANISATIONS.name, 0, 0, key, value) for key, value in sorted(names.items())] + rest


class _Asked(msgspec.Struct, frozen=True):
    organisation: str
    client: str
    party: str
    request: str


def spoken_of(events: Iterable[Kept]) -> frozenset[str]:
    """Return the names (`comparison.known_by`) of all appointments and requests that the events are about."""
    names = set()
    for event in events:
        if event.topic == APPOINTMENTS.name:
            names.add((event.key or b"").decode(errors="replace"))
        elif event.topic == REQUESTS.name:
            try:
                one = msgspec.json.decode(event.value or b"", type=_Asked)
            except msgspec.MsgspecError:  # intake refuses it too
                continue
            names.add(f"{one.organisation}/{request_id(one.organisation, one.client, one.party, one.request)}")
    return frozenset(names)


class Replay:
    """The graph of `simulate`, run over events that were kept. `refused`: how many records were set aside."""

    def __init__(self, provider: Provider) -> None:
        self.simulation = Simulation(provider)
        self.refused = 0

    def records(self, events: Iterable[Kept], until: datetime) -> Iterator[bytes]:
        """Yield the delivery-log records up to and including `until`."""
        for event in events:
            if event.at > until:
                break
            yield from self.simulation.until(event.at)
            try:
                yield from self.simulation.feed(event.topic, event.key, event.value, event.at)
            except Refused:
                self.refused += 1
        yield from self.simulation.until(until)
        self.refused += len(self.simulation.faults)
