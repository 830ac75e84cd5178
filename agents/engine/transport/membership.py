"""Who is in the group, and what they read: workers that read different topics must not share one.

A member with a fixed name that comes back within its session time-out gets the partitions that it had, whatever it subscribes to
now (KIP-345): nobody would read a new topic. And in a mixed group Faust's assignor distributes separately what only some members
subscribe to (faust/assignor/partition_assignor.py:158), so that a worker gets a topic's partitions without their rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError

from ..host import Host
from ..readiness import NotYetError

log = logging.getLogger("engine")

POLL = 0.5
"""Seconds between two looks at the group."""

MARGIN = 5.0
"""Seconds beyond the session time-out in which a member of a stopped worker is certainly gone."""

ANSWER = 60.0
"""Seconds in which the group's coordinator must be found: it may just be moving."""


async def check_group(app: Host) -> None:
    """Wait until members with a different subscription have left. NotYetError where they stay, or no coordinator answers.

    What is left of stopped workers with fixed names goes with their session. Members that stay belong to running workers.
    """
    loop = asyncio.get_running_loop()
    began, waiting = loop.time(), False
    while others := foreign_members(await _members(app), app.subscribed()):
        if loop.time() > began + float(app.conf.broker_session_timeout) + MARGIN:
            raise NotYetError(
                f"group {app.conf.id} has {len(others)} that {others[0]}: workers that read other topics still run; "
                "stop them all, then start this one"
            )
        if not waiting:
            log.warning("waiting for members of the group to go", extra={"members": len(others), "who": others[0]})
            waiting = True
        await asyncio.sleep(POLL)


async def _members(app: Host) -> list[Any]:
    """Return the group's members as the broker describes them, once one does."""
    deadline = asyncio.get_running_loop().time() + ANSWER
    while True:
        try:
            return list(await app.lookup.members(app.conf.id))
        except KafkaError as error:
            if not error.retriable or asyncio.get_running_loop().time() > deadline:
                raise NotYetError(f"the coordinator of group {app.conf.id} does not answer: {error!r}") from None
            await asyncio.sleep(POLL)


def foreign_members(members: Iterable[Any], topics: set[str]) -> list[str]:
    """Describe what each member reads that differs from `topics`: by its subscription, and by what it was given.

    `members`: (…, subscription, assignment) of a DescribeGroups answer, encoded; both are empty while the group rebalances, and
    then every member joins with what it subscribes to now.
    """
    found = []
    for *_, metadata, assignment in members:
        read = set(ConsumerProtocol.METADATA.decode(metadata).subscription) if metadata else topics
        given = {topic for topic, _ in ConsumerProtocol.ASSIGNMENT.decode(assignment).assignment} if assignment else set()
        for names in (read, given):
            if names and names != topics:
                found.append(_difference(names, topics))
                break
    return found


def uneven(assigned: Iterable[Any], topics: set[str]) -> str | None:
    """Describe what is wrong with an assignment: of each topic we must have the same partitions."""
    by_topic: dict[str, set[int]] = defaultdict(set)
    for topic, partition in assigned:
        by_topic[topic].add(partition)
    if not by_topic:
        return None
    if by_topic.keys() != topics:
        return _difference(set(by_topic), topics)
    one, *rest = sorted(by_topic)
    other = next((topic for topic in rest if by_topic[topic] != by_topic[one]), None)
    return f"have partitions {sorted(by_topic[one])} of {one} and {sorted(by_topic[other])} of {other}" if other else None


def _difference(names: set[str], topics: set[str]) -> str:
    parts = [("read", names - topics), ("do not read", topics - names)]
    return " and ".join(f"{verb} {', '.join(sorted(which))}" for verb, which in parts if which)
