"""What `topics` says is wrong, each thing once."""

from __future__ import annotations

from agents.commands.topics import summed
from agents.kafka.topics import Report, TopicCheck


def test_one_fault_of_many_topics_is_one_line() -> None:
    few = TopicCheck("a", 4, "7 days", "wrong", ("it has 1 copy", "it has 4 partitions, wanted 8"))
    others = [TopicCheck(name, 4, "7 days", "wrong", ("it has 4 partitions, wanted 8",)) for name in "bcdef"]
    good = TopicCheck("g", 8, "7 days", "corrected", ("it was put right",))
    assert summed(Report((few, *others, good))) == ["a: it has 1 copy", "a, b, c and 3 more: it has 4 partitions, wanted 8"]


def test_a_fault_of_a_few_is_said_of_each() -> None:
    lines = tuple(TopicCheck(name, 0, "7 days", "missing", ("it does not exist",)) for name in "ab")
    assert summed(Report(lines)) == ["a: it does not exist", "b: it does not exist"]
