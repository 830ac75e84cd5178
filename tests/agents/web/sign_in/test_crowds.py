"""Many who sign in at once: whoever comes too many is told to come again, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from agents.settings.settings import Settings
from agents.web.api import keys as parties
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from tests.agents.web.conftest import Kept

from .test_oidc import FakeProvider, back, start

KEY = "afb_of-roqua-at-linde"
PASSWORD = "een-lang-wachtwoord"
NAMES = ("linde", "plein")
FULL = 22
"""Two passwords are checked at a time, and twenty wait."""


class Checks:
    """Password checks that end when the test says so."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.scrypt = accounts._scrypt

    def __call__(self, password: str, salt: bytes) -> bytes:
        self.may_end.wait(60)
        return self.scrypt(password, salt)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    found = tmp_path / "accounts.toml"
    found.write_text("\n".join(accounts.entry(f"{name}@example.org", name, PASSWORD) for name in NAMES))
    return found


@pytest.fixture
def checks(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    found = Checks()
    found.may_end.set()
    monkeypatch.setattr(accounts, "_scrypt", found)
    yield found
    found.may_end.set()


@pytest.fixture
def settings(tmp_path: Path, file: Path, checks: Checks) -> Settings:
    keys = tmp_path / "keys.toml"
    keys.write_text(parties.entry("roqua", "linde", KEY))
    return Settings(web_port=0, data=tmp_path, accounts=file, session_keys=("s" * 32,), api_keys=keys)


class Browser:
    """One browser on the sign-in page."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def sign_in(self, user: str, password: str = "iets-anders-dus") -> int:
        """The status of the answer; a sign-in that succeeds is one of 303."""
        async with self.session.get("/aanmelden") as response:
            form = re.findall(r'name="formulier" value="([^"]+)"', await response.text())[0]
        fields = {"formulier": form, "gebruiker": user, "wachtwoord": password}
        async with self.session.post("/aanmelden", data=fields, allow_redirects=False) as response:
            if response.status in (429, 503):
                assert int(response.headers["Retry-After"]) > 0
            return response.status

    async def sign_out(self) -> None:
        async with self.session.get("/berichten") as response:
            form = re.findall(r'name="formulier" value="([^"]+)"', await response.text())[0]
        async with self.session.post("/afmelden", data={"formulier": form}, allow_redirects=False) as response:
            assert response.status == 303


@pytest.fixture
async def browsers(server: Server) -> AsyncIterator[list[Browser]]:
    async with AsyncExitStack() as stack:
        yield [
            Browser(await stack.enter_async_context(aiohttp.ClientSession(server.url, cookie_jar=aiohttp.CookieJar(unsafe=True))))
            for _ in range(60)
        ]


async def until(condition: object, tries: int = 2000) -> None:
    """Wait until something holds; a bound, so that a test that fails ends."""
    for _ in range(tries):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


async def ask_for_a_message(client: aiohttp.ClientSession, id_: str) -> int:
    """What the API answers."""
    asked = {"client": "anna", "request": id_, "text": "Wilt u de lijst invullen?"}
    async with client.post("/v1/requests", json=asked, headers={"Authorization": f"Bearer {KEY}"}) as response:
        return response.status


async def test_more_passwords_than_can_be_checked_soon_are_not_kept_waiting(
    browsers: list[Browser], checks: Checks, client: aiohttp.ClientSession
) -> None:
    """Found: 400 guesses with invented names stood in a queue without a bound, and who has a password waited a minute."""
    checks.may_end.clear()
    answers: list[int] = []

    async def guess(number: int) -> None:
        answers.append(await browsers[number].sign_in(f"niemand-{number}@example.org"))

    guesses = [asyncio.create_task(guess(number)) for number in range(len(browsers))]
    await until(lambda: len(answers) == len(browsers) - FULL)
    assert Counter(answers) == {503: len(browsers) - FULL}
    assert await ask_for_a_message(client, "while they wait") == 202
    checks.may_end.set()
    await asyncio.gather(*guesses)
    assert Counter(answers) == {503: len(browsers) - FULL, 403: FULL}


async def test_guesses_of_a_name_do_not_lock_out_a_browser_that_signed_in_with_it(browsers: list[Browser]) -> None:
    owner, thief, elsewhere, other = browsers[:4]
    assert await owner.sign_in("linde@example.org", PASSWORD) == 303
    await owner.sign_out()
    guesses = [await thief.sign_in("linde@example.org") for _ in range(12)]
    assert guesses == [403] * 9 + [429] * 3  # of ten a minute the first was the owner's
    assert await elsewhere.sign_in("linde@example.org", PASSWORD) == 429
    assert await other.sign_in("plein@example.org", PASSWORD) == 303
    await other.sign_out()
    assert await other.sign_in("linde@example.org", PASSWORD) == 429  # it is known, with another name
    assert await owner.sign_in("linde@example.org", PASSWORD) == 303


async def test_a_known_browser_guesses_no_faster_than_a_strange_one(browsers: list[Browser]) -> None:
    owner = browsers[0]
    assert await owner.sign_in("linde@example.org", PASSWORD) == 303
    await owner.sign_out()
    assert [await owner.sign_in("linde@example.org") for _ in range(12)] == [403] * 10 + [429] * 2


async def test_names_that_are_all_invented_are_limited_together_and_known_browsers_are_not(browsers: list[Browser]) -> None:
    owner, thief = browsers[:2]
    assert await owner.sign_in("linde@example.org", PASSWORD) == 303
    await owner.sign_out()
    guesses = Counter([await thief.sign_in(f"niemand-{number}@example.org") for number in range(140)])
    assert set(guesses) == {403, 429}
    assert await owner.sign_in("linde@example.org", PASSWORD) == 303


class SlowProvider(FakeProvider):
    """An identity provider that answers when the test says so, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.asked: Counter[str] = Counter()

    def app(self) -> web.Application:
        found = super().app()
        found.middlewares.append(self.slowly)
        return found

    @web.middleware
    async def slowly(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked[request.path] += 1
        await self.may_answer.wait()
        return await handler(request)


@pytest.fixture
async def provider() -> AsyncIterator[SlowProvider]:
    fake = SlowProvider()
    async with Server(fake.app(), "127.0.0.1", 0, 10.0) as server:
        fake.url = server.url
        yield fake
        fake.may_answer.set()


@pytest.fixture
async def by_oidc(provider: SlowProvider, settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    """The service with that provider."""
    found = replace(settings, oidc_issuer=f"{provider.url}/", oidc_client="us", oidc_secret="s", web_url="http://127.0.0.1:1/")
    async with Server(create_web(found, kafka), "127.0.0.1", 0, 10.0) as running:
        yield running


async def test_the_api_answers_while_forty_browsers_wait_for_the_identity_provider(
    by_oidc: Server, provider: SlowProvider
) -> None:
    """Found: a provider that took 6 s kept all threads, those of the API's questions to the database too: it took 35 s."""
    async with AsyncExitStack() as stack:
        jars = [aiohttp.CookieJar(unsafe=True) for _ in range(40)]
        here = [await stack.enter_async_context(aiohttp.ClientSession(by_oidc.url, cookie_jar=jar)) for jar in jars]
        api = await stack.enter_async_context(aiohttp.ClientSession(by_oidc.url))

        leaving = [asyncio.create_task(start(browser)) for browser in here]
        await until(lambda: provider.asked["/.well-known/openid-configuration"])
        assert await ask_for_a_message(api, "while they leave") == 202
        assert not any(task.done() for task in leaving)
        provider.may_answer.set()
        ways = await asyncio.gather(*leaving)
        assert provider.asked == {"/.well-known/openid-configuration": 1}

        provider.may_answer.clear()
        coming = [asyncio.create_task(back(browser, provider.agree(way))) for browser, way in zip(here, ways, strict=True)]
        await until(lambda: provider.asked["/token"])
        assert await ask_for_a_message(api, "while they come back") == 202
        assert not any(task.done() for task in coming)
        provider.may_answer.set()
        assert await asyncio.gather(*coming) == [303] * 40
