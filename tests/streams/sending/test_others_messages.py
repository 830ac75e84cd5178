"""Messages to those who act for a client, from decision to the last attempt: each is checked again, and waits for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agents.tokens import Tokens
from agents.web.unsubscribe import opened, opt_out
from agents.worker.senders import unsubscribe_token
from schemas.deliveries import Delivery
from streams.notices.gates import mark_of
from streams.processing.turn import Call, Result
from streams.sending.outcomes import Outcome
from tests.streams.notices.test_people import DAY, MADE, MADE_OTHERS, book, family, fates, row, texts
from tests.streams.sending.test_sending import SENT, Desk
from tests.world import World, person

RETRY = Outcome(kind="retry", detail="503")
REFUSED = Outcome(kind="permanent_address", detail="no such number")
UNKNOWN = Outcome(kind="unknown", detail="timeout")
NUMBER = "+31622345678"
AT_ONCE = {"quiet_seconds": 0, "max_seconds": 0}


def whose(call: Call) -> str:
    """Who gets what a call sends."""
    recipient: str = call.request.delivery.recipient
    return recipient


def desk(*people: dict[str, Any], **settings: Any) -> tuple[Desk, list[Call]]:
    """A client and those who act for her, to each of whom a message is under way."""
    one = Desk(family(*people, window=AT_ONCE, **settings))
    book(one.world, tell=["moeder"])
    return one, one.turn("2026-03-02 09:00:01")


def test_each_has_a_message_of_its_own_and_waits_for_no_others_mailbox() -> None:
    one, calls = desk()
    assert sorted(map(whose, calls)) == ["", "p:moeder"]
    assert len({call.request.delivery.message for call in calls}) == 2
    mine = next(call for call in calls if whose(call) == "")
    one.turn("2026-03-02 09:00:02", results=[Result(mine.key, SENT)])
    book(one.world, f"{DAY} 15:15", tell=["moeder"], rev=2)
    (again,) = one.turn("2026-03-02 09:05")
    assert whose(again) == "", "the mother's first is still under way, and hers alone waits"


SHRINKS: list[tuple[str, Callable[[World], object], str]] = [
    ("taken off the appointment", lambda world: book(world, tell=[], rev=2), "tell"),
    ("not listed any more", lambda world: world.people(), "tell"),
    ("off", lambda world: world.people(person("moeder", notifications=False)), "client_off"),
    ("the client's word is off", lambda world: world.consent(notifications=False), "client_off"),
    ("ended", lambda world: world.people(person("moeder", until="2026-03-02")), "ended"),
    ("taken back", lambda world: world.feed("representatives", "zorg/anna", None), "tell"),
    ("opted out", lambda world: world.feed("opt-outs", "zorg/anna", {
        "organisation": "zorg", "client": "anna", "channel": "sms", "off": True, "source": "link", "recipient": "p:moeder"
    }), "client_off"),
]  # fmt: skip


@pytest.mark.parametrize("outcome", [RETRY, UNKNOWN], ids=["nobody got it", "perhaps it was sent"])
@pytest.mark.parametrize(("what", "change", "why"), SHRINKS, ids=[case[0] for case in SHRINKS])
def test_no_attempt_begins_once_one_may_not_be_told(
    what: str, change: Callable[[World], object], why: str, outcome: Outcome
) -> None:  # fmt: skip
    one, calls = desk()
    hers = next(call for call in calls if whose(call) == "p:moeder")
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, outcome)])
    change(one.world)
    assert [whose(call) for call in one.turn("2026-03-02 09:30") if whose(call)] == []
    last = [each for each in one.log if each.get("recipient") == "p:moeder"][-1]
    assert (last["status"], last["detail"]) == ("suppressed" if outcome is UNKNOWN else "superseded", why)


def test_until_passes_at_midnight_between_a_claim_and_the_next_attempt() -> None:
    world = World("2026-03-02 23:59", window=AT_ONCE).people(person("moeder", until="2026-03-03"))
    one = Desk(world)
    book(world)
    hers = next(call for call in one.turn("2026-03-02 23:59:30") if whose(call))
    one.turn("2026-03-02 23:59:40", results=[Result(hers.key, RETRY)])
    world.wait("2026-03-03 00:00")
    assert [whose(call) for call in one.turn("2026-03-03 00:10") if whose(call)] == []
    last = [each for each in one.log if each.get("recipient") == "p:moeder"][-1]
    assert (last["status"], last["detail"]) == ("superseded", "ended")
    assert fates(world)[-1] == "suppressed ended", "and it is decided anew, with the gate closed"
    assert row(world).people[0].sms is None


def test_a_place_that_may_not_be_said_any_more_comes_back() -> None:
    world = World(window=AT_ONCE, say={"location_to_others": True}).people(person("moeder"))
    one = Desk(world)
    book(world, location="De Linde")
    hers = next(call for call in one.turn("2026-03-02 09:00:01") if whose(call))
    assert hers.request.delivery.notices[0].now.location == "De Linde"
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, UNKNOWN)])
    world.settings(window=AT_ONCE)
    assert [call for call in one.turn("2026-03-02 09:30") if whose(call)] == []


def test_a_tell_that_shrinks_after_a_reminder_fell_due_has_nobody_reminded() -> None:
    world = World(window=AT_ONCE, reminder={"days_before": 1, "at": "17:00"}).people(person("moeder"))
    book(world).wait("2026-04-16 17:00")
    assert texts(world)[1:] == ["Er is een afspraak op 17 april om 13:15."]
    world = World(window=AT_ONCE, reminder={"days_before": 1, "at": "17:00"}).people(person("moeder"))
    book(world).wait("2026-04-16 12:00")
    book(world, tell=[], rev=2).wait("2026-04-16 18:00")
    assert (texts(world), len(texts(world, ""))) == ([MADE_OTHERS], 2)


def test_a_refused_address_is_that_persons_alone_and_stays_refused_however_it_comes_back() -> None:
    one, calls = desk()
    hers = next(call for call in calls if whose(call) == "p:moeder")
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, REFUSED)])
    assert row(one.world).refused == {mark_of(NUMBER): False}
    assert one.world.agenda().flight, "the client's own is still under way"
    one.world.people().people(person("moeder")).people(person("oma"))
    assert row(one.world).people[0].sms is not None
    assert not row(one.world).people[0].sms.usable  # type: ignore[union-attr]
    one.world.people(person("moeder", sms={"number": NUMBER, "confirmed": False})).people(person("moeder"))
    assert row(one.world).people[0].sms.usable  # type: ignore[union-attr]


HOME, SAME_ADDRESS = "+31612345678", "suppressed same_address"

SAME: list[tuple[str, list[dict[str, Any]], dict[str, Any], dict[str, list[str]]]] = [
    ("the client's number: the client has it", [person("moeder", HOME)], {}, {"": ["sent"], "p:moeder": [SAME_ADDRESS]}),
    ("however it is written", [person("moeder", "06 12345678")], {}, {"": ["sent"], "p:moeder": [SAME_ADDRESS]}),
    ("the client gets none: the first that is listed", [person("moeder", HOME), person("vader", HOME)], {"channels": []},
     {"": ["suppressed client_off"], "p:moeder": ["sent"], "p:vader": [SAME_ADDRESS]}),
    ("two of one number", [person("moeder"), person("vader")], {},
     {"": ["sent"], "p:moeder": ["sent"], "p:vader": [SAME_ADDRESS]}),
    ("the first of them is off", [person("moeder", notifications=False), person("vader")], {},
     {"": ["sent"], "p:moeder": ["suppressed client_off"], "p:vader": ["sent"]}),
    ("the first may not hear of it", [person("moeder", all=False), person("vader")], {}, {"": ["sent"], "p:vader": ["sent"]}),
    ("another number", [person("moeder", "+31612345679")], {}, {"": ["sent"], "p:moeder": ["sent"]}),
    ("one mailbox of two", [person("moeder", None, "huis@example.org"), person("vader", None, "Huis@example.org")], {},
     {"": ["sent"], "p:moeder": ["sent"], "p:vader": [SAME_ADDRESS]}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "people", "consent", "expected"), SAME, ids=[case[0] for case in SAME])
def test_one_address_gets_one_message(
    what: str, people: list[dict[str, Any]], consent: dict[str, Any], expected: dict[str, list[str]]
) -> None:  # fmt: skip
    world = World(reminder={"days_before": 1, "at": "17:00"}).consent(**consent).people(*people)
    book(world).wait("2026-03-02 09:10")
    assert {whom: fates(world, whom) for whom in expected} == expected
    assert {one.get("recipient", "") for one in world.log} == set(expected)
    world.wait("2026-04-16 18:00")
    assert {whom: fates(world, whom)[1:] for whom in expected} == expected, "and so with its reminder"


def test_what_another_was_told_at_the_same_number_counts_as_known() -> None:
    world = book(family(person("moeder", "+31612345678"))).wait("2026-03-02 09:10")
    world.people(person("moeder")).wait("2026-03-02 09:20")
    assert texts(world) == []
    book(world, f"{DAY} 15:15", rev=2).wait("2026-03-02 09:30")
    assert len(texts(world)) == 1
    assert " is verplaatst naar " in texts(world)[0]


def delivery(recipient: str) -> Delivery:
    """An e-mail to somebody."""
    _, calls = desk(person("moeder"))
    found: Delivery = next(call.request.delivery for call in calls if whose(call) == recipient)
    return found


def test_a_link_turns_off_its_own_recipient_and_the_mailbox_that_it_stood_in() -> None:
    tokens = Tokens(("a key of some length",), "unsubscribe")
    mine, hers = delivery(""), delivery("p:moeder")
    token = unsubscribe_token(tokens, hers, "m@example.org")
    link = opened(tokens, token)
    assert link is not None
    event = opt_out(link, "off")
    assert event.value == {
        "organisation": "zorg", "client": "anna", "channel": "email", "off": True, "source": "link", "recipient": "p:moeder",
        "mark": mark_of("m@example.org"),
    }  # fmt: skip
    assert unsubscribe_token(tokens, mine, "a@example.org") == tokens.seal("zorg", "anna", "email")
    assert [opened(tokens, wrong) for wrong in (token[:-2], token[1:], "x")] == [None] * 3
    world = family(person("moeder", None, "m@example.org")).feed(event.topic, event.key or "", event.value)
    world.consent(channels=["email"]).contact(email=True)
    assert (fates(book(world).wait("2026-03-02 09:10")), texts(world, "")) == (["suppressed client_off"], [MADE])
    world.people().people(person("oma", None, "m@example.org")).people(person("moeder", None, "anders@example.org"))
    book(world, f"{DAY} 17:15", id="b").wait("2026-03-02 09:20")
    assert fates(world)[1:] == ["suppressed client_off"], "nor by another address, once the person said so"
    world.people(person("oma", None, "m@example.org"))
    book(world, f"{DAY} 18:15", id="c").wait("2026-03-02 09:30")
    assert fates(world, "p:oma") == ["suppressed client_off"], "nor anybody else at that address"
    world.feed(event.topic, event.key or "", {**event.value, "off": False})
    book(world, f"{DAY} 20:15", id="d").wait("2026-03-02 09:40")
    assert len(texts(world, "p:oma")) == 1


def test_one_who_acts_for_a_client_is_erased_alone() -> None:
    one, calls = desk(person("moeder"), person("vader", "+31622345679", all=True))
    for call in calls:
        one.turn("2026-03-02 09:00:02", results=[Result(call.key, RETRY if whose(call) else SENT)])
    value = {"organisation": "zorg", "client": "anna", "at": "2026-03-02T08:30:00Z", "person": "moeder"}
    one.world.feed("erasures", "zorg/anna", value)
    assert [person.id for person in row(one.world).people] == ["vader"]
    rows = {node: dict(kept) for node, kept in one.world.simulation.rows.items()}
    assert "moeder" not in repr(rows)
    assert NUMBER not in repr(rows)
    assert list(one.world.agenda().people) == ["vader"]
    assert list(one.world.agenda().appointments) == ["a"]


def test_messages_of_one_who_is_erased_are_not_tried_again() -> None:
    world = family(person("moeder"), person("vader", "+31622345679"))
    book(world).wait("2026-03-02 09:10")
    assert any(b"/p:moeder/" in key for key in world.simulation.rows["sms"])
    value = {"organisation": "zorg", "client": "anna", "at": "2026-03-02T08:30:00Z", "person": "moeder"}
    world.feed("erasures", "zorg/anna", value)
    kept = list(world.simulation.rows["sms"])
    assert not any(b"/p:moeder/" in key for key in kept)
    assert any(b"/p:vader/" in key for key in kept)
    book(world, f"{DAY} 15:15", rev=2).wait("2026-03-02 09:20")
    assert (len(texts(world)), len(texts(world, "p:vader")), len(texts(world, ""))) == (1, 2, 2)


def test_a_client_that_is_erased_takes_all_with_it() -> None:
    world = family(person("moeder", name_client=True), person("vader", "+31622345679"))
    book(world, tell=["moeder"]).wait("2026-03-02 09:10")
    world.feed("erasures", "zorg/anna", {"organisation": "zorg", "client": "anna", "at": "2026-03-02T08:30:00Z"})
    assert "moeder" not in repr(world.simulation.rows)
    assert "anna" not in repr({node: rows for node, rows in world.simulation.rows.items() if node != "intake"})


def test_all_starts_anew_from_the_rows() -> None:
    world = family(
        person("moeder", until="2026-03-05"), person("vader", "+31622345679"), reminder={"days_before": 1, "at": "17:00"}
    )
    book(world).wait("2026-03-02 09:00:10")
    world.restart().wait("2026-03-02 09:10")
    assert (texts(world), texts(world, "p:vader")) == ([MADE_OTHERS], [MADE_OTHERS])
    world.restart().wait("2026-03-05 00:00")
    assert row(world).people[0].sms is None
    world.restart().wait("2026-04-16 18:00")
    assert (len(texts(world)), len(texts(world, "p:vader"))) == (1, 2)
