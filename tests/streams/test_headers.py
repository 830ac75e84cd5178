"""What others read says in its headers what it is, of every topic of which the catalogue says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from schemas.topics import TOPICS
from streams.processing.turn import Output
from tests.world import World, at

START, FAR = "2026-03-02 09:00", "2026-03-20 11:00"
SAID = {topic.name: topic.headers for topic in TOPICS if topic.headers}


def agenda(world: World, client: str, revision: int, *there: str) -> None:
    """A snapshot with these appointments, all at one time."""
    start = at(FAR)
    world.feed("agenda-snapshots", f"zorg/{client}", {
        "organisation": "zorg", "client": client, "from": "2026-03-01T00:00:00Z", "to": "2026-06-01T00:00:00Z",
        "revision": revision,
        "appointments": [
            {"appointment": id_, "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()} for id_ in there
        ],
    })  # fmt: skip


def test_every_record_that_others_read_has_its_topics_headers_and_a_deletion_none() -> None:
    world, found = World(START), set[tuple[str, bool, tuple[tuple[str, bytes], ...]]]()
    write = world.simulation._write

    def seen(output: Output, now: datetime) -> Iterator[bytes]:
        if output.topic in SAID:
            found.add((output.topic, output.value is not None, output.headers))
        return write(output, now)

    world.simulation._write = seen  # type: ignore[method-assign]
    clients = [f"c{number}" for number in range(30)]
    for client in clients:
        agenda(world, client, 1, "a")
    world.book(FAR).wait("2026-03-02 09:10").book(FAR, rev=2, status="noshow").wait("2026-03-02 09:20")
    for revision, there in ((2, []), (3, ["a"])):
        for client in clients:
            agenda(world, client, revision, *there)
        world.wait(f"2026-03-02 09:{10 + 15 * revision}")
    for on in (True, False):
        world.feed("holds", "zorg", {"organisation": "zorg", "at": world.now.isoformat(), "notices": on})
        world.book("2026-03-21 11:00", id="b").wait(f"2026-03-02 1{2 - on}:00")
    assert found == {(name, True, headers) for name, headers in SAID.items()} | {("held", False, ()), ("doubted", False, ())}
    assert SAID["delivery-log"] == (("content-type", b"application/json"), ("schema", b"2"))
