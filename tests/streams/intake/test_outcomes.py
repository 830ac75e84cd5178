"""`outcomes`: one record for each client who is present, when it is first said and when it or the times change."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from schemas.topics import OUTCOMES
from streams.intake.intake import Intake
from streams.processing.turn import Record, Turn
from tests.world import appointment, at

NOW = at("2026-04-17 16:00")
DAY = "2026-04-17"


def clients(**those: str | bool | None) -> list[dict[str, Any]]:
    """Each with an outcome, None where there is none, or False for one who is absent."""
    return [{"client": name, "present": outcome is not False, "outcome": outcome or None} for name, outcome in those.items()]


def revisions(*values: dict[str, Any] | None) -> list[list[tuple[str, str | None, int, str]]]:
    """Give by revision of an appointment: client, outcome, revision and start of each record."""
    intake = Intake(4, {})
    found = []
    for number, value in enumerate(values, 1):
        said = None if value is None else orjson.dumps({**appointment(f"{DAY} 13:15"), "revision": number, **value})
        decision = intake.decide(Turn(NOW, [Record("appointments", 0, number, b"zorg/a", said)]))
        intake.rows.base.update({key: row for key, row in decision.rows.items() if row is not None})
        records = [(out.key, orjson.loads(out.value or b"")) for out in decision.outputs if out.topic == OUTCOMES.name]
        assert all(key == f"zorg/{record['client']}".encode() and record["appointment"] == "a" for key, record in records)
        assert [dict(out.headers).get("reason") for out in decision.outputs if out.topic == "dead-letters"] == []
        found.append([(r["client"], r["outcome"], r["revision"], r["start"][11:16]) for _, r in records])
    return found


ROWS: dict[str, tuple[list[dict[str, Any] | None], list[list[tuple[str, str | None, int, str]]]]] = {
    "what is booked has none": ([{}], [[]]),
    "what is first said": ([{}, {"status": "arrived"}], [[], [("anna", "arrived", 2, "11:15")]]),
    "each that is new": (
        [{"status": "arrived"}, {"status": "fulfilled"}, {"status": "fulfilled"}],
        [[("anna", "arrived", 1, "11:15")], [("anna", "fulfilled", 2, "11:15")], []],
    ),
    "other times": (
        [{"status": "arrived"}, {"status": "arrived", "start": f"{DAY}T12:15:00Z", "end": f"{DAY}T13:00:00Z"}],
        [[("anna", "arrived", 1, "11:15")], [("anna", "arrived", 2, "12:15")]],
    ),
    "it is taken back": ([{"status": "noshow"}, {}], [[("anna", "noshow", 1, "11:15")], [("anna", None, 2, "11:15")]]),
    "it was never on": (
        [{"status": "noshow"}, {"status": "entered-in-error"}], [[("anna", "noshow", 1, "11:15")], [("anna", None, 2, "11:15")]],
    ),
    "it is deleted": ([{"status": "noshow"}, None], [[("anna", "noshow", 1, "11:15")], [("anna", None, 1, "11:15")]]),
    "each of a group by itself, and none of who is absent": (
        [{"status": "fulfilled", "clients": clients(anna=None, bram="noshow", cees=False)}],
        [[("anna", "fulfilled", 1, "11:15"), ("bram", "noshow", 1, "11:15")]],
    ),
    "of some of a group": (
        [{"clients": clients(anna=None, bram=None)}, {"clients": clients(anna=None, bram="arrived")}],
        [[], [("bram", "arrived", 2, "11:15")]],
    ),
    "one who is taken off the group": (
        [{"clients": clients(anna="arrived", bram="arrived")}, {"clients": clients(anna="arrived")}],
        [[("anna", "arrived", 1, "11:15"), ("bram", "arrived", 1, "11:15")], [("bram", None, 2, "11:15")]],
    ),
    "one that says no more than that the client came": (
        [{}, {"status": "arrived", "start": None, "end": None, "clients": None}], [[], [("anna", "arrived", 2, "11:15")]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_is_written(name: str) -> None:
    values, records = ROWS[name]
    assert revisions(*values) == records


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"status": "arrived", "start": None}, "Object missing required field `start`"),
        ({"status": "came"}, "Invalid enum value - at `$.status`"),
        ({"clients": clients(anna="came")}, "Invalid enum value - at `$.clients[0].outcome`"),
        (
            {"clients": [*clients(anna="noshow"), *clients(anna="arrived")]},
            "a client is listed twice, with two outcomes - at `$.clients[1]`",
        ),
    ],
)
def test_what_is_set_aside(value: dict[str, Any], reason: str) -> None:
    event = orjson.dumps({**appointment(f"{DAY} 13:15"), **value})
    (output,) = Intake(4, {}).decide(Turn(NOW, [Record("appointments", 0, 1, b"zorg/a", event)])).outputs
    assert (output.topic, dict(output.headers)["reason"].decode()) == ("dead-letters", reason)
