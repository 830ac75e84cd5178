"""What the unit files say of ends: who is started again, and who is not."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from agents.exits import NOT_YET, REFUSED, STOPPED

from .restart_rule import Rule

UNITS = sorted((Path(__file__).parent.parent.parent / "deploy" / "systemd").glob("*.service"))

ENDS = [
    ("it was told to stop", 0, False),
    ("a setting is wrong", REFUSED, False),
    ("no broker answers yet", NOT_YET, True),
    ("it stopped itself", STOPPED, True),
    ("Python gave up", 1, True),
    ("the machine had no memory left", -signal.SIGKILL, True),
    ("systemctl stop", -signal.SIGTERM, False),
]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
@pytest.mark.parametrize(("_why", "code", "again"), ENDS, ids=[why for why, _, _ in ENDS])
def test_a_service_is_started_again_where_that_may_help(unit: Path, _why: str, code: int, again: bool) -> None:
    assert Rule.of(unit).restarts(code, [0.0]) is again


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_service_is_never_left_alone_for_having_been_started_often(unit: Path) -> None:
    """A night without brokers has thousands of starts."""
    starts = [second / 10 for second in range(100_000)]
    assert Rule.of(unit).restarts(NOT_YET, starts)


def test_the_rule_is_read_as_systemd_reads_it(tmp_path: Path) -> None:
    unit = tmp_path / "a.service"
    unit.write_text("[Service]\nRestart=on-failure\n# RestartSec=9\nRestartSec=500ms\nRestartPreventExitStatus=2 3\n")
    assert Rule.of(unit) == Rule("on-failure", 0.5, frozenset({2, 3}), 10.0, 5)
    assert not Rule.of(unit).restarts(1, [1.0, 2.0, 3.0, 4.0, 5.0]), "five starts in ten seconds are the default's end"
    unit.write_text("[Service]\n")
    assert not Rule.of(unit).restarts(1, [0.0])
