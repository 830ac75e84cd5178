"""Sign-in by OpenID Connect, against a small real provider: whom we believe, and whom not."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from structlog.testing import capture_logs

from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in.oidc import is_for
from tests.agents.web.conftest import Kept
from tests.agents.web.samples import fill, record

ENDPOINTS = {"authorization_endpoint": "go", "token_endpoint": "token", "jwks_uri": "keys"}


KEY = RSAKey.generate_key(2048, parameters={"kid": "one"}, auto_kid=False)


class FakeProvider:
    """An identity provider; `claims` are changed to see what is refused."""

    def __init__(self) -> None:
        self.key = KEY
        self.signs = self.key
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.says: dict[str, web.Response] = {}
        """Another answer to a path than the right one."""
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.otherwise])
        app.router.add_get("/.well-known/openid-configuration", self.metadata)
        app.router.add_get("/keys", self.keys)
        app.router.add_post("/token", self.token)
        return app

    @web.middleware
    async def otherwise(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return self.says.pop(request.path, None) or await handler(request)

    async def metadata(self, request: web.Request) -> web.Response:
        known = {name: f"{self.url}/{path}" for name, path in ENDPOINTS.items()}
        return web.json_response({"issuer": self.url, **known})

    async def keys(self, request: web.Request) -> web.Response:
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    def agree(self, url: str) -> str:
        """The user signs in: the query with which the browser comes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["scope"], asked["code_challenge_method"], asked["response_type"]) == ("openid email", "S256", "code")
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return f"code={code}&state={asked['state']}"

    async def token(self, request: web.Request) -> web.Response:
        fields = await request.post()
        asked = self.codes.pop(str(fields.get("code")), None)
        hashed = (
            base64.urlsafe_b64encode(hashlib.sha256(str(fields.get("code_verifier")).encode()).digest()).rstrip(b"=").decode()
        )
        if asked is None or hashed != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "iss": self.url, "aud": "us", "sub": "jan", "exp": 4_000_000_000, "iat": 1, "nonce": asked["nonce"],
            "organisation": "linde",
        } | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    fake = FakeProvider()
    async with Server(fake.app(), "127.0.0.1", 0, 10.0) as server:
        fake.url = server.url
        yield fake


def settings_of(provider: FakeProvider, folder: Path, **more: Any) -> Settings:
    """The settings of a web service at which one signs in by this provider."""
    return Settings(
        web_port=0, data=folder, oidc_issuer=f"{provider.url}/", oidc_client="us", oidc_secret="s",
        web_url="http://127.0.0.1:1/", **more,
    )  # fmt: skip


@pytest.fixture
async def server(provider: FakeProvider, kafka: Kept, tmp_path: Path) -> AsyncIterator[Server]:
    settings = settings_of(provider, tmp_path)
    fill(settings, [record("m1", client="van-linde")])
    async with Server(create_web(settings, kafka), "127.0.0.1", 0, 10.0) as running:
        yield running


async def start(client: aiohttp.ClientSession) -> str:
    """Where the browser is sent."""
    async with client.get("/aanmelden/start", allow_redirects=False) as response:
        assert response.status == 303
        return response.headers["Location"]


async def back(client: aiohttp.ClientSession, query: str) -> int:
    async with client.get(f"/aanmelden/terug?{query}", allow_redirects=False) as response:
        return response.status


async def test_who_the_provider_vouches_for_sees_its_organisation(client: aiohttp.ClientSession, provider: FakeProvider) -> None:
    async with client.get("/aanmelden") as response:
        assert "wachtwoord" not in await response.text()
    assert await back(client, provider.agree(await start(client))) == 303
    async with client.get("/berichten") as response:
        assert "van-linde" in await response.text()


ROLE_PAGES = {"inzage": "/berichten", "kosten": "/kosten", "beheer": "/instellingen"}
CLAIMS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("roles", {"roles": ["inzage", "beheer"]}, {"inzage", "beheer"}),
    ("roles", {"roles": "kosten other"}, {"kosten"}),
    ("realm_access.roles", {"realm_access": {"roles": ["kosten", "offline_access"]}}, {"kosten"}),
    ("https://zorg.example/roles", {"https://zorg.example/roles": ["inzage"]}, {"inzage"}),
    ("roles", {"roles": ["Inzage", "beheerder", 7]}, set()),
    ("roles", {"roles": {"inzage": True}}, set()),
    ("roles", {"role": ["inzage"]}, set()),
    ("realm_access.roles", {"realm_access": ["inzage"]}, set()),
]


@pytest.mark.parametrize(("claim", "claims", "roles"), CLAIMS)
async def test_the_roles_are_those_of_the_claim_and_without_one_there_is_nothing_to_see(
    provider: FakeProvider, kafka: Kept, tmp_path: Path, claim: str, claims: dict[str, Any], roles: set[str]
) -> None:
    provider.claims = {"name": "Jan Jansen", **claims}
    settings = settings_of(provider, tmp_path, oidc_roles_claim=claim)
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        Server(create_web(settings, kafka), "127.0.0.1", 0, 10.0) as running,
        aiohttp.ClientSession(running.url, cookie_jar=jar) as browser,
    ):
        assert await back(browser, provider.agree(await start(browser))) == (303 if roles else 403)
        found = {}
        for role, page in ROLE_PAGES.items():
            async with browser.get(page, allow_redirects=False) as response:
                found[role] = response.status
    refused = 403 if roles else 303
    assert found == {role: 200 if role in roles else refused for role in ROLE_PAGES}
    sign_in = kafka.looks[0]
    assert (sign_in.action, sign_in.outcome) == ("sign-in", "done" if roles else "refused")
    assert (sign_in.user, sign_in.user_name, set(filter(None, sign_in.role.split(",")))) == ("jan", "Jan Jansen", roles)


async def test_without_the_setting_everybody_has_all_roles_and_the_web_says_so(
    provider: FakeProvider, kafka: Kept, tmp_path: Path
) -> None:
    settings = settings_of(provider, tmp_path)
    with capture_logs() as told:
        create_web(settings, kafka)
    assert [(line["event"], line["setting"]) for line in told] == [
        ("every user has all roles", "AFSPRAAKBERICHT_OIDC_ROLES_CLAIM")
    ]


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://other.example"}, {"aud": "them"}, {"exp": 1}, {"nonce": "x"}, {"nonce": None}, {"organisation": None},
     {"organisation": ["linde"]}, {"organisation": ""}, {"organisation": "a/b"}, {"sub": None}],
)  # fmt: skip
async def test_a_token_that_says_something_else_is_refused(
    client: aiohttp.ClientSession, provider: FakeProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert await back(client, provider.agree(await start(client))) == 403


async def test_a_token_of_another_key_is_refused(client: aiohttp.ClientSession, provider: FakeProvider) -> None:
    provider.signs = await asyncio.to_thread(RSAKey.generate_key, 2048, {"kid": "one"}, auto_kid=False)
    assert await back(client, provider.agree(await start(client))) == 403


async def test_only_the_browser_that_left_may_come_back(client: aiohttp.ClientSession, provider: FakeProvider) -> None:
    query = provider.agree(await start(client))
    for wrong in ("", "code=code", "state=x&code=code", query.replace("code=code0", "code=other"), "error=access_denied"):
        assert await back(client, wrong) == 403
    client.cookie_jar.clear()
    assert await back(client, query) == 403


async def test_a_provider_that_is_away_is_a_calm_page(client: aiohttp.ClientSession, provider: FakeProvider) -> None:
    provider.url = "http://elsewhere.example"
    async with client.get("/aanmelden/start", allow_redirects=False) as response:
        assert response.status == 503


@pytest.mark.parametrize(
    ("claims", "right"),
    [
        ({"aud": "ours"}, True), ({"aud": ["ours"]}, True), ({"aud": "ours", "azp": "ours"}, True),
        ({"aud": "ours", "azp": "other"}, False),
        ({"aud": ["ours", "other"]}, False), ({"aud": ["ours", "other"], "azp": "ours"}, True),
        ({"aud": ["ours", "other"], "azp": "other"}, False),
    ],
)  # fmt: skip
def test_a_token_of_several_audiences_says_for_whom_it_was_made(claims: dict[str, Any], right: bool) -> None:
    assert is_for(claims, "ours") is right


ODD = [b"[]", b'"keys"', b"5", b"null", b"{}", b'{"keys":5}', b'{"keys":[5]}', b"[" * 60_000, b"\xff", b""]
BOMB = gzip.compress(b" " * (64 << 20), compresslevel=1)


@pytest.mark.parametrize("body", [*ODD, b"[" * (1 << 20)])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
async def test_a_provider_that_answers_nonsense_is_refused_or_away_and_no_error_of_ours(
    client: aiohttp.ClientSession, provider: FakeProvider, path: str, body: bytes
) -> None:
    provider.says[path] = web.Response(body=body, content_type="application/json")
    async with client.get("/aanmelden/start", allow_redirects=False) as response:
        assert response.status == (503 if path.startswith("/.well") else 303)
    if response.status == 303:
        assert await back(client, provider.agree(response.headers["Location"])) in (403, 503)
    assert await back(client, provider.agree(await start(client))) == 303


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(body=BOMB, headers={"Content-Encoding": "gzip"}, content_type="application/json"),
        lambda: web.Response(status=307, headers={"Location": "/elsewhere"}),
    ],
)
async def test_an_answer_of_the_provider_is_not_unpacked_and_leads_nowhere_else(
    client: aiohttp.ClientSession, provider: FakeProvider, path: str, answer: Callable[[], web.Response]
) -> None:
    provider.says[path] = answer()
    async with client.get("/aanmelden/start", allow_redirects=False) as response:
        assert response.status == (503 if path.startswith("/.well") else 303)
    if response.status == 303:
        assert await back(client, provider.agree(response.headers["Location"])) in (403, 503)
