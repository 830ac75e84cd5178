"""Holds: an organisation stops its notices by hand. What waits, what goes all the same, and what is said when it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import orjson
import pytest

from schemas.keys import ClientKey
from schemas.topics import CLIENT_EVENTS, DELIVERIES
from streams.explain.client import explain, snapshot_of
from streams.notices.notices import Notices
from streams.processing.turn import Record, Turn, make_durable
from tests.world import World, at, organisation

START, LATER, END = "2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 12:00"
FAR, NEAR = "2026-03-20 11:00", "2026-03-03 08:00"


def hold(world: World, **fields: Any) -> World:
    """A record of `holds`, decided now."""
    return world.feed("holds", "zorg", {"organisation": "zorg", "at": world.now.isoformat(), **fields})


def end(world: World, **fields: Any) -> World:
    return hold(world, notices=False, **fields)


def held(world: World) -> World:
    return hold(world).wait(LATER)


def ended(world: World) -> World:
    return end(world.wait(END)).wait("2026-03-02 12:10")


def unsaid(world: World, seen_at: str) -> World:
    """End the hold with nothing to be said of what a page that was made at `seen_at` showed."""
    return end(world.wait(END), seen_at=at(seen_at).isoformat()).wait("2026-03-02 12:10")


Step = Callable[[World], object]
CREATED = "Er is een afspraak met u gemaakt op vrijdag 20 maart 2026 van 11:00 tot 12:00."
MOVED = "Uw afspraak op vrijdag 20 maart 2026 van 11:00 tot 12:00 is verplaatst naar vrijdag 20 maart 2026 van 15:00 tot 16:00."
SOON = "Er is een afspraak met u gemaakt op dinsdag 3 maart 2026 van 08:00 tot 09:00."
OTHER = "Er is een afspraak met u gemaakt op zaterdag 21 maart 2026 van 11:00 tot 12:00."
CANCELLED = "Uw afspraak op vrijdag 20 maart 2026 is geannuleerd."
ROWS: list[tuple[str, Step, list[str]]] = [
    ("what is far ahead waits for the end of the hold", lambda w: held(w).book(FAR).wait(END), []),
    ("at its end it is said once, as it then is",
     lambda w: ended(held(w).book(FAR).wait("2026-03-02 11:00").book("2026-03-20 15:00", rev=2)),
     [CREATED.replace("11:00", "15:00").replace("12:00", "16:00")]),
    ("a mistake that is mended upstream meanwhile says nothing",
     lambda w: ended(held(w.book(FAR).wait("2026-03-02 09:10")).book("2026-03-20 15:00", rev=2).wait("2026-03-02 11:00").book(
         FAR, rev=3)), [CREATED]),
    ("what was decided before it goes", lambda w: held(w.book(FAR).wait("2026-03-02 09:10")).wait(END), [CREATED]),
    ("a window that is open as it begins waits", lambda w: held(w.book(FAR)).wait(END), []),
    ("what begins within 24 hours goes", lambda w: held(w).book(NEAR).wait(END), [SOON]),
    ("beside it the other days wait", lambda w: held(w).book(NEAR).book(FAR, id="b").wait(END), [SOON]),
    ("and go at its end", lambda w: ended(held(w).book(NEAR).book(FAR, id="b")), [SOON, CREATED]),
    ("a day that comes near while it lasts goes then", lambda w: held(w).book(FAR).wait("2026-03-19 11:10"), [CREATED]),
    ("pressed twice is once", lambda w: ended(hold(held(w).book(FAR).wait("2026-03-02 11:00")).wait("2026-03-02 11:30")),
     [CREATED]),
    ("ended twice is once", lambda w: end(ended(held(w).book(FAR))).wait("2026-03-02 13:00"), [CREATED]),
    ("a null value ends it, too", lambda w: held(w).book(FAR).wait(END).feed("holds", "zorg", None).wait("2026-03-02 12:10"),
     [CREATED]),
    ("after a restart it still waits", lambda w: held(w).book(FAR).wait(END).restart().wait("2026-03-02 13:00"), []),
    ("and goes at the end", lambda w: ended(held(w).book(FAR).wait("2026-03-02 11:00").restart()), [CREATED]),
    ("settings that come again end nothing", lambda w: held(w).book(FAR).settings().wait(END), []),
    ("another time zone ends nothing", lambda w: held(w).book(FAR).settings(time_zone="UTC").wait(END), []),
    ("nothing is said of what the page showed", lambda w: unsaid(held(w).book(FAR), "2026-03-02 11:00"), []),
    ("what changed between page and press is said", lambda w: unsaid(
        held(w).book(FAR).wait("2026-03-02 11:01").book("2026-03-21 11:00", id="b"), "2026-03-02 11:00"), [OTHER]),
    ("what came less than a minute before the page was made is said", lambda w: unsaid(
        held(w).wait("2026-03-02 10:59").book(FAR), "2026-03-02 11:00"), [CREATED]),
    ("as is what the page showed otherwise", lambda w: unsaid(
        held(w).book(FAR).wait("2026-03-02 11:30").book("2026-03-20 15:00", rev=2), "2026-03-02 11:00"),
     [CREATED.replace("11:00", "15:00").replace("12:00", "16:00")]),
    ("what was not said counts as known: what comes later starts from it", lambda w: unsaid(
        held(w).book(FAR), "2026-03-02 11:00").book("2026-03-20 15:00", rev=2).wait("2026-03-02 13:00"), [MOVED]),
    ("in the quiet hours after its end, too", lambda w: unsaid(
        held(w).settings(quiet_hours={"from": "11:30", "until": "13:00"}).book(FAR), "2026-03-02 11:00").wait("2026-03-02 14:00"),
     []),
    ("at its end in quiet hours it waits for their end", lambda w: ended(
        held(w).settings(quiet_hours={"from": "11:30", "until": "13:00"}).book(FAR)).wait("2026-03-02 14:00"), [CREATED]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "steps", "sent"), ROWS, ids=[row[0] for row in ROWS])
def test_a_hold(why: str, steps: Step, sent: list[str]) -> None:
    world = World(START)
    steps(world)
    assert world.sent == sent
    assert world.refused == []


REQUESTS: list[tuple[str, dict[str, Any], Step, list[str]]] = [
    ("requests go while notices wait", {}, lambda w: w.request(), ["request"]),
    ("those of one party wait alone", {"notices": False, "parties": ["roqua"]},
     lambda w: w.request().request(party="rooster").book(FAR), ["request", "direct"]),
    ("until that is over", {"notices": False, "parties": ["roqua"]}, lambda w: end(w.request().wait(END)), ["request"]),
    ("or another party is held instead", {"notices": False, "parties": ["roqua"]},
     lambda w: hold(w.request().wait(END), notices=False, parties=["rooster"]), ["request"]),
    ("both may be held", {"parties": ["roqua"]}, lambda w: w.request().book(FAR), []),
]  # fmt: skip


@pytest.mark.parametrize(("why", "held", "steps", "sent"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_requests(why: str, held: dict[str, Any], steps: Step, sent: list[str]) -> None:
    world = hold(World(START), **held)
    steps(world.wait(LATER))
    world.wait("2026-03-02 14:00")
    assert [record["reason"] for record in world.log if record["status"] == "sent"] == sent


REMINDER = "U heeft een afspraak op 20 maart om 11:00."


def reminded(world: World) -> World:
    return world.book(FAR).wait("2026-03-02 09:10")


def test_the_reminder_of_a_day_of_which_something_waits_waits_too_and_others_go() -> None:
    world = reminded(World(START, reminder={"days_before": 3, "at": "10:00"})).book("2026-03-21 11:00", id="b")
    hold(world.wait("2026-03-02 09:20")).book("2026-03-20 11:00", "2026-03-20 12:30", rev=2).wait("2026-03-18 12:00")
    assert world.sent[2:] == ["U heeft een afspraak op 21 maart om 11:00."]
    end(world).wait("2026-03-18 13:00")
    assert world.sent[3:] == [MOVED.replace("15:00 tot 16:00", "11:00 tot 12:30")]
    assert world.outcomes[-1] == "suppressed just_told"  # the reminder was due meanwhile, and would have said no more


def test_a_reminder_waits_no_longer_once_upstream_mended_its_day() -> None:
    world = hold(reminded(World(START, reminder={"days_before": 3, "at": "10:00"})))
    world.book("2026-03-20 15:00", rev=2).wait("2026-03-17 12:00")
    assert world.sent == [CREATED]
    world.book(FAR, rev=3).wait("2026-03-17 13:00")
    assert world.sent == [CREATED, REMINDER]


def test_what_was_not_said_is_in_the_log_and_makes_no_series() -> None:
    world = unsaid(held(World(START)).book(FAR), "2026-03-02 11:00")
    assert world.outcomes == ["suppressed not_said"]
    assert [item.heard for item in world.agenda().known or ()] == [False]


def test_200_urgent_messages_go_however_the_clients_are_spread() -> None:
    """One organisation over 24 partitions, most of its clients in two of them: its own partition counts for all."""
    partitions, now = 24, at(START)
    rows: list[dict[bytes, bytes]] = [{} for _ in range(partitions)]
    nodes = [Notices(partition, rows[partition]) for partition in range(partitions)]
    offsets = [0] * partitions
    sent: list[bytes] = []
    asked: list[tuple[int, bytes, bytes]] = []

    def turn(partition: int, key: bytes, value: bytes | None, due: Any = None) -> None:
        records = [Record(CLIENT_EVENTS.name, partition, offsets[partition], key, value)] if value is not None else []
        offsets[partition] += len(records)
        decision = nodes[partition].decide(Turn(now, records, due=due))
        make_durable(nodes[partition], rows[partition], decision)
        for output in decision.outputs:
            if output.topic in {topic.name for topic in DELIVERIES.values()}:
                sent.append(output.key or b"")
            elif output.topic == CLIENT_EVENTS.name:
                assert output.key is not None
                assert output.value is not None
                asked.append((crc32(output.key) % partitions, output.key, output.value))

    settings = {"organisation": "zorg", "settings": organisation(window={"quiet_seconds": 0, "max_seconds": 0})}
    on = {"organisation": "zorg", "hold": {"organisation": "zorg", "at": now.isoformat()}}
    for partition in range(partitions):
        for event in (settings, on):
            turn(partition, b"zorg", orjson.dumps(event))
    skewed = [name for name in (f"c{number}" for number in range(6000)) if crc32(f"zorg/{name}".encode()) % partitions in (3, 17)]
    for name in skewed[:260]:
        key, who = f"zorg/{name}".encode(), {"organisation": "zorg", "client": name}
        view = {"start": at(NEAR).isoformat(), "end": at("2026-03-03 09:00").isoformat()}
        address = {"address": "+31612345678", "confirmed": True}
        for body in (
            {"consent": {**who, "notifications": True, "channels": ["sms"]}}, {"contact": {**who, "sms": address}},
            {"appointment": {"appointment": f"a-{name}", "revision": 1, "booked": True, "present": True, "view": view}},
        ):  # fmt: skip
            turn(crc32(key) % partitions, key, orjson.dumps({**who, **body}))
    while asked:
        turn(*asked.pop(0))
    assert (len(sent), len(set(sent))) == (200, 200)
    assert sum(b'"refused":true' in row for part in rows for row in part.values()) == 60


def test_why_says_that_it_waits() -> None:
    world = held(World(START, reminder={"days_before": 3, "at": "10:00"})).book(FAR).wait(END)
    found = explained(world)
    assert (
        "held by the organisation since 2026-03-02 10:00:30: what changed on 2026-03-20 waits until the organisation ends that"
        in found
    )
    assert (
        "reminder of 2026-03-20: waits for the end of the organisation's hold, which holds back what changed on that day" in found
    )


def explained(world: World) -> list[str]:
    """What `why` says is still to come."""
    key = ClientKey("zorg", "anna")
    seen = explain(snapshot_of(world.simulation.rows, [], key), world.now)
    return [fact.text for fact in seen.sections["Reminders, and what is still to come"]]


def test_a_hold_that_is_ended_set_and_ended_in_one_turn_leaves_nobody_waiting() -> None:
    """Found by the histories of `tests/belief`: both ends were of one moment, so the second seemed to be none."""
    now, key, who = at(START), b"zorg/anna", {"organisation": "zorg", "client": "anna"}
    rows: dict[bytes, bytes] = {}
    node = Notices(0, rows)
    view = {"start": at(FAR).isoformat(), "end": at(FAR).isoformat()}
    address = {"address": "+31612345678", "confirmed": True}
    settings = {"organisation": "zorg", "settings": organisation(window={"quiet_seconds": 0, "max_seconds": 0})}
    on, off = (
        {"organisation": "zorg", "hold": {"organisation": "zorg", "at": now.isoformat(), "notices": it}} for it in (True, False)
    )
    events: list[tuple[bytes, dict[str, Any]]] = [
        (b"zorg", settings), (key, {**who, "consent": {**who, "notifications": True, "channels": ["sms"]}}),
        (key, {**who, "contact": {**who, "sms": address}}), (b"zorg", on), (b"zorg", off), (b"zorg", on),
        (key, {**who, "appointment": {"appointment": "a", "revision": 1, "booked": True, "present": True, "view": view}}),
        (b"zorg", off),
    ]  # fmt: skip
    records = [Record(CLIENT_EVENTS.name, 0, offset, *one) for offset, one in enumerate((k, orjson.dumps(v)) for k, v in events)]
    make_durable(node, rows, node.decide(Turn(now, records)))
    decision = node.decide(Turn(now, due=now))
    assert [output.topic for output in decision.outputs] == ["deliveries-sms", "held"]
