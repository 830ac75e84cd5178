"""Erasure: no row names the client afterwards, what was decided ends in the log, and what comes later is new."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import CLIENT_EVENTS, ERASURES
from streams.intake.intake import Intake
from streams.notices.notices import Notices
from streams.processing.turn import Decision, Record, Result, Turn
from streams.sending.outcomes import Outcome
from streams.simulation import Refused
from tests.model.budget import examples
from tests.model.strategies import histories
from tests.world import World, appointment, at

from .sending.test_sending import SENT, Desk, desk

MARKS = ("merk-client", "+31687654321", "merk@merk.example", "Merkplaats", "Merktekst")


def erase(world: World, client: str = "anna") -> World:
    return world.feed("erasures", f"zorg/{client}", erasure(world, client))


def erasure(world: World, client: str) -> dict[str, Any]:
    return {"organisation": "zorg", "client": client, "at": world.now.isoformat()}


def rows(world: World) -> bytes:
    """All that every node keeps."""
    return b"\n".join(key + b" " + value for kept in world.simulation.rows.values() for key, value in kept.items())


def marked(**settings: Any) -> World:
    """A client whose id, number, address, place and text are marks, beside another one on the same appointments."""
    world = World(**settings)
    ids = {"organisation": "zorg", "client": "merk-client"}
    world.consent("merk-client", ("email", "sms"))
    contact = {"sms": {"number": "+31687654321", "confirmed": True}, "email": {"address": "merk@merk.example", "confirmed": True}}
    world.feed("contacts", "zorg/merk-client", {**ids, **contact})
    world.book("2026-04-17 13:15", id="alone", location="Merkplaats", series="Merkplaats", clients=[there("merk-client")])
    world.book("2026-04-18 13:15", id="both", clients=[there("merk-client"), there("anna")])
    world.request(client="merk-client", text="Merktekst een", request="now")
    world.request(client="merk-client", text="Merktekst twee", request="later", send_at="2026-05-01T10:00:00Z")
    world.opt_out("sms", client="merk-client")
    return world


def there(client: str) -> dict[str, Any]:
    return {"client": client, "present": True}


class TestAllThatIsKept:
    def test_no_row_of_any_node_names_the_client_afterwards(self) -> None:
        world = marked().wait("2026-03-02 09:05")
        assert [mark for mark in MARKS if mark.encode() in rows(world)] == list(MARKS)

        erase(world, "merk-client")

        assert [mark for mark in MARKS if mark.encode() in rows(world)] == []

    def test_what_became_of_an_appointment_goes_with_the_client(self) -> None:
        came = [{**there("merk-client"), "outcome": "arrived"}, there("anna")]
        world = World().book("2026-04-18 13:15", clients=came).wait("2026-03-02 09:05")
        assert b'"outcomes":{"merk-client":"arrived"}' in rows(world)
        assert b"merk-client" not in rows(erase(world, "merk-client"))

    def test_nothing_of_it_goes_out_any_more_and_the_other_client_is_told_as_before(self) -> None:
        world = marked()
        erase(world, "merk-client")
        world.wait("2026-06-01 12:00")
        erased = [record for record in world.log if record["client"] == "merk-client"]
        told = [record["reason"] for record in erased if record["status"] == "sent"]

        assert told == ["request"], "what had gone before"
        assert [(record["reason"], record["detail"]) for record in erased if record["status"] == "suppressed"] == [
            ("request", "erased")
        ]
        assert [record["status"] for record in world.log if record["client"] == "anna"] == ["sent"]

    def test_a_repeated_revision_brings_nothing_back(self) -> None:
        world = World().book("2026-04-17 13:15").wait("2026-03-02 09:05")
        erase(world).consent().contact().book("2026-04-17 13:15").wait("2026-03-02 09:10")
        assert len(world.sent) == 1

    def test_what_upstream_says_later_is_new_and_counts(self) -> None:
        world = World().book("2026-04-17 13:15").wait("2026-03-02 09:05")
        erase(world).consent().contact().book("2026-04-17 14:15", rev=2).wait("2026-03-02 09:10")
        assert world.sent[-1] == "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 14:15 tot 15:15."
        world.book("2026-04-17 14:15", rev=3, status="cancelled").wait("2026-03-02 09:20")
        assert world.sent[-1] == "Uw afspraak op vrijdag 17 april 2026 is geannuleerd."

    def test_without_a_new_consent_later_appointments_are_not_told(self) -> None:
        world = erase(World()).book("2026-04-17 13:15").wait("2026-03-02 09:10")
        assert world.outcomes == ["suppressed client_off"]

    def test_other_clients_with_a_like_name_stay(self) -> None:
        world = World().consent("ann").consent("anna2").contact("anna2")
        world.book("2026-04-17 13:15", clients=[there("anna"), there("anna2")]).wait("2026-03-02 09:05")
        erase(world)
        assert b"zorg/anna2" in rows(world)
        assert b"zorg/ann " in rows(world)
        assert rows(world).count(b"zorg/anna2") > 3  # consent, contact, agenda, ledger

    def test_a_bad_erasure_is_refused(self) -> None:
        world = World().feed("erasures", "zorg/anna", {"organisation": "zorg", "client": "anna"})
        world.feed("erasures", "zorg/bert", erasure(world, "anna")).feed("erasures", "zorg/anna", None)
        assert [text.split(" - ")[0] for text in world.refused] == [
            "Object missing required field `at`",
            "the key does not match the value: expected organisation/client",
            "a value is missing: null is not allowed here",
        ]


@examples(150)
@given(histories(), st.integers(0, 60))
def test_at_any_place_of_any_history_no_row_names_the_client(history: Any, place: int) -> None:
    """The clients of the model share ids across organisations: only what is of this one goes."""
    world = World(bare=True)
    simulation, events = world.simulation, history.events[: place + 1]
    for event in events:
        for _ in simulation.until(event.at):
            pass
        value = event.value if event.value is None or isinstance(event.value, bytes) else orjson.dumps(event.value)
        with suppress(Refused):
            list(simulation.feed(event.topic, event.key.encode(), value, event.at))
    now = events[-1].at
    for organisation, client in {("zorg", "anna")} | names(world):
        value = orjson.dumps({"organisation": organisation, "client": client, "at": now.isoformat()})
        list(simulation.feed("erasures", f"{organisation}/{client}".encode(), value, now))
    assert names(world) == set()
    assert list(simulation.until(now + timedelta(days=90))) == [], "nothing is told of anybody any more"


def names(world: World) -> set[tuple[str, str]]:
    """Every client that a row names."""
    found = set()
    for kept in world.simulation.rows.values():
        for key, value in kept.items():
            table, organisation, *ids = key.decode().split("/")
            if table == "appointments":
                found |= {(organisation, client) for client in orjson.loads(value)["clients"]}
            elif table not in ("organisations", "overrides"):
                found.add((organisation, ids[0]))
    return found


class TestSenders:
    def waiting(self) -> Desk:
        one = desk()
        one.world.book("2026-04-17 13:15")
        return one

    def erased(self, one: Desk, now: str, **more: Any) -> list[Any]:
        record = Record("deliveries-sms", 0, 99, b"zorg/anna", None)
        decision = one.processor.decide(Turn(at(now), [record], due=at(now), **more))
        one.keep(decision)
        return decision.calls

    def test_a_message_that_waits_ends_as_suppressed_and_its_row_goes(self) -> None:
        one = self.waiting()
        one.turn("2026-03-02 09:00:01", room=0)
        assert self.erased(one, "2026-03-02 09:00:02", room=1) == []
        assert [(record["status"], record["detail"], record["text"]) for record in one.log] == [("suppressed", "erased", None)]
        assert (one.rows, one.processor.next_due(), one.processor.queues.clients) == ({}, None, 0)

    @pytest.mark.parametrize(
        ("outcome", "status"),
        [
            (SENT, "sent"),
            (Outcome(kind="retry"), "suppressed"),
            (Outcome(kind="retry", piece=1, pieces=2, each=(9,)), "suppressed"),
            (Outcome(kind="stop"), "suppressed"),
            (Outcome(kind="permanent_address"), "suppressed"),
            (None, "unknown"),
        ],
    )
    def test_a_call_that_is_under_way_is_logged_without_text_and_address(self, outcome: Any, status: str) -> None:
        one = self.waiting()
        (call,) = one.turn("2026-03-02 09:00:01")
        self.erased(one, "2026-03-02 09:00:02")
        assert one.log == []
        one.turn("2026-03-02 09:00:03", results=[Result(call.key, outcome)])
        (record,) = one.log
        assert (record["status"], record["detail"], record["text"], record["address"]) == (status, "erased", None, None)
        went = outcome is not None and outcome.piece > 0
        assert (record["cost"] is not None) == went, "it is billed all the same"
        assert one.rows == {}

    def test_a_claim_whose_holder_is_gone_is_unknown_and_not_tried_again(self) -> None:
        one = self.waiting()
        one.turn("2026-03-02 09:00:01")
        self.erased(one, "2026-03-02 09:00:02")
        one.start()
        assert one.turn("2026-03-02 09:00:40") == []
        assert one.outcomes == [("unknown", 1)]
        assert one.rows == {}

    def test_what_was_sent_is_forgotten_and_a_late_report_says_nothing(self) -> None:
        one = self.waiting()
        (call,) = one.turn("2026-03-02 09:00:01")
        one.turn("2026-03-02 09:00:02", results=[Result(call.key, SENT)])
        self.erased(one, "2026-03-02 09:01")
        assert one.rows == {}
        assert one.outcomes == [("sent", 1)]


class TestEveryPartition:
    """A client's appointments lie in any partition of intake: their key is the appointment's."""

    def at(self, intake: Intake, topic: str, key: str, value: Any, partition: int) -> Decision:
        decision = intake.decide(Turn(at("2026-03-02 09:00"), [Record(topic, partition, 0, key.encode(), orjson.dumps(value))]))
        intake.rows.base.update({key: value for key, value in decision.rows.items() if value is not None})
        return decision

    def test_the_first_hands_it_on_and_the_others_tell_of_what_they_kept(self) -> None:
        world, processors = World(), [Intake(3, {}) for _ in range(3)]
        for partition, processor in enumerate(processors[1:], 1):
            self.at(
                processor, "appointments", f"zorg/a{partition}", appointment("2026-04-17 13:15", appointment=f"a{partition}"), 1
            )
        self.at(
            processors[2], "appointments", "zorg/b", appointment("2026-04-17 13:15", appointment="b", clients=[there("bert")]), 1
        )

        first = self.at(processors[0], "erasures", "zorg/anna", erasure(world, "anna"), 0)
        copies = [output for output in first.outputs if output.topic == ERASURES.name]
        told = [output for output in first.outputs if output.topic == CLIENT_EVENTS.name]
        assert [output.partition for output in copies] == [1, 2]
        assert [orjson.loads(output.value or b"")["erased"] for output in told] == [{}]

        for output in copies:
            partition = output.partition or 0
            then = self.at(processors[partition], "erasures", "zorg/anna", orjson.loads(output.value or b""), partition)
            (event,) = then.outputs
            assert event.topic == CLIENT_EVENTS.name
            assert orjson.loads(event.value or b"")["erased"] == {"appointments": [f"a{partition}"]}
            assert b"anna" not in b"".join(processors[partition].rows.base.values())
        assert b"bert" in b"".join(processors[2].rows.base.values())

    def test_what_came_after_the_erasure_is_not_touched_by_another_partition(self) -> None:
        world = World().book("2026-04-17 13:15", id="old").wait("2026-03-02 09:05")
        erase(world).consent().contact().book("2026-05-17 13:15", id="new").wait("2026-03-02 09:10")
        late = {"organisation": "zorg", "client": "anna", "erased": {"appointments": ["old", "other"]}}
        notices = world.simulation.processors["notices"]
        assert isinstance(notices, Notices)
        record = Record(CLIENT_EVENTS.name, 0, 99, b"zorg/anna", orjson.dumps(late))
        assert notices.decide(Turn(world.now, [record])).rows == {}
        assert list(world.agenda().appointments) == ["new"]


class TestTheAuditFact:
    def test_it_has_the_facts_of_each_record_without_text_and_address(self) -> None:
        one = desk()
        one.world.book("2026-04-17 13:15")
        (call,) = one.turn("2026-03-02 09:00:01")
        one.turn("2026-03-02 09:00:02", results=[Result(call.key, SENT)])
        (fact,), (record,) = one.facts, one.log
        assert fact == {
            "message": record["message"], "organisation": "zorg", "client": "anna", "channel": "sms", "reason": "direct",
            "status": "sent", "detail": None, "at": "2026-03-02T08:00:02Z", "kinds": ["created"], "attempt": 1,
            "template": record["template"],
        }  # fmt: skip

    def test_the_template_version_is_that_of_the_call_and_changes_with_the_words(self) -> None:
        one = desk()
        sms = {"originator": "Zorggroep", "before": "", "after": "", "unit_price": 0.08, "currency": "EUR"}
        versions = []
        for number, after in enumerate(("", "Bel ons.", "")):
            one.world.settings(window={"quiet_seconds": 0, "max_seconds": 0}, sms=sms | {"after": after})
            one.world.book(f"2026-04-{10 + number} 13:15", id=f"a{number}")
            (call,) = one.turn(f"2026-03-02 09:0{number}:01")
            one.world.settings(window={"quiet_seconds": 0, "max_seconds": 0}, sms=sms | {"after": "Anders."})
            one.turn(f"2026-03-02 09:0{number}:02", results=[Result(call.key, SENT)])
            versions.append(one.facts[-1]["template"])
        assert versions[0] == versions[2] != versions[1]
        assert all(len(version) == 12 for version in versions)

    def test_what_is_suppressed_where_it_is_decided_has_one_too(self) -> None:
        world = World(notifications=False).book("2026-04-17 13:15").wait("2026-03-02 09:05")
        assert world.outcomes == ["suppressed organisation_off"]
        assert world.log[0]["template"]
