"""Who is in the group: by what it subscribed to and what it was given, each as Kafka's clients encode it."""

from __future__ import annotations

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocol
from faust.types import TP

from agents.engine.transport.membership import foreign_members, uneven

OURS = {"in", "new", "rows"}


def member(subscription: set[str], given: set[str]) -> tuple[str, bytes, bytes]:
    return (
        "w1-9f2c",
        ConsumerProtocol.METADATA(0, sorted(subscription), b"").encode(),
        ConsumerProtocol.ASSIGNMENT(0, [(topic, [0, 1]) for topic in sorted(given)], b"").encode(),
    )


@pytest.mark.parametrize(
    ("what", "members", "wanted"),
    [
        ("nobody is there", [], []),
        ("all read what we read", [member(OURS, OURS), member(OURS, OURS)], []),
        ("one has no partitions", [member(OURS, set())], []),
        ("the group rebalances, and tells nothing", [("w1-9f2c", b"", b"")], []),
        ("it does not know our new topic", [member({"in", "rows"}, {"in", "rows"})], ["do not read new"]),
        ("it reads one that we do not", [member(OURS | {"old"}, OURS)], ["read old"]),
        ("both", [member({"in", "old", "rows"}, set())], ["read old and do not read new"]),
        ("it subscribes to the new topic, but has what it had before", [member(OURS, {"in", "rows"})], ["do not read new"]),
        ("one of two", [member(OURS, OURS), member({"in"}, {"in"})], ["do not read new, rows"]),
    ],
)
def test_foreign_members(what: str, members: list[tuple[str, bytes, bytes]], wanted: list[str]) -> None:
    assert foreign_members(members, OURS) == wanted, what


@pytest.mark.parametrize(
    ("what", "assigned", "wanted"),
    [
        ("nothing", [], None),
        ("the same of each", [TP(topic, p) for topic in OURS for p in (0, 3)], None),
        ("none of the new topic", [TP("in", 0), TP("rows", 0)], "do not read new"),
        (
            "all of the new topic",
            [TP("in", 0), TP("rows", 0), TP("new", 0), TP("new", 1)],
            "have partitions [0] of in and [0, 1] of new",
        ),
    ],
)
def test_uneven(what: str, assigned: list[TP], wanted: str | None) -> None:
    assert uneven(assigned, OURS) == wanted, what
