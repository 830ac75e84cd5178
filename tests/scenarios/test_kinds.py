"""The shortest history that leads to each kind of notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from schemas.notices import Kind
from tests.world import World

MINUTE = timedelta(minutes=1)
SERIES = ("2026-04-17", "2026-04-24", "2026-05-01")


def one(**change: Any) -> World:
    """An appointment that was told, and then a change of it."""
    world = World().book("2026-04-17 13:15").wait("2026-03-02 09:01")
    if change:
        world.book(change.pop("start", "2026-04-17 13:15"), rev=2, **change)
    return world


def series(**change: Any) -> World:
    """Three Fridays that were told, and then a change of each."""
    world = World()
    for day in SERIES:
        world.book(f"{day} 13:15", id=day, series="s")
    world.wait("2026-03-02 09:01")
    if change:
        at = change.pop("at", "13:15")
        for day in SERIES:
            world.book(f"{day} {at}", id=day, series="s", rev=2, **change)
    return world


HISTORIES: dict[Kind, Callable[[], World]] = {
    "created": one,
    "moved": lambda: one(start="2026-04-17 14:15"),
    "changed": lambda: one(kind="phone"),
    "cancelled": lambda: one(status="cancelled"),
    "relocated": lambda: one(location="De Linde"),
    "series_created": series,
    "series_moved": lambda: series(at="14:15"),
    "series_changed": lambda: series(kind="video"),
    "series_cancelled": lambda: series(status="cancelled"),
    "series_relocated": lambda: series(location="De Linde"),
    "reminder": lambda: World(reminder={"days_before": 2, "at": "10:00"}).book("2026-03-10 13:15").wait("2026-03-08 10:00"),
    "request": lambda: World().request(),
}


NOT_DECIDED: set[Kind] = set()
"""What this release reads and only the next one decides (`CONTRIBUTING.md`)."""


@pytest.mark.parametrize("kind", HISTORIES)
def test_the_last_message_of_its_history_is_of_this_kind_and_goes_out(kind: Kind) -> None:
    world = HISTORIES[kind]()
    world.wait(f"{world.now + MINUTE:%Y-%m-%dT%H:%M:%SZ}")
    last = world.log[-1]
    assert (last["status"], [notice["kind"] for notice in last["notices"]]) == ("sent", [kind])
