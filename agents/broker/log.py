"""Keep the broker's log file short, and find the one line in it that tells why it ended."""

from __future__ import annotations

import os
import re
from pathlib import Path

LARGEST = 5 << 20
TAIL = 64 << 10
START = "==== start ====\n"

_SAID = re.compile(r"(?:Caused by: |^Exception in thread \S+ |\b)((?:[\w$]+\.)+[\w$]*(?:Exception|Error): .+)")


def rotate(path: Path) -> None:
    """Put a large log aside, one generation, and mark the start of a run."""
    if path.exists() and path.stat().st_size > LARGEST:
        os.replace(path, path.with_suffix(".log.1"))
    with path.open("a") as file:
        file.write(START)


def says_address_in_use(path: Path) -> bool:
    """Tell whether the last run ended because somebody else had its port."""
    return "Address already in use" in _last_run(path)


def reason(path: Path) -> str:
    """Return the most telling line of the last run: the last exception that names a cause, or else its last line."""
    text = _last_run(path)
    if "Address already in use" in text:
        return "its port is in use (stop what listens there or choose another port)"
    if "No space left on device" in text:
        return "no space left on the device of its data folder"
    said = [found[1] for line in text.splitlines() if (found := _SAID.search(line))]
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("WARNING:", "\tat "))]
    best = said[-1] if said else lines[-1] if lines else "it wrote nothing"
    return best[:300]


def _last_run(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            return file.read().decode(errors="replace").rpartition(START)[2]
    except OSError:
        return ""
