"""The senders' ledger: claims, order, repetition, retries, unknown outcomes (`streams/README.md`, "Sending")."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from schemas.keys import RecipientKey
from schemas.topics import LEDGERS
from streams.employees.employees import Employees
from streams.notices.notices import Notices
from streams.processing.turn import Call, Decision, Output, Record, Result, Turn, make_durable
from streams.sending.outcomes import Outcome
from streams.sending.sender import Sending
from tests.world import World, appointment, at, key_of

SENT = Outcome(kind="sent", text="Er is …", each=(1,), piece=1)


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
        notices = world.simulation.processors["notices"]
        assert isinstance(notices, Notices)
        self.notices = notices
        self.processor = self.start()
        world.simulation.processors[channel] = self  # type: ignore[assignment]

    def start(self) -> Sending:
        """A processor as after a restart: all it knows is in the rows."""
        table = LEDGERS[self.channel]
        self.processor = Sending(self.channel, table, 0, self.rows, self.notices, Employees(0, {}, self.notices))
        self.processor.loaded()
        return self.processor

    # -- in place of the simulation's own sender: deliveries wait here

    def decide(self, turn: Turn) -> Decision:
        self.deliveries += [record.value for record in turn.records if record.value is not None]
        return Decision(taken=len(turn.records))

    def applied(self, rows: object) -> None:
        pass

    def next_due(self) -> datetime | None:
        return None

    # -- the turns of the processor under test

    def turn(self, now: str | datetime, room: int = 8, results: Any = (), repeat: bool = False) -> list[Call]:
        """New deliveries, results and what is due, and what notices decides when they hear of it; gives the calls that start."""
        moment = at(now) if isinstance(now, str) else now
        calls = self.once(moment, room, results, repeat)
        while len(self.deliveries) > self.seen:
            calls += self.once(moment, room - len(calls), (), False)
        return calls

    def once(self, moment: datetime, room: int, results: Any, repeat: bool) -> list[Call]:
        fresh = self.deliveries if repeat else self.deliveries[self.seen :]
        topic = f"deliveries-{self.channel}"
        records = [Record(topic, 0, number, key_of(value), value) for number, value in enumerate(fresh, self.seen)]
        self.seen = len(self.deliveries)
        decision = self.processor.decide(Turn(moment, records, results, due=moment, room=room))
        self.keep(decision, moment)
        return decision.calls

    def keep(self, decision: Decision, now: datetime | None = None) -> None:
        """What the driver does with a decision; notices is told what is for it."""
        make_durable(self.processor, self.rows, decision)
        logged = [output for output in decision.outputs if output.topic == "delivery-log"]
        self.log += [orjson.loads(output.value or b"") for output in logged]
        facts = [orjson.loads(output.value or b"") for output in decision.outputs if output.topic == "audit-log"]
        self.facts += facts
        assert [fact["message"] for fact in facts] == [orjson.loads(output.value or b"")["message"] for output in logged]
        others = [output for output in decision.outputs if output.topic not in ("delivery-log", "audit-log")]
        self.other += [(output.topic, output.value or b"") for output in others]
        self.tally.update(decision.tally)
        self.tell(decision.outputs, now or self.world.now)

    def tell(self, outputs: list[Output], now: datetime) -> None:
        """What a message became, and that an address is refused; what follows of it happens at once."""
        simulation, log = self.world.simulation, self.world.log
        events = [output for output in outputs if output.topic == "client-events"]
        for event in events:
            log += [orjson.loads(record) for record in simulation.feed(event.topic, event.key, event.value, now)]
        if events:
            log += [orjson.loads(record) for record in simulation.until(now)]

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
    assert (one.log[0]["text"], one.log[0]["parts"], one.log[0]["cost"]) == ("Er is …", 1, {"amount": "0.08", "currency": "EUR"})
    assert one.log[0]["address"] == "+31*******78"


def test_a_call_that_was_not_made_is_tried_again_at_once_and_is_nothing_that_may_have_been_sent() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    (again,) = one.turn("2026-03-02 09:00:12", results=[Result(call.key, None, made=False)])
    assert again.request.attempt == 2
    one.turn("2026-03-02 09:00:13", results=[Result(again.key, SENT)])
    assert [(record["status"], record["detail"], record["attempt"]) for record in one.log] == [
        ("retrying", "not_made", 1), ("sent", None, 2),
    ]  # fmt: skip


def test_a_call_that_was_not_made_for_a_claim_that_was_given_up_meanwhile_changes_nothing() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:40")
    assert one.turn("2026-03-02 09:00:41", results=[Result(call.key, None, made=False)]) == []
    assert one.outcomes == [("unknown", 1)]


@pytest.mark.parametrize(
    "late", [Outcome(kind="retry", detail="503"), Outcome(kind="permanent_address", detail="9"), None, SENT],
    ids=["to be tried again", "refused", "unknown", "sent"],
)  # fmt: skip
def test_an_answer_that_comes_amid_a_later_call_is_not_taken_for_its_answer(late: Outcome | None) -> None:
    """All it can say is that the provider has the message; else a third call was made beside the second."""
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:40")
    (again,) = one.turn("2026-03-02 09:10:41")
    assert one.turn("2026-03-02 09:10:42", results=[Result(call.key, late, number=call.number)]) == []
    one.turn("2026-03-02 09:10:43", results=[Result(again.key, SENT, number=again.number)])
    one.turn("2026-03-02 09:20:43")
    assert one.outcomes == [("unknown", 1), ("sent", 2)]


def test_that_a_call_was_not_made_is_not_taken_for_a_word_on_a_later_one() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15")
    (call,) = one.turn("2026-03-02 09:00:01")
    one.turn("2026-03-02 09:00:40")
    (again,) = one.turn("2026-03-02 09:10:41")
    assert one.turn("2026-03-02 09:10:42", results=[Result(call.key, None, made=False, number=call.number)]) == []
    one.turn("2026-03-02 09:10:43", results=[Result(again.key, SENT, number=again.number)])
    assert one.outcomes == [("unknown", 1), ("sent", 2)]


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


def test_what_is_no_longer_so_comes_back_and_is_decided_anew() -> None:
    one = desk()
    one.world.book("2026-04-17 13:15").book("2026-04-17 15:00", rev=2)
    (call,) = one.turn("2026-03-02 09:00:01")
    assert (one.outcomes, kinds([call])) == ([("superseded", 0)], ["created"])


def test_a_message_of_which_one_thing_is_no_longer_so_comes_back_whole() -> None:
    world = World(window={"quiet_seconds": 30, "max_seconds": 30})
    one = Desk(world)
    world.book("2026-04-17 13:15").book("2026-04-17 16:00", id="b").wait("2026-03-02 09:00:30")
    world.settings(window={"quiet_seconds": 0, "max_seconds": 0}).book("2026-04-17 13:15", rev=2, status="cancelled")
    (call,) = one.turn("2026-03-02 09:01")
    assert [(record["status"], [notice["appointment"] for notice in record["notices"]]) for record in one.log] == [
        ("superseded", ["a", "b"])
    ]
    assert [notice.appointment for notice in call.request.delivery.notices] == ["b"]


@pytest.mark.parametrize(
    ("change", "closed", "decided"),
    [
        (lambda world: world.consent(notifications=False), "client_off", "client_off"),
        (lambda world: world.consent(channels=["email"]), "client_off", "contact_unconfirmed"),
        (lambda world: world.opt_out(), "client_off", "client_off"),
        (lambda world: world.contact(sms=False, email=True), "contact_unconfirmed", "contact_unconfirmed"),
        (lambda world: world.settings(notifications=False), "organisation_off", "organisation_off"),
        (lambda world: world.book("2026-04-17 13:15", rev=2, clients=[{"client": "anna", "present": False}]), None, "absent"),
    ],
)
def test_the_gates_hold_again_a_second_before_sending(change: Any, closed: str | None, decided: str) -> None:
    """One that is closed for this channel sends the message back; at its new decision they are looked at for all channels."""
    one = desk()
    one.world.book("2026-04-17 13:15")
    change(one.world)
    assert one.turn("2026-03-02 09:00:01") == []
    assert [(record["status"], record["detail"]) for record in one.log] == [("superseded", closed)]
    assert one.world.outcomes == [f"suppressed {decided}"]


def test_what_is_over_when_its_turn_comes_is_expired() -> None:
    one = desk()
    one.world.book("2026-03-02 13:15")
    assert one.turn("2026-03-02 13:15") == []
    assert one.outcomes == [("expired", 0)]


def test_a_reminder_waits_for_direct_messages_and_is_decided_anew_when_its_appointments_changed() -> None:
    world = World(window={"quiet_seconds": 0, "max_seconds": 0}, reminder={"days_before": 1, "at": "10:00"})
    one = Desk(world)
    world.book("2026-03-10 11:00").book("2026-03-10 15:00", id="b")
    for _ in range(2):
        (call,) = one.turn("2026-03-02 09:01")
        one.turn("2026-03-02 09:01", room=0, results=[Result(call.key, SENT)])
    world.wait("2026-03-09 10:00").book("2026-03-10 15:00", id="b", rev=2, status="cancelled")
    (call,) = one.turn("2026-03-09 10:01")
    assert kinds([call]) == ["cancelled"]
    (call,) = one.turn("2026-03-09 10:01", results=[Result(call.key, SENT)])
    assert one.outcomes[-1] == ("superseded", 0)
    assert [(notice.kind, notice.appointments) for notice in call.request.delivery.notices] == [("reminder", ("a",))]


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
    assert [(record["status"], record["detail"]) for record in one.log] == [("failed", "9"), ("superseded", "rerouted")]
    assert one.world.outcomes == ["suppressed contact_unconfirmed"]
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


class TestNoWords:
    """Notices that no renderer can word end alone; nobody calls that perhaps sent."""

    @staticmethod
    def two() -> tuple[Desk, Call, tuple[str, str]]:
        """A message of two notices."""
        one = Desk(World(window={"quiet_seconds": 60, "max_seconds": 600}))
        one.world.book("2026-04-17 13:15")
        one.world.book("2026-04-17 15:15", id="b")
        one.world.wait("2026-03-02 09:05")
        (call,) = one.turn("2026-03-02 09:05:01")
        first, second = call.request.delivery.notices
        return one, call, (first.id, second.id)

    @staticmethod
    def said(one: Desk) -> list[tuple[str, int, str | None, list[str]]]:
        return [(now["status"], now["attempt"], now["detail"], [note["id"] for note in now["notices"]]) for now in one.log]

    def test_one_of_two_fails_and_the_other_goes_at_once(self) -> None:
        one, call, (first, second) = self.two()
        one.start()
        wordless = Outcome(kind="no_words", detail="no_words", wordless=(first,))
        (again,) = one.turn("2026-03-02 09:05:02", results=[Result(call.key, wordless)])
        assert [notice.id for notice in again.request.delivery.notices] == [second]
        one.turn("2026-03-02 09:05:03", results=[Result(again.key, SENT)])
        assert self.said(one) == [("failed", 1, "no_words", [first]), ("sent", 2, None, [second])]
        assert (one.tally["wordless", "sms"], one.tally["answers", "sms", "sent"]) == (1, 1)
        assert one.turn("2026-03-02 09:30") == []

    @pytest.mark.parametrize("wordless", [None, (), ("of another message",)], ids=["all of them", "none", "strange"])
    def test_where_none_is_left_the_message_ends(self, wordless: tuple[str, ...] | None) -> None:
        one, call, both = self.two()
        outcome = Outcome(kind="no_words", detail="no_words", wordless=both if wordless is None else wordless)
        assert one.turn("2026-03-02 09:05:02", results=[Result(call.key, outcome)]) == []
        assert self.said(one) == [("failed", 1, "no_words", list(both))]
        assert one.turn("2026-03-03 09:05") == []
        assert one.world.simulation.processors["notices"].facts(RecipientKey("zorg", "anna"), one.world.now).contact  # type: ignore[attr-defined]

    def test_of_a_message_that_went_in_part_nothing_else_can_go(self) -> None:
        one, call, both = self.two()
        part = Outcome(kind="retry", detail="429", piece=1)
        assert one.turn("2026-03-02 09:05:02", results=[Result(call.key, part)]) == []
        (again,) = one.turn("2026-03-02 09:06")
        outcome = Outcome(kind="no_words", detail="no_words", wordless=both[:1], piece=1)
        assert one.turn("2026-03-02 09:06:01", results=[Result(again.key, outcome)]) == []
        assert self.said(one)[-1] == ("failed", 2, "no_words", list(both))

    def test_the_next_message_of_the_client_does_not_wait_for_it_which_is_tried_beside_it(self) -> None:
        one, call, both = self.two()
        one.world.book("2026-04-19 13:15", id="c")
        one.world.wait("2026-03-02 09:10")
        none = Outcome(kind="no_words", detail="no_words", wordless=both)
        (once_more,) = one.turn("2026-03-02 09:10:01", results=[Result(call.key, none)])
        assert [notice.appointment for notice in once_more.request.delivery.notices] == ["a", "b"]
        (after,) = one.turn("2026-03-02 09:10:02", results=[Result(once_more.key, none)])
        assert [notice.appointment for notice in after.request.delivery.notices] == ["c"]
