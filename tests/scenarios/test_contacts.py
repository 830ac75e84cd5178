"""Numbers and addresses that take no messages: at intake, and by the word of a provider."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agents.worker.wording import succeed
from schemas.deliveries import DeliveryReport
from schemas.topics import CONTACTS_TABLE
from schemas.wire import encode
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World, at


class Provider:
    """Knows which addresses there are not."""

    def __init__(self, *unknown: str) -> None:
        self.unknown = set(unknown)

    def __call__(self, call: SendCall) -> Outcome:
        return Outcome(kind="permanent_address", detail="9") if call.address in self.unknown else succeed(call)


def at_once(provider: Any = succeed, **settings: Any) -> World:
    world = World(window={"quiet_seconds": 0, "max_seconds": 0}, **settings)
    world.simulation.provider = provider
    return world


def contact(world: World, number: str | None = "+31612345678", confirmed: bool = True, email: str | None = None) -> World:
    value = {
        "organisation": "zorg", "client": "anna",
        "sms": {"number": number, "confirmed": confirmed} if number is not None else None,
        "email": {"address": email, "confirmed": True} if email is not None else None,
    }  # fmt: skip
    return world.feed("contacts", "zorg/anna", value)


def row(world: World) -> Any:
    return orjson.loads(world.simulation.rows["notices"][CONTACTS_TABLE.row("zorg/anna")])


def book(world: World, number: int) -> World:
    return world.book(f"2026-04-{number:02d} 13:15", id=f"a{number}")


CLOSED = "suppressed contact_unconfirmed"


@pytest.mark.parametrize("number", ["020-1234567", "0970 1234 5678", "06-123", "0612345678 x12"])
def test_a_number_that_gets_no_sms_is_not_confirmed_and_says_why(number: str) -> None:
    world = contact(at_once(), number)
    assert book(world, 1).outcomes == [CLOSED]
    assert row(world)["sms"]["problem"]
    assert world.refused == []


def test_what_else_such_a_contact_says_counts() -> None:
    world = contact(at_once(), "020-1234567", email="anna@example.org").consent(channels=["sms", "email"])
    book(world, 1)
    assert [(record["status"], record["channel"]) for record in world.log] == [("sent", "email")]


def test_a_number_is_called_as_e164_however_it_is_written() -> None:
    called: list[str] = []

    def provider(call: SendCall) -> Outcome:
        called.append(call.address)
        return succeed(call)

    book(contact(at_once(provider), "06 - 12 34 56 78"), 1)
    assert called == ["+31612345678"]


def test_an_address_that_a_provider_does_not_know_gets_nothing_more() -> None:
    world = at_once(Provider("+31612345678"))
    assert book(book(world, 1), 2).outcomes == ["failed 9", "superseded rerouted", CLOSED, CLOSED]


def test_what_it_said_and_the_next_message_take_the_other_channel_that_is_confirmed() -> None:
    world = contact(at_once(Provider("+31612345678")), email="anna@example.org").consent(channels=["sms", "email"])
    book(book(world, 1), 2)
    assert [(record["status"], record["channel"]) for record in world.log] == [
        ("failed", "sms"), ("superseded", "sms"), ("sent", "email"), ("sent", "email"),
    ]  # fmt: skip


def test_an_e_mail_address_that_does_not_exist_is_not_confirmed_any_more() -> None:
    world = contact(at_once(Provider("anna@example.org")), email="anna@example.org").consent(channels=["email"])
    assert book(book(world, 1), 2).outcomes == ["failed 9", "superseded rerouted", CLOSED, CLOSED]
    contact(world, email="anna@example.net")
    assert book(world, 3).outcomes[-1] == "sent"


def test_upstream_repeating_what_it_knows_does_not_confirm_it_again() -> None:
    world = at_once(Provider("+31612345678"))
    book(world, 1)
    world.simulation.provider = succeed
    for _ in range(2):
        contact(world)
    contact(world, "06-12345678")
    assert book(world, 2).outcomes[-1] == CLOSED


def test_another_address_is_a_new_beginning() -> None:
    world = book(at_once(Provider("+31612345678")), 1)
    assert book(contact(world, "+31687654321"), 2).outcomes[-1] == "sent"


def test_the_same_address_counts_again_once_it_was_taken_back_and_confirmed_anew() -> None:
    world = book(at_once(Provider("+31612345678")), 1)
    world.simulation.provider = succeed
    assert book(contact(world, confirmed=False), 2).outcomes[-1] == CLOSED
    assert book(contact(world), 3).outcomes[-1] == "sent"


def test_a_contact_that_was_forgotten_is_forgotten_whole() -> None:
    world = book(at_once(Provider("+31612345678")), 1)
    world.feed("contacts", "zorg/anna", None)
    world.simulation.provider = succeed
    assert book(contact(world), 2).outcomes[-1] == "sent"


def test_a_refusal_of_an_address_that_was_replaced_meanwhile_says_nothing_about_the_new_one() -> None:
    world = at_once()

    def slow(call: SendCall) -> Outcome:
        world.simulation.provider = succeed
        contact(world, "+31687654321")
        return Outcome(kind="permanent_address", detail="9")

    world.simulation.provider = slow
    book(world, 1)
    assert book(world, 2).outcomes == ["failed 9", "superseded rerouted", "sent", "sent"]


def test_a_refusal_of_one_clients_number_is_not_another_clients() -> None:
    """A family shares a number: what a provider said stands with the client of whom it said it."""
    world = at_once(Provider("+31612345678"))
    world.consent("bram").contact("bram")
    book(world, 1)
    world.simulation.provider = succeed
    world.book("2026-04-02 13:15", id="b", clients=[{"client": "bram", "present": True}])
    assert world.outcomes == ["failed 9", "superseded rerouted", CLOSED, "sent"]


def report(world: World, status: str, error: int | None = None) -> None:
    sent = next(record for record in world.log if record["status"] == "sent")
    said = DeliveryReport(
        organisation="zorg", client="anna", message=sent["message"], attempt=1, status=status,  # type: ignore[arg-type]
        error=error, at=at("2026-03-02 09:01"),
    )  # fmt: skip
    world.feed("delivery-reports", "zorg/anna", orjson.loads(encode(said)))


def test_a_report_of_an_unknown_subscriber_counts_as_much_as_a_refusal() -> None:
    world = book(at_once(), 1)
    report(world, "delivery_failed", 1)
    gone = ["sent", "failed report: delivery_failed/1", "superseded rerouted", CLOSED]
    assert book(world, 2).outcomes == [*gone, CLOSED]


def test_a_phone_that_is_off_says_nothing_about_its_number() -> None:
    world = book(at_once(), 1)
    report(world, "delivery_failed", 27)
    assert book(world, 2).outcomes[-1] == "sent"


def test_a_stop_by_sms_turns_that_channel_off_and_upstreams_sync_does_not_undo_it() -> None:
    world = contact(at_once(), email="anna@example.org").consent(channels=["sms", "email"])
    book(world, 1)
    report(world, "delivery_failed", 103)
    world.consent(channels=["sms", "email"])
    book(world, 2)
    assert [record["channel"] for record in world.log if record["status"] == "sent"] == ["sms", "email"]
    world.opt_out(off=False)
    book(world, 3)
    assert world.log[-1]["channel"] == "email", "a link takes back only what a link turned off"
    world.opt_out(off=False, source="client")
    book(world, 4)
    assert world.log[-1]["channel"] == "sms"


@pytest.mark.parametrize(
    ("revisions", "goes"),
    [
        pytest.param([1, 2], False, id="the newer one says that it is not confirmed"),
        pytest.param([2, 1], True, id="an older one that comes late is ignored"),
        pytest.param([2, None], False, id="one without a revision counts as it comes"),
        pytest.param([None, 1], False, id="and is older than none"),
    ],
)
def test_a_contact_that_is_older_than_what_is_known_does_not_count(revisions: list[int | None], goes: bool) -> None:
    world = at_once()
    for revision, confirmed in zip(revisions, (True, False), strict=True):
        sms = {"number": "+31612345678", "confirmed": confirmed}
        world.feed("contacts", "zorg/anna", {"organisation": "zorg", "client": "anna", "sms": sms, "revision": revision})
    assert (book(world, 1).outcomes == ["sent"]) == goes


def test_a_consent_that_is_older_than_what_is_known_does_not_count() -> None:
    world = at_once()
    for revision, wanted in ((2, False), (1, True)):
        value = {"organisation": "zorg", "client": "anna", "notifications": wanted, "channels": ["sms"], "revision": revision}
        world.feed("consents", "zorg/anna", value)
    assert book(world, 1).outcomes == ["suppressed client_off"]


def test_of_a_number_that_nobody_speaks_of_anew_what_is_known_stays() -> None:
    world = at_once()
    world.feed(
        "contacts", "zorg/anna", {"organisation": "zorg", "client": "anna", "sms": {"number": "06 12345678", "confirmed": None}}
    )
    assert book(world, 1).outcomes == ["sent"]
    assert "unsaid" not in row(world)["sms"]
