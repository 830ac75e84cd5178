"""Rows of before load for ever: the files of `tests/golden/rows` are named by the revision whose code wrote them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from schemas.topics import ROWS, TABLES
from schemas.wire import encode
from streams.processing.rows import DECODERS
from tests.world import World

FILES = sorted((Path(__file__).parents[1] / "golden" / "rows").glob("*.jsonl"))


def rows(file: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rows_of_before_are_read_and_written_with_all_that_they_say(file: Path) -> None:
    for row in rows(file):
        (table,) = [one for one in TABLES if row["key"].startswith(f"{one.name}/") and one.store == row["store"]]
        read = DECODERS[table.store, table.name](orjson.dumps(row["row"]))
        assert orjson.loads(encode(read)) == row["row"], row["key"]


def test_there_are_rows_of_messages_that_fly_landed_and_came_back() -> None:
    """As 3766e87 wrote them: what an agenda remembers of a flight, and what a ledger says became of it."""
    (second,) = [file for file in FILES if file.stem == "3766e87"]
    ledgers = [row["row"] for row in rows(second) if row["key"].startswith("ledger/")]
    agendas = [row["row"] for row in rows(second) if row["key"].startswith("agendas/")]
    assert {(row["status"], row.get("became")) for row in ledgers} == {
        ("claimed", None), ("unknown", None), ("unknown", "out"), ("sent", "out"), ("failed", "back"), ("failed", "lost"),
    }  # fmt: skip
    assert {name for row in agendas for name in row} >= {"flight", "unsaid", "window", "reminding", "reminded", "rules", "known"}


def test_there_are_rows_of_what_a_late_report_takes_back() -> None:
    """As 7b48da5 wrote them: what messages took away, what a series covers, how long what was sent is ahead, pieces."""
    (third,) = [file for file in FILES if file.stem == "7b48da5"]
    found = [row["row"] for row in rows(third)]
    (sent,) = [one for row in found for one in row.get("sent", {}).values()]
    assert set(sent) == {"at", "gone", "rules"}
    assert any(item.get("covered") for row in found for item in row.get("known", ()))
    assert {name for row in found for name in row} >= {"until", "day", "request", "pieces", "became"}


def test_there_are_rows_of_what_a_message_told_just_before_a_reminder() -> None:
    """As d62b4ed wrote them: two things that one message told, one that a series covered, and hours that are no default."""
    (fourth,) = [file for file in FILES if file.stem == "d62b4ed"]
    agenda, settings, override = [row["row"] for row in rows(fourth)]
    assert [item.get("told") for item in agenda["known"]] == [
        "2026-03-02T08:00:30.000001Z", "2026-03-02T08:00:30.000001Z", None, "2026-03-04T11:00:30Z",
    ]  # fmt: skip
    assert (settings["organisation"]["reminder"]["not_within_hours"], override["reminder"]["not_within_hours"]) == (24, 6)


def test_there_are_rows_of_several_reminders_of_a_day() -> None:
    """As b9821a3 wrote them: for which wall time each was decided, what waits for what flies, and one message of two days."""
    (fifth,) = [file for file in FILES if file.stem == "b9821a3"]
    found = [row["row"] for row in rows(fifth)]
    friday = {"wall": "2026-03-06T10:00", "hours": 12}
    assert [row["due"] for row in found if "due" in row] == [[{"day": "2026-03-07"} | friday, {"day": "2026-03-09"} | friday]]
    (handled,) = [row["handled"] for row in found if "handled" in row]
    assert {name: one["wall"] for name, one in handled.items()} == {
        "2026-03-07": "2026-03-04T10:00", "2026-03-07/2": "2026-03-06T10:00", "2026-03-09": "2026-03-06T10:00",
    }  # fmt: skip
    assert [(row["day"], row["days"]) for row in found if "days" in row] == [("2026-03-07/2", ["2026-03-09"])]


def test_there_are_rows_of_every_store_that_tells_or_remembers() -> None:
    """An empty file would prove nothing."""
    (first,) = [file for file in FILES if file.stem == "61a36ae"]
    assert {row["store"] for row in rows(first)} == {"intake", "notices", "sms"}
    assert len(rows(first)) > 30


def test_there_are_rows_of_holds_and_of_what_waits_in_them() -> None:
    """As 353ffe3 wrote them: a hold that is on and counts, ended ones, one with nothing said; what waits, and what may not go."""
    (fifth,) = [file for file in FILES if file.stem == "353ffe3"]
    found = rows(fifth)
    holds = [row["row"] for row in found if row["key"].startswith("holds/")]
    waits = [row["row"]["waiting"] for row in found if "waiting" in row["row"]]
    assert {name for row in holds for name in row} == {"notices", "parties", "at", "ended", "silent", "counted", "urgent"}
    assert {name for row in waits for name in row} == {"since", "zone", "shown", "days", "soon_at", "refused", "listed"}


def test_what_waits_in_rows_of_before_is_told_at_the_end_of_their_hold() -> None:
    (fifth,) = [file for file in FILES if file.stem == "353ffe3"]
    first: dict[bytes, bytes] = {}
    for row in rows(fifth):
        first.setdefault(row["key"].encode(), orjson.dumps(row["row"]))
    world = World("2026-03-02 12:00")
    world.simulation.rows["notices"].update(first)
    world.restart().wait("2026-03-02 12:10")
    assert world.sent == []
    world.feed("holds", "zorg", {"organisation": "zorg", "at": "2026-03-02T11:10:00Z", "notices": False})
    assert world.wait("2026-03-02 12:20").sent == [
        "Er is een afspraak met u gemaakt op vrijdag 20 maart 2026 van 11:00 tot 12:00.", None,
    ]  # fmt: skip


def test_there_are_rows_of_those_who_act_for_a_client() -> None:
    """As f3d6c10 wrote them: what each knows, what flies, one who is listed no more, marks of addresses, a `tell`."""
    (sixth,) = [file for file in FILES if file.stem == "f3d6c10"]
    found = {row["key"]: row["row"] for row in rows(sixth)}
    people, agenda = found["people/zorg/anna"], found["agendas/zorg/anna"]
    assert set(people) == {"people", "call_name", "revision", "off", "refused"}
    assert {id_ for id_, own in agenda["people"].items() if own.get("away")} == {"oma"}
    assert {name for own in agenda["people"].values() for name in own} >= {
        "entries",
        "known",
        "rules",
        "flight",
        "window",
        "sent",
    }
    assert found["appointments/zorg/b"]["tells"] == {"anna": ["moeder", "vader"]}


def test_those_who_act_for_a_client_are_told_on_from_rows_of_before_and_of_nothing_else() -> None:
    (sixth,) = [file for file in FILES if file.stem == "f3d6c10"]
    world = World("2026-03-03 17:05", bare=True)
    for row in rows(sixth):
        world.simulation.rows[row["store"]][row["key"].encode()] = orjson.dumps(row["row"])
    world.restart().wait("2026-03-03 17:30")
    told = [(one["recipient"], one["text"].rstrip()) for one in world.log if one["status"] == "sent" and "recipient" in one]
    moved = (
        "De afspraak van Anna op vrijdag 24 april 2026 van 13:15 tot 14:15 is verplaatst naar vrijdag 24 april 2026 van 15:15 "
        "tot 16:15. Locatie: De Linde."
    )
    made = "Er is een afspraak gemaakt op woensdag 4 maart 2026 van 10:15 tot 11:15. Locatie: De Boom."
    assert sorted(told) == [("p:moeder", moved), ("p:vader", made)]


def test_there_are_rows_of_employees() -> None:
    """As fa04122 wrote them: what is known of one, a digest that flies and what is gathered since, by whose hand, ledgers."""
    (seventh,) = [file for file in FILES if file.stem == "fa04122"]
    found = {(row["store"], row["key"]): row["row"] for row in rows(seventh)}
    known, agenda = found["employees", "employees/zorg//mees"], found["employees", "agendas/zorg//mees"]
    assert set(known) == {"notifications", "channels", "sms", "email", "language", "revision", "off"}
    assert set(agenda) == {"agenda", "others", "urgent", "last"}
    assert {"flight", "window", "known"} <= set(agenda["agenda"])
    assert found["intake", "appointments/zorg/a"]["employees"] == {"mees": True, "noor": False}
    assert {row["status"] for (_, key), row in found.items() if key.startswith("ledger/zorg//mees/")} == {"sent", "retrying"}


def shape(part: Any) -> Any:
    """Names and types alone: what is said of them is for people."""
    if isinstance(part, list):
        return [shape(one) for one in part]
    if not isinstance(part, dict):
        return part
    said = ("title", "description", "examples", "pattern")
    return {name: shape(value) for name, value in part.items() if name not in said or isinstance(value, dict)}


def test_other_rows_may_be_another_format() -> None:
    """Rows changed on purpose? A worker of before leaves out fields that it does not know, and writes the row without them.

    Where a client would be told wrongly for it, raise `ROWS` in schemas/topics.py, which says what follows. Then the new digest.
    """
    rows, parts = msgspec.json.schema_components([table.record for table in TABLES], ref_template="{name}")
    kept = {f"{table.store}/{table.name}": row for table, row in zip(TABLES, rows, strict=True)}
    shapes = orjson.dumps(shape([kept, parts]), option=orjson.OPT_SORT_KEYS)
    assert (ROWS, hashlib.sha256(shapes).hexdigest()[:16]) == (1, "b967c6e3643d5d30")
