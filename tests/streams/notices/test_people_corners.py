"""Where one who acts for a client could read what he must not: ids, days that end, holds, places, shared addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.topics import HELD
from streams.processing.turn import Result
from tests.streams.notices.test_holds import NEAR, end, hold
from tests.streams.notices.test_people import DAY, LATER, MADE_OTHERS, book, family, fates, row, texts
from tests.streams.sending.test_others_messages import AT_ONCE, NUMBER, REFUSED, RETRY, desk, whose
from tests.streams.sending.test_sending import Desk
from tests.world import World, organisation, person

HOME, MAIL = "+31612345678", "anna@example.org"
SAYS_PLACES = {"location_to_others": True}
ERASED = {"organisation": "zorg", "client": "anna", "at": "2026-03-02T08:30:00Z"}


def moved(world: World) -> World:
    """The appointment, two hours later, and what goes out of that."""
    return book(world, f"{DAY} 15:15", rev=2).wait("2026-03-02 09:20")


@pytest.mark.parametrize("id_", ["anna", "p:anna", "a:b", "x" * 100, "é"])
def test_an_id_of_any_shape_is_one_person(id_: str) -> None:
    world = book(family(person(id_), person("moeder", "+31622345679", all=False))).wait(LATER).restart()
    assert [len(texts(moved(world), whom)) for whom in (f"p:{id_}", "", "p:moeder")] == [2, 2, 0]


@pytest.mark.parametrize("id_", ["", "x" * 101, "a/b", "moeder\n", "a\x00b", None, 7])
def test_an_id_that_is_none_is_nobody(id_: Any) -> None:
    world = book(family(person("moeder") | {"id": id_})).wait(LATER)
    assert ({one.get("recipient", "") for one in world.log}, len(world.refused)) == ({""}, 1)


def test_who_is_listed_twice_is_nobody_where_one_of_them_cannot_be_read() -> None:
    world = family(person("moeder") | {"role": "neighbour", "notifications": False}, person("moeder"))
    assert fates(book(world).wait(LATER)) == []


DAYS: list[tuple[str, str, str, str, str]] = [
    ("no midnight on that day", "America/Havana", "2026-03-08", "2026-03-08T04:59+00:00", "2026-03-08T05:00+00:00"),
    ("midnight twice: the first", "America/Havana", "2026-11-01", "2026-11-01T03:59+00:00", "2026-11-01T04:00+00:00"),
    ("a day of 23 hours", "Europe/Amsterdam", "2026-03-29", "2026-03-28T22:59+00:00", "2026-03-28T23:00+00:00"),
    ("a day of 25 hours", "Europe/Amsterdam", "2026-10-25", "2026-10-24T21:59+00:00", "2026-10-24T22:00+00:00"),
]


@pytest.mark.parametrize(("what", "zone", "until", "before", "then"), DAYS, ids=[case[0] for case in DAYS])
def test_until_ends_with_the_first_moment_of_its_local_day(what: str, zone: str, until: str, before: str, then: str) -> None:
    for moment, told in ((before, 1), (then, 0)):
        world = World(moment, time_zone=zone, window=AT_ONCE).people(person("moeder", until=until))
        assert len(texts(world.book("2026-12-17 13:15"))) == told


def test_a_window_that_is_open_at_midnight_tells_nothing_to_who_ended_then() -> None:
    world = World("2026-03-02 23:59:50").people(person("moeder", until="2026-03-03"))
    assert fates(book(world).wait("2026-03-03 00:10")) == ["suppressed ended"]


ENDS: list[tuple[str, Callable[[World], object]]] = [
    ("taken off the list", lambda world: world.book(f"{DAY} 13:15", rev=2, clients=[])),
    ("deleted", lambda world: world.feed("appointments", "zorg/a", None)),
    ("cancelled", lambda world: book(world, tell=["moeder"], rev=2, status="cancelled")),
]


@pytest.mark.parametrize(("what", "ends"), ENDS, ids=[case[0] for case in ENDS])
def test_the_end_of_an_appointment_is_told_to_whom_its_last_revision_named(what: str, ends: Callable[[World], object]) -> None:
    world = book(family(person("moeder", all=False), person("vader", "+31622345679")), tell=["moeder"]).wait(LATER)
    ends(world)
    world.wait("2026-03-02 09:20")
    assert (len(texts(world)), fates(world, "p:vader")) == (2, [])


# -- what waits ----------------------------------------------------------------------------------------------------------------


def listing(world: World) -> dict[bytes, bytes | None]:
    """What stands in `held` from now on, by its keys."""
    found: dict[bytes, bytes | None] = {}
    write = world.simulation._write

    def watched(output: Any, now: Any) -> Any:
        if output.topic == HELD.name:
            found[output.key] = output.value
        return write(output, now)

    world.simulation._write = watched  # type: ignore[method-assign]
    return found


def test_quiet_hours_and_a_tell_that_shrinks_in_them() -> None:
    world = family(quiet_hours={"from": "20:00", "until": "08:00"}).wait("2026-03-02 21:00")
    book(world).wait("2026-03-02 22:00")
    book(world, tell=[], rev=2).wait("2026-03-03 09:00")
    assert (fates(world), len(texts(world, ""))) == ([], 1)


def test_a_tell_that_shrinks_in_a_hold_takes_the_message_off_the_page_too() -> None:
    world = hold(family()).wait("2026-03-02 09:30")
    page = listing(world)
    book(world).wait("2026-03-02 10:00")
    assert page[b"zorg/anna/p:moeder"] is not None
    book(world, tell=[], rev=2).wait("2026-03-02 11:00")
    assert page[b"zorg/anna/p:moeder"] is None
    assert page[b"zorg/anna"] is not None
    end(world).wait("2026-03-02 12:10")
    assert (fates(world), len(texts(world, ""))) == ([], 1)


def test_appointments_of_snapshots_that_are_forgotten_in_a_hold_stand_on_no_page() -> None:
    world = hold(family()).wait("2026-03-02 09:30")
    page = listing(world)
    world.feed("agenda-snapshots", "zorg/anna", {
        "organisation": "zorg", "client": "anna", "from": "2026-03-01T00:00:00+01:00", "to": "2026-06-01T00:00:00+02:00",
        "revision": 1, "appointments": [{"appointment": "1", "start": f"{DAY}T13:15:00+02:00", "end": f"{DAY}T14:15:00+02:00"}],
    }).wait("2026-03-02 10:00")  # fmt: skip
    assert all(page[key] is not None for key in (b"zorg/anna", b"zorg/anna/p:moeder"))
    world.feed("agenda-snapshots", "zorg/anna", None).wait("2026-03-02 11:00")
    assert all(page[key] is None for key in (b"zorg/anna", b"zorg/anna/p:moeder"))


def test_what_begins_soon_goes_to_each_in_a_hold() -> None:
    world = hold(family()).wait("2026-03-02 09:30")
    assert [len(texts(book(world, NEAR).wait("2026-03-02 10:00"), whom)) for whom in ("", "p:moeder")] == [1, 1]


def test_a_message_that_is_rerouted_after_tell_shrank_goes_nowhere() -> None:
    one = Desk(family(person("moeder", NUMBER, "m@example.org", channels=["sms", "email"]), window=AT_ONCE))
    book(one.world)
    hers = next(call for call in one.turn("2026-03-02 09:00:01") if whose(call))
    book(one.world, tell=[], rev=2)
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, REFUSED)])
    assert fates(one.world.wait("2026-03-02 09:30")) == []


def test_what_is_tried_again_goes_to_the_number_that_the_person_now_has() -> None:
    one, calls = desk()
    hers = next(call for call in calls if whose(call))
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, RETRY)])
    one.world.people().people(person("moeder", "+31699999999"))
    assert [call.request.address for call in one.turn("2026-03-02 09:30") if whose(call)] == ["+31699999999"]


def test_a_name_that_may_not_be_said_any_more_is_not_said_by_the_next_attempt() -> None:
    one = Desk(World(window=AT_ONCE).people(person("moeder", name_client=True), call_name="Anna"))
    book(one.world)
    hers = next(call for call in one.turn("2026-03-02 09:00:01") if whose(call))
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, RETRY)])
    one.world.people(person("moeder"), call_name="Anna")
    calls = [hers, *[call for call in one.turn("2026-03-02 09:30") if whose(call)]]
    assert [call.request.call_name for call in calls] == ["Anna", None]


# -- places --------------------------------------------------------------------------------------------------------------------


def test_places_that_are_not_said_any_more_are_not_said_of_what_was_told_with_them() -> None:
    world = book(family(say=SAYS_PLACES), location="De Linde").wait(LATER).settings()
    book(world, f"{DAY} 15:15", location="De Linde", rev=2).wait("2026-03-02 09:20")
    assert [("Linde" in text, " is verplaatst naar " in text) for text in texts(world)] == [(True, False), (False, True)]


def test_two_that_differed_by_their_place_alone_are_then_one() -> None:
    world = book(book(family(say=SAYS_PLACES), location="De Linde"), location="De Boom", id="b").wait(LATER).settings()
    book(world, location="De Linde", rev=2, status="cancelled").wait("2026-03-02 09:20")
    assert fates(world) == ["sent", "suppressed same"], "in words without places the other is still on"
    book(world, location="De Boom", id="b", rev=2, status="cancelled").wait("2026-03-02 09:30")
    assert texts(world)[1:] == ["De afspraak op vrijdag 17 april 2026 is geannuleerd."]


def test_a_series_that_was_told_with_its_place_covers_and_ends_without() -> None:
    world = family(say=SAYS_PLACES)
    for number, day in enumerate(["2026-04-10", "2026-04-17", "2026-04-24"]):
        book(world, f"{day} 13:15", id=f"s{number}", series="s", location="De Linde")
    world.wait(LATER).settings()
    book(world, "2026-05-01 13:15", id="s3", series="s", location="De Linde").wait("2026-03-02 09:20")
    book(world, "2026-04-17 13:15", id="s1", series="s", location="De Linde", rev=2, status="cancelled").wait("2026-03-02 09:30")
    assert fates(world) == ["sent", "suppressed series", "sent"]
    assert texts(world)[1:] == ["De afspraak op vrijdag 17 april 2026 is geannuleerd."]


# -- templates -----------------------------------------------------------------------------------------------------------------

AROUND = {"sms": {"originator": "Zorg", "before": "Beste cliënt,", "after": "Groet, Zorg", "unit_price": 0.08, "currency": "EUR"}}
ENGLISH = {"languages": ["nl", "en"], "translations": {"en": {"sms": {"before": "Dear client,", "after": "Zorg"}}}}
TEMPLATES: list[tuple[str, dict[str, Any], str]] = [
    ("the salutation is the client's, what stands after it is everybody's", {}, f"{MADE_OTHERS} Groet, Zorg"),
    ("a text of their own", {"to_others": {"sms": {"before": "Goedendag,"}}}, f"Goedendag, {MADE_OTHERS} Groet, Zorg"),
    ("both", {"to_others": {"sms": {"before": "Dag,", "after": "Uw Zorg"}}}, f"Dag, {MADE_OTHERS} Uw Zorg"),
    ("none", {"to_others": {"sms": {"before": "", "after": ""}}}, MADE_OTHERS),
    ("taken back", {"to_others": None}, f"{MADE_OTHERS} Groet, Zorg"),
    ("of a kind of message", {"templates": {"created": {"sms": {"before": "Beste cliënt!", "after": "Tot dan."}}}},
     f"{MADE_OTHERS} Tot dan."),
    ("of a label: not theirs", {"labels": {"ggz": {"templates": {"created": {"sms": {"after": "GGZ"}}}}}},
     f"{MADE_OTHERS} Groet, Zorg"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "settings", "text"), TEMPLATES, ids=[case[0] for case in TEMPLATES])
def test_which_templates_stand_around_what_others_read(what: str, settings: dict[str, Any], text: str) -> None:
    world = book(family(**AROUND, **settings), label="ggz").wait(LATER)
    assert (world.refused, texts(world)) == ([], [text])
    assert texts(world, "")[0].startswith("Beste cliënt")


def test_another_language_greets_nobody_in_the_first_one() -> None:
    world = book(family(person("moeder", language="en"), **AROUND, **ENGLISH, to_others={"sms": {"before": "Goedendag,"}}))
    said = "An appointment has been made on Friday 17 April 2026 from 13:15 to 14:15."
    assert texts(world.wait(LATER)) == [f"{said} Zorg"]


@pytest.mark.parametrize("bad", [{"sms": {"before": 3}}, {"email": {"subject": "a\nb"}}, [], {"sms": {"before": "x" * 5000}}])
def test_templates_for_others_that_cannot_be_used_are_refused(bad: Any) -> None:
    world = World().settings(to_others=bad)
    assert [("`$.to_others" in why) for why in world.refused] == [True]


# -- addresses that are shared -------------------------------------------------------------------------------------------------


def test_who_reads_the_clients_mailbox_and_wants_no_mail_there_gets_none_of_others_either() -> None:
    world = World().consent(channels=["email"]).contact(sms=None, email=True).people(person("moeder", None, MAIL.upper()))
    book(world).wait(LATER)
    assert (len(texts(world, "")), fates(world)) == (1, ["suppressed same_address"])
    moved(world.opt_out("email"))
    assert fates(world)[1:] == ["suppressed client_off"]
    world.people(person("moeder", None, "moeder@example.org"))
    book(world, f"{DAY} 16:15", rev=3).wait("2026-03-02 09:30")
    assert len(texts(world)) == 1, "her own mailbox is another"


def test_a_number_that_was_refused_for_the_client_is_not_tried_for_others() -> None:
    mother = person("moeder", HOME, "m@example.org", channels=["sms", "email"])
    one = Desk(World(window=AT_ONCE).people(mother))
    book(one.world)
    (hers,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:02", results=[Result(hers.key, REFUSED)])
    book(one.world, f"{DAY} 15:15", rev=2)
    assert one.turn("2026-03-02 09:05") == []
    one.world.wait("2026-03-02 09:10")
    assert [record["channel"] for record in one.world.log if record["status"] == "sent"] == ["email"]


def test_what_a_third_party_asks_goes_to_the_client_alone_and_says_nothing_of_a_shared_address() -> None:
    world = World().people(person("moeder", HOME)).request().wait(LATER)
    assert (len(texts(world, "")), fates(world)) == (1, [])


# -- who goes, and comes back --------------------------------------------------------------------------------------------------


def test_who_was_erased_and_comes_back_is_new() -> None:
    world = book(book(family()).wait(LATER), f"{DAY} 14:15", rev=2)
    world.feed("erasures", "zorg/anna", ERASED | {"person": "moeder"})
    world.people(person("moeder", "+31622349999")).wait("2026-03-02 09:20")
    assert texts(world) == [MADE_OTHERS]
    book(world, f"{DAY} 16:15", rev=3).wait("2026-03-02 09:30")
    assert "van 14:15 tot 15:15 is verplaatst naar" in texts(world)[1]


def test_the_clients_name_goes_with_the_last_who_may_read_it() -> None:
    world = World().people(person("moeder", name_client=True), person("vader", "+31622345679"), call_name="Anna")
    world.feed("erasures", "zorg/anna", ERASED | {"person": "moeder"})
    assert (row(world).call_name, [one.id for one in row(world).people]) == (None, ["vader"])


@pytest.mark.parametrize("id_", ["", "moeder/x", 3, None])
def test_an_erasure_of_a_person_that_cannot_be_read_erases_nobody(id_: Any) -> None:
    world = book(family()).wait(LATER).feed("erasures", "zorg/anna", ERASED | {"person": id_})
    assert (len(world.refused), len(row(world).people), list(world.agenda().appointments)) == (1, 1, ["a"])


@pytest.mark.parametrize("recipient", ["p:", "moeder", "q:x", "p:a/b", 3, None, ""])
def test_an_opt_out_of_nobody_turns_nobodys_off_and_is_a_dead_letter(recipient: Any) -> None:
    value = {"organisation": "zorg", "client": "anna", "channel": "sms", "off": True, "source": "link", "recipient": recipient}
    world = book(family().feed("opt-outs", "zorg/anna", value)).wait(LATER)
    assert (len(world.refused), fates(world), len(texts(world, ""))) == (1, ["sent"], 1)


def test_people_of_one_organisation_are_none_of_another_with_the_same_ids() -> None:
    world = book(family()).wait(LATER).feed("organisations", "ander", organisation(organisation="ander"))
    ids = {"organisation": "ander", "client": "anna"}
    world.feed("consents", "ander/anna", {**ids, "notifications": True, "channels": ["sms"], "source": "ecd"})
    world.feed("representatives", "ander/anna", {**ids, "people": [person("moeder", "+31699999999")]})
    moved(world).feed("erasures", "ander/anna", {**ids, "at": "2026-03-02T08:30:00Z"})
    book(world, f"{DAY} 16:15", rev=3).wait("2026-03-02 09:30")
    assert ({one["organisation"] for one in world.log}, len(texts(world))) == ({"zorg"}, 3)


def test_no_record_of_the_log_has_an_address() -> None:
    world = book(family(person("moeder", NUMBER, "moeder@example.org", channels=["sms", "email"]))).wait(LATER)
    assert not any(secret in repr(world.log) for secret in (NUMBER, NUMBER[3:], "moeder@"))
