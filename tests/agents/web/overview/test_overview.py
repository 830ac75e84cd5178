"""The overview: who sees what, and what an attacker gets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs

from agents.main import main
from agents.settings.settings import Settings, SettingsError
from agents.web.app import create_web
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from agents.web.sign_in.sessions import HOURS, Sessions
from schemas.access import ROLES
from tests.agents.web.conftest import Kept
from tests.agents.web.samples import NOW, fill, record, sample

PASSWORD = "een-lang-wachtwoord"
SESSION_KEY = "a-key-of-sessions-that-is-long-enough"
PAGES = ("/", "/berichten", "/berichten.csv", "/kosten", "/clienten/x")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Password hashes that take no time."""
    monkeypatch.setattr(accounts, "COST", 1 << 4)


@pytest.fixture
def settings(tmp_path: Path, database: str, cheap: None) -> Settings:
    file = tmp_path / "accounts.toml"
    file.write_text("\n".join(accounts.entry(f"{name}@example.org", name, PASSWORD) for name in ("linde", "plein")))
    found = Settings(
        web_port=0, web_slow_seconds=5.0, data=tmp_path, accounts=file, session_keys=(SESSION_KEY,), web_database=database
    )
    fill(found, [*sample(), record("other", organisation="plein", client="van-plein", text="Van plein")])
    return found


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    app = create_web(settings, kafka, clock=lambda: NOW)
    async with Server(app, settings.web_host, 0, settings.web_slow_seconds) as running:
        yield running


def form(page: str) -> str:
    """What a page's forms carry."""
    return str(re.findall(r'name="formulier" value="([^"]+)"', page)[0])


async def sign_in(client: aiohttp.ClientSession, organisation: str = "linde", password: str = PASSWORD) -> int:
    async with client.get("/aanmelden") as response:
        token = form(await response.text())
    data = {"formulier": token, "gebruiker": f"{organisation}@example.org", "wachtwoord": password}
    async with client.post("/aanmelden", data=data) as response:
        return response.status


async def get(client: aiohttp.ClientSession, path: str, status: int = 200) -> str:
    async with client.get(path, allow_redirects=False) as response:
        assert response.status == status, await response.text()
        return await response.text()


@pytest.mark.parametrize("path", PAGES)
async def test_without_a_session_there_is_only_the_way_to_sign_in(client: aiohttp.ClientSession, path: str) -> None:
    for cookie in ("", "forged", "A" * 100):
        async with client.get(path, allow_redirects=False, cookies={"afspraakbericht": cookie}) as response:
            assert (response.status, response.headers["Location"]) == (303, "/aanmelden")


async def test_an_organisation_sees_only_its_own(client: aiohttp.ClientSession) -> None:
    assert await sign_in(client, "plein") == 200
    assert re.findall(r">(cl-\d+|van-plein)</a>", await get(client, "/berichten")) == ["van-plein"]
    assert (await get(client, "/berichten.csv")).count("\n") == 2
    assert "laatste 30 dagen: 1<" in await get(client, "/kosten")


async def test_a_client_of_another_organisation_is_not_found(client: aiohttp.ClientSession) -> None:
    assert await sign_in(client) == 200
    sessions = Sessions([SESSION_KEY])
    for token in (sessions.client("plein", "van-plein"), "forged", "A" * 60, "..%2f..%2fetc"):
        await get(client, f"/clienten/{token}", 404)
        await get(client, f"/berichten?client={token}", 404)
    assert "nog geen berichten" in await get(client, f"/clienten/{sessions.client('linde', 'van-plein')}")


async def test_the_list_says_what_became_of_messages_and_why(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    page = await get(client, "/berichten")
    for words in ("Afgeleverd", "Niet verstuurd", "De cliënt is niet aanwezig bij de afspraak.", "€&nbsp;0,075"):
        assert words.replace("&nbsp;", "\xa0") in page


async def test_the_pages_of_the_list_show_each_message_once(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    seen, path = 0, "/berichten?kanaal=sms"
    while path:
        page = await get(client, path)
        seen += page.count('class="time"')
        following = re.findall(r'href="(/berichten\?[^"]*na=[^"]*)"', page)
        path = following[0].replace("&amp;", "&") if following else ""
    assert seen == len({one["message"] for one in sample() if one["channel"] == "sms"})


async def test_a_clients_number_stands_in_no_address_and_no_log(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    token = form(await get(client, "/berichten"))
    structlog.reset_defaults()
    with capture_logs() as lines:
        async with client.post("/berichten", data={"formulier": token, "client": "cl-003", "van": "2026-03-01"}) as response:
            page = await response.text()
            assert (response.status, "cl-003" in str(response.url)) == (200, False)
    assert set(re.findall(r">(cl-\d+)</a>", page)) == {"cl-003"}
    assert not re.findall(r'(?:href|action)="[^"]*cl-\d+', page)
    assert "cl-003" not in str(lines)


async def test_the_history_of_a_client_is_a_conversation(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    page = await get(client, re.findall(r'href="(/clienten/[^"]+)"', await get(client, "/berichten"))[0])
    assert "<time" in page
    assert page.index("1 mrt") < page.index("18 mrt") if "1 mrt" in page and "18 mrt" in page else True
    assert "Verstuurd" in page


@pytest.mark.parametrize(
    "query",
    [
        "van=gisteren",
        "tot=9999-99-99",
        "tot=0000-01-01",
        "kanaal=fax",
        "status=x",
        "na=x",
        "na=" + "9" * 27 + "_'",
        "van=2026-03-01%00",
    ],
)
async def test_a_filter_that_cannot_be_is_refused(client: aiohttp.ClientSession, query: str) -> None:
    await sign_in(client)
    await get(client, f"/berichten?{query}", 400)


async def test_an_export_has_all_and_no_formula(client: aiohttp.ClientSession, settings: Settings) -> None:
    fill(settings, [record(f"n{number}", client="=cmd|x", text='=HYPERLINK("x")\n@b') for number in range(1100)])
    await sign_in(client)
    async with client.get("/berichten.csv") as response:
        text = await response.text()
        assert response.headers["Content-Disposition"] == 'attachment; filename="berichten.csv"'
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert text.count("'=cmd|x") == 1100
    assert not re.search(r'(^|;)"?[=+@-]', text, re.MULTILINE) or "\n@b" in text


async def test_what_a_client_is_called_is_never_markup(client: aiohttp.ClientSession, settings: Settings) -> None:
    evil = '"><script>alert(1)</script>'
    fill(settings, [record("evil", client=evil, text=evil, detail=evil, at="2026-03-20T11:00:00Z")])
    await sign_in(client)
    for path in ("/berichten", re.findall(r'href="(/clienten/[^"]+)"', await get(client, "/berichten"))[0]):
        assert "<script" not in await get(client, path)


async def test_a_wrong_password_and_a_wrong_user_get_the_same(client: aiohttp.ClientSession) -> None:
    assert await sign_in(client, password="iets-anders-dus") == await sign_in(client, "niemand") == 403
    await get(client, "/berichten", 303)


async def test_guessing_is_slowed_down(client: aiohttp.ClientSession) -> None:
    assert [await sign_in(client, password=f"poging-{number}") for number in range(12)] == [403] * 10 + [429] * 2


async def test_another_address_in_a_header_is_nobodys_word(client: aiohttp.ClientSession) -> None:
    """No proxy has to be trusted: what a client says of its address, or a proxy of a client's, changes nothing."""
    answers = []
    for number in range(12):
        client.headers.update(dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded"), f"192.0.2.{number}"))
        answers.append(await sign_in(client, password=f"poging-{number}"))
    assert answers == [403] * 10 + [429] * 2


@pytest.mark.parametrize("path", ["/aanmelden", "/afmelden", "/berichten"])
@pytest.mark.parametrize("token", ["", "forged", None])
async def test_a_form_of_another_page_is_refused(client: aiohttp.ClientSession, path: str, token: str | None) -> None:
    await sign_in(client)
    other = token if token is not None else Sessions([SESSION_KEY]).form(Sessions([SESSION_KEY]).new("linde", "x", 0))
    data = {"formulier": other, "gebruiker": "linde@example.org", "wachtwoord": PASSWORD}
    async with client.post(path, data=data, allow_redirects=False) as response:
        assert response.status == 403
    async with client.post(path, json=data, allow_redirects=False) as response:
        assert response.status == 415


async def test_signing_in_starts_a_new_session_and_signing_out_ends_it(client: aiohttp.ClientSession) -> None:
    async with client.get("/aanmelden") as response:
        before, token = response.cookies["afspraakbericht"], form(await response.text())
    assert (before["httponly"], before["samesite"]) == (True, "Lax")
    assert await sign_in(client) == 200
    token = form(await get(client, "/berichten"))
    async with client.post("/afmelden", data={"formulier": token}) as response:
        assert response.url.path == "/aanmelden"
    await get(client, "/berichten", 303)


def test_a_session_ends_by_itself() -> None:
    sessions, begin = Sessions([SESSION_KEY]), datetime(2026, 3, 2, tzinfo=UTC)
    session = sessions.new("linde", "a/b c", begin.timestamp())
    for hours, idle, good in (
        (0, 0, True), (HOURS - 0.1, 29.9, True), (HOURS, 0, False), (-1, 0, False), (1, 30, False),
    ):  # fmt: skip
        now = begin + timedelta(hours=hours)
        used = session._replace(seen=int((now - timedelta(minutes=idle)).timestamp()))
        assert sessions.open(sessions.seal(used), now.timestamp()) == (used if good else None), (hours, idle)


def test_cookies_are_secure_where_the_service_is(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OIDC_CLIENT"):
        create_web(Settings(data=tmp_path, oidc_issuer="https://id.example/", web_url="https://x.example/"), Kept())
    bad = tmp_path / "accounts.toml"
    bad.write_text("[[account]]\nx = 1")
    with pytest.raises(SettingsError, match="ACCOUNTS"):
        create_web(Settings(data=tmp_path, accounts=bad), Kept())


def test_the_command_makes_an_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for password, code in (("kort", 2), (PASSWORD, 0)):
        monkeypatch.setattr("sys.stdin", __import__("io").StringIO(password + "\n"))
        assert main(["web", "--account", "jan", "linde"]) == code
    file = tmp_path / "a.toml"
    file.write_text(capsys.readouterr().out)
    known = accounts.Accounts(file)
    found = [known.check(*given) for given in (("jan", PASSWORD), ("jan", "x"), ("x", PASSWORD))]
    assert [(one.organisation, one.roles) if one is not None else None for one in found] == [("linde", ROLES), None, None]
