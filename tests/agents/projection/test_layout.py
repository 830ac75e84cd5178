"""Tables of another layout are made anew, by one process; those of a newer program are left alone."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect, select

from agents.projection.projection import Projection
from agents.projection.tables import LAYOUT, MESSAGES, METADATA, NewerTablesError, connect, open_database, prepare
from schemas.topics import DELIVERY_LOG
from tests.agents.web.samples import entries, record

LOG = DELIVERY_LOG.name


def filled(url: str, folder: Path) -> Projection:
    projection = Projection(open_database(url, folder))
    projection.take(LOG, 0, 0, entries([record("m1")]))
    return projection


def messages(projection: Projection) -> list[str]:
    with projection.engine.connect() as connection:
        return list(connection.execute(select(MESSAGES.c.message)).scalars())


def run(projection: Projection, *statements: str) -> None:
    with projection.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("made by 61a36ae, which had no number", "DROP TABLE layout"),
        ("of a lower number", "UPDATE layout SET number = 0"),
        ("without a column, whatever the number says", "ALTER TABLE messages DROP COLUMN detail"),
        ("with a column more", "ALTER TABLE messages ADD COLUMN more TEXT"),
        ("without a table", "DROP TABLE requests"),
    ],
)
def test_tables_of_another_layout_are_made_anew_and_filled_again(database: str, tmp_path: Path, what: str, change: str) -> None:
    projection = filled(database, tmp_path)
    run(projection, change)
    projection.engine.dispose()

    again = Projection(open_database(database, tmp_path))
    assert (messages(again), again.positions()) == ([], {}), what
    again.take(LOG, 0, 0, entries([record("m1")]))
    assert messages(again) == ["m1"]
    columns = {column["name"] for column in inspect(again.engine).get_columns("messages")}
    assert columns == set(MESSAGES.c.keys())


def test_tables_that_are_as_they_must_be_stay(database: str, tmp_path: Path) -> None:
    filled(database, tmp_path).engine.dispose()
    assert messages(Projection(open_database(database, tmp_path))) == ["m1"]


def test_tables_of_before_the_topics_had_ids_get_them_beside_and_stay(database: str, tmp_path: Path) -> None:
    projection = filled(database, tmp_path)
    run(projection, "DROP TABLE topics")
    projection.engine.dispose()

    again = Projection(open_database(database, tmp_path))
    assert (messages(again), again.recognise({LOG: bytes(16)})) == (["m1"], [])


def test_of_processes_that_start_at_once_one_makes_them_anew(database: str, tmp_path: Path) -> None:
    projection = filled(database, tmp_path)
    run(projection, "DROP TABLE layout")
    engines = [connect(database, tmp_path) for _ in range(4)]
    made: list[bool] = []
    threads = [threading.Thread(target=lambda one=engine: made.append(prepare(one))) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]


def test_tables_of_a_newer_program_are_left_alone_unless_they_are_to_be_made_anew(database: str, tmp_path: Path) -> None:
    projection = filled(database, tmp_path)
    run(projection, f"UPDATE layout SET number = {LAYOUT + 1}")
    with pytest.raises(NewerTablesError, match=f"layout {LAYOUT + 1}"):
        open_database(database, tmp_path)
    assert messages(projection) == ["m1"]
    assert prepare(projection.engine, anew=True)
    assert messages(projection) == []


def test_a_process_that_runs_while_a_newer_one_makes_them_anew_writes_no_more(database: str, tmp_path: Path) -> None:
    projection = filled(database, tmp_path)
    run(projection, f"UPDATE layout SET number = {LAYOUT + 1}")
    with pytest.raises(NewerTablesError):
        projection.take(LOG, 0, 1, entries([record("m2")], 1))
    assert messages(projection) == ["m1"]


def test_whoever_changes_a_table_raises_the_number() -> None:
    """The layout of this number. Another one needs another number, else nobody's tables are made anew."""
    said = [
        (table.name, column.name, str(column.type), column.nullable, column.primary_key)
        for table in METADATA.sorted_tables
        for column in table.c
    ]
    assert (LAYOUT, hashlib.sha256(str(said).encode()).hexdigest()[:16]) == (7, "edab7abd7e62d455")


def test_a_rebuild_drops_the_tables(databases: Callable[[], str], tmp_path: Path) -> None:
    projection = filled(databases(), tmp_path)
    run(projection, "ALTER TABLE messages ADD COLUMN more TEXT")
    projection.clear()
    assert "more" not in {column["name"] for column in inspect(projection.engine).get_columns("messages")}
