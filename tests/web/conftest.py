"""The web service on a free port, with a publisher that keeps what it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from agents.feeding import Event
from agents.settings import Settings
from agents.tokens import Tokens
from agents.web.app import create_web
from agents.web.publishing import UnavailableError
from agents.web.serving import Server

KEY = "a-key-of-the-tests-that-is-long-enough"


class Kept:
    """A publisher that keeps events in memory; while `away` it acknowledges nothing."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False

    async def publish(self, event: Event) -> None:
        await self.check()
        self.events.append(event)

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
