"""What is kept of appointments goes in its time, however often it moved ahead meanwhile: by moments that may come too early."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import AGENDAS, CLIENT_EVENTS, SNAPSHOTS
from streams.intake.intake import Intake
from streams.notices.notices import Notices
from streams.processing.local_time import KEPT
from streams.processing.timers import Timers
from streams.processing.turn import Output, Processor, Record, Turn
from tests.world import appointment, at

NOW = at("2026-03-02 09:00")
HOUR = timedelta(hours=1)


class Node:
    """A processor and its rows; `moments` counts the looks that it took."""

    def __init__(self, processor: Processor, rows: dict[bytes, bytes]) -> None:
        self.processor, self.rows, self.looks = processor, rows, 0

    def turn(self, now: datetime, *records: Record) -> list[Output]:
        decision = self.processor.decide(Turn(now, records, due=now))
        for key, value in decision.rows.items():
            if value is None:
                del self.rows[key]
            else:
                self.rows[key] = value
        self.processor.applied(decision.rows)
        return decision.outputs

    def run_to(self, end: datetime) -> None:
        """Each moment in its time, up to and including this one."""
        while (due := self.processor.next_due()) is not None and due <= end:
            self.looks += 1
            self.turn(due)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_an_appointment_is_kept_until_30_days_after_its_latest_end_and_no_longer(days: list[int]) -> None:
    kept: dict[bytes, bytes] = {}
    agendas: dict[bytes, bytes] = {}
    intake, notices = Node(Intake(1, kept), kept), Node(Notices(0, agendas), agendas)
    for revision, day in enumerate(days, 1):
        start = NOW + timedelta(days=day)
        value = appointment("2026-03-02") | {"revision": revision, "start": start.isoformat(), "end": (start + HOUR).isoformat()}
        for output in intake.turn(NOW, Record("appointments", 0, revision, b"zorg/a", orjson.dumps(value))):
            if output.topic == CLIENT_EVENTS.name:
                notices.turn(NOW, Record(output.topic, 0, revision, output.key, output.value))

    for node, row, day, looks in (
        (intake, SNAPSHOTS.row("zorg/a"), days[-1], 2),  # once too early, once in time
        (notices, AGENDAS.row("zorg/anna"), max(days), 3),  # and when the window closes
    ):
        gone = NOW + timedelta(days=day) + HOUR + KEPT
        node.run_to(gone - timedelta(microseconds=1))
        assert row in node.rows
        node.run_to(gone)
        assert row not in node.rows
        assert node.processor.next_due() is None
        assert node.looks <= looks


def test_a_moment_that_moves_ahead_leaves_the_index_as_it_is() -> None:
    moments = Timers()
    for hours in range(1, 1000):
        moments.put_by("a", (NOW + hours * HOUR, 0))
    assert moments.next() == NOW + HOUR
    assert len(moments._heap) == 1


def test_a_moment_that_comes_nearer_or_is_of_another_kind_counts_at_once() -> None:
    moments = Timers()
    moments.put_by("a", (NOW + 3 * HOUR, 0))
    moments.put_by("a", (NOW + 2 * HOUR, 0))
    assert moments.next() == NOW + 2 * HOUR
    moments.put_by("a", (NOW + 5 * HOUR, 1))
    assert moments.next() == NOW + 5 * HOUR
    assert moments.kinds == {0: 0, 1: 1}
