"""What clients believe is what is so, through a worker that dies at any append, and providers that refuse, hang, report late.

CI has 24 histories at once, `make properties` 2,000 (`BELIEF_LIVES`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.fakes.smtp import ScriptedAnswer
from agents.providers.messagebird_webhook import reference_tokens
from agents.settings.settings import Settings
from tests.belief.live import Ears, Life, Part, cast, course, email_text, judged, lives, sms_part
from tests.belief.shrinking import told
from tests.chaos.fleet import Fleet
from tests.chaos.tables import fold

from .harness import Stand, plain_text
from .reporting import KEYS, reporting

pytestmark = pytest.mark.broker

COUNT = int(os.environ.get("BELIEF_LIVES", "24"))
SEED = int(os.environ.get("BELIEF_SEED", "1"))
SPREAD = max(5.0, COUNT / 40)
DEATHS = 8 if COUNT <= 100 else COUNT // 20
NODES = ("intake", "notices", "email", "email") if COUNT <= 100 else ("intake", "notices", "sms", "email", "email")
"""Where it dies: at a flight, at a claim of the ledger or an outcome. Of a claimed SMS that was never sent a report is waited
for, ten minutes."""
REST_SECONDS = 900.0
OPEN = ("waiting", "claimed", "retrying")
REFUSED = ScriptedAnswer(match="7@", reply="550 5.1.1 User unknown")
BAD_DAYS = (
    REFUSED,
    ScriptedAnswer(at="payload", reply="451 4.7.1 Later", every=13),
    ScriptedAnswer(at="payload", do="drop", keep=True, every=17),
    ScriptedAnswer(at="payload", do="hang", every=29, times=10),
)
"""Of the mail server: it refuses each client whose name ends in 7, puts off, says nothing after it took a message, and hangs."""


async def test_clients_believe_what_is_so_whenever_the_worker_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = tmp_path / "deaths"
    monkeypatch.setenv("MORTAL_DEATHS", str(deaths))
    monkeypatch.setenv("MORTAL_MOST", str(DEATHS))
    monkeypatch.setenv("MORTAL_NODES", ",".join(NODES))
    everyone = lives(COUNT, SEED, SPREAD)
    async with reporting(tmp_path) as (stand, told):
        stand.program, stand.more = "tests.broker.mortal", told
        stand.sms.program(report_delay_seconds=3, delay_seconds=0.03)
        await stand.feed(cast(everyone))
        stand.smtp.program(*BAD_DAYS)
        fleet = Fleet(stand, 1)
        async with fleet.supervised():
            await feed(stand, everyone)
            await at_rest(stand)
            await fleet.stop()
        ears = await ears_of(stand)
        wrong = list(judged([life for life in everyone if not ears.unsure(life.key)], ears))
    assert not wrong, "\n".join(told_of(wrong[0].life, wrong[0].faults, wrong[0].heard) for _ in wrong[:1])
    assert fleet.problems == []
    assert len(deaths.read_text().splitlines()) >= DEATHS // 4, "on a slow machine there are fewer appends to die at"
    unsure = sum(ears.unsure(life.key) for life in everyone)
    assert unsure <= DEATHS, "only of what a death left behind may nobody know whether it arrived"


async def feed(stand: Stand, everyone: list[Life]) -> None:
    """Write all that is written, each at its second or a little later; and kill the worker now and then."""
    began, waiting = time.monotonic(), course(everyone)
    while waiting:
        now = time.monotonic() - began
        due = [event for at, event in waiting if at <= now]
        await stand.feed(due)
        waiting = waiting[len(due) :]
        await asyncio.sleep(0.1)


async def at_rest(stand: Stand) -> None:
    """Wait until nothing flies, no window is open and no sender has anything left to do."""
    limit = time.monotonic() + REST_SECONDS
    while time.monotonic() < limit:
        await asyncio.sleep(2.0)
        if await stand.taken_in() and not await _moving(stand):
            return
    raise AssertionError(f"not at rest after {REST_SECONDS:.0f} s: {(await _moving(stand))[:3]}")


async def _moving(stand: Stand) -> list[str]:
    """Name what is under way."""
    found = []
    for node in ("notices", "sms", "email"):
        for rows in fold(await stand.records(f"{stand.application}-{node}-changelog")).values():
            found += [key.decode() for key, row in rows.items() if _is_moving(key, row)]
    return found


def _is_moving(key: bytes, row: bytes) -> bool:
    if key == b"\0outbox":
        return True
    if key.startswith(b"agendas/"):
        agenda = orjson.loads(row)
        return bool(agenda.get("window") or agenda.get("flight"))
    if key.startswith(b"ledger/"):
        message = orjson.loads(row)
        return message["status"] in OPEN or (message["status"] == "unknown" and message.get("next_at") is not None)
    return False


async def ears_of(stand: Stand) -> Ears:
    """What each client heard."""
    tokens = reference_tokens(Settings(unsubscribe_keys=KEYS))
    parts = [sms_part(message, tokens.open) for message in stand.sms.received.messages]
    parts += [_email_part(message) for message in stand.smtp.received.messages]
    topics = ("deliveries-sms", "deliveries-email")
    deliveries = [orjson.loads(one.value) for topic in topics for one in await stand.records(topic) if one.value]
    rows = [
        ((str(one.key.split(b"/")[1], "utf-8"), str(one.key.split(b"/")[2], "utf-8")), one.value)
        for one in await stand.records(f"{stand.application}-notices-changelog")
        if one.key.startswith(b"agendas/") and one.value is not None
    ]
    return Ears(parts, deliveries, await stand.log(), rows)


def _email_part(message: Mapping[str, Any]) -> Part:
    id_ = message["message_id"].strip("<>").partition("@")[0]
    return Part(id_, 0, email_text(plain_text(message["data"])), datetime.fromisoformat(message["at"]))


def told_of(life: Life, faults: list[str], heard: list[Any]) -> str:
    """A wrong one, so that a person sees what went wrong."""
    lines = [
        f"{life.organisation}/{life.name}:",
        *[f"{at:6.1f} {orjson.dumps(step).decode()}" for at, step in zip(life.at, life.steps, strict=False)],
    ]
    return "\n".join([*lines, *[f"- {told(one)}" for one in heard], "wrong: " + "; ".join(faults)])
