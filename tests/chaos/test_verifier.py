"""The verifier sees what it is there for: each fault that a crash could cause, put into a good outcome by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .verifier import verify

CREATED = "Er is een afspraak met u gemaakt op vrijdag 17 april 2026 van 13:15 tot 14:15."
MOVED = (
    "Uw afspraak op vrijdag 17 april 2026 van 13:15 tot 14:15 is verplaatst naar vrijdag 17 april 2026 van 15:15 tot 16:15. "
    "Locatie: De Linde."
)
CANCELLED = "Uw afspraak op vrijdag 17 april 2026 is geannuleerd."


class World:
    """Two organisations, one with and one without a window; `anna` has SMS, `bram` e-mail, `gerda` is off. All is well."""

    def __init__(self) -> None:
        self.inputs: list[tuple[str, bytes, bytes]] = []
        self.log: list[dict[str, Any]] = []
        self.sms: list[tuple[str, str]] = []
        self.emails: list[tuple[str, str, str]] = []
        for organisation, quiet in (("direct", 0), ("venster", 1)):
            self.put("organisations", organisation, time_zone="Europe/Amsterdam", window={"quiet_seconds": quiet})
            for client, channel in (("anna", "sms"), ("bram", "email"), ("gerda", "sms")):
                self.put("consents", f"{organisation}/{client}", notifications=client != "gerda", channels=[channel])
                contact = {
                    "sms": {"number": f"+{client}-{organisation}", "confirmed": True},
                    "email": {"address": f"{client}@x", "confirmed": True},
                }
                self.put("contacts", f"{organisation}/{client}", **contact)
        for key in ("direct/a", "venster/b"):
            self.appointment(key, 1, "13:15", "14:15", None, "booked")
            self.appointment(key, 2, "15:15", "16:15", "De Linde", "booked")
            self.appointment(key, 3, "15:15", "16:15", "De Linde", "cancelled")
        for organisation, appointment in (("direct", "a"), ("venster", "b")):
            for client in ("anna", "bram"):
                whose = (organisation, client, appointment)
                for kind, text in (("created", CREATED), ("moved", MOVED), ("cancelled", CANCELLED)):
                    self.sent(*whose, kind, text)
            for kind in ("created", "moved", "cancelled"):
                self.record(organisation, "gerda", appointment, kind, "suppressed", detail="client_off", channel=None, attempt=0)

    def put(self, topic: str, key: str, **value: Any) -> None:
        self.inputs.append((topic, key.encode(), json.dumps(value).encode()))

    def appointment(self, key: str, revision: int, start: str, end: str, location: str | None, status: str) -> None:
        self.put(
            "appointments", key, revision=revision, start=f"2026-04-17T{start}:00+02:00", end=f"2026-04-17T{end}:00+02:00",
            location={"name": location} if location else None, status=status,
            clients=[{"client": client, "present": True} for client in ("anna", "bram", "gerda")],
        )  # fmt: skip

    def record(self, organisation: str, client: str, appointment: str, kind: str, status: str, **more: Any) -> None:
        id_ = f"{organisation}-{client}-{kind}"
        base = {"channel": "sms" if client == "anna" else "email", "detail": None, "attempt": 1, "text": None}
        notice = {"id": f"{id_}-{appointment}", "kind": kind, "appointment": appointment}
        ids = {"message": id_, "organisation": organisation, "client": client}
        self.log.append({**base, **ids, "status": status, "notices": [notice], **more})

    def sent(self, organisation: str, client: str, appointment: str, kind: str, text: str) -> None:
        self.record(organisation, client, appointment, kind, "sent", text=text)
        if client == "anna":
            self.sms.append((f"+anna-{organisation}", text))
        else:
            self.emails.append(("bram@x", f"{organisation}-{client}-{kind}@localhost", f"{text} Wilt u geen e-mail meer?"))

    def of(self, message: str) -> dict[str, Any]:
        return next(record for record in self.log if record["message"] == message)

    @property
    def faults(self) -> list[str]:
        return verify(self.inputs, self.log, self.sms, self.emails)


def test_a_good_outcome_has_no_fault() -> None:
    assert World().faults == []


def unknown(world: World, message: str) -> None:
    """A crash between the claim and the answer."""
    world.of(message).update(status="unknown", text=None)


def test_an_sms_of_unknown_outcome_may_have_arrived_or_not_and_holds_back_the_next() -> None:
    for organisation in ("direct", "venster"):
        world = World()
        unknown(world, f"{organisation}-anna-moved")
        assert world.faults == []
        world.sms.remove((f"+anna-{organisation}", MOVED))
        assert world.faults == []
        world.log.remove(world.of(f"{organisation}-anna-cancelled"))
        world.sms.remove((f"+anna-{organisation}", CANCELLED))
        assert world.faults == []


def test_several_sms_of_unknown_outcome_to_one_client_may_have_arrived() -> None:
    """Which text is whose follows from the way through the states, not from the log."""
    for gone in ((), (MOVED,), (CANCELLED,), (MOVED, CANCELLED)):
        world = World()
        for kind in ("moved", "cancelled"):
            unknown(world, f"venster-anna-{kind}")
        for text in gone:
            world.sms.remove(("+anna-venster", text))
        assert world.faults == []
    world.sms.append(("+anna-venster", MOVED.replace("15:15", "15:30")))
    assert world.faults


def test_an_email_of_unknown_outcome_goes_again_under_its_message_id() -> None:
    world = World()
    world.record("direct", "bram", "a", "moved", "unknown")
    world.of("direct-bram-moved")["attempt"] = 2
    world.emails.append(next(one for one in world.emails if one[1] == "direct-bram-moved@localhost"))
    assert world.faults == []


def test_what_was_superseded_needs_a_later_one() -> None:
    for organisation in ("direct", "venster"):
        world = World()
        world.of(f"{organisation}-anna-moved").update(status="superseded", text=None)
        world.sms.remove((f"+anna-{organisation}", MOVED))
        assert world.faults == []
        world.of(f"{organisation}-anna-cancelled").update(status="superseded", text=None)
        world.sms.remove((f"+anna-{organisation}", CANCELLED))
        assert world.faults


def dead(world: World, told_again: bool = True) -> World:
    """The provider reports that the last SMS did not arrive: it is decided anew."""
    more: dict[str, Any] = {"attempt": 1}
    world.record("venster", "anna", "b", "cancelled", "failed", detail="report: delivery_failed/1", **more)
    world.record("venster", "anna", "b", "cancelled", "superseded", detail="rerouted", **more)
    if told_again:
        notice = [{"id": "another", "kind": "cancelled", "appointment": "b"}]
        world.record("venster", "anna", "b", "cancelled", "sent", text=CANCELLED, message="again", notices=notice)
        world.sms.append(("+anna-venster", CANCELLED))
    return world


def test_what_did_not_arrive_by_a_late_report_is_at_its_provider_and_told_once_more() -> None:
    assert dead(World()).faults == []
    assert dead(World(), told_again=False).faults, "it must be told by another message"
    lost = dead(World())
    lost.sms.remove(("+anna-venster", CANCELLED))
    assert lost.faults, "each of the two is at the provider"


def by_email(world: World) -> World:
    """It is reported late that the number takes no SMS: what was said of the move is void, and the end is told by e-mail."""
    world.put("consents", "venster/anna", notifications=True, channels=["sms", "email"])
    world.record("venster", "anna", "b", "moved", "failed", detail="report: delivery_failed/1")
    world.record("venster", "anna", "b", "moved", "superseded", detail="rerouted")
    world.of("venster-anna-cancelled")["channel"] = "email"
    world.sms.remove(("+anna-venster", CANCELLED))
    world.emails.append(("anna@x", "venster-anna-cancelled@localhost", CANCELLED))
    return world


def test_who_reads_all_that_arrived_but_what_did_not_by_a_late_report_believes_what_is_so() -> None:
    assert by_email(World()).faults == []
    untold = by_email(World())
    untold.log.remove(untold.of("venster-anna-cancelled"))
    untold.emails.pop()
    assert any("is believed, None is so" in fault for fault in untold.faults)
    odd = by_email(World())
    odd.of("venster-anna-cancelled")["text"] = CANCELLED.replace("17 april", "18 april")
    assert any("says no change of" in fault for fault in odd.faults)


def test_beside_what_did_not_arrive_one_of_unknown_outcome_hides_no_other() -> None:
    """The log does not know what it said; what the others said it does."""
    for unheard in (False, True):
        world = dead(World())
        unknown(world, "venster-anna-created")
        if unheard:
            world.sms.remove(("+anna-venster", CREATED))
        assert world.faults == []
        world.sms.append(("+anna-venster", MOVED.replace("15:15", "15:30")))
        assert world.faults


def unsure(world: World) -> World:
    """What was said of the move is perhaps taken; before it goes again another SMS is reported dead: it stays at that."""
    unknown(world, "venster-anna-created")
    world.record("venster", "anna", "b", "created", "suppressed", detail="contact_unconfirmed")
    return world


def test_one_of_unknown_outcome_ends_when_its_number_is_known_to_be_dead() -> None:
    assert unsure(dead(World())).faults == []
    assert unsure(World()).faults, "of a number that takes SMS it would have gone again"
    gate = unsure(dead(World()))
    gate.log[-1]["detail"] = "client_off"
    assert gate.faults


FAULTS: dict[str, Callable[[World], object]] = {
    "an SMS lost": lambda world: world.sms.pop(),
    "an e-mail lost": lambda world: world.emails.pop(),
    "an SMS doubled": lambda world: world.sms.append(world.sms[0]),
    "an e-mail doubled": lambda world: world.emails.append(world.emails[0]),
    "an SMS to somebody else": lambda world: world.sms.append(("+gerda-direct", CREATED)),
    "an e-mail that the log does not know": lambda world: world.emails.append(("bram@x", "other@localhost", CREATED)),
    "an e-mail to another address": lambda world: world.emails.append(("anna@x", *world.emails.pop()[1:])),
    "a wrong text": lambda world: world.of("direct-anna-moved").update(text=MOVED.replace("15:15", "15:30")),
    "a wrong text after a window": lambda world: world.of("venster-anna-moved").update(text=MOVED.replace("15:15", "15:30")),
    "a notice that was never decided": lambda world: world.log.remove(world.of("direct-anna-moved")),
    "the last notice never decided": lambda world: world.log.remove(world.of("direct-bram-cancelled")),
    "the same after a window": lambda world: world.log.remove(world.of("venster-bram-cancelled")),
    "a suppressed one never decided": lambda world: world.log.remove(world.of("direct-gerda-created")),
    "suppressed by another gate": lambda world: world.of("direct-gerda-created").update(detail="absent"),
    "decided twice": lambda world: world.record("direct", "anna", "a", "created", "sent", text=CREATED, message="again"),
    "decided twice after a window": lambda world: world.record(
        "venster", "bram", "b", "created", "sent", text=CREATED, message="again"
    ),
    "one record, two contents": lambda world: world.record("direct", "anna", "a", "created", "sent", text=MOVED),
    "sent twice": lambda world: world.record("direct", "anna", "a", "created", "sent", text=CREATED, attempt=2),
    "claimed and never resolved": lambda world: world.of("direct-bram-moved").update(status="retrying", text=None),
    "of an appointment that never was": lambda world: world.record("direct", "anna", "x", "created", "superseded", message="x"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen(name: str) -> None:
    world = World()
    FAULTS[name](world)
    assert world.faults
