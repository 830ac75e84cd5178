"""Sessions that end: at sign-out, with the account, when idle, after eight hours; in every process."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from agents.projection.access import user_hash
from agents.projection.projection import Projection, TopicEntry
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.tokens import Tokens
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from agents.web.sign_in.sessions import Sessions
from schemas.access import END_SESSIONS, AccessRecord
from schemas.topics import ACCESS_LOG
from schemas.wire import encode
from tests.agents.web.conftest import Kept
from tests.agents.web.samples import NOW

PASSWORD = "een-lang-wachtwoord"


def test_a_cookie_has_the_users_address_and_one_of_before_has_none() -> None:
    sessions = Sessions(["a-key-of-sessions-that-is-long-enough"])
    session = sessions.new("linde", "jan", 100, ("beheer",), "Jan", "mark", "jan@linde.example")
    assert sessions.open(sessions.seal(session), 100) == session
    before = Tokens(sessions.keys, "session").seal("linde", "jan", "100", "nonce", "100", "beheer", "Jan", "mark")
    found = sessions.open(before, 100)
    assert found is not None
    assert (found.user, found.mark, found.email) == ("jan", "mark", "")


class Clock:
    """The time, as the test says."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Two:
    """Two processes behind one address, each with a database of its own, and the browser of a user."""

    def __init__(self, kafka: Kept, file: Path, settings: list[Settings], clock: Clock) -> None:
        self.kafka, self.file, self.settings, self.clock = kafka, file, settings, clock
        self.cookies: dict[str, str] = {}
        self.read = [0, 0]
        self.http: list[aiohttp.ClientSession] = []

    async def ask(self, process: int, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        """Ask one of them, with the cookies that the browser has; each has read all of `access-log` before."""
        projection = Projection(open_database(None, self.settings[process].data))
        entries = [TopicEntry(number, encode(record), NOW) for number, record in enumerate(self.kafka.looks)]
        if fresh := entries[self.read[process] :]:
            projection.take(ACCESS_LOG.name, 0, self.read[process], fresh)
            self.read[process] = len(entries)
        method = "POST" if fields is not None else "GET"
        async with self.http[process].request(method, path, allow_redirects=False, cookies=self.cookies, data=fields) as response:
            self.cookies |= {name: morsel.value for name, morsel in response.cookies.items()}
            return response.status, await response.text()

    async def sign_in(self, user: str = "jan") -> int:
        _, page = await self.ask(0, "/aanmelden")
        said = {"formulier": form(page), "gebruiker": user, "wachtwoord": PASSWORD}
        return (await self.ask(0, "/aanmelden", said))[0]

    async def both(self) -> list[int]:
        return [(await self.ask(process, "/kosten"))[0] for process in (0, 1)]


def form(page: str) -> str:
    return str(re.findall(r'name="formulier" value="([^"]+)"', page)[0])


@pytest.fixture
async def two(kafka: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    file.write_text(accounts.entry("jan", "linde", PASSWORD))
    base = Settings(web_port=0, session_keys=("s" * 32,), accounts=file)
    found = Two(kafka, file, [replace(base, data=tmp_path / name) for name in ("a", "b")], Clock())
    async with AsyncExitStack() as stack:
        for one in found.settings:
            server = await stack.enter_async_context(Server(create_web(one, kafka, clock=found.clock), "127.0.0.1", 0, 10.0))
            http = aiohttp.ClientSession(server.url, cookie_jar=aiohttp.DummyCookieJar())
            found.http.append(await stack.enter_async_context(http))
        yield found


async def test_after_sign_out_the_cookie_lets_nobody_in_at_either_process(two: Two) -> None:
    """Found: a copy of the cookie worked on for eight hours."""
    assert await two.sign_in() == 303
    assert await two.both() == [200, 200]
    copy = dict(two.cookies)
    _, page = await two.ask(1, "/kosten")
    assert (await two.ask(1, "/afmelden", {"formulier": form(page)}))[0] == 303
    two.cookies = copy
    assert await two.both() == [303, 303]
    assert [(one.action, one.outcome) for one in two.kafka.looks] == [("sign-in", "done"), ("sign-out", "done")]
    assert await two.sign_in() == 303
    assert await two.both() == [200, 200]


async def test_who_signs_out_while_kafka_is_away_is_told_that_it_did_not_happen(two: Two) -> None:
    await two.sign_in()
    _, page = await two.ask(0, "/kosten")
    two.kafka.away = True
    assert (await two.ask(0, "/afmelden", {"formulier": form(page)}))[0] == 503
    two.kafka.away = False
    assert await two.both() == [200, 200]


@pytest.mark.parametrize(
    ("what", "file"),
    [
        ("the account is gone", ""),
        ("it has another password", accounts.entry("jan", "linde", "een-ander-wachtwoord")),
        ("it is of another organisation", accounts.entry("jan", "plein", PASSWORD)),
    ],
)
async def test_a_session_ends_with_its_account(two: Two, what: str, file: str) -> None:
    await two.sign_in()
    assert await two.both() == [200, 200]
    two.file.write_text(file)
    assert await two.both() == [303, 303], what


async def test_a_role_that_is_taken_away_counts_at_once_and_a_file_that_cannot_be_read_changes_nothing(two: Two) -> None:
    await two.sign_in()
    kept = two.file.read_text()
    two.file.write_text("[[account")
    assert await two.both() == [200, 200]
    two.file.write_text(re.sub("roles = .*", 'roles = ["beheer"]', kept))
    assert await two.both() == [403, 403]
    refused = [(one.action, one.filter, one.outcome) for one in two.kafka.looks[1:]]
    assert refused == [("page", "GET /kosten", "refused")] * 2


async def test_thirty_minutes_idle_end_a_session_and_work_keeps_it_for_eight_hours_at_most(two: Two) -> None:
    await two.sign_in()
    for _ in range(16):
        assert (await two.ask(1, "/kosten"))[0] == 200
        two.clock.now += timedelta(minutes=29, seconds=55)
    assert (await two.ask(0, "/kosten"))[0] == 200  # it is eight hours less eighty seconds old
    two.clock.now += timedelta(seconds=80)
    assert await two.both() == [303, 303]
    await two.sign_in()
    two.clock.now += timedelta(minutes=30)
    assert await two.both() == [303, 303]


async def test_all_sessions_of_a_user_can_be_ended_and_the_next_one_counts(two: Two) -> None:
    """For whoever is removed at the identity provider, which does not tell us."""
    await two.sign_in()
    two.clock.now += timedelta(minutes=1)
    ended = AccessRecord(
        id=uuid4().hex, at=two.clock.now, organisation="linde", user="root", role="command", action=END_SESSIONS, outcome="done",
        session=user_hash("linde", "jan"),
    )  # fmt: skip
    two.kafka.looks.append(ended)
    assert await two.both() == [303, 303]
    two.clock.now += timedelta(minutes=1)
    await two.sign_in()
    assert await two.both() == [200, 200]


async def test_over_https_the_cookies_are_the_hosts_own(kafka: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`__Host-`: no other host of the domain, and no plain http, can set or read them; what is dropped is dropped so, too."""
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    file.write_text(accounts.entry("jan", "linde", PASSWORD))
    settings = Settings(session_keys=("s" * 32,), accounts=file, data=tmp_path, web_url="https://afspraken.example/")
    set_: list[str] = []
    jar = aiohttp.DummyCookieJar()
    async with (
        Server(create_web(settings, kafka, clock=lambda: NOW), "127.0.0.1", 0, 10.0) as server,
        aiohttp.ClientSession(server.url, cookie_jar=jar) as http,
    ):
        cookies: dict[str, str] = {}

        async def ask(path: str, fields: dict[str, str] | None = None) -> str:
            method = "POST" if fields is not None else "GET"
            async with http.request(method, path, cookies=cookies, allow_redirects=False, data=fields) as response:
                set_.extend(response.headers.getall("Set-Cookie", []))
                cookies.update({name: morsel.value for name, morsel in response.cookies.items()})
                return await response.text()

        token = form(await ask("/aanmelden"))
        await ask("/aanmelden", {"formulier": token, "gebruiker": "jan", "wachtwoord": PASSWORD})
        await ask("/afmelden", {"formulier": form(await ask("/kosten"))})
    names = [cookie.partition("=")[0] for cookie in set_]
    assert names == ["__Host-afspraakbericht"] * 2 + ["__Host-afspraakbericht-bekend", "__Host-afspraakbericht"]
    for cookie in set_:
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
        assert not any(part.startswith("domain") for part in parts)
