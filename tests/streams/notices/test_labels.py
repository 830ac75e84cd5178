"""Labels: what an organisation's settings say of appointments of a type, and that an appointment's own word stands before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streams.notices.due_moments import upcoming
from tests.streams.notices.test_notify import ABSENT, QUIET, REMINDED, THURSDAY, TOLD, after_the_reminder, book, told
from tests.world import World

Step = Callable[[World], object]
Row = tuple[str, list[Step], list[tuple[str, str, str]]]

EVENING = {"days_before": 1, "at": "18:00"}
LABELS = {"group": {"notify": "reminder"}, "desk": {"notify": "none"}, "intake": {"notify": "all"}, "plain": {}}


def labels(**labels: Any) -> Step:
    """Other settings of labels; the rest is as it was."""
    return lambda world: world.settings(reminder=EVENING, labels=labels)


ROWS: list[Row] = [
    ("of a label of which nothing is said any message tells", [book(label="plain")], [TOLD]),
    ("so of one that the settings do not know", [book(label="other")], [TOLD]),
    ("of one of `none` nothing is told or reminded", [book(label="desk"), after_the_reminder], [QUIET]),
    ("of one of `reminder` the reminder is the first word", [book(label="group"), after_the_reminder], [QUIET, REMINDED]),
    ("the appointment's own `all` stands before it", [book(label="desk", notify="all")], [TOLD]),
    ("so does its own `none`", [book(label="intake", notify="none")], [QUIET]),
    ("another label is told as that one says", [book(label="desk"), book(rev=2, label="intake")], [QUIET, TOLD]),
    ("another label of which the same holds is no news", [book(label="intake"), book(rev=2, label="plain")], [TOLD]),
    ("what was told is kept right whatever its label says by then",
     [book(), book("2026-03-05 15:00", rev=2, label="desk"), book(rev=3, label="desk", status="cancelled")],
     [TOLD, ("sent", "moved", "a"), ("sent", "cancelled", "a")]),
    ("a cancellation that leaves the label out keeps it",
     [book(label="desk"), lambda world: world.book(THURSDAY, rev=2, status="cancelled")], [QUIET]),
    ("a client taken off the list hears nothing of it", [book(label="desk"), book(rev=2, label="desk", clients=[])], [QUIET]),
    ("who is absent is absent", [book(label="desk", clients=ABSENT)], [("suppressed absent", "created", "a")]),
    ("settings that say `none` since: it is not reminded of", [book(label="plain"), labels(plain={"notify": "none"}),
     after_the_reminder], [TOLD, ("suppressed notify", "reminder", "a")]),
    ("settings that say `none` no more tell nothing by themselves: no flood",
     [book(label="desk"), labels(desk={"notify": "all"})], [QUIET]),
    ("but with the client's next change", [book(label="desk"), labels(desk={}), book("2026-03-06 11:00", id="b")],
     [QUIET, TOLD, ("sent", "created", "b")]),
    ("settings that no longer know a label: any message tells of it",
     [book(label="desk"), labels(), book("2026-03-05 15:00", rev=2, label="desk")], [QUIET, TOLD]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_told(steps: list[Step], expected: list[tuple[str, str, str]], restarts: bool) -> None:
    world = World("2026-03-02 09:00", reminder=EVENING, labels=LABELS)
    for step in steps:
        world.play([step])
        if restarts:
            world.restart()
    assert told(world) == expected


def test_settings_that_let_a_reminder_be_the_first_word_count_for_what_is_ahead() -> None:
    world = World("2026-03-02 09:00", reminder=EVENING, labels={}).play([book(label="x"), labels(x={"notify": "reminder"})])
    settings = world.simulation.processors["notices"].settings["zorg"]  # type: ignore[attr-defined]
    assert upcoming(world.agenda(), settings, world.now) is not None
    world.play([labels(x={"notify": "none"}), after_the_reminder])
    assert told(world) == [TOLD, ("suppressed notify", "reminder", "a")]


TEMPLATES: list[tuple[str, list[dict[str, Any]], str]] = [
    ("one of the label", [{"label": "intake"}], "Neem uw legitimatie mee."),
    ("one of another", [{"label": "other"}], "Tot dan."),
    ("one of none", [{}], "Tot dan."),
    ("several of the label", [{"label": "intake"}, {"label": "intake"}], "Neem uw legitimatie mee."),
    ("several of two labels", [{"label": "intake"}, {"label": "other"}], "Tot dan."),
    ("one of the label beside one of none", [{"label": "intake"}, {}], "Tot dan."),
]


@pytest.mark.parametrize(("name", "booked", "after"), TEMPLATES, ids=[row[0] for row in TEMPLATES])
def test_a_message_has_the_templates_of_the_one_label_that_it_is_of(name: str, booked: list[dict[str, Any]], after: str) -> None:
    def both(world: World) -> None:
        for number, fields in enumerate(booked):
            world.book(f"2026-03-05 1{number}:00", id=f"a{number}", **fields)

    own = {"created": {"sms": {"after": "Neem uw legitimatie mee."}}, "reminder": {"sms": {"after": "Vergeet hem niet."}}}
    world = World(
        "2026-03-02 09:00", reminder=EVENING, templates={"created": {"sms": {"after": "Tot dan."}}},
        labels={"intake": {"templates": own}},
    )  # fmt: skip
    world.play([both, after_the_reminder])
    assert [text.rpartition(". ")[2] for text in world.sent] == [after, world.sent[1].rpartition(". ")[2]]
    assert world.sent[1].endswith("Vergeet hem niet.") == (after != "Tot dan.")


def test_a_cancelled_one_has_the_templates_of_its_label() -> None:
    world = World(labels={"intake": {"templates": {"cancelled": {"sms": {"after": "Bel ons."}}}}})
    world.play([book(label="intake"), lambda world: world.book(THURSDAY, rev=2, status="cancelled")])
    assert world.sent[-1] == "Uw afspraak op donderdag 5 maart 2026 is geannuleerd. Bel ons."


def test_a_polled_source_may_say_kind_and_label_too() -> None:
    polled = {
        "appointment": "1", "start": "2026-03-05T11:00:00+01:00", "end": "2026-03-05T12:00:00+01:00", "kind": "phone",
        "label": "intake",
    }  # fmt: skip
    snapshot = {
        "organisation": "zorg", "client": "anna", "from": "2026-03-01T00:00:00+01:00", "to": "2026-04-01T00:00:00+02:00",
        "revision": 1, "appointments": [polled],
    }  # fmt: skip
    world = World(labels={"intake": {"templates": {"created": {"sms": {"after": "Bel ons."}}}}})
    world.play([lambda world: world.feed("agenda-snapshots", "zorg/anna", snapshot)])
    assert world.sent == [
        "Er is een telefonische afspraak met u gemaakt op donderdag 5 maart 2026 van 11:00 tot 12:00. U wordt gebeld. Bel ons."
    ]


def test_the_same_revision_with_another_label_is_set_aside_and_a_row_of_before_says_nothing_of_it() -> None:
    world = World().play([book(label="intake")]).book(THURSDAY, label="other")
    assert world.refused == ["same revision, other content"]
    world = World().play([book()]).book(THURSDAY, label="intake")
    assert world.refused == []


def test_what_is_chosen_of_a_label_lies_over_upstreams_part_by_part() -> None:
    world = World(labels={"intake": {"notify": "none", "templates": {"created": {"sms": {"before": "ECD:", "after": "ECD."}}}}})
    world.override(labels={"intake": {"notify": "all", "templates": {"created": {"sms": {"after": "Wij."}}}}})
    world.play([book(label="intake")])
    assert world.sent == ["ECD: Er is een afspraak met u gemaakt op donderdag 5 maart 2026 van 11:00 tot 12:00. Wij."]
