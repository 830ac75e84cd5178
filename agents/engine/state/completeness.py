"""Tell whether a changelog still has all that was written to it.

Lost rows do not show: a worker would begin with empty tables, and tell clients everything again, or nothing. So where records
were deleted (by a retention on the topic, or an operator) or the topic was made anew, the worker uses nothing of it and does not
start. Compaction deletes only what a later record has replaced, and leaves the first offset where it is: at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition

from ..host import Host
from ..readiness import NotReadyError
from .changelog import Partition


def check_beginning(changelog: str, p: int, part: Partition, beginning: int) -> None:
    """Raise NotReadyError where the changelog begins behind what we have of it; a copy on disk may have what is deleted."""
    if beginning > part.end:
        raise NotReadyError(
            f"{changelog}/{p} begins at {beginning}: records before that were deleted, and rows with them. Restore the topic; "
            "or, to decide everything anew, delete all changelogs and the group's offsets"
        )


def check_offsets(changelog: str, p: int, part: Partition, committed: Mapping[str, int]) -> None:
    """Raise NotReadyError where a node without any offset in its rows has handled records.

    Args:
        changelog: the node's.
        p: the partition.
        part: what was loaded of it.
        committed: what the group has committed of the node's input topics, by topic.
    """
    handled = {topic: offset for topic, offset in committed.items() if offset > 0}
    if handled and all(part.offset(topic) is None for topic in committed):
        topic, offset = max(handled.items(), key=lambda item: item[1])
        raise NotReadyError(
            f"{changelog}/{p} knows nothing of {topic}/{p}, which is handled up to {offset}: the changelog was made anew. "
            "Restore it; or, to decide everything anew, delete the group's offsets"
        )


async def check(app: Host, loaded: Iterable[tuple[str, str, int, Partition]]) -> None:
    """Look at loaded partitions: node, changelog, number and what was loaded. Does not come back if one is not whole."""
    topics = {spec.name: spec.topics for spec in app.specs}
    parts = list(loaded)
    wanted: dict[Any, None] = {TopicPartition(topic, p): None for node, _, p, _ in parts for topic in topics[node]}
    committed = await app.consumer.group_offsets(wanted) if wanted else {}
    try:
        for node, changelog, p, part in parts:
            check_offsets(changelog, p, part, {topic: committed.get(TopicPartition(topic, p), 0) for topic in topics[node]})
    except NotReadyError as error:
        app.refuse(error)
