"""`why ORGANISATION//EMPLOYEE`: what was decided for an employee, and why."""

from __future__ import annotations

import msgspec
import orjson

from agents.commands.why import as_json
from schemas.deliveries import read_log_record
from schemas.keys import employee_key
from streams.explain.employee import explain, is_wanted, snapshot_of
from tests.world import World

KEY = employee_key("zorg", "mees")
MEES = [{"employee": "mees", "attending": True}]


def sections(world: World) -> dict[str, list[str]]:
    rows = {
        store: {key: value for key, value in kept.items() if is_wanted(key, KEY)}
        for store, kept in world.simulation.rows.items()
    }  # fmt: skip
    known = snapshot_of(rows, [read_log_record(orjson.dumps(one)) for one in world.log], KEY)
    assert not known.is_nobody
    explanation = explain(known, world.now)
    assert msgspec.json.decode(as_json(explanation))["employee"] == "mees", "and it can be said to programs"
    return {title: [fact.text for fact in facts] for title, facts in explanation.sections.items()}


def test_an_employee_is_explained() -> None:
    world = World(employees={"notifications": True, "digest_at": "16:00"}).employee(notifications="others")
    world.book("2026-03-10 10:00", id="a", employees=MEES).wait("2026-03-02 18:00")
    world.book("2026-03-11 10:00", id="a", rev=2, employees=MEES, author="mees")
    assert sections(world) == {
        "Known now": [
            "level: others; channels: sms", "sms: +31*******99, usable", "email: not known",
            "organisation: messages to employees on; the digest is at 16:00 (Europe/Amsterdam)",
        ],
        "Gates, in their order, as they are now": [
            "absent: open: the employee attends all that is booked", "so a message decided now would go by sms",
        ],
        "Appointments": [
            "a: 2026-03-11 10:00 to 11:00 (revision 2)\n  counts as told: 2026-03-10 10:00 to 11:00\n"
            "  not told yet: moved, revised by the employee alone"
        ],
        "What the employee knows to be ahead": ["knows 2026-03-10 10:00 to 11:00 (appointment a)"],
        "The digest, and what is under way": ["the next digest is decided at 2026-03-03 16:00:00"],
        "History, from the delivery log": [
            "2026-03-02 16:00:00 sent by sms to +31*******99: created a\n  the provider took it; whether it arrived "
            "follows as `delivered` or `failed`, if the provider reports it\n"
            "  “Er staat een afspraak in uw agenda op dinsdag 10 maart 2026 van 10:00 tot 11:00.”"
        ],
    }  # fmt: skip


def test_nobody_is_kept_of_whom_nothing_is_known() -> None:
    assert snapshot_of({}, [], KEY).is_nobody
