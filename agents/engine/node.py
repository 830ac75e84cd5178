"""Describe a node of the graph to the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from streams.processing.turn import ProcessorFactory


@dataclass(frozen=True)
class NodeSpec:
    """One node: the topics it reads, the processor that decides, and what it may call.

    Attributes:
        name: also of its Faust table, so that its changelog is `{app}-{name}-changelog`.
        topics: its inputs. No other node reads them: a topic has one committed offset for the whole group.
        processor: makes the processor of a partition over its rows.
        peers: nodes whose processor of the same partition is passed in, to be read only.
        hold: dependent topic -> its bootstrap topics, see `transport/bootstrap.py`.
        waits_for: input topics that must be taken in before a due timer fires, see `tasks/watermark.py`. Empty: it fires at once.
        waits_first: topics that must be taken in before those are looked at: what comes of them lies there.
        format: of its rows, `state/row_format.py`; 0: none is kept.
        call: makes one provider call; classifies its own errors. What it returns is the outcome.
        max_in_flight_calls: how many calls of this node may be under way in this worker.
        call_timeout: seconds after which a call's outcome is unknown.
        call_start_within: seconds after the claim within which a call may still start.
    """

    name: str
    topics: tuple[str, ...]
    processor: ProcessorFactory
    peers: tuple[str, ...] = ()
    hold: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waits_for: tuple[str, ...] = ()
    waits_first: tuple[str, ...] = ()
    format: int = 0
    call: Callable[[Any], Awaitable[Any]] | None = None
    max_in_flight_calls: int = 64
    call_timeout: float = 20.0
    call_start_within: float = 5.0


def in_order(specs: Sequence[NodeSpec]) -> list[NodeSpec]:
    """Return the nodes, each after its peers. Raises ValueError where the specs contradict one another."""
    by_name = {spec.name: spec for spec in specs}
    if len(by_name) != len(specs):
        raise ValueError("two nodes have the same name")
    readers: dict[str, str] = {}
    for spec in specs:
        for topic in spec.topics:
            if topic in readers:
                raise ValueError(f"topic {topic} is read by {readers[topic]} and {spec.name}; a group has one offset for it")
            readers[topic] = spec.name
        if unknown := set(spec.peers) - set(by_name):
            raise ValueError(f"node {spec.name} has peers that are no nodes: {sorted(unknown)}")
        if unknown := set(spec.hold) - set(spec.topics):
            raise ValueError(f"node {spec.name} holds topics that it does not read: {sorted(unknown)}")
    try:
        order = list(TopologicalSorter({spec.name: spec.peers for spec in specs}).static_order())
    except CycleError as error:
        raise ValueError(f"nodes are peers of each other in a circle: {error.args[1]}") from None
    return [by_name[name] for name in order]
