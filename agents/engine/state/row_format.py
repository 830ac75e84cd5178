"""The format of a changelog's rows: the application's number, in a row of the engine's own.

A worker of an older version would read of newer rows what it knows, and write them back without the rest. So it does not start
on a changelog of a higher number than its own; a lower one it raises before its first turn. No fence can hold the number:
compaction would take a newer worker's away behind that of an older one that tried.
"""

from __future__ import annotations

from ..readiness import NotReadyError
from .changelog import Partition
from .outbox import FORMAT_KEY

UNSAID = 0
"""The number of rows of before there were numbers, and of an application that has none."""


def format_of(part: Partition) -> int:
    """Return the number that the rows have. Raises ValueError where it is none."""
    return int(part.meta.get(FORMAT_KEY, b"%d" % UNSAID))


def check_format(changelog: str, p: int, part: Partition, known: int) -> None:
    """Raise NotReadyError where rows are of a higher format than this program's."""
    if (found := format_of(part)) > known:
        raise NotReadyError(
            f"{changelog}/{p} has rows of format {found}, and this version knows {known}: a newer version wrote them. Go back to "
            "that one; it alone knows all that they say"
        )


def format_row(part: Partition, known: int) -> dict[bytes, bytes | None]:
    """Return the row that says this program's format, where the rows do not say it yet."""
    return {FORMAT_KEY: b"%d" % known} if format_of(part) < known else {}
