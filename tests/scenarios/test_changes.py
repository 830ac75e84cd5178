"""What is told of changes: the rows read "given these events, at these times, these notices" (`streams/README.md`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.world import World

FRIDAY = "vrijdag 17 april 2026"
DAY = "2026-04-17"


def one_per_window(**settings: Any) -> World:
    return World(window={"quiet_seconds": 0, "max_seconds": 0}, **settings)


class TestTexts:
    def test_created(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15")
        assert world.sent == [f"Er is een afspraak met u gemaakt op {FRIDAY} van 13:15 tot 14:15."]

    def test_created_with_a_location(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15", location="De Linde")
        assert world.sent == [f"Er is een afspraak met u gemaakt op {FRIDAY} van 13:15 tot 14:15. Locatie: De Linde."]

    def test_moved(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15").book(f"{DAY} 14:15", rev=2)
        assert world.sent[1:] == [f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is verplaatst naar {FRIDAY} van 14:15 tot 15:15."]

    def test_cancelled(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15").book(f"{DAY} 13:15", rev=2, status="cancelled")
        assert world.sent[1:] == [f"Uw afspraak op {FRIDAY} is geannuleerd."]

    def test_relocated(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15").book(f"{DAY} 13:15", rev=2, location="De Linde")
        assert world.sent[1:] == [f"De locatie van uw afspraak op {FRIDAY} van 13:15 tot 14:15 is gewijzigd naar De Linde."]

    def test_a_location_that_is_dropped_is_not_told_and_coming_back_to_it_is_nothing(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15", location="De Linde")
        world.book(f"{DAY} 13:15", rev=2).book(f"{DAY} 13:15", rev=3, location="De Linde")
        assert len(world.log) == 1

    def test_deleted_by_a_null_value_is_cancelled_and_only_a_higher_revision_books_it_again(self) -> None:
        world = one_per_window().book(f"{DAY} 13:15").feed("appointments", "zorg/a", None).book(f"{DAY} 13:15")
        assert world.sent[1:] == [f"Uw afspraak op {FRIDAY} is geannuleerd."]
        assert len(world.book(f"{DAY} 13:15", rev=2).sent) == 3

    def test_a_night_names_its_other_end_day(self) -> None:
        world = one_per_window().book(f"{DAY} 22:00", "2026-04-18 06:00")
        assert world.sent == [f"Er is een afspraak met u gemaakt op {FRIDAY} van 22:00 tot zaterdag 18 april 2026 06:00."]

    def test_a_whole_local_day_has_no_times(self) -> None:
        world = one_per_window().book(f"{DAY} 00:00", "2026-04-18 00:00")
        assert world.sent == [f"Er is een afspraak met u gemaakt op {FRIDAY}."]


class TestWindow:
    def test_created_then_moved_is_one_created_with_the_last_time(self) -> None:
        world = World().book(f"{DAY} 13:15").book(f"{DAY} 15:00", rev=2).wait("2026-03-02 09:05")
        assert world.sent == [f"Er is een afspraak met u gemaakt op {FRIDAY} van 15:00 tot 16:00."]

    def test_created_then_cancelled_is_nothing(self) -> None:
        world = World().book(f"{DAY} 13:15").book(f"{DAY} 13:15", rev=2, status="cancelled").wait("2026-03-02 09:05")
        assert world.log == []

    def test_there_and_back_is_nothing(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        world.book(f"{DAY} 15:00", rev=2).book(f"{DAY} 13:15", rev=3).wait("2026-03-02 11:00")
        assert len(world.log) == 1

    def test_a_replay_is_nothing_and_does_not_extend_the_window(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 09:00:20").book(f"{DAY} 13:15").wait("2026-03-02 09:00:30")
        assert len(world.sent) == 1
        assert len(world.book(f"{DAY} 13:15").wait("2026-03-03 09:00").log) == 1

    def test_it_closes_30_seconds_after_the_last_change_and_at_most_120_after_the_first(self) -> None:
        world = World()
        for revision in range(1, 10):
            world.book(f"{DAY} 13:{revision:02d}", rev=revision).wait(
                f"2026-03-02 09:{revision * 20 // 60:02d}:{revision * 20 % 60:02d}"
            )
        assert [record["at"] for record in world.log] == ["2026-03-02T08:02:00Z"]
        world.wait("2026-03-02 10:00")
        assert [record["at"] for record in world.log] == ["2026-03-02T08:02:00Z", "2026-03-02T08:03:10Z"]

    def test_consent_contact_and_settings_open_none(self) -> None:
        world = World(notifications=False).book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        world.settings().consent().contact().wait("2026-03-03 10:00")
        assert world.outcomes == ["suppressed organisation_off"]

    def test_each_local_day_is_one_message_and_a_move_belongs_to_the_earlier_of_its_days(self) -> None:
        world = World().book(f"{DAY} 13:15").book("2026-04-20 09:00", id="b").wait("2026-03-02 10:00")
        world.book("2026-04-21 13:15", rev=2).book(f"{DAY} 08:00", id="c").wait("2026-03-02 11:00")
        assert world.sent[2:] == [
            f"Er is een afspraak met u gemaakt op {FRIDAY} van 08:00 tot 09:00. "
            f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is verplaatst naar dinsdag 21 april 2026 van 13:15 tot 14:15."
        ]

    def test_cancellations_come_first(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        world.book(f"{DAY} 08:00", id="b").book(f"{DAY} 13:15", rev=2, status="cancelled").wait("2026-03-02 11:00")
        assert world.sent[1].startswith(f"Uw afspraak op {FRIDAY} is geannuleerd. Er is een afspraak")

    @pytest.mark.parametrize(("days", "messages"), [(5, 5), (6, 1)])
    def test_more_than_5_days_are_one_message(self, days: int, messages: int) -> None:
        world = World()
        for day in range(days):
            world.book(f"2026-04-{10 + day} 13:15", id=f"a{day}")
        assert len(world.wait("2026-03-02 10:00").sent) == messages

    def test_a_cancellation_is_worded_by_what_was_told(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        world.book("2026-04-20 13:15", rev=2).book("2026-04-20 13:15", rev=3, status="cancelled").wait("2026-03-02 11:00")
        assert world.sent[1:] == [f"Uw afspraak op {FRIDAY} is geannuleerd."]


class TestGates:
    @pytest.mark.parametrize(
        ("closed", "detail"),
        [
            (lambda world: world.consent(notifications=False), "client_off"),
            (lambda world: world.consent(channels=[]), "client_off"),
            (lambda world: world.opt_out(), "client_off"),
            (lambda world: world.feed("consents", "zorg/anna", None), "client_off"),
            (lambda world: world.contact(sms=False), "contact_unconfirmed"),
            (lambda world: world.contact(sms=None), "contact_unconfirmed"),
            (lambda world: world.feed("contacts", "zorg/anna", None), "contact_unconfirmed"),
            (lambda world: world.settings(notifications=False), "organisation_off"),
            (lambda world: world.feed("organisations", "zorg", None), "organisation_off"),
            (lambda world: world.settings(notifications=False).contact(sms=False).consent(channels=[]), "client_off"),
            (lambda world: world.settings(notifications=False).contact(sms=False), "contact_unconfirmed"),
        ],
    )
    def test_the_first_closed_one_is_named(self, closed: object, detail: str) -> None:
        world = World()
        closed(world)  # type: ignore[operator]
        assert world.book(f"{DAY} 13:15").wait("2026-03-02 10:00").outcomes == [f"suppressed {detail}"]

    def test_absence_comes_first_and_holds_told_back(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00").consent(channels=[])
        world.book(f"{DAY} 15:00", rev=2, clients=[{"client": "anna", "present": False}]).wait("2026-03-02 11:00").consent()
        world.book(f"{DAY} 15:00", rev=3).wait("2026-03-02 12:00")
        assert world.outcomes == ["sent", "suppressed absent", "sent"]
        assert world.sent[1].endswith(f"is verplaatst naar {FRIDAY} van 15:00 tot 16:00.")

    def test_the_channel_is_the_first_listed_one_that_is_confirmed_and_not_opted_out(self) -> None:
        world = (
            World()
            .consent(channels=["email", "sms"])
            .contact(sms=True, email=False)
            .book(f"{DAY} 13:15")
            .wait("2026-03-02 10:00")
        )
        world.contact(sms=True, email=True).book(f"{DAY} 14:15", rev=2).wait("2026-03-02 11:00")
        world.opt_out("email").book(f"{DAY} 15:15", rev=3).wait("2026-03-02 12:00")
        assert [record["channel"] for record in world.log] == ["sms", "email", "sms"]

    def test_an_opt_out_outlives_the_next_upstream_sync_and_only_off_false_undoes_it(self) -> None:
        world = World().opt_out().consent().contact().book(f"{DAY} 13:15").wait("2026-03-02 10:00")
        world.opt_out(off=False).book(f"{DAY} 14:15", rev=2).wait("2026-03-02 11:00")
        assert world.outcomes == ["suppressed client_off", "sent"]

    def test_an_organisation_is_loaded_while_off_and_switched_on_without_a_flood(self) -> None:
        world = World(notifications=False).book(f"{DAY} 13:15").wait("2026-03-02 10:00").settings()
        world.book(f"{DAY} 13:15", rev=2).wait("2026-03-03 10:00")
        assert world.outcomes == ["suppressed organisation_off"]

    def test_a_client_taken_off_has_it_cancelled_and_is_told_so(self) -> None:
        world = (
            World().book(f"{DAY} 13:15").wait("2026-03-02 10:00").book(f"{DAY} 13:15", rev=2, clients=[]).wait("2026-03-02 11:00")
        )
        assert world.sent[1:] == [f"Uw afspraak op {FRIDAY} is geannuleerd."]

    def test_each_client_of_a_group_gets_its_own_and_only_those_whose_view_changed(self) -> None:
        world = World().consent("bram").contact("bram")
        both = [{"client": "anna", "present": True}, {"client": "bram", "present": True}]
        world.book(f"{DAY} 13:15", clients=both).wait("2026-03-02 10:00")
        world.book(f"{DAY} 13:15", rev=2, clients=both[1:]).wait("2026-03-02 11:00")
        assert [(record["client"], record["notices"][0]["kind"]) for record in world.log] == [
            ("anna", "created"),
            ("bram", "created"),
            ("anna", "cancelled"),
        ]


class TestPast:
    def test_what_is_over_is_expired(self) -> None:
        assert World().book("2026-03-01 13:15").wait("2026-03-02 10:00").outcomes == ["expired"]

    def test_a_move_into_the_past_of_what_was_ahead_is_told(self) -> None:
        world = World().book(f"{DAY} 13:15").wait("2026-03-02 10:00").book("2026-03-01 13:15", rev=2).wait("2026-03-02 11:00")
        assert world.outcomes == ["sent", "sent"]


def weekly(world: World, count: int, first: int = 0, hour: int = 13, rev: int = 1, **changes: Any) -> World:
    """Occurrences s0, s1, … of one series, a week apart from 3 April 2026."""
    for number in range(first, first + count):
        start = (datetime.fromisoformat(f"2026-04-03 {hour}:15") + timedelta(weeks=number)).isoformat(" ")
        world.book(start, id=f"s{number}", series="s", rev=rev, **changes)
    return world


class TestSeries:
    def created(self) -> World:
        return weekly(World(), 4).wait("2026-03-02 10:00")

    def test_created_as_one(self) -> None:
        assert self.created().sent == [
            "Er zijn herhalende afspraken met u gemaakt op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende."
        ]

    def test_moved_as_one(self) -> None:
        assert weekly(self.created(), 4, hour=15, rev=2).wait("2026-03-02 11:00").sent[1:] == [
            "Uw herhalende afspraken op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende zijn verplaatst naar "
            "vrijdag 3 april 2026 van 15:15 tot 16:15."
        ]

    def test_cancelled_as_one(self) -> None:
        assert weekly(self.created(), 4, rev=2, status="cancelled").wait("2026-03-02 11:00").sent[1:] == [
            "Uw herhalende afspraken op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende zijn geannuleerd."
        ]

    def test_relocated_as_one(self) -> None:
        assert weekly(self.created(), 4, rev=2, location="De Linde").wait("2026-03-02 11:00").sent[1:] == [
            "De locatie van uw herhalende afspraken op vrijdag 3 april 2026 van 13:15 tot 14:15 en de daarop volgende is "
            "gewijzigd naar De Linde."
        ]

    def test_the_last_two_of_four_make_one(self) -> None:
        assert weekly(self.created(), 2, first=2, rev=2, status="cancelled").wait("2026-03-02 11:00").sent[1:] == [
            "Uw herhalende afspraken op vrijdag 17 april 2026 van 13:15 tot 14:15 en de daarop volgende zijn geannuleerd."
        ]

    def test_two_in_the_middle_are_single(self) -> None:
        assert weekly(self.created(), 2, first=1, rev=2, status="cancelled").wait("2026-03-02 11:00").sent[1:] == [
            "Uw afspraak op vrijdag 10 april 2026 is geannuleerd.",
            "Uw afspraak op vrijdag 17 april 2026 is geannuleerd.",
        ]

    def test_one_added_later_at_the_same_local_time_is_covered(self) -> None:
        world = weekly(self.created(), 1, first=4).wait("2026-03-02 11:00")
        assert world.outcomes == ["sent", "suppressed series"]

    def test_one_added_later_at_another_time_is_told(self) -> None:
        assert weekly(self.created(), 1, first=4, hour=16).wait("2026-03-02 11:00").outcomes == ["sent", "sent"]

    def test_one_added_after_all_were_cancelled_is_told(self) -> None:
        world = weekly(self.created(), 4, rev=2, status="cancelled").wait("2026-03-02 11:00")
        assert weekly(world, 1, first=4).wait("2026-03-02 12:00").outcomes == ["sent", "sent", "sent"]

    def test_across_the_clock_change_the_local_time_counts(self) -> None:
        world = weekly(World("2026-09-01 09:00"), 30).wait("2026-09-01 10:00")
        assert {record["notices"][0]["kind"] for record in world.log if record["status"] == "sent"} == {"series_created"}
