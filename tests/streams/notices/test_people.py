"""Those who act for a client (streams/README.md, "Persons"): who is told what, and who must not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import orjson
import pytest

from agents.commands.why import as_json
from schemas.deliveries import LogRecord
from schemas.keys import ClientKey
from schemas.state import PeopleRow
from schemas.topics import PEOPLE_TABLE
from streams.explain.client import explain, is_wanted, snapshot_of
from streams.processing.rows import DECODERS
from tests.world import World, person

DAY = "2026-04-17"
MADE = "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."
MADE_OTHERS = "Er is een afspraak gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."
LATER = "2026-03-02 09:10"


def family(*people: dict[str, Any], **settings: Any) -> World:
    """A client with those who act for her, and no appointments."""
    return World(**settings).people(*people or (person("moeder"),))


def book(world: World, at: str = f"{DAY} 13:15", tell: list[str] | None = None, **changes: Any) -> World:
    """An appointment of Anna; `tell`: who else may be told of it."""
    told = {} if tell is None else {"tell": tell}
    return world.book(at, clients=[{"client": "anna", "present": True, **told}], **changes)


def texts(world: World, recipient: str = "p:moeder") -> list[str]:
    """What a recipient got, in order."""
    return [one["text"] for one in world.log if one["status"] == "sent" and one.get("recipient", "") == recipient]


def fates(world: World, recipient: str = "p:moeder") -> list[str]:
    """What became of each record of a recipient: its status, with its detail."""
    mine = [one for one in world.log if one.get("recipient", "") == recipient]
    return [one["status"] + (f" {one['detail']}" if one["detail"] else "") for one in mine]


def row(world: World) -> PeopleRow:
    """What is kept of those who act for Anna."""
    value = world.simulation.rows["notices"].get(PEOPLE_TABLE.row("zorg/anna"))
    found: PeopleRow = DECODERS["notices", "people"](value) if value is not None else PeopleRow()
    return found


GATES: list[tuple[str, dict[str, Any], list[str] | None, str | None]] = [
    ("of who wants notices and may be told of all, each appointment is told", {}, None, None),
    ("it is told where the appointment says that this one may be", {"all": False}, ["moeder"], None),
    ("without `all` and `tell` there is nothing to say, and no record of it", {"all": False}, None, ""),
    ("with `all`, too, an appointment tells none but whom it names", {}, ["vader"], ""),
    ("an empty `tell` is the client's alone", {}, [], ""),
    ("notifications off", {"notifications": False}, None, "suppressed client_off"),
    ("no channel", {"channels": []}, None, "suppressed client_off"),
    ("until today: from its first moment on nothing is told", {"until": "2026-03-02"}, None, "suppressed ended"),
    ("until tomorrow: today it is", {"until": "2026-03-03"}, None, None),
    ("a curator needs no day at which that ends", {"role": "curator", "until": None}, None, None),
    ("a mentor needs none either", {"role": "mentor", "until": None}, None, None),
    ("a parent needs one", {"until": None}, None, "suppressed client_off"),
    ("a guardian needs one", {"role": "guardian", "until": None}, None, "suppressed client_off"),
    ("a day that cannot be read is off, of a curator too", {"role": "curator", "until": "17-4"}, None, "suppressed client_off"),
    ("a day of no year that zones have is off", {"role": "curator", "until": "9999-01-01"}, None, "suppressed client_off"),
    ("an unknown right is nobody", {"role": "neighbour"}, None, ""),
    ("no right is nobody", {"role": None}, None, ""),
    ("an id with a slash is nobody", {"id": "moeder/anna"}, None, ""),
    ("an unclear `all` is not all", {"all": "ja"}, None, ""),
    ("an unclear `notifications` is off", {"notifications": "ja"}, None, "suppressed client_off"),
    ("an unconfirmed number", {"sms": {"number": "+31622345678", "confirmed": False}}, None, "suppressed contact_unconfirmed"),
    ("a number of nobody", {"sms": {"number": "+31622345678", "confirmed": None}}, None, "suppressed contact_unconfirmed"),
    ("a number that gets no SMS", {"sms": {"number": "010 2345678", "confirmed": True}}, None, "suppressed contact_unconfirmed"),
    ("a number that cannot be read", {"sms": "06 22345678"}, None, "suppressed contact_unconfirmed"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "changes", "tell", "why"), GATES, ids=[row[0] for row in GATES])
def test_the_gates_of_one_who_acts_for_the_client(
    what: str, changes: dict[str, Any], tell: list[str] | None, why: str | None
) -> None:
    world = book(family(person("moeder") | changes), tell=tell).wait(LATER)
    assert texts(world, "") == [MADE], "the client hears it whatever becomes of others"
    if why is None:
        assert (texts(world), fates(world)) == ([MADE_OTHERS], ["sent"])
    else:
        assert fates(world) == ([why] if why else [])


BAD_TELLS = [None, ["moeder", 1], "moeder", {"moeder": True}, ["moeder/x"], ["a"] * 21, 0]


@pytest.mark.parametrize("tell", BAD_TELLS, ids=map(repr, BAD_TELLS))
def test_a_tell_that_cannot_be_understood_is_the_clients_alone_and_a_dead_letter(tell: Any) -> None:
    world = family().book(f"{DAY} 13:15", clients=[{"client": "anna", "present": True, "tell": tell}]).wait(LATER)
    assert (texts(world, ""), fates(world)) == ([MADE], ["sent"] if tell is None else [])
    assert all("`$.clients[0].tell`" in why for why in world.refused)
    assert len(world.refused) == (0 if tell is None else 1)


def test_a_client_that_is_listed_twice_in_two_ways_is_told_alone() -> None:
    twice = [{"client": "anna", "present": True, "tell": tell} for tell in (["moeder"], ["moeder", "vader"])]
    world = family().book(f"{DAY} 13:15", clients=twice).wait(LATER)
    assert (texts(world, ""), fates(world)) == ([MADE], [])


WHOLE = [
    ({"people": None}, "`$.people`"),
    ({"people": [person("moeder")] * 2}, "a person is listed twice"),
    ({"people": [person(f"p{number}") for number in range(21)]}, "more than 20 people"),
    ({"people": "moeder"}, "`$.people`"),
]


@pytest.mark.parametrize(("fields", "why"), WHOLE, ids=[why for _, why in WHOLE])
def test_where_it_cannot_be_said_who_acts_for_a_client_nobody_does(fields: dict[str, Any], why: str) -> None:
    world = family()
    world.feed("representatives", "zorg/anna", {"organisation": "zorg", "client": "anna", **fields})
    assert why in world.refused[0]
    assert fates(book(world).wait(LATER)) == []


def test_the_clients_own_notifications_are_needed_too_and_no_channel_of_hers() -> None:
    off = family().consent(notifications=False)
    assert fates(book(off).wait(LATER)) == ["suppressed client_off"]
    none = family().consent(channels=[])
    assert (fates(book(none).wait(LATER)), fates(none, "")) == (["sent"], ["suppressed client_off"])
    unknown = World(bare=True).settings().contact().people(person("moeder"))
    assert fates(book(unknown).wait(LATER)) == ["suppressed client_off"]


THE = "De afspraak op vrijdag 17 april 2026"

CHANGES: list[tuple[str, Callable[[World], object], str]] = [
    (
        "moved", lambda world: book(world, f"{DAY} 15:15", rev=2),
        f"{THE} van 13:15 tot 14:15 is verplaatst naar vrijdag 17 april 2026 van 15:15 tot 16:15.",
    ),
    ("cancelled", lambda world: book(world, rev=2, status="cancelled"), f"{THE} is geannuleerd."),
    ("taken off the list", lambda world: world.book(f"{DAY} 13:15", rev=2, clients=[]), f"{THE} is geannuleerd."),
    ("deleted", lambda world: world.feed("appointments", "zorg/a", None), f"{THE} is geannuleerd."),
    (
        "another kind", lambda world: book(world, rev=2, kind="phone"),
        f"{THE} van 13:15 tot 14:15 is nu een telefonische afspraak.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "text"), CHANGES, ids=[row[0] for row in CHANGES])
def test_what_changes_is_told_to_both(what: str, change: Callable[[World], object], text: str) -> None:
    world = book(family()).wait(LATER)
    change(world)
    world.wait("2026-03-02 09:20")
    assert texts(world) == [MADE_OTHERS, text]
    assert len(texts(world, "")) == 2


def test_who_is_taken_off_an_appointment_hears_nothing_more_of_it_its_cancellation_neither() -> None:
    world = book(family(), tell=["moeder"]).wait(LATER)
    book(world, tell=[], rev=2).wait("2026-03-02 09:20")
    book(world, tell=[], rev=3, status="cancelled").wait("2026-03-02 09:30")
    assert (texts(world), fates(world)) == ([MADE_OTHERS], ["sent"])
    assert len(texts(world, "")) == 2
    assert not world.agenda().people["moeder"].known


def test_who_is_put_on_an_appointment_knows_it_from_elsewhere_and_is_told_what_comes() -> None:
    world = book(family(), tell=[]).wait(LATER)
    book(world, tell=["moeder"], rev=2).wait("2026-03-02 09:20")
    assert fates(world) == []
    book(world, f"{DAY} 15:15", tell=["moeder"], rev=3).wait("2026-03-02 09:30")
    assert texts(world) == [CHANGES[0][2]]


@pytest.mark.parametrize("tell", [None, ["moeder"]], ids=["all", "tell"])
def test_who_is_new_is_told_nothing_of_what_is_ahead_and_is_reminded_of_it(tell: list[str] | None) -> None:
    world = book(World(reminder={"days_before": 1, "at": "17:00"}), tell=tell).wait(LATER)
    world.people(person("moeder")).wait("2026-03-02 10:00")
    assert fates(world) == []
    world.wait("2026-04-16 18:00")
    assert texts(world) == ["Er is een afspraak op 17 april om 13:15."]
    assert texts(world, "")[1:] == ["U heeft een afspraak op 17 april om 13:15."]


BACK: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
    ("not listed for a while", None, {}),
    ("off for a while", {"notifications": False}, {}),
    ("after the last day, which then moves", {"until": "2026-03-02"}, {}),
    ("not told of all for a while", {"all": False}, {}),
]


@pytest.mark.parametrize(("what", "gone", "back"), BACK, ids=[row[0] for row in BACK])
def test_who_is_back_is_taken_to_know_what_happened_meanwhile(
    what: str, gone: dict[str, Any] | None, back: dict[str, Any]
) -> None:  # fmt: skip
    world = book(family()).wait(LATER)
    world.people(*[] if gone is None else [person("moeder") | gone])
    book(world, f"{DAY} 15:15", rev=2).wait("2026-03-02 09:20")
    book(world, f"{DAY} 10:15", id="b").wait("2026-03-02 09:30")
    world.people(person("moeder") | back).wait("2026-03-02 09:40")
    assert texts(world) == [MADE_OTHERS]
    book(world, f"{DAY} 16:15", rev=3).wait("2026-03-02 09:50")
    assert [text.partition(" naar ")[2] for text in texts(world)[1:]] == ["vrijdag 17 april 2026 van 16:15 tot 17:15."]
    assert len(texts(world, "")) == 4


def test_who_is_back_while_a_window_is_open_is_told_nothing_of_it() -> None:
    world = book(family()).wait(LATER)
    world.people(person("moeder") | {"notifications": False})
    book(world, f"{DAY} 15:15", rev=2)
    world.people(person("moeder")).wait("2026-03-02 09:20")
    assert (texts(world), len(texts(world, ""))) == ([MADE_OTHERS], 2)


def test_until_passes_at_midnight_and_address_and_name_go_from_the_row() -> None:
    people = [person("moeder", until="2026-03-03", name_client=True), person("vader", "+31622345679")]
    world = family().people(*people, call_name="Anna")
    world.wait("2026-03-02 23:59")
    assert (row(world).people[0].sms is not None, row(world).call_name) == (True, "Anna")
    world.wait("2026-03-03 00:00")
    assert (row(world).people[0].sms, row(world).people[0].email, row(world).call_name) == (None, None, None)
    assert row(world).people[1].sms is not None
    assert b"Anna" not in world.simulation.rows["notices"][PEOPLE_TABLE.row("zorg/anna")]
    world.people(*people, call_name="Anna")
    assert (row(world).people[0].sms, row(world).call_name) == (None, None), "nor does it come back with the next sync"


PLACES: list[tuple[str, dict[str, Any], str]] = [
    ("places are not said to others", {}, MADE_OTHERS),
    ("unless the organisation wants that", {"say": {"location_to_others": True}}, f"{MADE_OTHERS} Locatie: De Linde."),
    ("what is said to nobody is not said to others", {"say": {"location_to_others": True, "location": False}}, MADE_OTHERS),
]


@pytest.mark.parametrize(("what", "settings", "text"), PLACES, ids=[row[0] for row in PLACES])
def test_places(what: str, settings: dict[str, Any], text: str) -> None:
    world = book(family(**settings), location="De Linde").wait(LATER)
    assert texts(world) == [text]
    book(world, location="De Boom", rev=2).wait("2026-03-02 09:20")
    said = ["De locatie van de afspraak op vrijdag 17 april 2026 van 13:15 tot 14:15 is gewijzigd naar De Boom."]
    assert texts(world)[1:] == (said if "Locatie" in text else [])
    (first, *_) = [one for one in world.log if one.get("recipient") == "p:moeder"]
    assert first["notices"][0]["items"][0].get("place") == ("De Linde" if "Locatie" in text else None)


def test_nothing_that_is_for_the_client_alone_is_said_to_others() -> None:
    say = {"practitioner": True, "instructions": True}
    world = family(
        person("moeder", None, "m@example.org"), say=say, link_hosts=["video.nl"], reminder={"days_before": 1, "at": "17:00"}
    )
    details: dict[str, Any] = {
        "practitioner": "J. Jansen",
        "instructions": "Nuchter komen.",
        "link": "https://video.nl/1",
        "label": "ggz",
    }
    book(world, location="De Linde", **details).wait("2026-04-16 18:00")
    kept = repr([value for key, value in world.simulation.rows["email"].items()])
    assert len(texts(world)) == 2
    for word in ("Jansen", "Nuchter", "video.nl", "Linde", "ggz"):
        assert word not in repr(texts(world)) + kept


def test_the_client_is_called_by_name_only_where_that_may_be_and_in_no_other_row() -> None:
    people = (person("moeder", name_client=True), person("vader", "+31622345679"))
    world = World().people(*people, call_name="Anne-Fleur")
    book(world).wait(LATER)
    assert texts(world) == ["Er is een afspraak met Anne-Fleur gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."]
    assert texts(world, "p:vader") == [MADE_OTHERS]
    others = {node: rows for node, rows in world.simulation.rows.items() if node != "notices"}
    assert "Fleur" not in repr(others)


@pytest.mark.parametrize("name", ["Anna 2", "Anna/B", "{name}", "x" * 41, "https://a.nl", "-", 3])
def test_a_call_name_that_is_none_is_not_said(name: Any) -> None:
    world = World().people(person("moeder", name_client=True), call_name=name)
    assert (texts(book(world).wait(LATER)), len(world.refused)) == ([MADE_OTHERS], 1)


def test_a_language_of_ones_own() -> None:
    world = family(person("moeder", language="en"), languages=["nl", "en"])
    assert texts(book(world).wait(LATER)) == ["An appointment has been made on Friday 17 April 2026 from 13:15 to 14:15."]


SERIES = ["2026-04-10", "2026-04-17", "2026-04-24"]


def test_a_series_is_told_to_others_and_covers_what_comes_of_it() -> None:
    world = family()
    for number, day in enumerate(SERIES):
        book(world, f"{day} 13:15", id=f"s{number}", series="s")
    world.wait(LATER)
    assert texts(world) == [
        "Er zijn herhalende afspraken gemaakt op vrijdag 10 april 2026 van 13:15 tot 14:15 en de daarop volgende."
    ]
    book(world, "2026-05-01 13:15", id="s3", series="s").wait("2026-03-02 09:20")
    assert fates(world) == ["sent", "suppressed series"]
    world.people(person("moeder"), person("vader", "+31622345679")).wait("2026-03-02 09:30")
    book(world, "2026-05-08 13:15", id="s4", series="s").wait("2026-03-02 09:40")
    assert texts(world, "p:vader") == ["Er is een afspraak gemaakt op vrijdag 8 mei 2026 van 13:15 tot 14:15."], (
        "he was told none"
    )


def test_ids_rows_and_records_of_a_client_are_what_they_are_without_others() -> None:
    alone, together = World(), family()
    for world in (alone, together):
        book(world, location="De Linde").wait(LATER)
        book(world, f"{DAY} 15:15", rev=2).wait("2026-03-02 09:20")
    assert [one for one in together.log if "recipient" not in one] == alone.log
    mine = {key: value for key, value in together.simulation.rows["sms"].items() if b"/p:" not in key}
    orders = {one["order"] for one in map(decoded, mine.values())}
    assert len(orders) == 2
    assert {key: decoded(value) | {"order": 0} for key, value in mine.items()} == {
        key: decoded(value) | {"order": 0} for key, value in alone.simulation.rows["sms"].items()
    }
    agenda = together.agenda()
    assert (agenda.appointments, agenda.known) == (alone.agenda().appointments, alone.agenda().known)
    assert b"people" not in alone.simulation.rows["notices"][b"agendas/zorg/anna"]
    ids = {notice["id"] for one in together.log for notice in one["notices"]}
    assert len(ids) == 4, "two of the client and two of the mother"


def decoded(value: bytes) -> dict[str, Any]:
    """A row as plain JSON."""
    found: dict[str, Any] = orjson.loads(value)
    return found


def test_why_says_who_acts_for_the_client_and_what_each_may_be_told() -> None:
    world = book(family(person("moeder"), person("vader", all=False, until="2026-03-02")), location="De Linde").wait(LATER)
    key = ClientKey("zorg", "anna")
    rows = {
        store: {name: value for name, value in kept.items() if is_wanted(name, key)}
        for store, kept in world.simulation.rows.items()
    }
    client = snapshot_of(rows, [msgspec.convert(one, LogRecord) for one in world.log], key)
    told = [fact.text for fact in explain(client, world.now).sections["Who acts for the client"]]
    assert told == [
        "p:moeder, parent until 2030-01-01: open, by sms; may be told of a",
        "p:vader, parent until 2026-03-02: closed: ended; may be told of nothing",
    ]
    history = "\n".join(fact.text for fact in explain(client, world.now).sections["History, from the delivery log"])
    assert "(p:moeder): created" in history
    assert all("/" not in message for rows in client.ledgers.values() for message in rows)
    assert len(msgspec.json.decode(as_json(explain(client, world.now)))["people"]) == 2, "and says it to programs"
