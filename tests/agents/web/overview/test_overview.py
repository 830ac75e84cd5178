"""The overview: who sees what, and what an attacker gets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from agents.main import main
from agents.projection.projection import TopicEntry
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
PAGES = ("/", "/berichten", "/berichten.csv", "/kosten", "/kosten/dagen.csv", "/clienten/x")


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
            back = "" if path == "/" else f"?naar={path}"
            assert (response.status, response.headers["Location"]) == (303, f"/aanmelden{back}")


async def test_an_organisation_sees_only_its_own(client: aiohttp.ClientSession) -> None:
    assert await sign_in(client, "plein") == 200
    assert re.findall(r">(cl-\d+|van-plein)</a>", await get(client, "/berichten")) == ["van-plein"]
    assert (await get(client, "/berichten.csv")).count("\n") == 2
    assert "1 berichten in deze periode" in await get(client, "/kosten")


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


async def test_the_pages_of_the_list_show_each_message_once_and_lead_back(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    seen, path, last = [], "/berichten?kanaal=sms", ""
    while path:
        page = await get(client, path)
        seen.append(re.findall(r'class="time">([^<]+)<', page))
        last, path = path, linked(page, "next")
    assert sum(map(len, seen)) == len({one["message"] for one in sample() if one["channel"] == "sms"})
    back, path = [], last
    while path:
        page = await get(client, path)
        back.append(re.findall(r'class="time">([^<]+)<', page))
        path = linked(page, "prev")
    assert back[::-1] == seen
    assert "de nieuwste bovenaan" in page
    assert "73 berichten" in page


def linked(page: str, to: str) -> str:
    """Where a page of the list leads, to the next or the previous one; empty where there is none."""
    found = re.findall(rf'href="([^"]+)" rel="{to}"', page)
    return str(found[0]).replace("&amp;", "&") if found else ""


async def found(client: aiohttp.ClientSession, typed: str) -> list[str]:
    """The clients that a search finds."""
    token = form(await get(client, "/berichten"))
    async with client.post("/berichten", data={"formulier": token, "client": typed}) as response:
        part = (await response.text()).partition('class="found"')[2].partition("</section>")[0]
    return re.findall(r'href="/clienten/[^"]+">([^<]+)<', part)


async def test_a_search_trims_ignores_case_and_takes_a_beginning(client: aiohttp.ClientSession, settings: Settings) -> None:
    fill(settings, [record("p", client="100%_x"), record("q", client="ÉVA"), record("r", client="1000")])
    await sign_in(client)
    for typed, clients in (
        ("cl-016", ["cl-016"]), ("  CL-01 ", [f"cl-{number:03}" for number in range(10, 17)]), ("100%", ["100%_x"]),
        ("éva", ["ÉVA"]), ("van-plein", []), ("_", []), ("%", []),
    ):  # fmt: skip
        assert await found(client, typed) == clients, typed


async def test_a_search_that_fits_too_many_says_so(client: aiohttp.ClientSession, settings: Settings) -> None:
    fill(settings, [record(f"z{number}", client=f"zz{number:02}") for number in range(51)])
    await sign_in(client)
    assert await found(client, "ZZ") == [f"zz{number:02}" for number in range(50)]


async def test_counts_by_outcome_stand_above_the_list_and_filter_it(client: aiohttp.ClientSession) -> None:
    await sign_in(client)
    for query in ("", "?kanaal=sms", "?van=2026-03-05&tot=2026-03-06", "?reden=client_off"):
        page = await get(client, f"/berichten{query}")
        chips = re.findall(r'<li><a href="([^"]+)"[^>]*><span class="status [a-z]+">([^<]+)</span> <b>(\d+)</b>', page)
        assert chips
        for href, name, number in chips:
            listed = await get(client, href.replace("&amp;", "&"))
            assert re.findall(r'<td[^>]*class="outcome"><span class="status [a-z]+">([^<]+)<', listed)[:50] == [name] * min(
                50, int(number)
            ), (query, name)


async def test_each_row_says_which_appointment_it_is_about(client: aiohttp.ClientSession, settings: Settings) -> None:
    """Found: three rows "Nieuwe afspraak" could not be told apart; of what was not sent nothing was known."""
    several = [{"id": "n", "kind": "reminder", "appointment": "a", "others": ["b", "c"]}]
    values = [
        record("u", client="zoe", status="suppressed", detail="client_off", channel=None, start="2026-12-08T10:30:00Z"),
        record("v", client="zoe", notices=several, start="2026-12-09T10:30:00Z"),
    ]
    fill(settings, values)
    await sign_in(client)
    token = Sessions([SESSION_KEY]).client("linde", "zoe")
    page = await get(client, f"/berichten?client={token}")
    assert re.findall(r'class="about">([^<]+)<', page) == ["over wo 9 dec 2026 11:30 en 2 andere", "over di 8 dec 2026 11:30"]
    rows = (await get(client, f"/berichten.csv?client={token}")).splitlines()
    assert [row.split(";")[4] for row in rows] == ["afspraak", "wo 9 dec 2026 11:30 en 2 andere", "di 8 dec 2026 11:30"]
    assert rows[1].split(";")[0] == "2026-03-02 10:00", "a spreadsheet sorts it"


CODES = [
    ("failed", "report: delivery_failed/1", "sms", "Niet afgeleverd", "Dit nummer bestaat niet, of kan geen sms krijgen."),
    ("failed", "report: delivery_failed/31", "sms", "Niet afgeleverd", "De telefoon was te lang uit of niet bereikbaar."),
    ("failed", "report: expired; 3 parts billed, 2 logged", "sms", "Niet afgeleverd", "De telefoon was te lang uit of"),
    ("failed", "report: delivery_failed/103", "sms", "Niet afgeleverd", "De cliënt heeft zich met STOP afgemeld voor sms."),
    ("failed", "report: delivery_failed/²", "sms", "Niet afgeleverd", "De telefoonmaatschappij kon het bericht niet afleveren."),
    ("failed", "messagebird: 422/9", "sms", "Mislukt", "De aanbieder nam het nummer of de sms niet aan."),
    ("failed", "smtp: 550 5.1.1", "email", "Mislukt", "De mailserver nam het adres of het bericht niet aan."),
    ("suppressed", "contact_unconfirmed", None, "Niet verstuurd", "Er was geen telefoonnummer of e-mailadres dat klopt en"),
]
"""Found: `(report: delivery_failed/1)` under "kon niet worden verstuurd", and "niet bevestigd" of what is confirmed."""


@pytest.mark.parametrize(("status", "detail", "channel", "outcome", "why"), CODES)
async def test_no_code_of_a_provider_stands_in_the_list(
    client: aiohttp.ClientSession, settings: Settings, status: str, detail: str, channel: str | None, outcome: str, why: str
) -> None:
    fill(settings, [record("code", client="zoe", status=status, detail=detail, channel=channel)])
    await sign_in(client)
    page = await get(client, f"/berichten?client={Sessions([SESSION_KEY]).client('linde', 'zoe')}")
    ((said, reason),) = re.findall(r'class="outcome"><span class="status [a-z]+">([^<]+)</span><span class="why">([^<]+)', page)
    assert said == outcome
    assert reason.startswith(why)
    assert detail not in page


async def test_who_unsubscribed_is_told_from_who_never_wanted_any(client: aiohttp.ClientSession, settings: Settings) -> None:
    projection = fill(
        settings,
        [record(f"o-{name}", client=name, status="suppressed", detail="client_off", channel=None) for name in ("uma", "wim")],
    )
    off = {"organisation": "linde", "client": "uma", "channel": "email", "off": True, "source": "link"}
    projection.take("opt-outs", 0, 0, [TopicEntry(0, orjson.dumps(off), datetime(2026, 3, 2, 8, tzinfo=UTC))])
    await sign_in(client)
    said = [
        re.findall(
            r'class="why">([^<]+)\. ?', await get(client, f"/berichten?client={Sessions([SESSION_KEY]).client('linde', one)}")
        )
        for one in ("uma", "wim")
    ]
    assert said == [["De cliënt heeft zich afgemeld"], ["De cliënt wil geen berichten, of er is geen toestemming bekend"]]


async def test_days_in_the_wrong_order_are_said_to_be(client: aiohttp.ClientSession) -> None:
    """Found: "Er zijn geen berichten" was all that it said."""
    await sign_in(client)
    page = await get(client, "/berichten?van=2026-12-01&tot=2026-11-01")
    assert "De eerste datum ligt na de laatste." in page
    assert "Geen berichten gevonden" not in page
    await get(client, "/berichten.csv?van=2026-12-01&tot=2026-11-01", 400)


@pytest.mark.parametrize("path", ["/nietgevonden", "/clienten/abc", "/kosten/niets.csv"])
async def test_what_is_not_there_is_said_within_the_office(client: aiohttp.ClientSession, path: str) -> None:
    """Found: "Open de link in de e-mail nog eens", without a menu."""
    await sign_in(client)
    page = await get(client, path, 404)
    assert 'href="/berichten"' in page
    assert "e-mail" not in page
    for other in ("/u/abc", "/static/abc", "/v1/abc"):
        assert 'href="/berichten"' not in await get(client, other, 200 if other == "/u/abc" else 404)


BACK = [
    ("/kosten?dagen=90", "/kosten?dagen=90"), ("/berichten?status=failed&van=2026-03-01", None), ("//evil.example", "/berichten"),
    ("https://evil.example/", "/berichten"), ("/\\evil.example", "/berichten"), ("", "/berichten"), ("/x\r\ny", "/berichten"),
]  # fmt: skip


@pytest.mark.parametrize(("back", "leads"), BACK)
async def test_signing_in_leads_to_what_was_asked_for_and_to_nobody_else(
    client: aiohttp.ClientSession, back: str, leads: str | None
) -> None:
    """Found: a link to a page led to the list, once signed in."""
    async with client.get("/aanmelden", params={"naar": back}) as response:
        token = form(await response.text())
    data = {"formulier": token, "naar": back, "gebruiker": "linde@example.org", "wachtwoord": PASSWORD}
    async with client.post("/aanmelden", data=data, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, back if leads is None else leads)


async def test_a_form_that_comes_after_the_session_is_over_is_said_not_to_be_saved(client: aiohttp.ClientSession) -> None:
    async with client.post("/berichten", data={"client": "x"}) as response:
        page = await response.text()
        assert response.url.path == "/aanmelden"
    assert "is niet opgeslagen" in page
    assert 'name="naar" value="/berichten"' in page


async def test_a_wrong_password_keeps_the_users_name(client: aiohttp.ClientSession) -> None:
    async with client.get("/aanmelden") as response:
        token = form(await response.text())
    data = {"formulier": token, "gebruiker": "jan<b>", "wachtwoord": "nee", "naar": "/kosten"}
    async with client.post("/aanmelden", data=data) as response:
        page = await response.text()
    assert 'value="jan&lt;b&gt;"' in page
    assert 'name="naar" value="/kosten"' in page


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
        name = "berichten-linde-begin-tot-2026-03-20.csv"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
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
