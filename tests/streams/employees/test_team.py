"""A team of employees under a flood: one digest each, by whose hand, and nothing of a client in any byte."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import orjson
import pytest

from agents.clock import utc_now
from agents.providers import EmailCall, ProviderAnswer, SmsCall
from agents.tokens import Tokens
from agents.worker.senders import EmailSender, SmsSender
from agents.worker.wording import succeed
from schemas.topics import AUDIT_LOG, DEAD_LETTERS, DELIVERIES, DELIVERY_LOG, EMPLOYEE_EVENTS
from streams.processing.turn import Output
from streams.sending.outcomes import Outcome, SendCall
from streams.simulation import Simulation
from tests.world import World

TEAM = [f"m-{number}" for number in range(30)]
TOLD = {"notifications": True, "digest_at": "16:00"}
CLIENT, HOME, REASON, NAME = "c-90210", "Lindelaan 17", "wondzorg", "mevrouw Kwakkelstein"


class Watched(Simulation):
    """A simulation of which every record and every call is kept."""

    def __init__(self) -> None:
        self.calls: list[SendCall] = []
        self.written: list[Output] = []
        super().__init__(self._provider)

    def _provider(self, call: SendCall) -> Outcome:
        self.calls.append(call)
        return succeed(call)

    def _write(self, output: Output, now: Any) -> Iterator[bytes]:
        self.written.append(output)
        yield from super()._write(output, now)


def team(start: str, **fields: Any) -> World:
    """The team, each of whom hears of everything by SMS unless said otherwise."""
    world = World(start, bare=True)
    world.simulation = Watched()
    world.settings(employees=TOLD, window={"quiet_seconds": 60, "max_seconds": 120})
    for id_ in TEAM:
        world.employee(id_, sms={"number": f"+3161234{TEAM.index(id_):04}", "confirmed": True}, **fields)
    return world


def flood(world: World, seed: int, days: range, changes: int = 200) -> None:
    """So many revisions of forty appointments in a minute, each of three of the team, by one of it or by nobody known."""
    chance, revisions = random.Random(seed), dict[int, int]()
    for _ in range(changes):
        number = chance.randrange(40)
        revisions[number] = revisions.get(number, 0) + 1
        who = [TEAM[(number + step) % len(TEAM)] for step in range(3)]
        world.now += timedelta(seconds=0.3)
        day = world.now.date() + timedelta(days=chance.choice(days))
        world.book(
            f"{day} {9 + number % 8:02}:{number:02}", id=f"a-{number}", rev=revisions[number],
            status="booked" if chance.random() < 0.85 else "cancelled", author=chance.choice([*who, None]),
            employees=[{"employee": one, "attending": True} for one in who],
        )  # fmt: skip


def sent_to(world: World, id_: str) -> list[dict[str, Any]]:
    return [one for one in world.of_employee(id_) if one["status"] == "sent"]


@pytest.mark.parametrize(("days", "first"), [(range(3, 30), "2026-03-02T15:00"), (range(1, 2), "2026-03-02T08:01")])
def test_a_team_of_30_has_one_digest_each_of_200_changes_in_a_minute(days: range, first: str) -> None:
    world = team("2026-03-02 09:00")
    flood(world, 1, days)
    world.wait("2026-03-02 20:00")
    told = {id_: sent_to(world, id_) for id_ in TEAM}
    assert {id_: len(messages) for id_, messages in told.items() if len(messages) != 1} == {}
    assert all(messages[0]["at"] >= first for messages in told.values())
    assert {one["notices"][0]["id"] for messages in told.values() for one in messages}, "it says something"


def test_no_two_digests_of_one_go_within_15_minutes_however_long_it_rains() -> None:
    world = team("2026-03-02 09:00")
    for seed in range(8):
        flood(world, seed, range(1, 2), 40)
        world.wait((world.now + timedelta(minutes=4)).isoformat())
    world.wait("2026-03-02 20:00")
    for id_ in TEAM:
        moments = [one["decided"] for one in sent_to(world, id_)]
        assert all(later[:16] >= _plus(first, 15) for first, later in pairwise(moments)), (id_, moments)


def _plus(moment: str, minutes: int) -> str:
    hours, rest = divmod(int(moment[11:13]) * 60 + int(moment[14:16]) + minutes, 60)
    return f"{moment[:11]}{hours:02}:{rest:02}"


def test_what_is_left_out_was_all_by_the_own_hand_and_what_is_told_was_not() -> None:
    world = team("2026-03-02 09:00", notifications="others")
    revised: list[tuple[int, str, str | None]] = []
    chance = random.Random(7)
    for step in range(120):
        number = chance.randrange(6)
        author = chance.choice(["m-0", "m-0", "m-1", None])
        revised.append((len(world.log), f"a-{number}", author))
        world.book(
            f"2026-04-{1 + chance.randrange(28):02} {9 + number:02}:00", id=f"a-{number}", rev=step + 1, author=author,
            employees=[{"employee": "m-0", "attending": True}],
        )  # fmt: skip
        if step % 4 == 3:
            world.wait((world.now + timedelta(days=1)).isoformat())
    since: dict[str, list[str | None]] = {}
    fates = {"own": 0, "told": 0}
    for place, record in enumerate(world.log):
        while revised and revised[0][0] <= place:
            _, id_, author = revised.pop(0)
            since.setdefault(id_, []).append(author)
        for notice in record["notices"]:
            hands = since[notice["appointment"]]
            if record["status"] == "sent":
                assert set(hands) != {"m-0"}, record
                since[notice["appointment"]] = []
                fates["told"] += 1
            elif record["detail"] == "own":
                assert set(hands) == {"m-0"}, record
                fates["own"] += 1
    assert min(fates.values()) > 3


def secrets(world: World) -> World:
    """Appointments that have everything of a client that an appointment may have."""
    clients = [{"client": CLIENT, "present": True}]
    world.feed("consents", f"zorg/{CLIENT}",
               {"organisation": "zorg", "client": CLIENT, "notifications": True, "channels": ["sms"]})  # fmt: skip
    world.feed("contacts", f"zorg/{CLIENT}",
               {"organisation": "zorg", "client": CLIENT, "sms": {"number": "+31687654321", "confirmed": True}})  # fmt: skip
    world.feed("representatives", f"zorg/{CLIENT}",
               {"organisation": "zorg", "client": CLIENT, "call_name": "Kwakkelstein", "people": []})  # fmt: skip
    for number, (kind, place) in enumerate([("home", HOME), ("on_site", HOME), ("home", NAME), ("phone", NAME)]):
        employees = [{"employee": id_, "attending": True} for id_ in TEAM[:3]]
        more: dict[str, Any] = {
            "kind": kind, "location": place, "label": REASON, "practitioner": NAME, "instructions": REASON, "clients": clients,
            "link": "https://video.example/c-90210", "series": None, "employees": employees,
        }  # fmt: skip
        world.book(f"2026-03-1{number} 10:00", id=f"a-{number}", **more)
        world.book(f"2026-03-2{number} 10:00", id=f"b-{number}", **more)
    world.wait("2026-03-02 20:00")
    for number, kind in enumerate(["home", "on_site", "on_site", "phone"]):
        world.book(f"2026-03-2{number} 12:00", id=f"b-{number}", rev=2, kind=kind, location=HOME, label=REASON, clients=clients,
                   employees=[{"employee": id_, "attending": True} for id_ in TEAM[:3]])  # fmt: skip
        world.book(f"2026-03-1{number} 12:00", id=f"a-{number}", rev=2, status="cancelled")
    return world.wait("2026-03-05 20:00")


def test_nothing_of_a_client_is_in_a_byte_that_is_sent_or_logged() -> None:
    world = team("2026-03-02 09:00", channels=["email", "sms"], email={"address": "team@linde.example", "confirmed": True})
    world.employee("m-2")  # by SMS
    watched = secrets(world).simulation
    assert isinstance(watched, Watched)
    calls = [call for call in watched.calls if not call.delivery.client]
    assert {call.delivery.channel for call in calls} == {"sms", "email"}
    wire = asyncio.run(_sent(calls))
    assert len(wire) >= len(calls)
    of_employees = [
        (output.key or b"") + b"\n" + (output.value or b"")
        for output in watched.written
        if output.topic in (DELIVERY_LOG.name, AUDIT_LOG.name, EMPLOYEE_EVENTS.name, *[one.name for one in DELIVERIES.values()])
        and b"//" in (output.key or b"")
    ]
    rows = [key + value for key, value in watched.rows["employees"].items()]
    rows += [key + value for name in DELIVERIES for key, value in watched.rows[name].items() if b"//" in key]
    assert min(len(of_employees), len(rows)) > 5
    secret = [one.encode() for one in (CLIENT, "90210", "Lindelaan", REASON, "Kwakkelstein", "87654321", "video.example")]
    for one in [*wire, *of_employees, *rows]:
        assert [word for word in secret if word.lower() in one.lower()] == [], one
    assert any(CLIENT.encode() in (output.value or b"") for output in watched.written), "the client is told, by the client's id"
    assert not [one for one in watched.written if one.topic == DEAD_LETTERS.name]


async def _sent(calls: list[SendCall]) -> list[bytes]:
    """What the real senders hand to a provider: the SMS, and whole e-mails with their links."""
    found: list[bytes] = []

    async def gateway(call: SmsCall) -> ProviderAnswer:
        found.append(f"{call.body}\n{call.reference}\n{call.recipient}".encode())
        return ProviderAnswer(kind="sent", detail="", provider_id="x")

    async def server(call: EmailCall) -> ProviderAnswer:
        found.append(call.data.replace(b"=\r\n", b"") + call.recipient.encode())
        return ProviderAnswer(kind="sent", detail="", provider_id="x")

    sms = SmsSender(gateway, Tokens(["k" * 40], "report"), utc_now)  # type: ignore[arg-type]
    email = EmailSender(server, Tokens(["k" * 40], "unsubscribe"), "linde.example", "https://linde.example/u/")  # type: ignore[arg-type]
    for call in calls:
        outcome = await (sms if call.delivery.channel == "sms" else email)(call)
        assert outcome.kind == "sent"
    return found


def test_what_is_read_again_after_a_crash_is_told_once() -> None:
    world = team("2026-03-02 09:00")
    flood(world, 3, range(3, 30), 60)
    world.restart().wait("2026-03-02 20:00")
    watched = world.simulation
    assert isinstance(watched, Watched)
    before = len(world.log)
    again = [one for one in watched.written if one.topic in (EMPLOYEE_EVENTS.name, *[one.name for one in DELIVERIES.values()])]
    assert len(again) > 60
    for one in again:
        world.log += [orjson.loads(record) for record in watched._write(one, world.now)]
    world.restart().wait("2026-03-04 20:00")
    assert world.log[before:] == []
    assert watched.refused == []
