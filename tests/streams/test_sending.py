"""The senders' ledger: claims, order, repetition, retries, unknown outcomes (DESIGN.md "Sending", "Never lost, never twice")."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from schemas.topics import LEDGER_EMAIL, LEDGER_SMS
from streams.notices import Notices
from streams.outcomes import Outcome
from streams.sending import Sending
from streams.turn import Call, Decision, Record, Result, Turn
from tests.world import World, appointment, at

SENT = Outcome(kind="sent", text="Er is …", parts=1, piece=1)


class Desk:
    """A sender beside the notices of a simulation whose own senders are cut off: what a provider answers is said by hand."""

    def __init__(self, world: World, channel: Any = "sms") -> None:
        self.world = world
        self.deliveries: list[bytes] = []
        self.channel = channel
        self.rows: dict[bytes, bytes] = {}
        self.log: list[dict[str, Any]] = []
        self.facts: list[dict[str, Any]] = []
        self.other: list[tuple[str, bytes]] = []
        self.tally: Counter[tuple[str, ...]] = Counter()
        self.seen = 0
        notices = world.simulation.shards["notices"]
        assert isinstance(notices, Notices)
        self.notices = notices
        self.shard = self.start()
        world.simulation.shards[channel] = self  # type: ignore[assignment]

    def start(self) -> Sending:
        """A shard as after a restart: all it knows is in the rows."""
        table = LEDGER_SMS if self.channel == "sms" else LEDGER_EMAIL
        self.shard = Sending(self.channel, table, 0, self.rows, self.notices)
        self.shard.loaded()
        return self.shard

    # -- in place of the simulation's own sender: deliveries wait here

    def decide(self, turn: Turn) -> Decision:
        self.deliveries += [record.value for record in turn.records if record.value is not None]
        return Decision(taken=len(turn.records))

    def applied(self, rows: object) -> None:
        pass

    def next_due(self) -> datetime | None:
        return None

    # -- the turns of the shard under test

    def turn(self, now: str | datetime, room: int = 8, results: Any = (), repeat: bool = False) -> list[Call]:
        """New deliveries, results and what is due; gives the calls that start."""
        moment = at(now) if isinstance(now, str) else now
        fresh = self.deliveries if repeat else self.deliveries[self.seen :]
        records = [Record(f"deliveries-{self.channel}", 0, number, b"", value) for number, value in enumerate(fresh, self.seen)]
        self.seen = len(self.deliveries)
        decision = self.shard.decide(Turn(moment, records, results, due=moment, room=room))
        self.keep(decision)
        return decision.calls

    def keep(self, decision: Decision) -> None:
        """What the driver does with a decision."""
        for key, value in decision.rows.items():
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value
        self.shard.applied(decision.rows)
        logged = [output for output in decision.outputs if output.topic == "delivery-log"]
        self.log += [orjson.loads(output.value or b"") for output in logged]
        facts = [orjson.loads(output.value or b"") for output in decision.outputs if output.topic == "audit-log"]
        self.facts += facts
        assert [fact["message"] for fact in facts] == [orjson.loads(output.value or b"")["message"] for output in logged]
        others = [output for output in decision.outputs if output.topic not in ("delivery-log", "audit-log")]
        self.other += [(output.topic, output.value or b"") for output in others]
        self.tally.update(decision.tally)

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        return [(record["status"], record["attempt"]) for record in self.log]


def desk(**settings: Any) -> Desk:
    """One message waits: a created at 09:00."""
    world = World(window={"quiet_seconds": 0, "max_seconds": 0}, **settings)
    return Desk(world)


def kinds(calls: list[Call]) -> list[str]:
    return [notice.kind for call in calls for notice in call.request.delivery.notices]


def test_a_claim_is_a_row_before_the_call() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    assert b'"claimed"' in one.rows[call.key]
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, SENT)])
    assert one.outcomes == [("sent", 1)]
    assert (one.log[0]["text"], one.log[0]["parts"], one.log[0]["cost"]) == ("Er is …", 1, {"amount": 0.08, "currency": "EUR"})
    assert one.log[0]["address"] == "+31*******78"


def test_a_delivery_that_comes_again_is_dropped_before_and_after_it_is_sent() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    assert one.turn("2026-03-02 09:00:01", repeat=True) == []
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, SENT)])
    assert one.turn("2026-03-02 09:00:03", repeat=True) == []
    one.start()
    assert one.turn("2026-03-02 09:00:04", repeat=True) == []
    assert one.outcomes == [("sent", 1)]


def test_messages_of_one_client_go_one_after_the_other_in_the_order_of_decision() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15").book("2026-04-18 13:15", id="b").book("2026-04-19 13:15", id="c")
    order = []
    calls = one.turn("2026-03-02 09:00:01")
    while calls:
        (call,) = calls
        order.append(call.request.delivery.notices[0].appointment)
        calls = one.turn("2026-03-02 09:00:01", results=[Result(call.key, SENT)])
    assert order == ["a", "b", "c"]


def test_clients_go_beside_each_other_as_far_as_there_is_room() -> None:
    one = desk()
    for client in ("bram", "carla", "dirk"):
        one.world.consent(client).contact(client)
        one.world.book("2026-04-17 13:15", id=client, clients=[{"client": client, "present": True}])
    assert len(one.turn("2026-03-02 09:00:01", room=2)) == 2
    assert len(one.turn("2026-03-02 09:00:01", room=2)) == 1


def test_organisations_take_turns() -> None:
    """One organisation's many messages do not hold up another's one."""
    one = desk()
    many = [f"c{number:03d}" for number in range(100)]
    for client in many:
        one.world.consent(client).contact(client)
    one.world.book("2026-04-17 13:15", clients=[{"client": client, "present": True} for client in many])
    other = {"organisation": "plein", "client": "x"}
    one.world.settings(organisation="plein", window={"quiet_seconds": 0, "max_seconds": 0})
    one.world.feed("consents", "plein/x", {**other, "notifications": True, "channels": ["sms"], "source": None})
    one.world.feed("contacts", "plein/x", {**other, "sms": {"number": "+31612345678", "confirmed": True}, "email": None})
    booked = appointment("2026-04-17 13:15", organisation="plein", clients=[{"client": "x", "present": True}])
    one.world.feed("appointments", "plein/a", booked)
    calls = one.turn("2026-03-02 09:00:01", room=4)
    assert [call.request.delivery.organisation for call in calls] == ["zorg", "plein", "zorg", "zorg"]


def test_a_notice_for_whose_appointment_a_later_one_was_decided_is_superseded() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15").book("2026-04-17 15:00", rev=2)
    (call,) = one.turn("2026-03-02 09:00:01")
    assert (one.outcomes, kinds([call])) == ([("superseded", 0)], ["moved"])


def test_only_the_superseded_notice_of_a_message_is_dropped() -> None:
    world = World(window={"quiet_seconds": 30, "max_seconds": 30})
    one = Desk(world)
    world.book("2026-04-17 13:15").book("2026-04-17 16:00", id="b").wait("2026-03-02 09:00:30")
    world.settings(window={"quiet_seconds": 0, "max_seconds": 0}).book("2026-04-17 13:15", rev=2, status="cancelled")
    (call,) = one.turn("2026-03-02 09:01")
    assert [(record["status"], [notice["appointment"] for notice in record["notices"]]) for record in one.log] == [
        ("superseded", ["a"])
    ]
    assert [notice.appointment for notice in call.request.delivery.notices] == ["b"]


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        (lambda world: world.consent(notifications=False), "suppressed", "client_off"),
        (lambda world: world.consent(channels=["email"]), "suppressed", "client_off"),
        (lambda world: world.opt_out(), "suppressed", "client_off"),
        (lambda world: world.contact(sms=False, email=True), "suppressed", "contact_unconfirmed"),
        (lambda world: world.settings(notifications=False), "suppressed", "organisation_off"),
        (
            lambda world: world.settings(window={"quiet_seconds": 30, "max_seconds": 30}).book(
                "2026-04-17 13:15", rev=2, clients=[{"client": "anna", "present": False}]
            ),
            "suppressed",
            "absent",
        ),
    ],
)
def test_the_gates_hold_again_a_second_before_sending(change: Any, status: str, detail: str) -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    change(one.world)
    assert one.turn("2026-03-02 09:00:01") == []
    assert [(record["status"], record["detail"]) for record in one.log] == [(status, detail)]


def test_what_is_over_when_its_turn_comes_is_expired() -> None:
    one = desk()
    one.world.book("2026-03-02 13:15")
    assert one.turn("2026-03-02 13:15") == []
    assert one.outcomes == [("expired", 0)]


def test_a_reminder_waits_for_direct_messages_and_is_dropped_when_its_appointments_changed() -> None:
    world = World(window={"quiet_seconds": 0, "max_seconds": 0}, reminder={"days_before": 1, "at": "10:00"})
    one = Desk(world)
    world.book("2026-03-10 11:00").book("2026-03-10 15:00", id="b")
    for _ in range(2):
        (call,) = one.turn("2026-03-02 09:01")
        one.turn("2026-03-02 09:01", room=0, results=[Result(call.key, SENT)])
    world.wait("2026-03-09 10:00").book("2026-03-10 15:00", id="b", rev=2, status="cancelled")
    (call,) = one.turn("2026-03-09 10:01")
    assert kinds([call]) == ["cancelled"]
    assert one.turn("2026-03-09 10:01", results=[Result(call.key, SENT)]) == []
    assert one.outcomes[-1] == ("superseded", 0)


def test_a_temporary_refusal_is_tried_again_until_it_would_say_nothing_any_more() -> None:
    one = desk()
    one.world.book("2026-03-02 10:00")
    now, attempts = at("2026-03-02 09:00:01"), 0
    while now < at("2026-03-02 11:00"):
        calls = one.turn(now)
        if calls:
            attempts += 1
            one.turn(now, room=0, results=[Result(calls[0].key, Outcome(kind="retry", detail="503"))])
        now += timedelta(seconds=5)
    statuses = [record["status"] for record in one.log]
    assert statuses == ["retrying"] * attempts + ["failed"]
    assert 10 < attempts < 40
    assert one.log[-1]["at"] < "2026-03-02T09:00:00Z"


def test_a_later_message_waits_behind_one_that_is_tried_again() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15").book("2026-04-18 13:15", id="b")
    (call,) = one.turn("2026-03-02 09:00:01")
    assert one.turn("2026-03-02 09:00:02", results=[Result(call.key, Outcome(kind="retry", detail="429", retry_after=60))]) == []
    assert one.turn("2026-03-02 09:00:50") == []
    assert [call.request.attempt for call in one.turn("2026-03-02 09:01:03")] == [2]


def test_a_bad_number_is_final() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, Outcome(kind="permanent_address", detail="9"))])
    assert [(record["status"], record["detail"]) for record in one.log] == [("failed", "9")]
    assert [topic for topic, _ in one.other] == ["client-events"]
    assert one.turn("2026-03-03 09:00") == []


def test_our_own_fault_pauses_the_channel_and_loses_nothing() -> None:
    one = desk()
    one.world.consent("bram").contact("bram").book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, Outcome(kind="stop", detail="2"))])
    one.world.book("2026-04-17 13:15", id="b", clients=[{"client": "bram", "present": True}])
    assert one.turn("2026-03-02 09:00:30") == []
    (trial,) = one.turn("2026-03-02 09:01:03")
    assert len(one.turn("2026-03-02 09:01:04", results=[Result(trial.key, SENT)])) == 1


def test_an_sms_of_unknown_outcome_goes_once_more_after_ten_minutes_and_never_a_third_time() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:20", results=[Result(call.key, None)])
    assert one.turn("2026-03-02 09:10:00") == []
    (again,) = one.turn("2026-03-02 09:10:20")
    one.turn("2026-03-02 09:10:40", results=[Result(again.key, None)])
    assert one.turn("2026-03-03 09:00") == []
    assert one.outcomes == [("unknown", 1), ("unknown", 2)]


def test_an_sms_of_unknown_outcome_does_not_go_again_when_its_appointment_is_over() -> None:
    one = desk()
    one.world.book("2026-03-02 09:05")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:20", results=[Result(call.key, None)])
    assert one.turn("2026-03-02 09:10:20") == []
    assert one.outcomes == [("unknown", 1), ("expired", 1)]


def test_an_e_mail_of_unknown_outcome_goes_again() -> None:
    world = World(window={"quiet_seconds": 0, "max_seconds": 0}).consent(channels=["email"]).contact(sms=None, email=True)
    one = Desk(world, "email")
    world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:20", results=[Result(call.key, None)])
    (again,) = one.turn("2026-03-02 09:00:45")
    assert (again.request.attempt, again.request.delivery.message) == (2, call.request.delivery.message)
    assert one.outcomes == [("unknown", 1)]


def test_a_claim_of_a_holder_that_is_gone_is_left_alone_for_30_seconds_and_then_unknown() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15").book("2026-04-18 13:15", id="b")
    one.turn("2026-03-02 09:00:01")
    one.start()
    assert one.turn("2026-03-02 09:00:30") == []
    assert one.log == []
    assert one.turn("2026-03-02 09:00:31") == []
    assert one.outcomes == [("unknown", 1)]


def test_a_restart_finds_what_waits_in_its_order() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15").book("2026-04-18 13:15", id="b")
    one.turn("2026-03-02 09:00:01", room=0)
    one.start()
    (call,) = one.turn("2026-03-02 09:00:02")
    assert call.request.delivery.notices[0].appointment == "a"


def test_rows_go_30_days_after_they_can_matter() -> None:
    one = desk()
    one.world.book("2026-03-05 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, SENT)])
    one.turn("2026-04-04 14:14")
    assert len(one.rows) == 1
    one.turn("2026-04-04 14:15")
    assert one.rows == {}


def test_pieces_that_were_accepted_are_not_sent_again() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:02", results=[Result(call.key, Outcome(kind="retry", detail="503", piece=1))])
    (again,) = one.turn("2026-03-02 09:00:40")
    assert again.request.piece == 1
