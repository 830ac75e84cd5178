"""`afspraakbericht hold`: what it writes over what is held already, and what it shows of what waits."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import orjson
import pytest

from agents.commands.endings import ArgumentError
from agents.commands.hold import Seen, arguments, asked, lines, listed
from schemas.doubts import DoubtedRecord
from schemas.held import HeldRecord
from schemas.holds import Hold
from schemas.inputs import Organisation
from schemas.topics import HELD
from streams.processing.turn import Output
from tests.world import World, at, organisation

NOW = at("2026-03-02 12:00")
ON = Hold(organisation="zorg", at=at("2026-03-02 09:00"), notices=True, parties=["roqua"], by="a")


def said(old: Hold | None, *words: str) -> tuple[bool, list[str], bool]:
    """What a command line makes of what is held: notices, parties, and whether it is the hold that was."""
    parser = ArgumentParser()
    arguments(parser)
    hold = asked(parser.parse_args(["zorg", *words]), old, NOW)
    return hold.notices, hold.parties, old is not None and hold.at == old.at


ASKED: list[tuple[str, Hold | None, tuple[str, ...], tuple[bool, list[str], bool]]] = [
    ("a hold", None, ("--set",), (True, [], False)),
    ("pressed twice it is the same one, with its parties", ON, ("--set",), (True, ["roqua"], True)),
    ("a party more ends no hold of notices", ON, ("--party", "rooster"), (True, ["roqua", "rooster"], True)),
    ("a party alone", None, ("--party", "rooster"), (False, ["rooster"], False)),
    ("an end ends all of it", ON, ("--end",), (False, [], False)),
    ("with nothing said of what was shown", ON, ("--end", "--say-nothing-of", "2026-03-02T10:00:00Z"), (False, [], False)),
]


@pytest.mark.parametrize(("why", "old", "words", "record"), ASKED, ids=[row[0] for row in ASKED])
def test_what_is_written(why: str, old: Hold | None, words: tuple[str, ...], record: tuple[bool, list[str], bool]) -> None:
    assert said(old, *words) == record


@pytest.mark.parametrize(
    ("old", "words", "why"),
    [
        (None, ("--end",), "zorg holds nothing"),
        (ON, ("--end", "--say-nothing-of", "2026-03-02T07:00:00Z"), "this hold was set at 2026-03-02T08:00:00"),  # an older one
        (ON, ("--end", "--say-nothing-of", "2026-03-02T13:00:00Z"), "and it is 2026-03-02T11:00:00"),
    ],
)
def test_an_end_of_what_is_not_held_or_was_not_shown_is_refused(old: Hold | None, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(ArgumentError, match=why):
        said(old, *words)


def test_what_waits_is_shown_with_number_cost_and_samples() -> None:
    world = World("2026-03-02 09:00")
    written: list[Output] = []
    keep = world.simulation._write

    def write(output: Output, now: datetime) -> Iterator[bytes]:
        written.append(output)
        return keep(output, now)

    world.simulation._write = write  # type: ignore[method-assign]
    world.feed("holds", "zorg", {"organisation": "zorg", "at": "2026-03-02T08:00:00Z"}).book("2026-03-20 11:00").wait(
        "2026-03-02 12:00"
    )
    records = [output for output in written if output.topic == HELD.name]
    held = {one.key or b"": msgspec.json.decode(one.value or b"", type=HeldRecord) for one in records}
    settings = msgspec.convert(orjson.loads(orjson.dumps(organisation())), Organisation)
    seen = Seen({"zorg": ON}, held, {"zorg": settings}, {})
    assert listed(seen, NOW) == [
        "zorg holds its notices and requests of roqua since 2026-03-02T08:00:00+00:00; waiting: 1 message"
    ]
    assert lines(seen, "zorg", 3, NOW) == [
        "zorg holds its notices and requests of roqua, since 2026-03-02T08:00:00+00:00, by a",
        "1 message to 1 client would go now; of these 0 are of days that begin within 24 hours",
        "1 SMS part, 0.08 EUR",
        "  Er is een afspraak met u gemaakt op vrijdag 20 maart 2026 van 11:00 tot 12:00.",
        "Mended upstream, the number falls by itself. This is as of 2026-03-02T11:00:00+00:00",
    ]
    world.feed("appointments", "zorg/a", None).wait("2026-03-02 12:10")
    assert [one.value for one in written if one.topic == HELD.name][1:] == [None]  # mended upstream
    assert lines(seen, "zorg", 3, NOW + timedelta(days=30))[1].startswith("0 messages")  # over


def test_snapshots_that_are_not_believed_are_counted_over_partitions_until_what_they_miss_has_begun() -> None:
    def one(partition: int, organisation: str = "zorg", until: datetime = NOW + timedelta(days=30)) -> DoubtedRecord:
        since = NOW - timedelta(minutes=partition)
        return DoubtedRecord(
            organisation=organisation, partition=partition, since=since, at=NOW, clients=21, known=40, until=until
        )  # fmt: skip

    found = {f"{each.organisation}/{each.partition}": each for each in (one(1), one(2), one(3, until=NOW), one(1, "plein"))}
    seen = Seen({}, {}, {}, found)
    zorg = "snapshots of zorg miss appointments of 42 of 80 clients since 2026-03-02T10:58:00+00:00: none is cancelled for that"
    assert listed(seen, NOW) == [
        "snapshots of plein miss appointments of 21 of 40 clients since 2026-03-02T10:59:00+00:00: none is cancelled for that",
        zorg,
    ]  # fmt: skip
    assert lines(seen, "zorg", 3, NOW)[2] == zorg
    assert listed(seen, NOW + timedelta(days=30)) == ["nobody holds anything"]
