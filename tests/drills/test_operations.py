"""`make operations` leaves out no planned work of the RUNBOOK, and its tests are there."""

from __future__ import annotations

import re

import pytest

from .operations import OPERATIONS, ROOT, Operation

BOOK = (ROOT / "deploy" / "RUNBOOK.md").read_text()


def test_every_planned_work_of_the_runbook_is_done_once() -> None:
    planned = set(re.findall(r"^## (.+)$", BOOK.split("\n# Planned work\n")[1], re.MULTILINE))
    sections = {one.section for one in OPERATIONS}

    assert planned - sections == set()
    assert sections <= set(re.findall(r"^## (.+)$", BOOK, re.MULTILINE))
    assert len({one.done for one in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.done)
def test_its_test_is_there(one: Operation) -> None:
    file, _, name = one.test.partition("::")

    assert re.search(rf"^(async )?def {name or 'test_'}", (ROOT / file).read_text(), re.MULTILINE)
