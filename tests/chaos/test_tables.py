"""The verifier of the final tables sees each fault that a crash could cause, put into good tables by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .tables import NODES, fold, gone, verify
from .test_verifier import CANCELLED, World, unknown

FLIES = "direct-anna-cancelled"


class Logged(NamedTuple):
    """A record of a changelog; all are in partition 0."""

    offset: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = (("e", (0).to_bytes(8, "big")),)
    partition: int = 0


def snapshot(location: str | None, booked: bool) -> dict[str, Any]:
    """A row of intake, after all three revisions of an appointment."""
    view = {"start": "2026-04-17T13:15:00Z", "end": "2026-04-17T14:15:00Z", "location": location}
    return {"revision": 3, "booked": booked, "view": view, "clients": dict.fromkeys(("anna", "bram", "gerda"), True)}


class Rows:
    """The tables that belong to the good outcome of `World`."""

    def __init__(self) -> None:
        self.world = World()
        self.rows: dict[str, dict[str, Any]] = {node: {} for node in NODES}
        self.late: dict[str, list[Logged]] = {node: [] for node in NODES}
        self.ends = {topic: {0: 9} for topics in NODES.values() for topic in topics}
        self.reached = {topic: 9 for topics in NODES.values() for topic in topics}
        self.outbox: bytes | None = None
        for key, appointment in (("direct/a", "a"), ("venster/b", "b")):
            organisation = key.split("/")[0]
            self.rows["intake"][f"appointments/{key}"] = snapshot("De Linde", False)
            for client, channel in (("anna", "sms"), ("bram", "email"), ("gerda", None)):
                name = f"{organisation}/{client}"
                entry = {"revision": 3, "booked": False, "present": True}
                self.rows["notices"][f"agendas/{name}"] = {"appointments": {appointment: entry}}
                self.rows["notices"][f"consents/{name}"] = self.rows["notices"][f"contacts/{name}"] = {}
                for kind in ("created", "moved", "cancelled") if channel else ():
                    self.rows[channel or ""][f"ledger/{name}/{organisation}-{client}-{kind}"] = {"status": "sent"}

    def hold(self, status: str = "unknown") -> dict[str, Any]:
        """The agenda of one whose last SMS is `unknown`, and flies: what was told is as it was before."""
        unknown(self.world, FLIES)
        self.rows["sms"][f"ledger/direct/anna/{FLIES}"] = {"status": status}
        agenda: dict[str, Any] = self.rows["notices"]["agendas/direct/anna"]
        told = {"start": "2026-04-17T13:15:00Z", "end": "2026-04-17T14:15:00Z", "location": "De Linde"}
        agenda["appointments"]["a"]["told"] = told
        agenda["flight"] = {FLIES: {"channel": "sms", "notices": [{"appointment": "a"}]}}
        return agenda

    @property
    def faults(self) -> list[str]:
        changelogs: dict[str, list[Logged]] = {}
        for node, topics in NODES.items():
            records = [(name.encode(), json.dumps(row).encode()) for name, row in self.rows[node].items()]
            records += [(b"\0offset/" + topic.encode(), self.reached[topic].to_bytes(8, "big")) for topic in topics]
            records += [(b"\0outbox", self.outbox)] if self.outbox else []
            fenced = [Logged(0, b"\0fence", b"1", ())]
            changelogs[node] = fenced + [Logged(at, key, value) for at, (key, value) in enumerate(records, 1)] + self.late[node]
        return verify(self.world.inputs, self.world.log, changelogs, self.ends)


def test_good_tables_have_no_fault() -> None:
    assert Rows().faults == []


def test_while_an_sms_of_unknown_outcome_flies_what_was_told_stays_as_it_was() -> None:
    tables = Rows()
    tables.hold()
    assert tables.faults == []


def test_what_did_not_arrive_by_a_late_report_has_failed_in_the_ledger() -> None:
    tables = Rows()
    for status, detail in (("failed", "report: delivery_failed/1"), ("superseded", "rerouted")):
        tables.world.record("venster", "anna", "b", "cancelled", status, detail=detail)
    change("sms", "ledger/venster/anna/venster-anna-cancelled", status="failed")(tables)
    assert tables.faults == []


def test_one_of_unknown_outcome_whose_number_was_found_dead_is_suppressed_in_the_ledger() -> None:
    tables = Rows()
    unknown(tables.world, "venster-anna-created")
    tables.world.record("venster", "anna", "b", "created", "suppressed", detail="contact_unconfirmed")
    row = change("sms", "ledger/venster/anna/venster-anna-created", status="suppressed")
    row(tables)
    assert tables.faults == []
    change("sms", "ledger/venster/anna/venster-anna-created", status="sent")(tables)
    assert tables.faults


def test_meanwhile_what_flies_not_gathers() -> None:
    tables = Rows()
    agenda = tables.hold()
    agenda["flight"][FLIES]["notices"] = []
    agenda["window"] = {}
    assert tables.faults == []


def change(node: str, name: str, **values: Any) -> Callable[[Rows], object]:
    return lambda tables: tables.rows[node][name].update(values)


AGENDA = "agendas/direct/bram"
FAULTS: dict[str, Callable[[Rows], object]] = {
    "an appointment lost": lambda tables: tables.rows["intake"].pop("appointments/direct/a"),
    "an old revision": change("intake", "appointments/direct/a", revision=2),
    "another client": change("intake", "appointments/direct/a", clients={"anna": True}),
    "another time": lambda tables: tables.rows["intake"]["appointments/direct/a"]["view"].update(end="2026-04-17T15:15:00Z"),
    "booked still": change("intake", "appointments/venster/b", booked=True),
    "a consent lost": lambda tables: tables.rows["notices"].pop("consents/direct/anna"),
    "an agenda lost": lambda tables: tables.rows["notices"].pop(AGENDA),
    "told of what was cancelled": lambda tables: tables.rows["notices"][AGENDA]["appointments"]["a"].update(
        told={"start": "2026-04-17T13:15:00Z", "end": "2026-04-17T14:15:00Z"}
    ),
    "told what was before, and nothing flies": lambda tables: tables.hold().pop("flight"),
    "told what was before, and what flies was sent": lambda tables: (
        tables.hold(),
        tables.world.of(FLIES).update(status="sent", text=CANCELLED),
    ),
    "told what never was, while an SMS flies": lambda tables: tables.hold()["appointments"]["a"]["told"].update(
        location="Elders"
    ),
    "told what was before, and what flies says nothing of it": lambda tables: tables.hold()["flight"][FLIES].update(notices=[]),
    "the word of what flew never landed": lambda tables: tables.hold(status="sent"),
    "what flies is in no ledger": lambda tables: (tables.hold(), tables.rows["sms"].pop(f"ledger/direct/anna/{FLIES}")),
    "an agenda of nobody": lambda tables: tables.rows["notices"].update({"agendas/direct/zoe": {"appointments": {"a": {}}}}),
    "a message without its row": lambda tables: tables.rows["sms"].pop("ledger/direct/anna/direct-anna-moved"),
    "a message sent and claimed still": change("email", "ledger/direct/bram/direct-bram-moved", status="claimed"),
    "a row without its message": lambda tables: tables.rows["sms"].update({"ledger/direct/anna/x": {"status": "sent"}}),
    "records not handled": lambda tables: tables.reached.update({"client-events": 8}),
    "outputs not sent": lambda tables: setattr(tables, "outbox", b"x"),
    "a late writer after the last fence of all": lambda tables: tables.late["intake"].append(
        Logged(99, b"appointments/direct/a", json.dumps(snapshot(None, True)).encode())
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_table_is_seen(name: str) -> None:
    tables = Rows()
    FAULTS[name](tables)
    assert tables.faults


def test_what_a_former_owner_wrote_late_does_not_count() -> None:
    tables = Rows()
    tables.late["intake"] = [
        Logged(98, b"\0fence", b"1", ()),
        Logged(99, b"appointments/direct/a", json.dumps(snapshot(None, True)).encode()),
    ]
    assert tables.faults == []


def test_rows_are_the_last_records_and_a_hole_is_what_was_compacted_away() -> None:
    records = [Logged(0, b"\0fence", b"1", ()), Logged(2, b"a", b"1"), Logged(3, b"b", b"1"), Logged(7, b"a", None)]
    assert fold(records) == {0: {b"b": b"1"}}
    assert gone(records) == 4
