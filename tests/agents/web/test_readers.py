"""Whoever asks and does not read the answers, and the headers of what is sent as it is made."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs

from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from agents.web.sign_in.sessions import COOKIE, Sessions, named

from .conftest import Kept
from .samples import NOW, fill, record
from .sign_in.test_crowds import until

SESSION_KEY = "a-key-of-sessions-that-is-long-enough"

pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Password hashes that take no time."""
    monkeypatch.setattr(accounts, "COST", 1 << 4)


@pytest.fixture
def settings(tmp_path: Path, cheap: None) -> Settings:
    file = tmp_path / "accounts.toml"
    file.write_text(accounts.entry("jan", "linde", "een-lang-wachtwoord"))
    found = Settings(web_port=0, web_slow_seconds=1.0, data=tmp_path, session_keys=(SESSION_KEY,), accounts=file)
    fill(found, [record(f"m{number}", text="Er is een afspraak met u gemaakt. " * 40) for number in range(8_000)])
    return found


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> object:
    """Its clock is that of the records."""
    async with Server(create_web(settings, kafka, clock=lambda: NOW), "127.0.0.1", 0, settings.web_slow_seconds) as running:
        yield running


def cookie(settings: Settings) -> str:
    account = accounts.Accounts(settings.accounts).find("jan")
    assert account is not None
    sessions = Sessions([SESSION_KEY])
    return sessions.seal(sessions.new("linde", "jan", NOW.timestamp(), mark=account.mark))


def connected(server: Server) -> int:
    found = server._runner.server
    assert found is not None
    return len(found.connections)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel of Linux alone gives up what is not read")
@pytest.mark.parametrize(
    ("path", "times"), [("/static/stijl.css", 3000), ("/berichten.csv", 1)], ids=["many answers", "a long one"]
)
async def test_who_reads_nothing_of_its_answers_is_cut_off(
    server: Server, settings: Settings, path: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Found: such connections, and the answers made for them, stayed for as long as their readers liked."""
    loop = asyncio.get_running_loop()
    structlog.reset_defaults()
    with socket.socket() as deaf, capture_logs() as lines:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        await loop.sock_connect(deaf, (server.host, server.port))
        asked = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}={cookie(settings)}\r\n\r\n".encode() * times
        asking = asyncio.create_task(loop.sock_sendall(deaf, asked))
        await until(lambda: connected(server) == 1)
        await until(lambda: connected(server) == 0)
        await asyncio.gather(asking, return_exceptions=True)
    assert [line for line in lines if line["log_level"] == "error"] == []
    assert "an export was cut off" in [line["event"] for line in lines] or times > 1
    assert "aiohttp.server" not in {record.name for record in caplog.records}


async def test_what_is_sent_as_it_is_made_has_the_headers_of_every_answer(settings: Settings, kafka: Kept) -> None:
    """Found: the CSV did not tell browsers to keep to https."""
    found = replace(settings, web_url="https://afspraken.example/")
    async with (
        Server(create_web(found, kafka, clock=lambda: NOW), "127.0.0.1", 0, 10.0) as running,
        aiohttp.ClientSession(running.url, cookies={named(COOKIE, https=True): cookie(settings)}) as session,
    ):
        headers = []
        for path in ("/berichten.csv", "/kosten", "/nergens", "/v1/requests/x", "/static/stijl.css"):
            async with session.get(path) as response:
                headers.append({name: response.headers.get(name) for name in ALWAYS})
    assert headers == [ALWAYS] * 5


ALWAYS = {"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Server": "afspraakbericht"}
