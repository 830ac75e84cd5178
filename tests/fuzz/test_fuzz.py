"""A short run of `make fuzz`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .play import run


@pytest.mark.broker
async def test_no_hostile_event_stops_the_worker_or_goes_unaccounted_for(tmp_path: Path) -> None:
    account = await run(tmp_path, 2_000, seed=7)
    assert account.wrong == [], account.table()
    assert len(account.canaries) == 8
    assert account.dead.total() > 500, "the events are not hostile"
