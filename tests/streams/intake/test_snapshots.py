"""Snapshots of agendas, by histories of a client: what is said, and what a source that fails must not lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.doubts import DoubtedRecord
from schemas.topics import DOUBTED, DOUBTS, POLLS
from streams.processing.turn import Output
from tests.world import World, at

Step = Callable[[World], object]

TEN = at("2026-03-02 10:00").astimezone(UTC)
DAY, FRIDAY = "2026-04-17", "vrijdag 17 april 2026"
MADE = f"Er is een afspraak met u gemaakt op {FRIDAY} van 13:15 tot 14:15."
LATER = f"Er is een afspraak met u gemaakt op {FRIDAY} van 15:00 tot 16:00."
GONE = f"Uw afspraak op {FRIDAY} is geannuleerd."
BOTH = f"{MADE} {LATER}"


def one(id_: str = "a", time: str = "13:15", day: str = DAY, **more: Any) -> dict[str, Any]:
    """An appointment of an hour."""
    start = at(f"{day} {time}")
    return {"appointment": id_, "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), **more}


def snapshot(rev: int, *appointments: Any, client: str = "anna", **more: Any) -> dict[str, Any]:
    """A snapshot of a client's agenda, from March to June."""
    return {
        "organisation": "zorg", "client": client, "from": "2026-03-01T00:00:00+01:00", "to": "2026-06-01T00:00:00+02:00",
        "revision": rev, "appointments": list(appointments), **more,
    }  # fmt: skip


def poll(rev: int, *appointments: Any, **more: Any) -> Step:
    """Write one; what intake does not take is kept in `World.refused`."""
    value = snapshot(rev, *appointments, **more)
    return lambda world: world.feed("agenda-snapshots", f"zorg/{value['client']}", value)


def forget(world: World) -> World:
    return world.feed("agenda-snapshots", "zorg/anna", None)


def book(time: str = "13:15", **more: Any) -> Step:
    """Write one of our own records."""
    return lambda world: world.book(f"{DAY} {time}", **more)


A, B = one(), one("b", "15:00")

ROWS: dict[str, tuple[list[Step], list[str]]] = {
    "what it has is told, once": ([poll(1, A), poll(2, A), poll(3, A)], [MADE]),
    "what it has elsewhere is moved": (
        [poll(1, A), poll(2, one("a", "15:00"))],
        [MADE, f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is verplaatst naar {FRIDAY} van 15:00 tot 16:00."],
    ),
    "one record is one change: what it brings together is told together": ([poll(1, A, B)], [BOTH]),
    "what is missing once is not cancelled": ([poll(1, A, B), poll(2, A)], [BOTH]),
    "what is missing twice, ten minutes apart, is": (
        [poll(1, A, B), poll(2, A), poll(3, A)], [BOTH, f"Uw afspraak op {FRIDAY} van 15:00 tot 16:00 is geannuleerd."],
    ),
    "what is missing, there, and missing again is not": ([poll(1, A), poll(2), poll(3, A), poll(4)], [MADE]),
    "an answer of nothing, and then the whole one": ([poll(1, A, B), poll(2), poll(3, A, B)], [BOTH]),
    "half of an answer, and then the whole one": ([poll(1, A, B), poll(2, B), poll(3, A, B)], [BOTH]),
    "an old state, which has a lower revision": ([poll(5, A), poll(4), poll(3)], [MADE]),
    "the same one twice": ([poll(1, A), poll(2), poll(2)], [MADE]),
    "what is named as gone is cancelled at once": ([poll(1, A), poll(2, gone=["a"])], [MADE, GONE]),
    "named as gone once more it is so once, and there again it is made": (
        [poll(1, A), poll(2, gone=["a"]), poll(3, gone=["a"]), poll(4), poll(5, A)], [MADE, GONE, MADE],
    ),
    "what is cancelled in so many words is so at once": ([poll(1, A), poll(2, {**A, "status": "cancelled"})], [MADE, GONE]),
    "what starts before or after its bounds is not missing": (
        [poll(1, A), *[poll(rev, to="2026-04-17T13:15:00+02:00") for rev in (2, 3)],
         *[poll(rev, **{"from": "2026-04-17T13:15:01+02:00"}) for rev in (4, 5)]],
        [MADE],
    ),
    "what starts at the first of its bounds is": (
        [poll(1, A), *[poll(rev, **{"from": "2026-04-17T13:15:00+02:00"}) for rev in (2, 3)]], [MADE, GONE],
    ),
    "what cannot be used counts as there": (
        [poll(1, A), *[poll(rev, {"appointment": "a", "start": "morgen"}) for rev in (2, 3)]], [MADE],
    ),
    "and the others of it count": ([poll(1, {"appointment": "x"}, A)], [MADE]),
    "without a readable id nothing is missing": (
        [poll(1, A), *[poll(rev, {"appointment": 7}, B) for rev in (2, 3)]], [MADE, LATER],
    ),
    "one that is listed twice, in two ways, stays as it was": (
        [poll(1, A), *[poll(rev, A, one("a", "15:00")) for rev in (2, 3)]], [MADE],
    ),
    "one that is listed twice alike counts once": ([poll(1, A, A)], [MADE]),
    "one that is there and named as gone is there": ([poll(1, A), poll(2, A, gone=["a"])], [MADE]),
    "a null value forgets, and says nothing": ([poll(1, A), forget, poll(1)], [MADE]),
    "a source changes over: what its own records say alike is not told again, nor cancelled": (
        [poll(1, A, B), book(), book("15:00", id="b"), forget], [BOTH],
    ),
    "and what they say otherwise by then is": (
        [poll(1, A), book(), forget, book("15:00", rev=2)],
        [MADE, f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is verplaatst naar {FRIDAY} van 15:00 tot 16:00."],
    ),
    "an id is its source's own": ([poll(1, A), book("15:00")], [MADE, LATER]),
    "what it replaces is moved": (
        [poll(1, A), poll(2, one("c", "15:00", replaces="a"), gone=["a"])],
        [MADE, f"Uw afspraak op {FRIDAY} van 13:15 tot 14:15 is verplaatst naar {FRIDAY} van 15:00 tot 16:00."],
    ),
    "who came hears nothing": ([poll(1, {**A, "status": "arrived"})], []),
    "who is absent hears nothing": ([poll(1, {**A, "present": False})], []),
    "what is over is not missed": (
        [poll(1, one("a", "09:05", "2026-03-02")), *[poll(rev, **{"from": "2026-03-01T00:00:00Z"}) for rev in (2, 3, 4)]],
        ["Er is een afspraak met u gemaakt op maandag 2 maart 2026 van 09:05 tot 10:05."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_is_said(name: str) -> None:
    steps, sent = ROWS[name]
    world = World()
    for step in steps:
        step(world)
        world.restart().wait((world.now + timedelta(minutes=11)).isoformat())
    assert world.sent == sent


def test_a_second_one_that_comes_at_once_confirms_nothing() -> None:
    """After an outage the snapshots of an hour come within a second: they are one answer's, as far as anybody knows."""
    world = World()
    for rev in range(1, 6):
        poll(rev, *([A] if rev == 1 else []))(world)
    world.wait("2026-03-02 09:09:59")
    poll(6)(world)
    assert world.sent == [MADE]
    world.wait("2026-03-02 09:10")
    poll(7)(world)
    assert world.wait("2026-03-02 09:11").sent == [MADE, GONE]


def test_what_is_doubted_is_reminded_of() -> None:
    world = World(reminder={"days_before": 1, "at": "18:00"})
    poll(1, A)(world)
    world.wait("2026-04-16 17:55")
    poll(2)(world)
    assert world.wait("2026-04-16 18:00").sent == [MADE, "U heeft een afspraak op 17 april om 13:15."]


BAD: list[tuple[Any, str]] = [
    ([], "Expected `object`"),
    (snapshot(1) | {"appointments": None}, "Expected `array` - at `$.appointments`"),
    ({key: value for key, value in snapshot(1).items() if key != "appointments"}, "Object missing required field `appointments`"),
    (snapshot(1, to="2026-03-01T00:00:00+01:00"), "it is not after `from` - at `$.to`"),
    (snapshot(1) | {"revision": "1"}, "Expected `int`, got `str` - at `$.revision`"),
    (snapshot(1) | {"client": "a/b"}, "at `$.client`"),
    (snapshot(1, client="bram"), "the key does not match the value: expected organisation/client"),
    (snapshot(1, *[one(f"a{n}") for n in range(2001)]), "more than 2000 appointments - at `$.appointments`"),
    (snapshot(1, A, {**B, "end": "2026-04-17T09:00:00Z"}), "the end is before the start - at `$.appointments[1].end`"),
    (snapshot(1, A, {"appointment": "b"}), "Object missing required field `start` - at `$.appointments[1]`"),
    (snapshot(1, A, {**B, "status": "came"}), "Invalid enum value - at `$.appointments[1].status`"),
    (snapshot(1, A, 7), "Expected `object`, got `int` - at `$.appointments[1]`"),
    (snapshot(1, A, one("a", "15:00")), "it is listed twice, in two ways - at `$.appointments[1].appointment`"),
    (
        snapshot(1, A, gone=["x", 7, "a"]),
        "Expected `str`, got `int` - at `$.gone[1]`; it is among the appointments, too - at `$.gone[2]`",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_what_is_set_aside_with_its_place(value: Any, reason: str) -> None:
    world = World().feed("agenda-snapshots", "zorg/anna", value)
    assert reason in world.refused[0]


class TestASourceThatFails:
    """100 clients of an organisation in one partition, each with an appointment."""

    def all_told(self) -> World:
        world = World()
        for client in self.clients:
            world.consent(client).contact(client)
            poll(1, A, client=client)(world)
        return world.wait("2026-03-02 10:00")

    clients = tuple(f"c{number}" for number in range(100))

    @pytest.mark.parametrize(
        ("missing", "cancelled"),
        [(100, 0), (50, 0), (21, 0), (20, 20), (19, 19), (1, 1)],
        ids=["nothing", "half", "more than a fifth", "a fifth", "less", "one"],
    )
    def test_an_answer_that_lacks_something_of_so_many_is_believed_the_second_time_or_not(
        self, missing: int, cancelled: int
    ) -> None:
        world = self.all_told()
        for rev in (2, 3):
            for client in self.clients[:missing]:
                poll(rev, client=client)(world)
            world.restart().wait((world.now + timedelta(minutes=11)).isoformat())
        assert world.sent.count(GONE) == cancelled

    def test_when_it_answers_again_what_is_still_missing_is_cancelled(self) -> None:
        world = self.all_told()
        for rev in (2, 3):
            for client in self.clients:
                poll(rev, client=client)(world)
            world.wait((world.now + timedelta(minutes=11)).isoformat())
        for client in self.clients[1:]:
            poll(4, A, client=client)(world)
        poll(4, client="c0")(world)
        assert world.wait("2026-03-02 12:00").sent.count(GONE) == 1

    def test_of_few_clients_nobody_says_that_a_source_fails(self) -> None:
        """Of 19 who all miss something there is no telling: a guard would hold back every change of a small organisation."""
        world = World()
        for client in self.clients[:19]:
            world.consent(client).contact(client)
            poll(1, A, client=client)(world)
        for rev in (2, 3):
            world.wait((world.now + timedelta(minutes=11)).isoformat())
            for client in self.clients[:19]:
                poll(rev, client=client)(world)
        assert world.wait("2026-03-02 12:00").sent.count(GONE) == 19


class TestWhatIsSaidOfASourceThatFails:
    """`doubted`: of 100 clients, more and more miss something, and then fewer and fewer."""

    clients = TestASourceThatFails.clients

    def begun(self) -> tuple[World, list[tuple[str, Any]]]:
        """A world that knows all of them, and what is written to `doubted` from then on."""
        world, said = World(), list[tuple[str, Any]]()
        for client in self.clients:
            poll(1, A, client=client)(world)
        write = world.simulation._write

        def heard(output: Output, now: datetime) -> Iterator[bytes]:
            if output.topic == DOUBTED.name:
                assert (output.key, output.partition) == (b"zorg/0", 0)
                said.append((f"{now:%H:%M:%S}", output.value and msgspec.json.decode(output.value, type=DoubtedRecord)))
            return write(output, now)

        world.simulation._write = heard  # type: ignore[method-assign]
        return world.wait("2026-03-02 10:00"), said

    def kept(self, world: World) -> list[str]:
        return [key.decode() for key in world.simulation.rows["intake"] if key.startswith(DOUBTS.row(""))]

    def missed(self, world: World, rev: int, first: int, last: int, *there: Any) -> None:
        for client in self.clients[first:last]:
            poll(rev, *there, client=client)(world)

    def test_it_begins_with_the_client_that_makes_them_too_many_and_ends_with_the_one_that_does_not(self) -> None:
        world, said = self.begun()
        self.missed(world, 2, 0, 20)
        assert said == []
        self.missed(world, 2, 20, 50)
        ((when, begun),) = said
        assert (when, begun.clients, begun.known, begun.since) == ("09:00:00", 21, 100, TEN)
        assert begun.until == at("2026-04-17 13:15").astimezone(UTC)
        world.wait("2026-03-02 10:01")
        self.missed(world, 3, 0, 1)
        assert [(when, one.clients, one.since) for when, one in said[1:]] == [("09:01:00", 50, TEN)]
        world.restart().wait("2026-03-02 10:02")
        self.missed(world, 4, 0, 29, A)
        assert [(when, one.clients, one.since) for when, one in said[2:]] == [("09:02:00", 49, TEN)]
        self.missed(world, 4, 29, 30, A)
        assert said[3:] == [("09:02:00", None)]
        assert self.kept(world) == []
        self.missed(world, 5, 0, 1)
        assert [one.clients for _, one in said[4:]] == [21], "and anew"

    @pytest.mark.parametrize("how", ["erased", "forgotten by null values", "over"])
    def test_it_ends_too_where_it_is_no_snapshot_that_makes_them_fewer(self, how: str) -> None:
        world, said = self.begun()
        self.missed(world, 2, 0, 21)
        assert self.kept(world) == ["doubts/zorg"]
        if how == "erased":
            for client in ("c0", "c1"):
                world.feed("erasures", f"zorg/{client}", {"organisation": "zorg", "client": client, "at": world.now.isoformat()})
        elif how == "over":
            world.wait("2026-04-17 13:15")
            self.missed(world, 3, 50, 51)
        else:
            world.feed("agenda-snapshots", "zorg/c0", None).feed("agenda-snapshots", "zorg/c1", None)
        assert [one is None for _, one in said] == [False, True]
        assert self.kept(world) == []


def test_what_is_kept_of_snapshots_goes_with_the_client_and_with_time() -> None:
    def kept(world: World) -> list[str]:
        return [key.decode() for key in world.simulation.rows["intake"] if key.startswith(POLLS.row(""))]

    world = World()
    poll(1, A)(world)
    assert kept(world) == ["polls/zorg/anna"]
    erasure = {"organisation": "zorg", "client": "anna", "at": world.now.isoformat()}
    assert kept(world.feed("erasures", "zorg/anna", erasure)) == []
    poll(1, A)(world)
    world.wait("2026-05-17 14:14")
    assert kept(world) == ["polls/zorg/anna"]
    assert kept(world.wait("2026-05-17 14:15")) == []
