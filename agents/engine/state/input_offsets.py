"""How far a partition's rows say that input topics are read: an offset, and the id of the topic that it is of.

An offset means nothing for another topic of the same name. Rows of an earlier version have no id beside their offsets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..topic_ids import is_other
from .changelog import Partition
from .outbox import encode_offset, offset_key, topic_key


class InputOffsets(NamedTuple):
    """What rows say of topics.

    Attributes:
        offsets: where to go on, of each topic that was read.
        anew: topics that are not those of which the rows have an offset.
    """

    offsets: dict[str, int]
    anew: set[str]


def input_offsets(part: Partition, topics: Iterable[str], ids: Mapping[str, bytes]) -> InputOffsets:
    """Return what the rows say of the topics that exist now, with these `ids`."""
    kept = {topic: offset for topic in topics if (offset := part.offset(topic)) is not None}
    anew = {topic for topic in kept if is_other(part.topic_id(topic), ids.get(topic))}
    return InputOffsets({topic: offset for topic, offset in kept.items() if topic not in anew}, anew)


def offset_rows(part: Partition, reached: Mapping[str, int], ids: Mapping[str, bytes]) -> dict[bytes, bytes | None]:
    """Return the rows that say how far topics are read, and which topics these are where the rows do not say it yet."""
    rows: dict[bytes, bytes | None] = {offset_key(topic): encode_offset(offset) for topic, offset in reached.items()}
    for topic in reached:
        if (id_ := ids.get(topic)) is not None and id_ != part.topic_id(topic):
            rows[topic_key(topic)] = id_
    return rows


def missing_ids(part: Partition, topics: Iterable[str], ids: Mapping[str, bytes]) -> dict[bytes, bytes | None]:
    """Return the ids that are missing beside offsets of an earlier version, which are taken for offsets of today's topics."""
    named = [topic for topic in topics if part.offset(topic) is not None and part.topic_id(topic) is None]
    return {topic_key(topic): ids[topic] for topic in named if topic in ids}
