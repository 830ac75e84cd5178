"""The list stays true: each mutation still has its place in the code, and the test named for it is there."""

from __future__ import annotations

import pytest

from tests.mutations.__main__ import ROOT, is_there
from tests.mutations.mutation import Mutation
from tests.mutations.rows import ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_mutation_has_its_place_in_the_code_and_its_test(row: Mutation) -> None:
    """Where a line was written anew, write the mutation anew too, and run `make mutations` with a word of it."""
    assert (ROOT / row.file).read_text().count(row.old) == 1
    assert is_there(row.test)
