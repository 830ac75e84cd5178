"""What an organisation chose itself lies over upstream's settings: rows of "with this over that, these messages"."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.inputs import Organisation, OrganisationOverride
from schemas.state import SettingsRow
from schemas.topics import ORGANISATIONS_TABLE
from schemas.wire import check, encode, read
from streams.notices.notices import Notices
from streams.notices.settings import apply_override
from streams.processing.rows import DECODERS
from tests.world import World, organisation

DAY = "2026-04-17"
SAID = "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."
NONE = {"quiet_seconds": 0, "max_seconds": 0}
SMS = organisation()["sms"]


def told(world: World) -> list[str]:
    """What the next appointment makes of it."""
    return world.book(f"{DAY} 13:15").wait("2026-03-02 12:00").sent


class TestTheOrganisationsWord:
    def test_counts_over_upstreams(self) -> None:
        assert told(World(window=NONE).override(sms={"before": "De Linde:"})) == [f"De Linde: {SAID}"]

    def test_counts_field_by_field(self) -> None:
        world = World(window=NONE, sms={**SMS, "before": "Upstream:", "after": "Groet."}).override(sms={"before": "Wij:"})
        assert told(world) == [f"Wij: {SAID} Groet."]

    def test_outlives_the_next_sync_of_upstream(self) -> None:
        world = World(window=NONE).override(notifications=False)
        world.settings(window=NONE, sms={**SMS, "before": "Nieuw:"})
        assert told(world) == []
        assert world.outcomes == ["suppressed organisation_off"]

    def test_leaves_upstream_what_it_does_not_name(self) -> None:
        world = World(window=NONE).override(sms={"before": "Wij:"}).settings(window=NONE, sms={**SMS, "after": "Nieuw."})
        assert told(world) == [f"Wij: {SAID} Nieuw."]

    def test_taken_back_upstreams_counts_as_it_then_is(self) -> None:
        world = World(window=NONE, notifications=False).override(notifications=False).settings(window=NONE).override()
        assert told(world) == [SAID]

    def test_may_be_there_before_upstreams(self) -> None:
        world = World(bare=True).override(sms={"before": "Wij:"}).consent().contact().settings(window=NONE)
        assert told(world) == [f"Wij: {SAID}"]

    def test_alone_is_nothing_what_is_unknown_is_off(self) -> None:
        world = World(bare=True).override(notifications=True).consent().contact()
        assert told(world) == []
        assert world.outcomes == ["suppressed organisation_off"]

    def test_a_bad_one_leaves_the_last_good_one(self) -> None:
        world = World(window=NONE).override(sms={"before": "Wij:"}).override(sms={"before": "x" * 201})
        assert told(world) == [f"Wij: {SAID}"]
        assert world.refused == ["Expected `str` of length <= 200 - at `$.sms.before`"]

    def test_counts_over_upstreams_hosts_of_links(self) -> None:
        upstream = check(Organisation, organisation(link_hosts=["elders.example"]))
        own = {"organisation": "zorg", "link_hosts": ["video.linde.example"]}
        assert apply_override(upstream, check(OrganisationOverride, own)).link_hosts == ["video.linde.example"]
        world = World(window=NONE).override(link_hosts=["video.linde.example/x"])
        (refused,) = world.refused
        assert "`$.link_hosts[0]`" in refused

    def test_an_empty_template_is_one(self) -> None:
        assert told(World(window=NONE, sms={**SMS, "before": "Upstream:"}).override(sms={"before": ""})) == [SAID]


REMINDER = {"days_before": 1, "at": "10:00"}


@pytest.mark.parametrize(
    ("upstream", "own", "due"),
    [
        ({}, {"reminder": REMINDER}, ["2026-04-16T08:00:00Z"]),
        ({"reminder": REMINDER}, {"reminder": None}, []),
        ({"reminder": REMINDER}, {"reminder": {"days_before": 2, "at": "09:00"}}, ["2026-04-15T07:00:00Z"]),
        ({"reminder": REMINDER}, {"notifications": True}, ["2026-04-16T08:00:00Z"]),
        (
            {"reminder": {"days_before": 2, "at": "06:00"}, "quiet_hours": {"from": "22:00", "until": "07:00"}},
            {"quiet_hours": None},
            ["2026-04-15T04:00:00Z"],
        ),
    ],
)
def test_reminders_fall_due_by_what_counts(upstream: dict[str, Any], own: dict[str, Any], due: list[str]) -> None:
    """Also for those who had appointments before: every client's next moment is found anew."""
    world = World(**upstream).book(f"{DAY} 13:15").wait("2026-03-02 12:00").override(**own).wait("2026-05-01 00:00")
    assert [record["at"] for record in world.log if record["reason"] == "reminder"] == due


def test_a_change_makes_no_reminder_past_due() -> None:
    world = World().book(f"{DAY} 13:15").wait("2026-04-16 11:00").override(reminder=REMINDER).wait("2026-05-01 00:00")
    assert [record["reason"] for record in world.log] == ["direct"]


def test_upstreams_word_and_ours_are_kept_apart_and_found_again() -> None:
    """What a worker loads that takes over is what the one before had."""
    world = World(reminder=REMINDER).override(reminder=None, sms={"before": "Wij:"})
    rows = world.simulation.rows["notices"]
    upstream = DECODERS["notices", "organisations"](rows[ORGANISATIONS_TABLE.row("zorg")])
    assert upstream.organisation == check(Organisation, organisation(reminder=REMINDER))
    again = Notices(0, rows)
    again.loaded()
    before = world.simulation.processors["notices"]
    assert isinstance(before, Notices)
    assert again.settings == before.settings
    assert again.settings["zorg"].organisation.reminder is None
    assert again.settings["zorg"].organisation.sms.before == "Wij:"


def test_a_row_of_before_there_were_overrides_is_upstreams() -> None:
    row = encode(SettingsRow(check(Organisation, organisation()), World().now))
    processor = Notices(0, {ORGANISATIONS_TABLE.row("zorg"): row})
    processor.loaded()
    assert processor.settings["zorg"].organisation.name == "Zorggroep"


_times = st.sampled_from(("00:00", "07:30", "23:59"))
_templates = st.sampled_from(("", "Wij:", "Groet,\nDe Linde", "x" * 200, "é€ë"))
OWN = st.fixed_dictionaries(
    {"organisation": st.just("zorg")},
    optional={
        "notifications": st.booleans(),
        "reminder": st.none() | st.fixed_dictionaries({"days_before": st.integers(0, 365), "at": _times}),
        "quiet_hours": st.none() | st.fixed_dictionaries({"from": _times, "until": _times}),
        "sms": st.fixed_dictionaries({}, optional={"before": _templates, "after": _templates}),
        "email": st.fixed_dictionaries({}, optional={"subject": st.just("Onderwerp"), "before": _templates, "after": _templates}),
    },
)


@given(OWN)
def test_what_is_good_over_what_is_good_is_good_and_says_exactly_what_was_chosen(own: dict[str, Any]) -> None:
    upstream = check(Organisation, organisation(reminder=REMINDER))
    laid = apply_override(upstream, read(OrganisationOverride, encode(check(OrganisationOverride, own))))
    plain = organisation(reminder=REMINDER)
    for name, value in own.items():
        plain[name] = {**plain[name], **value} if name in ("sms", "email") else value
    assert laid == check(Organisation, plain)
