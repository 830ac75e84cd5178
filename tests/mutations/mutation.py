"""What a mutation is."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """One place in the code, spoilt.

    Attributes:
        what: what the program then does.
        file, old, new: where; `old` stands there once.
        test: of pytest; or `-m MODULE …`, which ends with 1 where it finds something.
    """

    what: str
    file: str
    old: str
    new: str
    test: str
