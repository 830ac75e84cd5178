"""New settings: which moments move with them, and what is still due of before."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.processing.turn import Output, Record, Turn
from streams.simulation import Simulation
from tests.world import World, appointment, at, organisation

EVENING = {"days_before": 1, "at": "18:00"}


def reminders(world: World) -> list[tuple[str, str]]:
    return [(record["at"], record["status"]) for record in world.log if record["reason"] == "reminder"]


LATE: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("the same once more", {}, [("2026-03-04T17:20:00Z", "sent")]),
    ("another name and price", {"name": "Zorggroep Noord", "window": {"quiet_seconds": 5, "max_seconds": 5}}, [
        ("2026-03-04T17:20:00Z", "sent")
    ]),
    ("other quiet hours: what decides due moments changed", {"quiet_hours": {"from": "01:00", "until": "02:00"}}, []),
    ("reminders at another time, which is past", {"reminder": {"days_before": 1, "at": "17:00"}}, []),
    ("reminders at another time, which is ahead", {"reminder": {"days_before": 1, "at": "19:00"}}, [
        ("2026-03-04T18:00:00Z", "sent")
    ]),
    ("reminders within other hours of a message: that moves none", {"reminder": {**EVENING, "not_within_hours": 0}}, [
        ("2026-03-04T17:20:00Z", "sent")
    ]),
    ("a zone in which it is ahead, and was told anew", {"time_zone": "Europe/London"}, [("2026-03-04T18:00:00Z", "suppressed")]),
    ("reminders off", {"reminder": None}, []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "changes", "then"), LATE, ids=[row[0] for row in LATE])
def test_a_reminder_that_is_late_when_settings_come(what: str, changes: dict[str, Any], then: list[tuple[str, str]]) -> None:
    """A sync of what did not change leaves it due: an outage would otherwise end in a morning without reminders."""
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-04 17:59")
    world.stall("2026-03-04 18:10").settings(**{"reminder": EVENING, **changes})
    world.stall("2026-03-04 18:20").wait("2026-03-04 23:00")
    assert reminders(world) == then


ZONES = [
    ("Asia/Tokyo", "2026-03-04T09:00:00Z"),
    ("Europe/Amsterdam", "2026-03-04T17:00:00Z"),
    ("Europe/London", "2026-03-04T18:00:00Z"),
    ("America/New_York", "2026-03-04T23:00:00Z"),
]


@pytest.mark.parametrize(("zone", "due"), ZONES)
def test_a_change_of_zone_moves_the_reminders_that_are_ahead(zone: str, due: str) -> None:
    world = World(reminder=EVENING).book("2026-03-05 15:00").wait("2026-03-03 12:00")
    world.settings(reminder=EVENING, time_zone=zone).wait("2026-03-06 12:00")
    assert reminders(world) == [(due, "sent")]


SETTINGS = [
    ("reminders are switched on", {"reminder": EVENING}, "2026-03-04T17:00:00+00:00"),
    ("earlier ones", {"reminder": {"days_before": 2, "at": "18:00"}}, "2026-03-03T17:00:00+00:00"),
]


@pytest.mark.parametrize(("what", "changes", "due"), SETTINGS, ids=[row[0] for row in SETTINGS])
@pytest.mark.parametrize("together", [True, False], ids=["in one turn", "in two turns"])
def test_settings_count_for_a_client_who_came_just_before_them(
    what: str, changes: dict[str, Any], due: str, together: bool
) -> None:
    """In one turn the client's row is not durable yet: it is found in the decision. No message flies: its end would look, too."""
    window = {"quiet_seconds": 0, "max_seconds": 0}
    world = World(window=window).opt_out()
    records = client_events(
        world,
        ("appointments", "zorg/a", appointment("2026-03-05 11:00")),
        ("organisations", "zorg", organisation(window=window, **changes)),
    )
    processor = world.simulation.processors["notices"]
    for turn in [records] if together else [[record] for record in records]:
        decide(world, turn)
    upcoming = processor.next_due()
    assert upcoming is not None
    assert upcoming.isoformat() == due


def decide(world: World, records: list[Record]) -> list[Output]:
    """What notices makes of records."""
    decision = world.simulation.processors["notices"].decide(Turn(world.now, records))
    world.simulation._apply("notices", decision)
    return decision.outputs


def client_events(world: World, *events: tuple[str, str, Any]) -> list[Record]:
    """What intake makes of these events."""
    intake: Any = Simulation(world.simulation.provider).processors["intake"]
    found: list[Record] = []
    for topic, key, value in events:
        decision = intake.decide(Turn(world.now, [Record(topic, 0, 0, key.encode(), orjson.dumps(value))]))
        found += [
            Record("client-events", 0, 100 + len(found), output.key, output.value)
            for output in decision.outputs
            if output.topic == "client-events"
        ]
    return found


def test_the_moment_of_settings_is_kept_with_them_over_a_restart() -> None:
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-04 17:59")
    world.stall("2026-03-04 18:10").settings(reminder=EVENING)
    world.restart()
    world.stall("2026-03-04 18:20").wait("2026-03-04 23:00")
    assert reminders(world) == [("2026-03-04T17:20:00Z", "sent")]
    assert world.now == at("2026-03-04 23:00")
