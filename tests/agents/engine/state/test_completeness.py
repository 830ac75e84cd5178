"""A changelog of which something is gone is not used: rows that are lost do not show."""

from __future__ import annotations

import pytest

from agents.engine.readiness import NotReadyError
from agents.engine.state.changelog import Partition
from agents.engine.state.completeness import check_beginning, check_offsets
from agents.engine.state.outbox import encode_offset, offset_key


def partition(end: int = 0, **offsets: int) -> Partition:
    """What was loaded of a changelog up to `end`, with the offsets of topics in its rows."""
    part = Partition({})
    part.end = end
    part.apply({offset_key(topic): encode_offset(offset) for topic, offset in offsets.items()})
    return part


@pytest.mark.parametrize(("copied", "beginning"), [(0, 0), (7, 0), (7, 7)], ids=["all is there", "and a copy", "only in a copy"])
def test_a_changelog_is_used_from_its_first_record_or_from_where_a_copy_ends(copied: int, beginning: int) -> None:
    check_beginning("a-changelog", 3, partition(copied), beginning)


@pytest.mark.parametrize(("copied", "beginning"), [(0, 1), (7, 8)], ids=["expired", "expired behind a copy"])
def test_a_changelog_whose_first_records_are_gone_is_refused(copied: int, beginning: int) -> None:
    with pytest.raises(NotReadyError, match=rf"a-changelog/3 begins at {beginning}: records before that were deleted"):
        check_beginning("a-changelog", 3, partition(copied), beginning)


@pytest.mark.parametrize(
    ("offsets", "committed"),
    [({}, {"a": 0, "b": 0}), ({"a": 5}, {"a": 5, "b": 0}), ({"a": 5}, {"a": 4, "b": 9}), ({"a": 5}, {"a": 0, "b": 0})],
    ids=["first start", "at work", "a topic that another node read until now", "offsets of the group expired"],
)
def test_a_changelog_that_fits_the_groups_offsets_is_used(offsets: dict[str, int], committed: dict[str, int]) -> None:
    check_offsets("a-changelog", 3, partition(9, **offsets), committed)


def test_an_empty_changelog_of_a_group_that_has_handled_records_is_refused() -> None:
    with pytest.raises(NotReadyError, match="a-changelog/3 knows nothing of b/3, which is handled up to 9"):
        check_offsets("a-changelog", 3, partition(9), {"a": 4, "b": 9})
