"""The graph as one table: which node reads what, keeps what and writes what. Read this second, after `schemas/topics.py`.

The worker (`agents/app.py`) and `simulate` (`streams/simulation.py`) both run exactly this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.inputs import Channel
from schemas.topics import (
    AGENDAS,
    APPOINTMENTS,
    AUDIT_LOG,
    CLIENT_EVENTS,
    CONSENTS,
    CONSENTS_TABLE,
    CONTACTS,
    CONTACTS_TABLE,
    DEAD_LETTERS,
    DELIVERIES_EMAIL,
    DELIVERIES_SMS,
    DELIVERY_LOG,
    DELIVERY_REPORTS,
    ERASURES,
    LEDGER_EMAIL,
    LEDGER_SMS,
    OPT_OUTS,
    OPT_OUTS_TABLE,
    ORGANISATIONS,
    ORGANISATIONS_TABLE,
    OVERRIDES,
    OVERRIDES_TABLE,
    REQUESTS,
    SNAPSHOTS,
    Table,
    Topic,
)

from .intake import intake
from .notices import notices
from .sending import sending
from .turn import ShardFactory
from .valve import UNLIMITED, Limits

INPUTS = (APPOINTMENTS, CONSENTS, CONTACTS, OPT_OUTS, ORGANISATIONS, OVERRIDES, REQUESTS, ERASURES)


@dataclass(frozen=True)
class Node:
    """One step of the graph: an agent with the rows it keeps, whose name is also that of its store.

    Attributes:
        peers: nodes whose rows of the same partition it reads.
        on_time: its moments wait for the backlog of all inputs (DESIGN.md "Time waits for the backlog").
        calls: the channel whose provider it calls.
    """

    name: str
    reads: tuple[Topic, ...]
    keeps: tuple[Table, ...]
    writes: tuple[Topic, ...]
    shard: ShardFactory
    peers: tuple[str, ...] = ()
    on_time: bool = False
    calls: Channel | None = None


def graph(partitions: int, limits: Mapping[Channel, Limits] = MappingProxyType({})) -> tuple[Node, ...]:
    """The nodes in the order in which an event passes them; `partitions`: of every topic, `limits`: of each channel."""
    kept = (CONSENTS_TABLE, CONTACTS_TABLE, OPT_OUTS_TABLE, AGENDAS, ORGANISATIONS_TABLE, OVERRIDES_TABLE)
    sms = sending("sms", LEDGER_SMS, limits.get("sms", UNLIMITED))
    email = sending("email", LEDGER_EMAIL, limits.get("email", UNLIMITED))
    told = (DELIVERY_LOG, AUDIT_LOG)
    heard = (*told, CLIENT_EVENTS)
    return (
        Node("intake", INPUTS, (SNAPSHOTS,), (CLIENT_EVENTS, ERASURES, DEAD_LETTERS), intake(partitions)),
        Node("notices", (CLIENT_EVENTS,), kept, (DELIVERIES_SMS, DELIVERIES_EMAIL, *told), notices, on_time=True),
        Node("sms", (DELIVERIES_SMS, DELIVERY_REPORTS), (LEDGER_SMS,), (*heard, OPT_OUTS), sms, ("notices",), calls="sms"),
        Node("email", (DELIVERIES_EMAIL,), (LEDGER_EMAIL,), heard, email, ("notices",), calls="email"),
    )


def mermaid() -> str:
    """The graph as a Mermaid drawing."""
    lines = ["flowchart LR"]
    names: dict[str, str] = {}

    def topic(one: Topic) -> str:
        if one.name not in names:
            names[one.name] = one.name.replace("-", "_")
            lines.append(f"    {names[one.name]}([{one.name}])")
        return names[one.name]

    for node in graph(1):
        tables = "<br/>".join(dict.fromkeys(table.name for table in node.keeps))
        lines.append(f'    {node.name}_agent["<b>{node.name}</b><br/>{tables}"]')
        lines.extend(f"    {topic(one)} --> {node.name}_agent" for one in node.reads)
        lines.extend(f"    {node.name}_agent --> {topic(one)}" for one in node.writes)
        lines.extend(f"    {peer}_agent -. reads .-> {node.name}_agent" for peer in node.peers)
        if node.calls is not None:
            lines.append(f"    {node.name}_agent ==> {node.name}_provider{{{{{node.calls} provider}}}}")
    return "\n".join(lines)
