"""What an employee hears of the own agenda, and when (`streams/README.md`, "Employees")."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

MEES = [{"employee": "mees", "attending": True}]
TOLD: dict[str, Any] = {"notifications": True, "digest_at": "16:00"}


def world(start: str = "2026-03-02 09:00", level: str = "all", **settings: Any) -> World:
    return World(start, **{"employees": TOLD, **settings}).employee(notifications=level)


def book(world: World, start: str, id_: str = "a", rev: int = 1, **fields: Any) -> World:
    """An appointment of Mees, by somebody's hand."""
    return world.book(start, id=id_, rev=rev, **{"employees": MEES, "author": "plan", **fields})


def sent(world: World) -> list[tuple[str, str]]:
    """When and what Mees was told."""
    return [(one["at"][5:16].replace("T", " "), one["text"]) for one in world.of_employee() if one["status"] == "sent"]


def fates(world: World) -> list[str]:
    return [one["status"] + (f" {one['detail']}" if one["detail"] else "") for one in world.of_employee()]


def test_what_is_later_than_tomorrow_waits_for_the_digest() -> None:
    there = world()
    book(there, "2026-03-10 10:00", location="De Linde")
    there.wait("2026-03-02 15:59")
    assert sent(there) == []
    there.wait("2026-03-03 20:00")
    text = "Er staat een afspraak in uw agenda op dinsdag 10 maart 2026 van 10:00 tot 11:00. Locatie: De Linde."
    assert sent(there) == [("03-02 15:00", text)]  # 16:00 in Amsterdam


def test_the_digest_is_net_and_one_message_whatever_its_days() -> None:
    there = world()
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    book(there, "2026-03-11 10:00", rev=2)
    book(there, "2026-03-12 10:00", "made and gone")
    book(there, "2026-03-12 10:00", "made and gone", 2, status="cancelled")
    book(there, "2026-03-13 09:00", "new")
    there.wait("2026-03-03 15:30")
    assert len(sent(there)) == 1
    there.wait("2026-03-03 18:00")
    assert sent(there)[1:] == [(
        "03-03 15:00",
        "De afspraak in uw agenda op dinsdag 10 maart 2026 van 10:00 tot 11:00 is verplaatst naar woensdag 11 maart 2026 van "
        "10:00 tot 11:00. Er staat een afspraak in uw agenda op vrijdag 13 maart 2026 van 09:00 tot 10:00.",
    )]  # fmt: skip
    book(there, "2026-03-12 10:00", rev=3)
    book(there, "2026-03-11 10:00", rev=4)
    there.wait("2026-03-04 18:00")
    assert len(sent(there)) == 2, "moved and moved back says nothing"


def test_what_is_of_today_or_tomorrow_goes_after_the_quiet_seconds() -> None:
    there = world()
    book(there, "2026-03-10 10:00", "later")
    book(there, "2026-03-03 10:00", "tomorrow").wait("2026-03-02 09:02")
    assert [when for when, _ in sent(there)] == ["03-02 08:00"], "with all that waits"
    assert "10 maart" in sent(there)[0][1]


def test_no_two_digests_go_within_15_minutes() -> None:
    there = world("2026-03-02 15:40")
    book(there, "2026-03-02 20:00", "a").wait("2026-03-02 15:50")
    book(there, "2026-03-02 20:00", "a", 2, status="cancelled").wait("2026-03-02 15:51")
    book(there, "2026-03-12 20:00", "b").wait("2026-03-02 18:00")
    assert [when for when, _ in sent(there)] == ["03-02 14:40", "03-02 14:55"]


def test_quiet_hours_hold_what_is_not_within_24_hours() -> None:
    there = world("2026-03-02 08:00", employees={"notifications": True, "digest_at": "22:00"},
                  quiet_hours={"from": "21:00", "until": "08:00"})  # fmt: skip
    book(there, "2026-03-10 10:00").wait("2026-03-03 07:00")
    assert sent(there) == []
    there.wait("2026-03-03 09:00")
    assert [when for when, _ in sent(there)] == ["03-03 07:00"]


def test_quiet_hours_let_go_what_begins_within_24_hours() -> None:
    there = world("2026-03-02 22:00", quiet_hours={"from": "21:00", "until": "08:00"})
    book(there, "2026-03-03 07:30").wait("2026-03-02 22:05")
    assert [when for when, _ in sent(there)] == ["03-02 21:00"]


@pytest.mark.parametrize(
    ("hands", "fate"),
    [
        (["mees"], ["suppressed own"]),
        (["mees", "mees"], ["suppressed own"]),
        (["mees", "plan"], ["sent"]),
        (["plan", "mees"], ["sent"]),
        ([None], ["sent"]),
        (["mees", None, "mees"], ["sent"]),
    ],
)
def test_what_was_all_by_the_own_hand_is_left_out(hands: list[str | None], fate: list[str]) -> None:
    there = world(level="others")
    for number, author in enumerate(hands, 1):
        book(there, f"2026-03-1{number} 10:00", rev=number, author=author)
    there.wait("2026-03-02 18:00")
    assert fates(there) == fate


def test_who_revised_it_counts_anew_from_the_last_message_on() -> None:
    there = world(level="others")
    book(there, "2026-03-10 10:00", author="plan").wait("2026-03-02 18:00")
    book(there, "2026-03-11 10:00", rev=2, author="mees").wait("2026-03-03 18:00")
    assert fates(there) == ["sent", "suppressed own"]
    book(there, "2026-03-11 10:00", rev=3, author="plan", label="x")
    book(there, "2026-03-12 10:00", rev=4, author="mees").wait("2026-03-04 18:00")
    assert fates(there) == ["sent", "suppressed own", "sent"], "a revision that changes nothing counts too"
    assert "van 10:00 tot 11:00 is verplaatst naar donderdag 12 maart" in sent(there)[-1][1]
    assert "dinsdag 10 maart" in sent(there)[-1][1], "it starts from what was told last"


def test_of_two_changes_that_of_the_own_hand_alone_is_left_out() -> None:
    there = world(level="others")
    book(there, "2026-03-10 10:00", "mine", author="mees", series="s")
    book(there, "2026-03-17 10:00", "theirs", author="plan", series="s").wait("2026-03-02 18:00")
    assert sorted(fates(there)) == ["sent", "suppressed own"]
    assert [text for _, text in sent(there)] == [
        "Er staat een afspraak in uw agenda op dinsdag 17 maart 2026 van 10:00 tot 11:00."
    ]


def test_soon_hears_of_today_and_tomorrow_alone() -> None:
    there = world(level="soon")
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    assert fates(there) == ["suppressed not_soon"]
    book(there, "2026-03-03 10:00", rev=2).wait("2026-03-02 18:30")
    assert fates(there) == ["suppressed not_soon", "sent"]
    book(there, "2026-03-12 10:00", rev=3).wait("2026-03-02 19:00")
    assert fates(there)[2:] == ["sent"], "away from tomorrow is of tomorrow"
    book(there, "2026-03-13 10:00", rev=4).wait("2026-03-03 19:00")
    assert fates(there)[3:] == ["suppressed not_soon"]


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ({"level": "none"}, "suppressed employee_off"),
        ({"employees": {}}, "suppressed organisation_off"),
        ({"employees": None}, "suppressed organisation_off"),
        ({"employees": {"notifications": False}}, "suppressed organisation_off"),
        ({"notifications": False}, "sent"),
    ],
)
def test_gates(change: dict[str, Any], fate: str) -> None:
    there = world(**change)
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    assert fates(there) == [fate]


def test_a_contact_that_is_not_confirmed_is_a_closed_gate_and_what_is_kept_back_is_known_from_elsewhere() -> None:
    there = world().employee(sms={"number": "+31612345699", "confirmed": False})
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    assert fates(there) == ["suppressed contact_unconfirmed"]
    there.employee().wait("2026-03-03 18:00")
    assert fates(there) == ["suppressed contact_unconfirmed"], "no flood when it is switched on"
    book(there, "2026-03-10 10:00", rev=2, status="cancelled").wait("2026-03-04 18:00")
    assert [text for _, text in sent(there)] == ["De afspraak in uw agenda op dinsdag 10 maart 2026 is vervallen."]


def test_who_does_not_attend_hears_nothing_until_that_changes() -> None:
    there, away = world(), [{"employee": "mees", "attending": False}]
    book(there, "2026-03-10 10:00", employees=away).wait("2026-03-02 18:00")
    assert fates(there) == ["suppressed absent"]
    book(there, "2026-03-10 10:00", rev=2).wait("2026-03-03 18:00")
    assert fates(there) == ["suppressed absent", "sent"]


def test_who_is_taken_off_is_told_that_it_is_off() -> None:
    there = world()
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    book(there, "2026-03-10 10:00", rev=2, employees=[]).wait("2026-03-03 18:00")
    assert [text for _, text in sent(there)][1:] == ["De afspraak in uw agenda op dinsdag 10 maart 2026 is vervallen."]


def test_no_address_is_said_nor_a_place_at_home() -> None:
    there = world()
    book(there, "2026-03-10 10:00", "a", kind="home", location="Bij mevrouw De Wit")
    book(there, "2026-03-10 12:00", "b", location="Dorpsstraat 12")
    there.wait("2026-03-02 18:00")
    assert [text for _, text in sent(there)] == [
        "Er staat een huisbezoek in uw agenda op dinsdag 10 maart 2026 van 10:00 tot 11:00. "
        "Er staat een afspraak in uw agenda op dinsdag 10 maart 2026 van 12:00 tot 13:00."
    ]
    kept = b"".join(there.simulation.rows["employees"].values())
    assert b"Wit" not in kept
    assert b"Dorpsstraat" not in kept


def test_a_bad_part_is_left_out_and_what_is_unclear_says_nothing() -> None:
    there = world()
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    book(there, "2026-03-11 10:00", rev=2, author=7, employees=[{"employee": 7, "attending": True}])
    assert there.refused == [
        "Expected `str`, got `int` - at `$.author`; Expected `str`, got `int` - at `$.employees[0].employee`"
    ]
    there.wait("2026-03-03 18:00")
    assert fates(there) == ["sent", "suppressed absent"], "it may be Mees who cannot be read"
    book(there, "2026-03-11 10:00", rev=3, employees=[{"employee": "mees"}]).wait("2026-03-04 18:00")
    assert fates(there) == ["sent", "suppressed absent"], "nothing changed since"
    book(there, "2026-03-11 10:00", rev=4).wait("2026-03-05 18:00")
    assert [text for _, text in sent(there)][1:] == [
        "De afspraak in uw agenda op dinsdag 10 maart 2026 van 10:00 tot 11:00 is verplaatst naar woensdag 11 maart 2026 van "
        "10:00 tot 11:00."
    ]


def test_a_hold_holds_digests_and_at_its_end_one_is_decided() -> None:
    there = world().feed("holds", "zorg", {"organisation": "zorg", "at": "2026-03-02T08:00:00Z", "notices": True})
    book(there, "2026-03-03 10:00").wait("2026-03-02 18:00")
    assert fates(there) == []
    there.feed("holds", "zorg", None).wait("2026-03-02 18:01")
    assert fates(there) == ["sent"]


def test_another_hour_counts_at_once() -> None:
    there = world()
    book(there, "2026-03-10 10:00")
    there.settings(employees={"notifications": True, "digest_at": "11:00"}).wait("2026-03-02 12:00")
    assert [when for when, _ in sent(there)] == ["03-02 10:00"]
    there.override(employees={"notifications": False})
    book(there, "2026-03-10 12:00", rev=2).wait("2026-03-03 12:00")
    assert fates(there) == ["sent", "suppressed organisation_off"]


def test_the_texts_for_clients_do_not_stand_around_it() -> None:
    sms = {"originator": "Zorggroep", "before": "Beste cliënt,", "after": "Bel 0544 123456.", "unit_price": "0.08"}
    there = world(sms=sms)
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    assert [text for _, text in sent(there)] == [
        "Er staat een afspraak in uw agenda op dinsdag 10 maart 2026 van 10:00 tot 11:00."
    ]


def test_english() -> None:
    there = world(languages=["nl", "en"]).employee(language="en-GB")
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    assert [text for _, text in sent(there)] == [
        "There is an appointment in your diary on Tuesday 10 March 2026 from 10:00 to 11:00."
    ]


def test_an_employee_is_forgotten() -> None:
    there = world()
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    book(there, "2026-03-11 10:00", rev=2)
    there.feed("erasures", "zorg//mees", {"organisation": "zorg", "employee": "mees", "at": "2026-03-02T18:00:00Z"})
    for node in ("intake", "employees", "sms"):
        assert not [key for key, value in there.simulation.rows[node].items() if b"mees" in key + value], node
    there.wait("2026-03-05 18:00")
    assert fates(there) == ["sent"]


def test_an_opt_out_is_a_closed_gate() -> None:
    there = world()
    value = {"organisation": "zorg", "channel": "sms", "off": True, "source": "provider", "recipient": "e:mees"}
    there.feed("opt-outs", "zorg//mees", value)
    book(there, "2026-03-10 10:00").wait("2026-03-02 18:00")
    assert (there.refused, fates(there)) == ([], ["suppressed employee_off"])
    there.feed("opt-outs", "zorg/anna", {**value, "client": "anna"})
    assert there.refused == ["an employee has no client, and everybody else has - at `$.client`"]


def test_an_organisation_without_employees_has_no_row_nor_byte_of_them() -> None:
    there = World().book("2026-03-10 10:00").wait("2026-03-02 18:00")
    assert there.simulation.rows["employees"] == {}
    assert not [value for rows in there.simulation.rows.values() for value in rows.values() if b"employee" in value]
