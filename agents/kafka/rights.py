"""What each user of Kafka may do, from the topology: the table principal × topic × right, and the commands that set it.

Read and Write bring Describe with them (Kafka's `AclAuthorizer`), and whoever may write to a topic may be an idempotent producer
(KIP-679). Rights are literal: none is by a prefix, so that a topic of others is nobody's of ours.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from schemas.topics import (
    ACCESS_LOG,
    AGENDA_SNAPSHOTS,
    APPOINTMENTS,
    CONSENTS,
    CONTACTS,
    DELIVERY_REPORTS,
    EMPLOYEES,
    FHIR,
    HL7V2,
    HOLDS,
    OPT_OUTS,
    ORGANISATIONS,
    OVERRIDES,
    REPRESENTATIVES,
    REQUESTS,
    STORES,
    TOPICS,
    changelog,
)
from streams.topology import graph

from ..monitoring.web_metrics import READ as FOLLOWED

Role = Literal["worker", "web", "mllp", "upstream", "setup", "reader", "operator"]
Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs", "AlterConfigs"]
Kind = Literal["topic", "group"]

ROLES: dict[Role, str] = {
    "worker": "the workers",
    "web": "the web service: what faces the internet writes what comes in there, and reads what its pages show",
    "mllp": "the MLLP listener",
    "upstream": "a source of our own records; of FHIR or HL7 v2 see RUNBOOK.md",
    "setup": "`topics`",
    "reader": "`log`, `costs`, `why`, `replay`, `access`, `status`, `project`: they read, and write who looked",
    "operator": "`erase`, `hold`, `dead-letters`, `mend-row`, `retention`, `feed`",
}
"""Who has rights of its own, and who that is."""

SENT_BY_UPSTREAM = (APPOINTMENTS, AGENDA_SNAPSHOTS, CONSENTS, CONTACTS, REPRESENTATIVES, EMPLOYEES, ORGANISATIONS, REQUESTS)
TAKEN_IN_BY_WEB = (OPT_OUTS, REQUESTS, DELIVERY_REPORTS, OVERRIDES, HOLDS, FHIR, ACCESS_LOG)


SET_UP: tuple[Operation, ...] = ("Create", "Describe", "DescribeConfigs", "AlterConfigs")
"""Of `topics`: it reads no record, and deletes no topic."""


class Grant(NamedTuple):
    """A right of a role on one topic or group."""

    role: Role
    kind: Kind
    name: str
    operation: Operation


def grants(application: str, prefix: str = "") -> list[Grant]:
    """Return every right of every role, each once, by Kafka's names and in the order of the catalogue.

    Args:
        application: the group, and the first part of the changelogs' names.
        prefix: what stands before every name.
    """
    nodes = graph(1)
    changelogs = [changelog(application, store).name for store in STORES]
    every = [*(topic.name for topic in TOPICS), *changelogs]
    found = [
        *_on("worker", "Read", (topic.name for node in nodes for topic in node.reads)),
        *_on("worker", "Write", (topic.name for node in nodes for topic in node.writes)),
        *_on("worker", "Read", changelogs),
        *_on("worker", "Write", changelogs),
        Grant("worker", "group", application, "Read"),
        *_on("web", "Read", [*FOLLOWED, changelog(application, "notices").name]),
        *_on("web", "Write", (topic.name for topic in TAKEN_IN_BY_WEB)),
        *_on("mllp", "Write", (HL7V2.name,)),
        *_on("upstream", "Write", (topic.name for topic in SENT_BY_UPSTREAM)),
        *(grant for operation in SET_UP for grant in _on("setup", operation, every)),
        *_on("reader", "Read", every),
        *_on("reader", "Write", (ACCESS_LOG.name,)),
        Grant("reader", "group", application, "Describe"),
        *_on("operator", "Read", every),
        *_on("operator", "Write", every),
        *_on("operator", "DescribeConfigs", every),  # `erase` says by when what is left is gone
        Grant("operator", "group", application, "Describe"),
    ]
    places = {name: place for place, name in enumerate([*every, application])}
    ordered = sorted(dict.fromkeys(found), key=lambda grant: places[grant.name])
    return [grant._replace(name=prefix + grant.name) for grant in ordered]


def _on(role: Role, operation: Operation, topics: Iterable[str]) -> list[Grant]:
    return [Grant(role, "topic", topic, operation) for topic in topics]


def commands(granted: Iterable[Grant], principals: Mapping[Role, str], roles: Iterable[Role] = tuple(ROLES)) -> list[list[str]]:
    """Return the arguments of `kafka-acls` that set the rights: a call for each role, kind and set of operations.

    `principals`: of a role, as Kafka's authorizer knows it, such as `User:web` or `User:CN=web`.
    """
    operations: dict[tuple[Role, Kind, str], list[Operation]] = {}
    for grant in granted:
        operations.setdefault((grant.role, grant.kind, grant.name), []).append(grant.operation)
    names: dict[tuple[Role, Kind, tuple[Operation, ...]], list[str]] = {}
    for (role, kind, name), of_it in operations.items():
        names.setdefault((role, kind, tuple(of_it)), []).append(name)
    wanted = frozenset(roles)
    return [
        [
            "--add", "--allow-principal", principals[role],
            *(word for operation in of_it for word in ("--operation", operation)),
            *(word for name in named for word in (f"--{kind}", name)),
        ]
        for role in ROLES
        if role in wanted
        for (owner, kind, of_it), named in names.items()
        if owner == role
    ]  # fmt: skip


def script(granted: Iterable[Grant], principals: Mapping[Role, str], roles: Iterable[Role] = tuple(ROLES)) -> str:
    """Return a shell script that sets the rights by Kafka's own `kafka-acls.sh`; its arguments are those of the connection."""
    lines = [
        "#!/bin/sh",
        "# Sets the rights of afspraakbericht's users in Kafka. Run it again after an upgrade: a right more does no harm.",
        "#   sh rights.sh --bootstrap-server BROKER:9093 --command-config admin.properties",
        "set -eu",
        *(f'kafka-acls.sh "$@" {shlex.join(words)}' for words in commands(granted, principals, roles)),
    ]
    return "\n".join(lines) + "\n"


def table(granted: Iterable[Grant]) -> str:
    """Return the rights as a table in Markdown: a row for each topic and group, a column for each role."""
    cells: dict[tuple[Kind, str], dict[Role, list[str]]] = {}
    for grant in granted:
        cells.setdefault((grant.kind, grant.name), {}).setdefault(grant.role, []).append(grant.operation)
    head = [f"| | {' | '.join(ROLES)} |", f"|---{'|---' * len(ROLES)}|"]
    rows = []
    for (kind, name), of_it in cells.items():
        shown = " | ".join(", ".join(of_it.get(role, [])) for role in ROLES)
        rows.append(f"| {'group ' if kind == 'group' else ''}`{name}` | {shown} |")
    return "\n".join([*head, *rows])
