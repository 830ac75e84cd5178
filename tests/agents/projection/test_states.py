"""What the projection keeps of the workers' rows, of opt-outs and of who came: as they are, without what no page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from agents.engine.state.changelog import encode_epoch
from agents.engine.state.outbox import FENCE_KEY, OUTBOX_KEY
from agents.projection import states
from agents.projection.figures import FigureQueries
from agents.projection.projection import Projection, TopicEntry
from agents.projection.queries import Filter, Queries
from agents.projection.tables import MESSAGES, STATES, TALLIES, open_database
from agents.settings.settings import Settings
from agents.web.overview.figures import by_month
from schemas.keys import ClientKey
from schemas.topics import AGENDAS, CONSENTS_TABLE, CONTACTS_TABLE, DELIVERY_LOG, ERASURES, OPT_OUTS, OUTCOMES, changelog
from streams.explain.client import is_wanted
from tests.agents.web import calls
from tests.agents.web.samples import NOW, entries, fill, record, sample
from tests.world import World

from .test_projection import content

ROWS = changelog("another-application", "notices").name
EARLIER = NOW - timedelta(hours=1)


@pytest.fixture
def projection(database: str, tmp_path: Path) -> Projection:
    return Projection(open_database(database, tmp_path))


def consent(client: str = "anna", *, on: bool = True) -> tuple[bytes, bytes]:
    value = {"organisation": "linde", "client": client, "notifications": on, "channels": ["sms"]}
    return CONSENTS_TABLE.row(f"linde/{client}"), orjson.dumps(value)


def feed(projection: Projection, *rows: tuple[bytes, bytes | None], epoch: int | None = None, at: datetime = EARLIER) -> int:
    """Records of the changelog, after those that are there; how many were set aside."""
    start = projection.positions().get((ROWS, 0), 0)
    under = encode_epoch(epoch) if epoch is not None else None
    found = [TopicEntry(start + number, value, at, key, under) for number, (key, value) in enumerate(rows)]
    return projection.take(ROWS, 0, start, found)


def kept(projection: Projection) -> dict[tuple[str, str], Any]:
    return {(row["client"], row["name"]): orjson.loads(row["value"]) for row in content(projection)["states"]}


def erase(projection: Projection, at: datetime, client: str = "anna") -> None:
    value = orjson.dumps({"organisation": "linde", "client": client, "at": at.isoformat()})
    start = projection.positions().get((ERASURES.name, 0), 0)
    projection.take(ERASURES.name, 0, start, [TopicEntry(start, value, at)])


def test_a_row_is_as_its_last_record_says(projection: Projection) -> None:
    assert feed(projection, consent(on=False), consent("bert"), consent(on=True)) == 0
    assert {key: value["notifications"] for key, value in kept(projection).items()} == {
        ("anna", "consents"): True, ("bert", "consents"): True,
    }  # fmt: skip
    feed(projection, (consent("bert")[0], None))
    assert set(kept(projection)) == {("anna", "consents")}


def test_what_a_worker_wrote_that_had_lost_the_partition_is_passed_over(projection: Projection) -> None:
    """The fence before it stands in an earlier batch, which another process may have read."""
    feed(projection, (FENCE_KEY, b""), consent(on=True))
    feed(projection, (b"x", b"y"), (FENCE_KEY, b""))
    feed(projection, consent(on=False), epoch=0)
    assert kept(projection)["anna", "consents"]["notifications"] is True
    feed(projection, consent(on=False), epoch=3)
    assert kept(projection)["anna", "consents"]["notifications"] is False


def test_what_is_no_row_is_set_aside_and_what_no_page_shows_is_passed_over(projection: Projection) -> None:
    other = (b"ledger/linde/anna/m1", b"{}")
    assert feed(projection, (AGENDAS.row("linde/anna"), b"{"), (OUTBOX_KEY, b"\xff"), other, (b"\xff", b"{}"), consent()) == 1
    assert set(kept(projection)) == {("anna", "consents")}


def test_a_changelog_that_is_another_one_is_read_anew(projection: Projection) -> None:
    feed(projection, consent(), consent("bert"))
    projection.restart(ROWS)
    assert kept(projection) == {}
    feed(projection, consent("bert"))
    assert set(kept(projection)) == {("bert", "consents")}


def test_nothing_is_kept_that_no_page_shows(projection: Projection) -> None:
    """Of an address its mask; neither the text of a request, nor what a reminder alone says, nor an address as a place."""
    world = World(quiet_hours={"from": "00:00", "until": "23:59"}).contact(email=True).request()
    details = {"practitioner": "Dr. Merk", "instructions": "Merktekst", "link": "https://merk.example"}
    world.book("2026-03-10 13:15", kind="home", location="Merkstraat 12", **details).wait("2026-03-02 09:10")
    feed(projection, *world.simulation.rows["notices"].items())
    text = str(content(projection)["states"])
    assert [mark for mark in ("31612345678", "anna@example", "lijst invullen", "Merk", "merk") if mark in text] == []
    assert "+31*******78" in text
    assert "quiet_hours" in text


def test_the_rows_read_back_as_the_workers_have_them(projection: Projection) -> None:
    world = calls.world()
    feed(projection, *world.simulation.rows["notices"].items())
    with projection.engine.connect() as connection:
        rows = states.rows_of([dict(row) for row in connection.execute(select(STATES)).mappings()])
    client = ClientKey("zorg", "joris")
    wanted = {key for key in world.simulation.rows["notices"] if is_wanted(key, client) and key != CONTACTS_TABLE.row(client)}
    assert {key: orjson.loads(rows[key]) for key in wanted} == {
        key: orjson.loads(world.simulation.rows["notices"][key]) for key in wanted
    }


@pytest.mark.parametrize("first", ["erasure", "rows"])
async def test_an_erased_clients_rows_are_gone_whichever_topic_is_read_first(projection: Projection, first: str) -> None:
    for what in ("erasure", "rows") if first == "erasure" else ("rows", "erasure"):
        if what == "rows":
            feed(projection, consent(), consent("bert"))
        else:
            erase(projection, NOW)
    assert set(kept(projection)) == {("bert", "consents")}
    assert await Queries(projection.engine).clients("linde", "", 9) == ["bert"]
    feed(projection, consent(), at=NOW + timedelta(minutes=1))
    assert await Queries(projection.engine).clients("linde", "a", 9) == ["anna"], "who comes again is another one"
    erase(projection, NOW)
    assert ("anna", "consents") in kept(projection), "an erasure that is read again takes away nothing that is newer"


OPT_OUT = {"organisation": "linde", "client": "anna", "channel": "email", "source": "link"}


def turn(projection: Projection, *turns: tuple[str, bool]) -> None:
    start = projection.positions().get((OPT_OUTS.name, 0), 0)
    found = [
        TopicEntry(start + number, orjson.dumps({**OPT_OUT, "off": off}), datetime.fromisoformat(at))
        for number, (at, off) in enumerate(turns)
    ]
    projection.take(OPT_OUTS.name, 0, start, found)


async def test_a_channel_is_off_since_it_was_turned_off_first_however_often_that_is_said(projection: Projection) -> None:
    turns = [("2026-03-01T08:00:00Z", False), ("2026-03-02T08:00:00Z", True), ("2026-03-03T08:00:00Z", True)]
    turn(projection, *turns)
    turn(projection, ("2026-03-04T08:00:00Z", False), ("2026-03-31T22:30:00Z", True))
    projection.restart(OPT_OUTS.name)
    turn(projection, *turns)
    found = (await Queries(projection.engine).opt_outs("linde", ["anna", "bert"]))["anna"]
    assert [(row["at"][:10], bool(row["off"])) for row in found] == [
        ("2026-03-02", True), ("2026-03-04", False), ("2026-03-31", True),
    ]  # fmt: skip
    months = await FigureQueries(projection.engine).months("linde", date(2026, 1, 1))
    assert months.opt_outs == {("2026-03", "email"): 1, ("2026-04", "email"): 1}, "by local days"
    assert "anna" not in str(content(projection)["opt_outs"])
    erase(projection, datetime(2026, 3, 3, tzinfo=UTC))
    assert [row["at"][:10] for row in content(projection)["opt_outs"]] == ["2026-03-04", "2026-03-31"]


def visit(revision: int, outcome: str | None, start: str = "2026-03-10T09:00:00Z", client: str = "anna") -> dict[str, Any]:
    return {
        "organisation": "linde", "client": client, "appointment": "a", "revision": revision, "outcome": outcome, "start": start,
        "end": start, "at": "2026-03-10T10:00:00Z",
    }  # fmt: skip


async def test_who_came_is_as_the_highest_revision_says(projection: Projection) -> None:
    ask = FigureQueries(projection.engine)
    steps: list[tuple[dict[str, Any], dict[str, int]]] = [
        (visit(2, "noshow"), {"noshow": 1}), (visit(1, "fulfilled"), {"noshow": 1}), (visit(3, "fulfilled"), {"fulfilled": 1}),
        (visit(1, "noshow", client="bert"), {"fulfilled": 1, "noshow": 1}), (visit(4, None), {"noshow": 1}),
    ]  # fmt: skip
    for number, (value, expected) in enumerate(steps):
        projection.take(OUTCOMES.name, 0, number, [TopicEntry(number, orjson.dumps(value), NOW)])
        sums = await ask.sums("linde", date(2026, 3, 10), date(2026, 3, 10))
        assert sums.visits == expected, number
    projection.take(OUTCOMES.name, 0, 5, [TopicEntry(5, None, NOW), TopicEntry(6, b"{", NOW)])
    erase(projection, NOW, "bert")
    assert (await ask.sums("linde", date(2026, 3, 10), date(2026, 3, 10))).visits == {}


def counted(projection: Projection) -> tuple[dict[str, int], dict[str, int]]:
    """Messages by outcome: as they are, and as they are counted."""
    rows = select(MESSAGES.c.outcome, func.count()).group_by(MESSAGES.c.outcome)
    sums = select(TALLIES.c.outcome, func.sum(TALLIES.c.messages)).group_by(TALLIES.c.outcome)
    with projection.engine.connect() as connection:
        first, second = (Counter[str](dict(connection.execute(one).all())) for one in (rows, sums))
    return {name: int(number) for name, number in first.items()}, {name: int(number) for name, number in second.items()}


def test_the_counts_are_those_of_the_rows_whatever_becomes_of_them(projection: Projection) -> None:
    values = sample()
    for start in range(0, len(values), 7):
        projection.take(DELIVERY_LOG.name, 0, start, entries(values[start : start + 7], start))
    rows, sums = counted(projection)
    assert rows == sums
    assert len(rows) > 3
    erase(projection, NOW, "cl-003")
    assert counted(projection)[0] == counted(projection)[1] != rows
    projection.expire(NOW, datetime(2026, 3, 10, tzinfo=UTC))
    left = counted(projection)
    assert left[0] == left[1]
    assert sum(left[0].values()) < sum(rows.values()) - 8


async def test_a_time_to_delivery_is_from_its_own_sending(databases: Callable[[], str], tmp_path: Path) -> None:
    def arrived(message: str, seconds: int, attempt: int = 0) -> list[dict[str, Any]]:
        sent = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(hours=attempt)
        return [
            record(message, attempt=attempt, at=sent.isoformat()),
            record(message, attempt=attempt, at=(sent + timedelta(seconds=seconds)).isoformat(), status="delivered"),
        ]

    values = [*arrived("a", 10), *arrived("b", 11), *arrived("c", 600), *arrived("d", 90_000), *arrived("e", 5, 1)]
    for size in (1, 100):
        projection = Projection(open_database(databases(), tmp_path))
        for start in range(0, len(values), size):
            projection.take(DELIVERY_LOG.name, 0, start, entries(values[start : start + size], start))
        sums = await FigureQueries(projection.engine).sums("linde", date(2026, 3, 2), date(2026, 3, 2))
        assert sums.delivery == {"10 s": 2, "1 min": 1, "10 min": 1, "later": 1}
        assert sums.hours == {"10": 4, "11": 1}


async def test_what_did_not_arrive_was_sent_and_paid_and_is_not_counted_as_not_sent(tmp_path: Path, database: str) -> None:
    """Found: it stood in "Sms" and in "Niet verstuurd" of the same month."""
    values = [record("m1"), record("m1", status="failed", detail="report: delivery_failed/1"), record("m2")]
    values.append(record("m3", status="failed", detail="messagebird: 422/9"))
    engine = fill(Settings(data=tmp_path, web_database=database), values).engine
    (month,) = by_month(await FigureQueries(engine).months("linde", date(2026, 3, 1))).values()
    assert (month.sent["sms"], month.undelivered, month.not_sent, month.cost) == (2, 1, 1, "€\xa00,15")
    assert await Queries(engine).counts("linde", Filter()) == {"undelivered": 1, "sent": 1, "failed": 1}
