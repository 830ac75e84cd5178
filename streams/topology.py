"""The graph as one table: which node reads what, keeps what and writes what. Read this second, after `schemas/topics.py`.

The worker (`agents/worker/app.py`) and `simulate` (`streams/simulation.py`) both run exactly this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from schemas.channels import CHANNELS
from schemas.inputs import Channel
from schemas.topics import (
    AGENDAS,
    APPOINTMENTS,
    AUDIT_LOG,
    CLIENT_EVENTS,
    CONSENTS_TABLE,
    CONTACTS,
    CONTACTS_TABLE,
    DEAD_LETTERS,
    DELIVERIES,
    DELIVERY_LOG,
    DELIVERY_REPORTS,
    DOUBTED,
    DOUBTS,
    EMPLOYEE_AGENDAS,
    EMPLOYEE_EVENTS,
    EMPLOYEES_TABLE,
    ERASURES,
    FOREIGN,
    HELD,
    HOLDS_TABLE,
    INPUTS,
    LEDGERS,
    OPT_OUTS,
    OPT_OUTS_TABLE,
    ORGANISATIONS_TABLE,
    OUTCOMES,
    OVERRIDES_TABLE,
    PEOPLE_TABLE,
    POLLS,
    SNAPSHOTS,
    Table,
    Topic,
)

from .employees.employees import employees
from .intake.intake import intake
from .intake.polls import PATIENCE
from .notices.notices import notices
from .processing.turn import ProcessorFactory
from .sending.sender import sending
from .sending.throttle import UNLIMITED, RateLimits
from .translate.node import translate
from .translate.producers import Producers


@dataclass(frozen=True)
class Node:
    """One step of the graph: an agent with the rows it keeps, whose name is also that of its store.

    Attributes:
        peers: nodes whose rows of the same partition it reads.
        on_time: its moments wait for the backlog of all inputs (`streams/README.md`, "Time").
        calls: the channel whose provider it calls.
    """

    name: str
    reads: tuple[Topic, ...]
    keeps: tuple[Table[Any], ...]
    writes: tuple[Topic, ...]
    processor: ProcessorFactory
    peers: tuple[str, ...] = ()
    on_time: bool = False
    calls: Channel | None = None


def graph(
    partitions: int, limits: Mapping[Channel, RateLimits] = MappingProxyType({}), producers: Producers = MappingProxyType({}),
    patience: timedelta = PATIENCE,
) -> tuple[Node, ...]:  # fmt: skip
    """Return the nodes in the order in which an event passes them.

    Args:
        partitions: of every topic.
        limits: of each channel.
        producers: what is agreed with those who speak other standards.
        patience: how long what a snapshot of an agenda misses is doubted before another one makes it cancelled.
    """
    clients = (CONSENTS_TABLE, CONTACTS_TABLE, PEOPLE_TABLE, OPT_OUTS_TABLE, AGENDAS)
    kept = (*clients, ORGANISATIONS_TABLE, OVERRIDES_TABLE, HOLDS_TABLE)
    checked = (CLIENT_EVENTS, EMPLOYEE_EVENTS, ERASURES, OUTCOMES, DOUBTED, DEAD_LETTERS)
    told = (DELIVERY_LOG, AUDIT_LOG, DEAD_LETTERS)
    return (
        Node("translate", FOREIGN, (), (APPOINTMENTS, CONTACTS, DEAD_LETTERS), translate(producers)),
        Node("intake", INPUTS, (SNAPSHOTS, POLLS, DOUBTS), checked, intake(partitions, patience)),
        Node(
            "notices",
            (CLIENT_EVENTS,),
            kept,
            (*DELIVERIES.values(), *told, HELD, CLIENT_EVENTS, EMPLOYEE_EVENTS),
            notices,
            on_time=True,
        ),
        Node(
            "employees",
            (EMPLOYEE_EVENTS,),
            (EMPLOYEES_TABLE, EMPLOYEE_AGENDAS),
            (*DELIVERIES.values(), *told),
            employees,
            ("notices",),
            on_time=True,
        ),
        *[_sender(channel, (*told, CLIENT_EVENTS, EMPLOYEE_EVENTS), limits.get(channel, UNLIMITED)) for channel in CHANNELS],
    )


def _sender(channel: Channel, told: tuple[Topic, ...], limits: RateLimits) -> Node:
    """Return the node that sends a channel's deliveries. Who reads a provider's reports writes the opt-outs that they tell of."""
    ledger = LEDGERS[channel]
    reports, opt_outs = ((DELIVERY_REPORTS,), (OPT_OUTS,)) if CHANNELS[channel].has_reports else ((), ())
    return Node(
        channel, (DELIVERIES[channel], *reports), (ledger,), (*told, *opt_outs), sending(channel, ledger, limits),
        ("notices", "employees"), calls=channel,
    )  # fmt: skip


def mermaid() -> str:
    """Draw the graph in Mermaid."""
    lines = ["flowchart LR"]
    names: dict[str, str] = {}

    def topic(one: Topic) -> str:
        if one.name not in names:
            names[one.name] = one.name.replace("-", "_")
            lines.append(f"    {names[one.name]}([{one.name}])")
        return names[one.name]

    for node in graph(1):
        tables = "".join(f"<br/>{name}" for name in dict.fromkeys(table.name for table in node.keeps))
        lines.append(f'    {node.name}_agent["<b>{node.name}</b>{tables}"]')
        lines.extend(f"    {topic(one)} --> {node.name}_agent" for one in node.reads)
        lines.extend(f"    {node.name}_agent --> {topic(one)}" for one in node.writes)
        lines.extend(f"    {peer}_agent -. reads .-> {node.name}_agent" for peer in node.peers)
        if node.calls is not None:
            lines.append(f"    {node.name}_agent ==> {node.name}_provider{{{{{node.calls} provider}}}}")
    return "\n".join(lines)
