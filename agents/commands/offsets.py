"""How the command line names a record or a place to begin: `PARTITION:OFFSET`."""

from __future__ import annotations

import re

from .endings import ArgumentError


def partition_offset(option: str, text: str) -> tuple[int, int]:
    """Read a partition and an offset. Raises ArgumentError, which names the option."""
    found = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,18})", text)
    if found is None:
        raise ArgumentError(f"{option} is {text!r}: expected PARTITION:OFFSET, such as 3:1200")
    return int(found[1]), int(found[2])
