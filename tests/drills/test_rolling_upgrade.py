"""A drill of RUNBOOK.md "Upgrade without a gap": three workers under load are replaced one by one; every notice comes once."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.drills.rolling import CLIENTS, PARTITIONS, gaps, partition_of, upgrade

pytestmark = pytest.mark.broker

MOVED = {
    "events_total", "notices_decided_total", "messages_logged_total", "provider_answers_total", "sms_parts_total",
    "call_delay_seconds_count", "provider_call_seconds_count", "recovery_seconds_count",
    "rebalances_total", "partitions_assigned", "partitions", "table_rows", "ready", "build_info", "turn_records_total",
    "record_age_seconds_count", "last_commit_timestamp_seconds", "decision_seconds_count", "turn_seconds_count",
}  # fmt: skip
"""Figures of real workers that have worked, after a restart."""


async def test_three_workers_are_replaced_under_load_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    done = await upgrade(tmp_path)

    assert done.statuses == {"sent": done.rounds * len(CLIENTS)}
    assert done.copies == 1, "nothing came twice"
    assert done.heard == dict.fromkeys(CLIENTS, done.rounds), "each heard of every appointment"
    assert all("afspraakbericht_partitions_assigned 2.0" in share for share in done.shares), "each has its own partitions back"
    assert set(done.gaps) == set(range(PARTITIONS)), "messages of every partition were seen"
    moved = {name for share in done.shares for name in re.findall(r"^afspraakbericht_(\w+)\S* [1-9]", share, re.MULTILINE)}
    assert moved >= MOVED
    if promtool := shutil.which("promtool"):
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=done.shares[0], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_gap_is_the_longest_time_between_two_messages_of_a_partition() -> None:
    p = partition_of("c0")
    other = next(name for name in CLIENTS if partition_of(name) != p)

    assert gaps([(0.0, "c0"), (1.0, other), (4.0, "c0"), (5.0, "c0")]) == {p: 4.0, partition_of(other): 0.0}
