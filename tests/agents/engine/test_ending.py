"""When a stop is not waited for any longer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agents.engine.ending import MOST, PATIENCE, Ending

CASES = [
    ("it has just begun", 0.0, 0, -60.0, None),
    ("Kafka answered a moment ago", 20.0, 0, 19.0, None),
    ("a call is under way, and Kafka is away", 20.0, 1, -60.0, None),
    ("Kafka is away", PATIENCE + 0.5, 0, -60.0, "Kafka has not answered for 8 s"),
    ("Kafka answered at first", 20.0, 0, 20.0 - PATIENCE - 0.5, "Kafka has not answered for 8 s"),
    ("it goes on and on", MOST + 1, 1, MOST + 1, "it took more than 50 s"),
]


@pytest.mark.parametrize(("_case", "now", "in_flight", "heard", "why"), CASES, ids=[case[0] for case in CASES])
def test_a_stop_that_does_not_get_on_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, _case: str, now: float, in_flight: int, heard: float, why: str | None
) -> None:
    clock = [0.0]
    monkeypatch.setattr("agents.engine.ending.time", SimpleNamespace(monotonic=lambda: clock[0]))
    app: Any = SimpleNamespace(tasks=SimpleNamespace(in_flight=in_flight), heard=heard)
    ending = Ending(app)
    clock[0] = now
    assert ending.stuck() == why
