"""What the model found: each row is the shortest history on which the simulation and the rules once differed."""

from __future__ import annotations

from typing import Any

from tests.world import World

EVENING = {"days_before": 1, "at": "18:00"}
QUIET = {"from": "22:00", "until": "07:00"}


def test_who_is_taken_off_what_was_cancelled_during_an_absence_is_told_so() -> None:
    """Absence held the cancellation back, and intake passed over who was taken off what was cancelled already."""
    world = World().book("2026-03-05 11:00").wait("2026-03-02 10:00")
    world.book("2026-03-05 11:00", rev=2, status="cancelled", clients=[{"client": "anna", "present": False}])
    world.wait("2026-03-02 11:00").book("2026-03-05 11:00", rev=3, status="cancelled", clients=[])
    assert world.wait("2026-03-02 12:00").outcomes == ["sent", "suppressed absent", "sent"]
    assert world.sent[-1] == "Uw afspraak op donderdag 5 maart 2026 is geannuleerd."


def test_time_never_goes_back() -> None:
    """What an event makes late falls due at that event: the log said the due moment, which had been before the event."""
    world = World(reminder=EVENING).book("2026-03-05 11:00").wait("2026-03-04 17:59:50")
    world.book("2026-03-06 11:00", rev=2).wait("2026-03-04 18:00:10").book("2026-03-05 11:00", rev=3)
    world.wait("2026-03-04 19:00")
    assert [(record["reason"], record["at"]) for record in world.log] == [
        ("direct", "2026-03-02T08:00:30Z"),
        ("reminder", "2026-03-04T17:00:10Z"),
    ]


def test_a_reminder_does_not_name_a_location_that_was_dropped() -> None:
    """The check at sending put what was told in the place of what is so."""
    world = World(reminder=EVENING).book("2026-03-05 11:00", location="De Linde").wait("2026-03-03 10:00")
    world.book("2026-03-05 11:00", rev=2).wait("2026-03-04 19:00")
    assert world.sent[1:] == ["U heeft een afspraak op 5 maart om 11:00."]


def test_a_reminder_only_of_what_was_told_in_the_same_second_is_none() -> None:
    """An appointment of that morning, over and done, gave the day a reminder of the one that was told at that moment."""
    world = World(reminder={"days_before": 0, "at": "18:00"}).book("2026-03-05 11:00").wait("2026-03-05 17:59:50")
    world.book("2026-03-05 20:00", id="b").wait("2026-03-05 19:00")
    assert [record["reason"] for record in world.log] == ["direct", "direct"]


def test_a_reminder_first_closes_what_quiet_hours_hold() -> None:
    """It spoke of what was so while the move was not told yet, so that it was dropped as superseded."""
    world = World(reminder={"days_before": 1, "at": "23:15"}, quiet_hours=QUIET)
    world.book("2026-03-05 23:00").book("2026-03-05 23:30", id="b").wait("2026-03-04 22:30")
    world.book("2026-03-08 23:00", rev=2).wait("2026-03-04 23:15")
    assert [(record["reason"], record["status"]) for record in world.log[1:]] == [("direct", "sent"), ("reminder", "sent")]
    assert world.sent[-1] == "U heeft een afspraak op 5 maart om 23:30."


def test_the_last_revision_decides_whether_or_not_the_one_before_came_in() -> None:
    """Intake passed over who was taken off and then listed again, absent, on what is cancelled: it came to another end than
    when the taking off came in too late to count."""
    ends = []
    for revisions in ((2, 3), (3, 2)):
        world = World().book("2026-03-05 11:00").wait("2026-03-02 10:00")
        for revision in revisions:
            absent = [{"client": "anna", "present": False}]
            changes: dict[str, Any] = {"clients": []} if revision == 2 else {"clients": absent, "status": "cancelled"}
            world.book("2026-03-05 11:00", rev=revision, **changes)
        ends.append(world.wait("2026-03-02 12:00").outcomes)
    assert ends == [["sent", "suppressed absent"]] * 2


def test_a_series_names_its_appointments_in_the_same_order_whichever_came_in_first() -> None:
    """Two that begin at once stood in the order of arrival, so that another one named the notice and its id."""
    named = []
    for ids in ("ab", "ba"):
        world = World()
        for id_ in ids:
            world.book("2026-03-05 11:00", id=id_, series="s")
        named.append(world.wait("2026-03-02 10:00").log[0]["notices"])
    assert named[0] == named[1]
    assert named[0][0]["appointment"] == "a"
