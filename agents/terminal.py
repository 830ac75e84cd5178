"""What a person at a terminal sees: counted things, local times, how far a read has come, a question before what has no undo.

Output for programs has none of it: no progress where stderr is no terminal, instants in UTC where stdout is none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from streams.processing.local_time import DEFAULT_ZONE, zone

SOON = 2.0
"""Seconds after which something is shown: what takes less needs no explanation."""

Progress = Callable[[int | None, str], AbstractContextManager[Callable[[int], None]]]
"""Begins to show how many of so many things are done (None: nobody knows how many), and returns what is told of some more."""


def counted(number: int, noun: str) -> str:
    """Write a number of things whose plural is regular: 1 record, 2 records."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def moment(instant: datetime, zone_name: str = DEFAULT_ZONE) -> str:
    """Write an instant to the second: on a terminal in local time with its zone's name, for a program in UTC as ISO 8601."""
    if sys.stdout.isatty():
        return local_moment(instant, zone_name)
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def local_moment(instant: datetime, zone_name: str) -> str:
    """Write an instant to the second in local time, such as `2026-11-26 21:03:55 CET`."""
    return f"{instant.astimezone(zone(zone_name)):%Y-%m-%d %H:%M:%S %Z}"


@contextmanager
def silent(total: int | None, noun: str) -> Iterator[Callable[[int], None]]:
    """Show nothing."""
    yield lambda more: None


@contextmanager
def progress(total: int | None, noun: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr once it takes longer than `SOON`, if that is a terminal; it is gone when all is done."""
    if not sys.stderr.isatty():
        yield lambda more: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {noun}s", unit_scale=True, file=sys.stderr, delay=SOON, leave=False) as bar:
        yield bar.update


def aside() -> Progress:
    """Return `progress` where output that is written meanwhile goes elsewhere: lines and a bar on one terminal would mix."""
    return silent if sys.stdout.isatty() else progress


def agreed(question: str) -> bool:
    """Ask on the terminal; anything but y or yes, the end of input too, is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
