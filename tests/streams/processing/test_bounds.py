"""What one record, moment or outcome leads to fits an append, behind a decision that is almost full; the rest comes again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
import orjson

from agents.engine.transport.producer import MAX_APPEND
from schemas.deliveries import Delivery
from schemas.erasures import Erasure
from schemas.events import ClientEvent, View
from schemas.ledger import LedgerRow
from schemas.notices import Notice
from schemas.state import Agenda, AgendaEntry, Snapshot, Window
from schemas.topics import AGENDAS, LEDGERS, SNAPSHOTS
from schemas.wire import encode
from streams.employees.employees import Employees
from streams.intake.intake import Intake
from streams.notices.grouping import MESSAGE
from streams.notices.notices import Notices
from streams.processing.caps import ROW
from streams.processing.dead_letters import LARGEST
from streams.processing.rows import DECODERS
from streams.processing.turn import Decision, Output, Record, Result, Turn
from streams.sending.outcomes import Outcome
from streams.sending.sender import Sending
from tests.world import World, at

NOW = at("2026-03-02 09:00")
LATER = NOW + timedelta(days=40)
WIDE = "\u00e9" * 200


def run(processor: Any, record: Record | None = None, results: Iterable[Result] = (), due: bool = False) -> list[Decision]:
    """Turns until all is handled, as the engine's actor has them; each fits into an append."""
    records, left = [record] if record is not None else [], list(results)
    decisions: list[Decision] = []
    while records or left or due:
        decision = processor.decide(Turn(NOW, records, left, due=NOW if due else None))
        assert decision.size + Decision.FULL < MAX_APPEND
        assert all(output.size <= LARGEST[output.topic] for output in decision.outputs)
        rows = (processor.ledger if isinstance(processor, Sending) else processor).rows.base
        for key, value in decision.rows.items():
            rows.pop(key, None) if value is None else rows.update({key: value})
        records = records[decision.taken :]
        left = left[decision.settled :] if decision.settled is not None else []
        due = decision.more
        decisions.append(decision)
    return decisions


def outputs(decisions: list[Decision], topic: str) -> list[Output]:
    return [output for decision in decisions for output in decision.outputs if output.topic == topic]


# -- erasures ----------------------------------------------------------------------------------------------------------


def groups(count: int) -> dict[bytes, bytes]:
    """Appointments of a thousand clients, one of whom is anna."""
    clients = {f"{number:04}-{WIDE[:30]}": True for number in range(999)} | {"anna": True}
    row = encode(Snapshot(revision=1, booked=True, view=View(LATER, LATER), clients=clients, keep_until=LATER))
    return {SNAPSHOTS.row(f"zorg/g{number}"): row for number in range(count)}


def test_a_client_of_hundreds_of_groups_is_taken_off_all_of_them_in_several_turns() -> None:
    processor = Intake(4, groups(150))
    event = Erasure(organisation="zorg", client="anna", at=NOW)
    decisions = run(processor, Record("erasures", 1, 7, b"zorg/anna", encode(event)))

    kept = [DECODERS[SNAPSHOTS.store, SNAPSHOTS.name](value) for value in processor.rows.base.values()]
    assert len(decisions) > 3
    assert (len(kept), sum("anna" in row.clients for row in kept)) == (150, 0)
    (told,) = outputs(decisions, "client-events")
    assert orjson.loads(told.value or b"") == {"organisation": "zorg", "client": "anna", "erased": {}}
    assert [output.partition for output in outputs(decisions, "erasures")] == [0, 2, 3]


def test_another_partition_tells_of_each_appointment_of_a_client_that_it_kept_once() -> None:
    processor = Intake(4, groups(150))
    event = Erasure(organisation="zorg", client="anna", at=NOW, stage="copied")
    decisions = run(processor, Record("erasures", 1, 7, b"zorg/anna", encode(event)))

    told = [msgspec.json.decode(output.value or b"", type=ClientEvent).erased for output in outputs(decisions, "client-events")]
    found = [id_ for one in told if one is not None for id_ in one.appointments or ()]
    assert len(told) > 3
    assert sorted(found) == sorted(f"g{number}" for number in range(150))


def desk(rows: dict[bytes, bytes]) -> Sending:
    notices = World(bare=True).simulation.processors["notices"]
    assert isinstance(notices, Notices)
    processor = Sending("sms", LEDGERS["sms"], 0, rows, notices, Employees(0, {}, notices))
    processor.loaded()
    return processor


def ledger(count: int, status: Any) -> dict[bytes, bytes]:
    """Messages that are as large as one may be."""
    notice = Notice(id="n" * 32, kind="created", day="2026-04-11", appointment=WIDE, now=View(LATER, LATER, WIDE))
    size = len(encode(notice))
    rows = {}
    for number in range(count):
        delivery = Delivery(
            message=f"{number:032}", organisation="zorg", client="anna", channel="sms", reason="direct", decided=NOW,
            notices=(notice,) * (MESSAGE // size), useful_until=LATER,
        )  # fmt: skip
        row = LedgerRow(status=status, order=number, delivery=delivery, at=NOW, attempt=1, next_at=None, keep_until=LATER)
        rows[LEDGERS["sms"].row(f"zorg/anna/{number:032}")] = encode(row)
    return rows


def test_an_erasure_ends_a_hundred_large_messages_that_wait_in_several_turns() -> None:
    processor = desk(ledger(100, "waiting"))
    decisions = run(processor, Record("deliveries-sms", 0, 7, b"zorg/anna", None))

    told = [orjson.loads(output.value or b"") for output in outputs(decisions, "delivery-log")]
    assert processor.ledger.rows.base == {}
    assert sorted(one["message"] for one in told) == [f"{number:032}" for number in range(100)]
    assert {(one["status"], one["detail"]) for one in told} == {("suppressed", "erased")}


def test_the_outcomes_of_a_hundred_large_messages_are_logged_in_several_turns() -> None:
    rows = ledger(100, "claimed")
    processor = desk(rows)
    failed = Outcome(kind="permanent_message", detail="refused")
    decisions = run(processor, results=[Result(key, failed) for key in list(rows)])

    told = [orjson.loads(output.value or b"")["message"] for output in outputs(decisions, "delivery-log")]
    assert len(decisions) > 3
    assert told == [f"{number:032}" for number in range(100)]


# -- closings ----------------------------------------------------------------------------------------------------------


def test_a_window_that_closes_over_as_much_as_may_be_kept_of_a_client_is_several_messages() -> None:
    each = len(encode(AgendaEntry(revision=1, booked=True, present=True, actual=View(LATER, LATER, WIDE), keep_until=LATER)))
    entries = {
        f"a{number}": AgendaEntry(
            revision=1, booked=True, present=True, keep_until=LATER,
            actual=View(LATER + timedelta(days=number), LATER + timedelta(days=number, hours=1), WIDE),
        )
        for number in range(ROW // each)
    }  # fmt: skip
    world = World()
    rows = world.simulation.rows["notices"]
    rows[AGENDAS.row("zorg/anna")] = encode(Agenda(entries, window=Window(NOW, NOW)))
    notices = Notices(0, rows)
    notices.loaded()
    decisions = run(notices, due=True)

    told = [msgspec.json.decode(output.value or b"", type=Delivery) for output in outputs(decisions, "deliveries-sms")]
    assert len(told) > 1
    assert [notice.appointment for one in told for notice in one.notices] == list(entries)
    assert max(len(encode(one)) for one in told) < MESSAGE + 10_000
    assert len({one.message for one in told}) == len(told)
