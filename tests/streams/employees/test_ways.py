"""What becomes of a digest on its way: another channel, a change before it went, a report that it did not arrive."""

from __future__ import annotations

from typing import Any

from agents.worker.wording import succeed
from schemas.deliveries import DeliveryReport
from schemas.topics import DELIVERY_REPORTS
from schemas.wire import encode
from streams.sending.outcomes import Outcome, SendCall
from tests.world import World, at

MEES = [{"employee": "mees", "attending": True}]


def world() -> World:
    there = World(employees={"notifications": True, "digest_at": "16:00"})
    return there.employee(channels=["sms", "email"], email={"address": "mees@zorg.example", "confirmed": True})


def fates(there: World) -> list[tuple[Any, ...]]:
    return [(one["channel"], one["status"], one["detail"]) for one in there.of_employee()]


def test_a_number_that_is_refused_is_left_and_the_next_channel_taken() -> None:
    there = world()

    def provider(call: SendCall) -> Outcome:
        refused = call.delivery.channel == "sms" and not call.delivery.client
        return Outcome(kind="permanent_address", detail="9") if refused else succeed(call)

    there.simulation.provider = provider
    there.book("2026-03-10 10:00", employees=MEES).wait("2026-03-02 18:00")
    assert fates(there) == [("sms", "failed", "9"), ("sms", "superseded", "rerouted"), ("email", "sent", None)]
    there.book("2026-03-11 10:00", rev=2, employees=MEES).wait("2026-03-03 18:00")
    assert fates(there)[3:] == [("email", "sent", None)], "it is not tried again"
    there.employee(sms={"number": "+31612345699", "confirmed": False}).employee().wait("2026-03-03 18:01")
    there.simulation.provider = succeed
    there.book("2026-03-12 10:00", rev=3, employees=MEES).wait("2026-03-04 18:00")
    assert fates(there)[4:] == [("sms", "sent", None)], "upstream took it back and confirmed it anew"


def test_what_is_no_longer_so_when_its_turn_comes_is_decided_anew() -> None:
    there = world()
    there.simulation.provider = lambda call: succeed(call) if call.delivery.client else Outcome(kind="retry", detail="503")
    there.book("2026-03-10 10:00", employees=MEES).wait("2026-03-02 16:00")
    there.simulation.provider = succeed
    there.book("2026-03-11 10:00", rev=2, employees=MEES).wait("2026-03-02 18:00")
    assert fates(there) == [("sms", "retrying", "503"), ("sms", "superseded", None), ("sms", "sent", None)]
    assert there.of_employee()[-1]["text"] == "Er staat een afspraak in uw agenda op woensdag 11 maart 2026 van 10:00 tot 11:00."


def test_levels_and_gates_are_looked_at_again_before_each_attempt() -> None:
    there = world()
    there.simulation.provider = lambda call: succeed(call) if call.delivery.client else Outcome(kind="retry", detail="503")
    there.book("2026-03-10 10:00", employees=MEES).wait("2026-03-02 16:00")
    there.simulation.provider = succeed
    there.employee(notifications="none").wait("2026-03-02 18:00")
    assert fates(there)[1:] == [("sms", "superseded", "employee_off"), (None, "suppressed", "employee_off")]


def test_what_surely_did_not_arrive_is_told_by_the_next_channel() -> None:
    there = world()
    there.book("2026-03-10 10:00", employees=MEES, author="mees").wait("2026-03-02 16:01")
    (sent,) = there.of_employee()
    report = DeliveryReport(
        organisation="zorg", client="", recipient="e:mees", message=sent["message"], attempt=1, status="delivery_failed", error=1,
        at=at("2026-03-02 16:05"),
    )  # fmt: skip
    there._keep(there.simulation.feed(DELIVERY_REPORTS.name, b"zorg//mees", encode(report), there.now))
    there.wait("2026-03-02 18:00")
    assert [(channel, status) for channel, status, _ in fates(there)] == [
        ("sms", "sent"), ("sms", "failed"), ("sms", "superseded"), ("email", "sent"),
    ]  # fmt: skip
