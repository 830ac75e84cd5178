"""One history told in four ways, by records of ours, by FHIR, by HL7 v2 and by snapshots of agendas, gives the same messages.

Each way may repeat what it said, and say it late or in another order: the revision alone says which is the later.

A snapshot says all that is so of a client at one moment, and so cannot say some of what the others can: what was so between two
of them, one appointment without the others, or why one is off: cancelled, not agreed yet, or without this client. It is compared
with records of ours that say as much: all appointments at once, what is off nobody's. Here the source knows what is `gone`;
what a snapshot only misses is doubted first, and so told later (`tests/streams/intake/test_snapshots.py`). The ids of its
appointments are marked, and so its messages have other ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.worker.wording import succeed
from schemas.topics import AGENDA_SNAPSHOTS, APPOINTMENTS, FHIR, HL7V2
from streams.simulation import Simulation
from streams.translate.producers import Producer
from tests.model.budget import examples
from tests.world import World, at

PRODUCERS = {"zorg": Producer(organisation="zorg", clients=None)}
BEGIN = at("2026-03-02 09:00")
FIRST = at("2026-03-27 10:00")
"""Two days before a night that leaves an hour out."""

Way = Literal["own", "fhir", "siu", "whole", "snapshots"]
"""`whole`: records of ours that say as much as snapshots do."""


class Said(NamedTuple):
    """What is so of an appointment at one revision: the slot in which it is, a place, and clients with whether they come."""

    appointment: str
    status: Literal["booked", "cancelled", "proposed"]
    slot: int
    place: str | None
    clients: tuple[str, ...]


class Delivery(NamedTuple):
    """A word of the history by its number, so many seconds after the one before."""

    number: int
    seconds: int


def times(said: Said) -> tuple[datetime, datetime]:
    start = FIRST + timedelta(hours=7 * said.slot)
    return start, start + timedelta(minutes=45)


def own(said: Said, moment: datetime) -> Any:
    start, end = times(said)
    return {
        "organisation": "zorg", "appointment": said.appointment, "revision": int(moment.timestamp() * 1000),
        "status": "booked" if said.status == "booked" else "cancelled", "start": start.isoformat(), "end": end.isoformat(),
        "location": {"name": said.place} if said.place else None,
        "clients": [{"client": client, "present": True} for client in said.clients],
    }  # fmt: skip


def fhir(said: Said, moment: datetime) -> Any:
    start, end = times(said)
    actors = [{"reference": f"Patient/{client}"} for client in said.clients]
    actors += [{"reference": "Location/1", "display": said.place}] if said.place else []
    return {
        "resourceType": "Appointment", "id": said.appointment, "meta": {"lastUpdated": moment.isoformat()}, "status": said.status,
        "start": start.isoformat(), "end": end.isoformat(),
        "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
    }  # fmt: skip


def siu(said: Said, moment: datetime) -> str:
    zone = ZoneInfo("Europe/Amsterdam")
    start, end = (f"{one.astimezone(zone):%Y%m%d%H%M%S}" for one in times(said))
    event = "S15" if said.status == "cancelled" else "S14"
    status = "Pending" if said.status == "proposed" else "Booked"
    place = f"X^^^^^^^^{said.place}" if said.place else '""'
    lines = [
        rf"MSH|^~\&|PLAN|ZORG|||{moment.astimezone(zone):%Y%m%d%H%M%S}.{moment.microsecond // 1000:03}||SIU^{event}|m|P|2.5",
        f"SCH||{said.appointment}|||||||||^^^{start}^{end}||||||||||||||{status}",
        *[f"PID|||{client}" for client in said.clients],
        f"AIL|1|A|{place}",
    ]
    return "\r".join(lines)


class Event(NamedTuple):
    """A record to be fed; its value in JSON, or as text."""

    topic: str
    key: str
    value: Any


def moment_of(number: int) -> datetime:
    """When a word of the history was said: by it the revisions count."""
    return BEGIN - timedelta(seconds=900 - 7 * number)


def one_by_one(topic: str, write: Callable[[Said, datetime], Any]) -> Callable[[list[Said], int], Iterator[Event]]:
    def events(said: list[Said], number: int) -> Iterator[Event]:
        yield Event(topic, f"zorg/{said[number].appointment}", write(said[number], moment_of(number)))

    return events


def latest(said: list[Said], number: int) -> dict[str, int]:
    """By appointment, the word that is so of it once `number` has been said."""
    return {said[earlier].appointment: earlier for earlier in range(number + 1)}


def whole(said: list[Said], number: int) -> Iterator[Event]:
    for id_, one in sorted(latest(said, number).items()):
        word = said[one] if said[one].status == "booked" else said[one]._replace(clients=())
        yield Event(APPOINTMENTS.name, f"zorg/{id_}", own(word, moment_of(one)))


def snapshots(said: list[Said], number: int) -> Iterator[Event]:
    words = [said[one] for _, one in sorted(latest(said, number).items())]
    for client in CLIENTS:
        there = [own(word, BEGIN) for word in words if client in word.clients and word.status == "booked"]
        listed = [{name: one[name] for name in ("appointment", "start", "end", "location")} for one in there]
        gone = {word.appointment for word in words} - {one["appointment"] for one in there}
        yield Event(AGENDA_SNAPSHOTS.name, f"zorg/{client}", {
            "organisation": "zorg", "client": client, "from": "2026-03-01T00:00:00+01:00", "to": "2026-06-01T00:00:00+02:00",
            "revision": number, "appointments": listed, "gone": sorted(gone),
        })  # fmt: skip


WAYS: dict[Way, Callable[[list[Said], int], Iterator[Event]]] = {
    "own": one_by_one(APPOINTMENTS.name, own), "fhir": one_by_one(FHIR.name, fhir), "siu": one_by_one(HL7V2.name, siu),
    "whole": whole, "snapshots": snapshots,
}  # fmt: skip

CLIENTS = ("anna", "bram")
clients = st.lists(st.sampled_from(CLIENTS), min_size=1, max_size=2, unique=True).map(tuple)
words = st.builds(
    Said, st.sampled_from("ab"), st.sampled_from(["booked", "booked", "booked", "cancelled", "proposed"]), st.integers(0, 12),
    st.sampled_from([None, "De Linde", "Noord"]), clients,
)  # fmt: skip


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Said], list[Delivery]]:
    """A history, and how it is delivered: in its order, or not, with repeats."""
    said = draw(st.lists(words, min_size=1, max_size=6))
    numbers = draw(st.permutations(range(len(said)))) if draw(st.booleans()) else list(range(len(said)))
    numbers = [*numbers, *draw(st.lists(st.sampled_from(range(len(said))), max_size=3))]
    return said, [Delivery(number, draw(st.sampled_from([0, 5, 40, 200, 90_000]))) for number in numbers]


def told(way: Way, said: list[Said], delivered: list[Delivery]) -> list[tuple[Any, ...]]:
    """What became of it: to whom, what and when."""
    world = World(bare=True)
    world.simulation = Simulation(succeed, PRODUCERS)
    world.settings(reminder={"days_before": 1, "at": "10:00"})
    for client in CLIENTS:
        world.consent(client).contact(client)
    for number, seconds in delivered:
        world.now += timedelta(seconds=seconds)
        world.log += [orjson.loads(one) for one in world.simulation.until(world.now)]
        for topic, key, value in WAYS[way](said, number):
            raw = value.encode() if isinstance(value, str) else orjson.dumps(value)
            world.log += [orjson.loads(one) for one in world.simulation.feed(topic, key.encode(), raw, world.now)]
    world.wait("2026-05-01 00:00")
    return [(one["client"], one["status"], one["detail"], one["text"], one["at"], one["message"]) for one in world.log]


@examples(150)
@given(deliveries())
def test_a_history_gives_the_same_messages_whichever_way_it_comes_in(history: tuple[list[Said], list[Delivery]]) -> None:
    said, delivered = history
    ours = told("own", said, delivered)
    assert told("fhir", said, delivered) == ours
    assert told("siu", said, delivered) == ours


@examples(40)
@given(deliveries())
def test_a_history_gives_the_same_messages_by_snapshots_of_the_agenda(history: tuple[list[Said], list[Delivery]]) -> None:
    ours, polled = ([one[:-1] for one in told(way, *history)] for way in ("whole", "snapshots"))
    assert polled == ours


@pytest.mark.parametrize("way", ["siu", "snapshots"])
def test_what_is_compared_says_something(way: Way) -> None:
    said = [
        Said("a", "booked", 0, "De Linde", ("anna",)),
        Said("a", "booked", 3, None, ("anna", "bram")),
        Said("a", "cancelled", 3, None, ("anna",)),
    ]
    delivered = [Delivery(0, 0), Delivery(1, 200), Delivery(2, 200)]
    found = [(client, status, (text or "").split(" op ")[0]) for client, status, _, text, *_ in told(way, said, delivered)]
    assert found == [
        ("anna", "sent", "Er is een afspraak met u gemaakt"), ("anna", "sent", "Uw afspraak"),
        ("bram", "sent", "Er is een afspraak met u gemaakt"), ("anna", "sent", "Uw afspraak"), ("bram", "sent", "Uw afspraak"),
    ]  # fmt: skip
