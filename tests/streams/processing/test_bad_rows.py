"""Rows that cannot be used are refused when they are loaded, without a word of whose they are."""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from typing import Any

import orjson
import pytest

from schemas.topics import LEDGERS
from streams.employees.employees import Employees
from streams.intake.intake import Intake
from streams.notices.notices import Notices
from streams.processing.turn import BadRowError, Processor
from streams.sending.sender import Sending
from tests.world import World, organisation

VIEW = {"start": "2026-04-17T11:15:00Z", "end": "2026-04-17T12:15:00Z"}
ENTRY = {"revision": 1, "booked": True, "present": True, "actual": VIEW, "keep_until": "2026-05-17T12:15:00Z"}
SNAPSHOT = {"revision": 1, "booked": True, "view": VIEW, "clients": {"anna": True}, "keep_until": "2026-05-17T12:15:00Z"}
OPEN = {"status": "waiting", "order": 1, "at": "2026-04-17T11:15:00Z", "keep_until": "2026-05-17T12:15:00Z"}
CONSENT = {"organisation": "zorg", "client": "anna", "notifications": True, "channels": ["sms"]}


def processor(store: str, rows: MutableMapping[bytes, bytes]) -> Processor:
    if store == "intake":
        return Intake(4, rows)
    if store == "notices":
        return Notices(0, rows)
    return Sending("sms", LEDGERS["sms"], 0, rows, Notices(0, {}), Employees(0, {}, Notices(0, {})))


def settings(zone: str) -> dict[str, Any]:
    return {"organisation": organisation(time_zone=zone), "since": "2026-03-02T08:00:00Z"}


def agenda(**changes: Any) -> dict[str, Any]:
    return {"appointments": {"a": {**ENTRY, **changes}}}


ZONELESS = "Expected `datetime` with a timezone component - at `$.appointments[...].keep_until`"
BAD: list[tuple[str, bytes, Any, str]] = [
    ("intake", b"appointments/zorg/a", b"junk", "JSON is malformed: invalid character (byte 0)"),
    ("intake", b"appointments/zorg/a", {**SNAPSHOT, "view": 1}, "Expected `object`, got `int` - at `$.view`"),
    ("intake", b"appointments/zorg", SNAPSHOT, "its key is not organisation/appointment"),
    ("intake", b"appointments/zorg/", SNAPSHOT, "its key is not organisation/appointment"),
    ("intake", b"appointments/zorg/\xff", SNAPSHOT, "its key is not UTF-8"),
    ("intake", b"agendas/zorg/anna", {}, "it is of no table of this version"),
    ("intake", b"x", b"1", "it is of no table of this version"),
    ("notices", b"consents/zorg/anna", b"", "Input data was truncated"),
    ("notices", b"consents/zorg/anna", {**CONSENT, "notifications": "yes"}, "Expected `bool`, got `str` - at `$.notifications`"),
    ("notices", b"contacts/zorg/anna", b'{"organisation":"\xff"}', "it is not UTF-8"),
    ("notices", b"contacts/zorg/anna", b'{"x":' + b"[" * 1_000_000, "it is nested too deeply"),
    ("notices", b"opt-outs/zorg/anna", {"off": {"fax": "client"}}, "Invalid enum value"),
    ("notices", b"agendas/zorg/anna/x", {}, "its key is not organisation/client"),
    ("notices", b"agendas/zorg/anna", agenda(booked="yes"), "Expected `bool`, got `str` - at `$.appointments[...].booked`"),
    ("notices", b"agendas/zorg/anna", agenda(keep_until="2026-05-17T12:15:00"), ZONELESS),
    ("notices", b"organisations/zorg", settings("posix/Mars"), "this machine's time-zone data lacks its time zone"),
    ("notices", b"overrides/zorg", {"organisation": "zorg", "sms": 1}, "Expected `object`, got `int` - at `$.sms`"),
    ("sms", b"ledger/zorg/anna", OPEN, "its key is not organisation/client[/recipient]/message"),
    ("sms", b"ledger/zorg/anna/p:moeder/m/n", OPEN, "its key is not organisation/client[/recipient]/message"),
    ("sms", b"ledger/zorg/anna/m", {**OPEN, "status": "geheim"}, "Invalid enum value - at `$.status`"),
    ("sms", b"ledger/zorg/anna/m", OPEN, "it is open and has no delivery"),
]  # fmt: skip


@pytest.mark.parametrize(("store", "key", "value", "why"), BAD, ids=[f"{row[0]}: {row[3]}" for row in BAD])
def test_a_row_that_cannot_be_used_is_refused_when_it_is_loaded(store: str, key: bytes, value: Any, why: str) -> None:
    good = World().consent().contact().book("2026-04-17 13:15").simulation.rows[store]
    table = key.partition(b"/")[0].decode() if why != "it is of no table of this version" or b"/" in key else "an unknown table"
    with pytest.raises(BadRowError) as refused:
        processor(store, {**good, key: value if isinstance(value, bytes) else orjson.dumps(value)}).loaded()
    told = f"the row of {table} whose key has the SHA-256 {hashlib.sha256(key).hexdigest()[:16]}…: {why}"
    assert (refused.value.key, str(refused.value)) == (key, told)
    assert not any(word in told for word in ("anna", "zorg", "geheim"))


@pytest.mark.parametrize("store", ["intake", "notices", "sms"])
def test_what_our_own_nodes_keep_is_loaded(store: str) -> None:
    world = World().settings().override(notifications=True).consent().contact().opt_out(off=True).book("2026-04-17 13:15")
    world.wait("2026-03-03 09:00").book("2026-04-17 14:15", rev=2)
    processor(store, world.simulation.rows[store]).loaded()
