"""Reminders, quiet hours, requests and clock changes: rows of "at these times, these messages" (`streams/README.md`)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

REMINDER = {"days_before": 1, "at": "10:00"}
QUIET = {"from": "22:00", "until": "07:00"}


def reminded(**settings: Any) -> World:
    """Reminders the day before at 10:00."""
    return World(reminder=REMINDER, **settings)


def times(world: World, reason: str = "reminder") -> list[tuple[str, str]]:
    """When what became of the messages of a reason."""
    return [(record["at"], record["status"]) for record in world.log if record["reason"] == reason]


class TestReminders:
    def test_it_is_sent_on_the_day_before_at_its_wall_time(self) -> None:
        world = reminded().book("2026-03-10 11:00", location="De Linde").wait("2026-04-01 00:00")
        assert times(world) == [("2026-03-09T09:00:00Z", "sent")]
        assert world.sent[-1] == "U heeft een afspraak op 10 maart om 11:00. Locatie: De Linde."

    def test_several_on_a_day_are_one_with_their_number_and_the_first_ones_time(self) -> None:
        world = reminded().book("2026-03-10 11:00", location="De Linde").book("2026-03-10 09:30", id="b").wait("2026-04-01 00:00")
        assert world.sent[-1] == "U heeft 2 afspraken op 10 maart om 09:30."

    def test_another_year_is_named(self) -> None:
        world = World("2026-12-20 09:00", reminder=REMINDER).book("2027-01-01 11:00").wait("2027-02-01 00:00")
        assert world.sent[-1] == "U heeft een afspraak op 1 januari 2027 om 11:00."

    def test_what_is_cancelled_a_second_before_is_not_in_it(self) -> None:
        world = reminded().book("2026-03-10 11:00").book("2026-03-10 12:00", id="b").wait("2026-03-09 09:59:59")
        world.book("2026-03-10 11:00", rev=2, status="cancelled").wait("2026-04-01 00:00")
        assert world.sent[-2:] == [
            "Uw afspraak op dinsdag 10 maart 2026 van 11:00 tot 12:00 is geannuleerd.",  # the day has another one
            "U heeft een afspraak op 10 maart om 12:00.",
        ]

    def test_all_cancelled_is_no_reminder_and_no_record_of_one(self) -> None:
        world = reminded().book("2026-03-10 11:00").wait("2026-03-09 09:59:59")
        world.book("2026-03-10 11:00", rev=2, status="cancelled").wait("2026-04-01 00:00")
        assert times(world) == []

    def test_what_was_made_after_the_due_moment_adds_none(self) -> None:
        assert times(reminded(), "reminder") == []
        world = World("2026-03-09 10:00:01", reminder=REMINDER).book("2026-03-10 11:00").wait("2026-04-01 00:00")
        assert times(world) == []

    def test_what_is_told_only_by_the_due_moment_adds_none(self) -> None:
        world = World("2026-03-09 09:59:50", reminder=REMINDER).book("2026-03-10 11:00").wait("2026-04-01 00:00")
        assert world.outcomes == ["sent"]

    def test_moved_to_another_day_it_is_reminded_there_only(self) -> None:
        world = (
            reminded().book("2026-03-10 11:00").wait("2026-03-05 09:00").book("2026-03-20 11:00", rev=2).wait("2026-04-01 00:00")
        )
        assert times(world) == [("2026-03-19T09:00:00Z", "sent")]

    def test_a_day_has_one_ever(self) -> None:
        world = reminded().book("2026-03-10 11:00").wait("2026-03-09 12:00").settings(reminder={"days_before": 0, "at": "08:00"})
        assert len(times(world.wait("2026-04-01 00:00"))) == 1

    def test_a_change_of_settings_counts_for_what_is_ahead_and_never_makes_a_past_one_due(self) -> None:
        world = World(reminder={"days_before": 0, "at": "08:00"}).book("2026-03-10 11:00").book("2026-03-20 11:00", id="b")
        world.wait("2026-03-09 12:00").settings(reminder=REMINDER).wait("2026-04-01 00:00")
        assert times(world) == [("2026-03-19T09:00:00Z", "sent")]

    def test_switched_off_there_is_none(self) -> None:
        world = reminded().book("2026-03-10 11:00").wait("2026-03-05 09:00").settings(reminder=None)
        assert times(world.wait("2026-04-01 00:00")) == []

    @pytest.mark.parametrize(
        ("closed", "outcome"),
        [
            (lambda world: world.consent(notifications=False), "suppressed client_off"),
            (lambda world: world.contact(sms=False), "suppressed contact_unconfirmed"),
            (lambda world: world.settings(notifications=False, reminder=REMINDER), "suppressed organisation_off"),
            (
                lambda world: world.book("2026-03-10 11:00", rev=2, clients=[{"client": "anna", "present": False}]),
                "suppressed absent",
            ),
        ],
    )
    def test_the_gates_of_its_moment_count(self, closed: Any, outcome: str) -> None:
        world = closed(reminded().book("2026-03-10 11:00").wait("2026-03-05 09:00")).wait("2026-04-01 00:00")
        assert world.outcomes == ["sent", outcome]

    @pytest.mark.parametrize(
        ("start", "book", "due"),
        [
            ("2026-03-20 09:00", "2026-03-30 11:00", "2026-03-29T00:30:00Z"),  # 02:30 does not exist: 03:30 CEST counts, 01:30Z
            ("2026-10-20 09:00", "2026-10-26 11:00", "2026-10-25T00:30:00Z"),  # 02:30 occurs twice: the first one counts
        ],
    )
    def test_wall_times_at_the_clock_changes(self, start: str, book: str, due: str) -> None:
        world = World(start, reminder={"days_before": 1, "at": "02:30"}).book(book).wait("2026-12-01 00:00")
        assert times(world) == [({"2026-03-29T00:30:00Z": "2026-03-29T01:30:00Z"}.get(due, due), "sent")]

    def test_a_zone_with_a_30_minute_shift(self) -> None:
        """Lord Howe springs from 02:00 to 02:30: a reminder at 02:15 falls due at 02:45."""
        world = World("2026-09-20 09:00", reminder={"days_before": 1, "at": "02:15"}, time_zone="Australia/Lord_Howe")
        world.book("2026-10-05T11:00+11:00", "2026-10-05T12:00+11:00").wait("2026-12-01 00:00")
        assert times(world) == [("2026-10-03T15:45:00Z", "sent")]


class TestQuietHours:
    def test_a_window_that_would_close_in_them_closes_at_their_end(self) -> None:
        world = World("2026-03-02 21:59:45", quiet_hours=QUIET).book("2026-03-10 11:00").wait("2026-03-03 12:00")
        assert times(world, "direct") == [("2026-03-03T06:00:00Z", "sent")]

    def test_a_day_with_an_appointment_within_24_hours_is_not_held_and_the_others_are(self) -> None:
        world = World("2026-03-02 23:00", quiet_hours=QUIET).book("2026-03-10 11:00").book("2026-03-03 09:00", id="b")
        world.wait("2026-03-03 12:00")
        assert times(world, "direct") == [("2026-03-02T22:00:30Z", "sent"), ("2026-03-03T06:00:00Z", "sent")]

    def test_the_cancellation_of_what_begins_within_24_hours_is_not_held(self) -> None:
        world = World("2026-03-02 12:00", quiet_hours=QUIET).book("2026-03-03 09:00").wait("2026-03-02 23:00")
        world.book("2026-03-03 09:00", rev=2, status="cancelled").wait("2026-03-03 12:00")
        assert times(world, "direct")[1:] == [("2026-03-02T22:00:30Z", "sent")]

    def test_at_their_end_one_decision_is_made(self) -> None:
        world = World("2026-03-02 23:00", quiet_hours=QUIET).book("2026-03-10 11:00").wait("2026-03-03 06:59:50")
        world.book("2026-03-10 12:00", id="b").wait("2026-03-03 12:00")
        assert times(world, "direct") == [("2026-03-03T06:00:00Z", "sent")]
        assert len(world.log[0]["notices"]) == 2

    def test_from_is_included_and_until_is_not(self) -> None:
        world = World("2026-03-02 21:59:30", quiet_hours=QUIET).book("2026-03-10 11:00").wait("2026-03-03 06:59:30")
        world.book("2026-03-20 11:00", id="b").wait("2026-03-03 12:00")
        assert [when for when, _ in times(world, "direct")] == ["2026-03-03T06:00:00Z", "2026-03-03T06:00:00Z"]

    def test_a_reminder_waits_too(self) -> None:
        world = (
            World(reminder={"days_before": 2, "at": "06:00"}, quiet_hours=QUIET).book("2026-03-10 11:00").wait("2026-04-01 00:00")
        )
        assert times(world) == [("2026-03-08T06:00:00Z", "sent")]

    def test_a_reminder_of_what_begins_within_24_hours_does_not(self) -> None:
        world = (
            World(reminder={"days_before": 0, "at": "06:00"}, quiet_hours=QUIET).book("2026-03-10 11:00").wait("2026-04-01 00:00")
        )
        assert times(world) == [("2026-03-10T05:00:00Z", "sent")]

    def test_a_request_waits_until_their_end(self) -> None:
        world = World("2026-03-02 23:00", quiet_hours=QUIET).request().wait("2026-03-03 12:00")
        assert times(world, "request") == [("2026-03-03T06:00:00Z", "sent")]


class TestRequests:
    def test_it_goes_at_once_and_the_log_keeps_no_text(self) -> None:
        world = World().request()
        assert [(record["status"], record["text"], record["parts"]) for record in world.log] == [("sent", None, 1)]
        assert world.log[0]["notices"][0]["kind"] == "request"

    def test_it_goes_at_send_at(self) -> None:
        world = World().request(send_at="2026-03-02T12:00:00+01:00").wait("2026-03-02 13:00")
        assert times(world, "request") == [("2026-03-02T11:00:00Z", "sent")]

    def test_after_expires_at_it_is_expired(self) -> None:
        world = (
            World("2026-03-02 23:00", quiet_hours=QUIET).request(expires_at="2026-03-03T06:00:00+01:00").wait("2026-03-03 12:00")
        )
        assert world.outcomes == ["expired"]

    def test_one_that_is_expired_does_not_wait_for_the_end_of_quiet_hours(self) -> None:
        world = World("2026-03-02 23:00", quiet_hours=QUIET).request(expires_at="2026-03-02T22:30:00+01:00")
        assert world.outcomes == ["expired"]

    def test_a_second_one_with_the_same_party_and_id_is_ignored(self) -> None:
        world = World().request().request(text="Iets anders").request(party="ander")
        assert world.outcomes == ["sent", "sent"]

    @pytest.mark.parametrize(
        ("read_anew", "expires_at", "outcomes"),
        [
            ("2026-04-01 09:00", None, ["sent"]),  # after 29 days
            ("2026-04-03 09:00", None, ["sent", "sent"]),  # after 31
            ("2026-04-03 09:00", "2026-03-10T12:00:00+01:00", ["sent"]),  # remembered for 30 days after that
            ("2026-04-20 09:00", "2026-03-10T12:00:00+01:00", ["sent", "expired"]),
        ],
    )
    def test_one_that_a_mirror_brings_again_is_remembered_for_30_days_and_then_held_by_its_expires_at_alone(
        self, read_anew: str, expires_at: str | None, outcomes: list[str]
    ) -> None:
        world = World("2026-03-03 09:00").request(expires_at=expires_at).wait(read_anew).request(expires_at=expires_at)
        assert world.outcomes == outcomes

    @pytest.mark.parametrize(
        ("closed", "outcome"),
        [
            (lambda world: world.opt_out(), "suppressed client_off"),
            (lambda world: world.contact(sms=None), "suppressed contact_unconfirmed"),
            (lambda world: world.settings(notifications=False), "suppressed organisation_off"),
        ],
    )
    def test_its_gates(self, closed: Any, outcome: str) -> None:
        assert closed(World()).request().outcomes == [outcome]

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"text": "x" * 613}, "Expected `str` of length <= 612 - at `$.text`"),
            ({"text": "Zie http://example.org"}, "links must be https - at `$.text`"),
            ({"text": "Zie https://a.nl en ftp://b.nl"}, "links must be https - at `$.text`"),
            ({"text": "javascript:alert(1)"}, "links must be https - at `$.text`"),
            ({"text": "Zie //bank.example"}, "links must be https - at `$.text`"),
            ({"text": "Zie www.bank.example"}, "links must be https - at `$.text`"),
            (
                {"text": "https://bank.example@slecht.example"},
                "a link must not name a user before its host - at `$.text`",
            ),
            ({"text": "Zie \u202ehttps://a.nl"}, "controls of the direction of text are not allowed - at `$.text`"),
            ({"subject": "Vraag\u2066"}, "controls of the direction of text are not allowed - at `$.subject`"),
            ({"send_at": "2026-03-02T12:00:00"}, "Expected `datetime` with a timezone component - at `$.send_at`"),
            (
                {"send_at": "2026-03-02T12:00:00Z", "expires_at": "2026-03-02T11:00:00Z"},
                "it expires before it is to be sent - at `$.expires_at`",
            ),
        ],
    )
    def test_a_wrong_one_is_refused(self, wrong: dict[str, Any], reason: str) -> None:
        world = World().request(**wrong)
        assert (world.refused, world.log) == ([reason], [])
