"""The projection: each record once, whatever is repeated, overtaken or in another order; and what is made of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from agents.export.spreadsheet import safe
from agents.projection import organisations
from agents.projection.figures import FigureQueries
from agents.projection.projection import OvertakenError, Projection, TopicEntry
from agents.projection.queries import Filter, Queries
from agents.projection.requests import message_of
from agents.projection.tables import METADATA, open_database
from agents.projection.volumes import Warnings
from agents.settings.settings import Settings
from agents.web.overview import charts
from agents.web.overview.figures import by_month
from schemas.deliveries import read_log_record
from schemas.erasures import Erasure
from schemas.inputs import Organisation, OrganisationOverride, Request
from schemas.topics import DELIVERY_LOG, HELD, REQUESTS
from schemas.wire import check, encode
from streams.history.bill import Bill
from streams.history.volume import window_of
from tests.agents.web.samples import NOW, entries, fill, held, record, sample
from tests.world import organisation

LOG = DELIVERY_LOG.name


@pytest.fixture
def projection(database: str, tmp_path: Path) -> Projection:
    return Projection(open_database(database, tmp_path))


def content(projection: Projection) -> dict[str, list[dict[str, Any]]]:
    """All rows but the positions."""
    with projection.engine.connect() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(table.select()).mappings()), key=str)
            for table in METADATA.sorted_tables
            if table.name != "positions"
        }


def test_what_waits_is_what_the_last_record_of_each_client_says(projection: Projection) -> None:
    """Of a client who was taken back nothing waits; what is no record, or is of another client, is set aside."""

    def entry(offset: int, key: str, value: bytes | None) -> TopicEntry:
        return TopicEntry(offset, value, NOW, key.encode())

    first = [entry(0, "linde/a", encode(held("a"))), entry(1, "linde/b", encode(held("b"))), entry(2, "linde/a", None)]
    assert projection.take(HELD.name, 0, 0, first) == 0
    bad = [
        entry(3, "linde/b", b"{"),
        entry(4, "linde/c", encode(held("d"))),
        entry(5, "linde", None),
        entry(6, "linde/b", encode(held("b", near=1))),
    ]
    assert projection.take(HELD.name, 0, 3, bad) == 3
    assert [(row["client"], row["near"]) for row in content(projection)["held"]] == [("b", 1)]


def test_a_record_that_comes_again_counts_once(projection: Projection) -> None:
    records = sample()
    projection.take(LOG, 0, 0, entries(records))
    once = content(projection)
    projection.take(LOG, 0, len(records), entries(records, len(records)))
    assert content(projection) == once


@pytest.mark.parametrize("seed", range(5))
def test_batches_make_no_difference(databases: Callable[[], str], tmp_path: Path, seed: int) -> None:
    rng, records = random.Random(seed), sample()
    whole, parts = (Projection(open_database(databases(), tmp_path)) for _ in range(2))
    whole.take(LOG, 0, 0, entries(records))
    place = 0
    while place < len(records):
        size = rng.randint(1, 40)
        parts.take(LOG, 0, place, entries(records[place : place + size], place))
        place = min(len(records), place + size)
    assert content(parts) == content(whole)


def test_what_another_process_took_in_is_not_taken_in_again(projection: Projection) -> None:
    projection.take(LOG, 0, 0, entries([record("m1")]))
    before = content(projection)
    for expected in (0, 7):
        with pytest.raises(OvertakenError):
            projection.take(LOG, 0, expected, entries([record("m2")], expected))
    assert content(projection) == before
    assert projection.positions() == {(LOG, 0): 1}


def test_a_batch_that_fails_leaves_nothing(projection: Projection, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(projection)

    def away(*_: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("the server went away"))

    monkeypatch.setattr("agents.projection.reduce.day_rows", away)
    with pytest.raises(OperationalError):
        projection.take(LOG, 0, 0, entries([record("m1")]))
    assert (content(projection), projection.positions()) == (before, {})


def test_a_rebuild_is_the_same(projection: Projection) -> None:
    projection.take(LOG, 0, 0, entries(sample()))
    before = content(projection)
    projection.clear()
    assert projection.positions() == {}
    projection.take(LOG, 0, 0, entries(sample()))
    assert content(projection) == before


def test_what_is_no_record_is_passed_over(projection: Projection) -> None:
    bad = entries([record("m1"), {"message": "m2"}, record("m3")])
    projection.take(LOG, 0, 0, bad)
    assert [row["message"] for row in content(projection)["messages"]] == ["m1", "m3"]


async def test_a_message_is_what_its_last_record_says_and_delivered_stays(tmp_path: Path, database: str) -> None:
    settings = Settings(data=tmp_path, web_database=database)
    projection = fill(
        settings,
        [
            record("m1", status="retrying", detail="busy"), record("m1", attempt=1), record("m1", attempt=1, status="delivered"),
            record("m1", attempt=1, status="unknown"), record("m2"), record("m2", attempt=1, at="2026-03-02T09:30:00Z"),
        ],
    )  # fmt: skip
    rows = {row["message"]: row for row in await Queries(projection.engine).messages("linde", Filter())}
    assert (rows["m1"]["status"], rows["m1"]["detail"], rows["m1"]["parts"]) == ("delivered", None, 1)
    assert (rows["m2"]["status"], rows["m2"]["parts"], rows["m2"]["micros"]) == ("sent", 2, 150_000)


async def test_filters_and_pages_together_give_each_message_once(tmp_path: Path, database: str) -> None:
    records = [*sample(), record("x", organisation="plein")]
    queries = Queries(fill(Settings(data=tmp_path, web_database=database), records).engine)
    everything = {one["message"] for one in records if one["organisation"] == "linde"}
    found: list[str] = []
    after = None
    while rows := await queries.messages("linde", Filter(), after, 7):
        found += [row["message"] for row in rows]
        after = rows[-1]["first"], rows[-1]["message"]
    assert len(found) == len(everything)
    assert set(found) == everything
    some = await queries.messages("linde", Filter(clients=("cl-003",), channel="sms", outcome="delivered"))
    assert some
    assert {(row["client"], row["channel"], row["status"]) for row in some} == {("cl-003", "sms", "delivered")}
    days = await queries.messages("linde", Filter(since=date(2026, 3, 2), until=date(2026, 3, 3)), None, 1000)
    assert {row["first"][:10] for row in days} == {"2026-03-02", "2026-03-03"}


async def test_a_day_is_a_local_day(tmp_path: Path, database: str) -> None:
    engine = fill(Settings(data=tmp_path, web_database=database), [record("m1", at="2026-03-01T23:30:00Z")]).engine
    day = date(2026, 3, 2)
    assert len(await Queries(engine).messages("linde", Filter(since=day, until=day))) == 1
    sums = await FigureQueries(engine).sums("linde", date(2026, 3, 1), date(2026, 3, 3))
    assert (sums.days, sums.hours) == ({("2026-03-02", "sent"): 1}, {"00": 1})


async def test_months_add_up_to_the_cent(tmp_path: Path, database: str) -> None:
    records = [record(f"m{number}", cost={"amount": 0.1, "currency": "EUR"}) for number in range(1000)]
    engine = fill(Settings(data=tmp_path, web_database=database), [*records, record("e", channel="email")]).engine
    (month,) = by_month(await FigureQueries(engine).months("linde", date(2026, 3, 20))).values()
    assert (month.name, month.sent, month.parts, month.cost) == ("maart 2026", {"sms": 1000, "email": 1}, 1000, "€\xa0100,00")


def test_what_the_provider_bills_after_all_is_in_the_month_of_sending_as_on_the_bill(projection: Projection) -> None:
    sent = record("m1", attempt=1, at="2026-03-31T21:59:00Z", parts=2, cost={"amount": "0.15", "currency": "EUR"})
    failed = record(
        "m1", status="failed", attempt=1, at="2026-04-01T09:00:00Z", detail="report: expired; 3 parts billed, 2 logged"
    )
    late = record("m1", status="delivered", attempt=1, at="2026-04-01T09:05:00Z", detail="1 parts billed, 2 logged")
    other = record("m2", status="delivered", attempt=1, detail="3 parts billed, 2 logged")
    for number, one in enumerate((sent, failed, late, late, other)):
        projection.take(LOG, 0, number, entries([one], number))
        bill = Bill("2026-03", lambda _: "Europe/Amsterdam")
        for each in (sent, failed, late)[: number + 1]:
            bill.add(read_log_record(orjson.dumps(each)))
        (line,) = bill.lines()
        days = [row for row in content(projection)["days"] if row["status"] == "sent"]
        assert [row["day"] for row in days] == ["2026-03-31"]
        assert (days[0]["records"], days[0]["parts"], Decimal(days[0]["micros"]) / 1_000_000) == (1, line.parts, line.amount)
        (message,) = [row for row in content(projection)["messages"] if row["message"] == "m1"]
        assert (message["parts"], message["micros"]) == (line.parts, days[0]["micros"])
    assert line.parts == 1


async def test_what_an_employee_is_sent_is_no_clients_message_and_is_counted_apart(tmp_path: Path, database: str) -> None:
    of_employee = {"client": "", "recipient": "e:m-204", "schema": 2}
    records = [record("m1"), record("m2", **of_employee), record("m3", channel="email", **of_employee)]
    records.append(record("m2", status="delivered", detail="2 parts billed, 1 logged", at="2026-03-02T09:05:00Z", **of_employee))
    projection = fill(Settings(data=tmp_path, web_database=database), records)
    queries, figures = Queries(projection.engine), FigureQueries(projection.engine)
    assert [row["message"] for row in await queries.messages("linde", Filter())] == ["m1"]
    assert await queries.counts("linde", Filter()) == {"sent": 1}
    assert await queries.clients("linde", "", 10) == ["anna"]
    sums, months = (
        await figures.sums("linde", date(2026, 3, 1), date(2026, 3, 31)),
        await figures.months("linde", date(2026, 3, 20)),
    )
    assert sums.kinds == {("created", "sent"): 1}
    (month,) = by_month(months).values()
    assert (month.sent, month.employees, month.parts) == ({"sms": 1, "email": 0}, 1, 3)
    event = Erasure(organisation="linde", employee="m-204", at=datetime(2026, 3, 3, tzinfo=UTC))
    assert projection.erase(event).messages == 2
    assert projection.messages_of("linde", "", "e:m-204") == 0
    assert [row["message"] for row in await queries.messages("linde", Filter())] == ["m1"]


async def test_pieces_that_went_count_where_the_rest_did_not(tmp_path: Path, database: str) -> None:
    """What an organisation pays is in the overview, though nobody was told the whole."""
    cost = {"amount": "0.72", "currency": "EUR"}
    records = [
        record("m1", status="failed", attempt=1, detail="9; 1 of 2 pieces") | {"parts": 9, "cost": cost},
        record("m1", status="superseded", attempt=1, detail="rerouted"),
        record("m2", channel="email"),
    ]  # fmt: skip
    queries = Queries(fill(Settings(data=tmp_path, web_database=database), records).engine)
    (month,) = by_month(await FigureQueries(queries.engine).months("linde", date(2026, 3, 20))).values()
    assert (month.sent, month.parts, month.cost) == ({"sms": 0, "email": 1}, 9, "€\xa00,72")
    messages = {row["message"]: row for row in await queries.messages("linde", Filter())}
    assert (messages["m1"]["parts"], messages["m1"]["micros"]) == (9, 720_000)


@given(st.text())
def test_no_cell_of_an_export_is_a_formula(text: str) -> None:
    assert safe(text).lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r")


UNSEEN = [
    "",
    " ",
    "\u00a0",
    "\ufeff",
    "\u200b",
    "\u2060",
    "\u3000",
    "\u00ad",
    "\ufe0f",
    "\u3164",
    "\u2800",
    "\ue000",
    " \u200e\u00a0",
]
BEGINNINGS = ["=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠", "｜", "％", "﹦", "⁺", "₌", "−", "\t", "\r", "\n", "\x0b"]


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_a_formula_behind_what_nobody_sees_or_in_another_width_is_no_formula_either(unseen: str) -> None:
    """Found: a wide =, or one behind a hard space or a mark of byte order, got no apostrophe."""
    cells = [f"{unseen}{beginning}1+1" for beginning in BEGINNINGS]
    assert [safe(cell) for cell in cells] == [f"'{cell}" for cell in cells]


def test_other_cells_are_as_they_are() -> None:
    cells = ["", " ", "Er is een afspraak", "a=b", "12", "é", "\u00a0tekst", "(=1)", "'=1", "€ 1", "中文"]
    assert [safe(cell) for cell in cells] == cells


@given(st.integers(0, 10_000_000))
def test_an_axis_ends_above_the_highest_bar(number: int) -> None:
    assert charts.nice(number) >= max(4, number)
    assert charts.nice(number) % 2 == 0


OWN = "organisation-overrides"


async def test_an_older_settings_record_that_comes_later_does_not_undo_what_was_just_saved(projection: Projection) -> None:
    """A page notes its own event at once; the follower is behind and brings the ones before it."""
    own = {"organisation": "linde", "notifications": False}

    def comes(offset: int, value: dict[str, Any] | None) -> None:
        expected = projection.positions().get((OWN, 0), 0)
        content = orjson.dumps(value) if value is not None else None
        projection.take(OWN, 0, expected, [TopicEntry(offset, content, NOW, b"linde")])

    projection.note(organisations.row(OWN, 0, 7, b"linde", orjson.dumps(own), NOW))
    for offset, value in ((6, {"organisation": "linde"}), (7, own)):
        comes(offset, value)
        found = await Queries(projection.engine).settings("linde")
        assert (found.version, found.override) == (7, check(OrganisationOverride, own))
    comes(8, None)
    assert (await Queries(projection.engine).settings("linde")).override is None


async def test_refused_settings_leave_the_last_good_ones_and_the_next_good_ones_end_the_refusal(projection: Projection) -> None:
    good, bad = organisation(), organisation(time_zone="Europe/Nergens")
    for number, (value, refused) in enumerate(((good, 0), (bad, 1), (bad, 1), (good, 0))):
        place = projection.positions().get(("organisations", 0), 0)
        projection.take("organisations", 0, place, [TopicEntry(number, orjson.dumps(value), NOW, b"zorg")])
        found = await Queries(projection.engine).settings("zorg")
        assert (found.upstream, len(found.refusals)) == (check(Organisation, good), refused)


def test_a_text_that_postgresql_cannot_hold_does_not_stop_the_rest(projection: Projection) -> None:
    projection.take(LOG, 0, 0, entries([record("m1", text="a\x00b"), record("m2")]))
    assert content(projection)["messages"][0]["text"] == "ab"


ONE, OTHER = bytes(16), bytes(range(16))


@pytest.mark.parametrize(
    ("kept", "now", "others"),
    [
        pytest.param({LOG: ONE, OWN: ONE}, {LOG: ONE, OWN: ONE}, [], id="the same topics: on from where it was"),
        pytest.param(
            {LOG: ONE, OWN: ONE}, {LOG: OTHER, OWN: ONE}, [LOG], id="one was made anew: it alone is read from its start"
        ),
        pytest.param({}, {LOG: ONE, OWN: ONE}, [], id="positions of before have no ids: they are of what is there"),
        pytest.param({LOG: ONE, OWN: ONE}, {}, [], id="a broker that tells no ids: nothing changes"),
    ],
)
def test_positions_count_for_the_topics_that_they_are_of(
    projection: Projection, kept: dict[str, bytes], now: dict[str, bytes], others: list[str]
) -> None:
    projection.recognise(kept)
    projection.take(LOG, 0, 0, entries([record("m1")]))
    projection.take(OWN, 0, 0, [TopicEntry(0, b'{"organisation": "linde"}', NOW, b"linde")])

    assert projection.recognise(now) == others
    assert projection.positions() == {at: 1 for at in ((LOG, 0), (OWN, 0)) if at[0] not in others}
    assert projection.recognise(now) == [], "it is known now"


def test_what_is_read_again_of_a_topic_that_was_made_anew_counts_once(projection: Projection) -> None:
    projection.recognise({LOG: ONE})
    projection.take(LOG, 0, 0, entries(sample()))
    once = content(projection)
    projection.recognise({LOG: OTHER})
    projection.take(LOG, 0, 0, entries(sample()))
    assert content(projection) == once


@pytest.mark.parametrize("way", ["another id", "it ends before where it was read up to"])
async def test_settings_of_a_topic_made_anew_replace_those_with_higher_offsets(projection: Projection, way: str) -> None:
    """The offset is the version of settings: those of the topic that is gone would have stood for ever."""

    def comes(offset: int, name: str) -> None:
        expected = projection.positions().get(("organisations", 0), 0)
        value = orjson.dumps(organisation(organisation="linde", name=name))
        projection.take("organisations", 0, expected, [TopicEntry(offset, value, NOW, b"linde")])

    projection.recognise({"organisations": ONE})
    comes(900, "De Linde")
    if way == "another id":
        projection.recognise({"organisations": OTHER})
    else:
        projection.restart("organisations")
    comes(0, "De nieuwe Linde")
    found = (await Queries(projection.engine).settings("linde")).upstream
    assert found is not None
    assert found.name == "De nieuwe Linde"


async def test_what_the_page_of_holds_asks(projection: Projection) -> None:
    queries = Queries(projection.engine)
    waits = [held("a"), held("b", near=1), held("c", until=NOW)]
    of_held = [TopicEntry(number, encode(one), NOW, f"linde/{one.client}".encode()) for number, one in enumerate(waits)]
    projection.take(HELD.name, 0, 0, of_held)
    sums, first = await queries.held("linde", NOW, 1)
    assert (sums, [one.client for one in first]) == ((2, 2, 1, 2), ["a"])
    assert [await queries.waits("linde", client) for client in ("a", "z")] == [(1, 0), (0, 0)]
    asked = [
        {"organisation": "linde", "client": "anna", "request": f"r{number}", "party": party, "text": "Vul in."}
        for number, party in enumerate(("roqua", "roqua", "rooster"))
    ]
    projection.take(REQUESTS.name, 0, 0, [TopicEntry(number, orjson.dumps(one), NOW) for number, one in enumerate(asked)])
    done = message_of(check(Request, asked[0]))
    projection.take(LOG, 0, 0, entries([record(done, reason="request")]))
    assert await queries.parties("linde", NOW - timedelta(days=1)) == {"rooster": 1, "roqua": 1}
    assert await queries.parties("linde", NOW + timedelta(days=1)) == {}


async def test_volumes_are_counted_once_and_one_process_warns(projection: Projection) -> None:
    queries, at = Queries(projection.engine), "2026-03-20T11:59:00Z"
    records = [record("m1", at=at), record("m2", at=at), record("m3", at=at, reason="reminder"), record("m4", at=at, attempt=1)]
    projection.take(LOG, 0, 0, entries(records))
    projection.take(LOG, 0, len(records), entries(records, len(records)))
    window = window_of(NOW) - 1
    assert await queries.lately(window) == [("linde", "direct")]
    assert await queries.volumes("linde", "direct") == {window: 3}
    warnings = Warnings(projection.engine)
    hours = [timedelta(hours=number) for number in (0, 1, 6, 7)]
    claimed = [warnings.claim("linde", "direct", NOW + after, NOW + after - timedelta(hours=6)) for after in hours]
    assert claimed == [True, False, False, True]
    warnings.unclaim("linde", "direct")
    assert warnings.claim("linde", "direct", NOW + hours[-1], NOW)
    warnings.forget(window + 1)
    assert await queries.volumes("linde", "direct") == {}
