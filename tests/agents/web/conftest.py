"""The web service on a free port, with a publisher that keeps what it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from agents import request_ids
from agents.kafka.publisher import RecordPosition, UnavailableError
from agents.kafka.writer import Event
from agents.settings.settings import Settings
from agents.tokens import Tokens
from agents.web.app import create_web
from agents.web.http.server import Server
from schemas.access import AccessRecord
from schemas.topics import ACCESS_LOG

KEY = "a-key-of-the-tests-that-is-long-enough"


class Kept:
    """A publisher that keeps events in memory, those of `access-log` apart; while `away` it acknowledges nothing."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.headers: list[list[tuple[str, bytes]]] = []
        """Of each event."""
        self.looks: list[AccessRecord] = []
        self.away = False
        self.away_after: int | None = None
        """Goes away once it has so many records of `access-log`."""
        self.away_for: set[str] = set()
        """Topics of which it acknowledges nothing."""

    async def publish(self, event: Event) -> RecordPosition:
        await self.check()
        if event.topic in self.away_for:
            raise UnavailableError
        if event.topic == ACCESS_LOG.name:
            self.looks.append(msgspec.json.decode(event.value, type=AccessRecord))
            self.away = len(self.looks) == self.away_after
            return RecordPosition(0, len(self.looks) - 1)
        self.events.append(event)
        self.headers.append(request_ids.headers())
        return RecordPosition(0, len(self.events) - 1)

    async def check(self) -> None:
        if self.away:
            raise UnavailableError

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def kafka() -> Kept:
    return Kept()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(unsubscribe_keys=(KEY,), web_port=0, web_slow_seconds=5.0, data=tmp_path)


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
