"""Who looked: written before a byte is shown; who may; and that no route or command is left out."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web

from agents.access.table import COMMANDS, HEADS, ROUTES
from agents.main import COMMANDS as NAMES
from agents.projection.projection import Projection
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.web.app import create_web
from agents.web.http import pages
from agents.web.http.server import Server
from agents.web.sign_in import accounts
from agents.web.sign_in.access import nothing_unlogged
from agents.web.sign_in.sessions import Sessions
from schemas.access import ROLES, AccessRecord, Role
from tests.agents.web.conftest import Kept
from tests.agents.web.samples import NOW, fill, record, sample

PASSWORD = "een-lang-wachtwoord"
KEY = "a-key-of-sessions-that-is-long-enough"
USERS: dict[str, tuple[Role, ...]] = {**{role: (role,) for role in ROLES}, "alles": ROLES, "niets": ()}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(accounts, "COST", 1 << 4)
    file = tmp_path / "accounts.toml"
    file.write_text("\n".join(accounts.entry(user, "linde", PASSWORD, roles) for user, roles in USERS.items()))
    found = Settings(web_port=0, data=tmp_path, accounts=file, session_keys=(KEY,))
    fill(found, sample())
    return found


@pytest.fixture
async def server(settings: Settings, kafka: Kept) -> AsyncIterator[Server]:
    async with Server(create_web(settings, kafka, clock=lambda: NOW), "127.0.0.1", 0, 5.0) as running:
        yield running


def form(page: str) -> str:
    return str(re.findall(r'name="formulier" value="([^"]+)"', page)[0])


async def sign_in(client: aiohttp.ClientSession, user: str) -> int:
    async with client.get("/aanmelden") as response:
        said = {"formulier": form(await response.text()), "gebruiker": user, "wachtwoord": PASSWORD}
    async with client.post("/aanmelden", data=said, allow_redirects=False) as response:
        return response.status


def token(client: str) -> str:
    return Sessions([KEY]).client("linde", client)


def told(records: list[AccessRecord]) -> list[tuple[object, ...]]:
    return [(one.user, one.role, one.action, one.clients, one.filter, one.outcome) for one in records]


def test_every_route_is_in_the_table_and_the_table_has_no_other(settings: Settings, kafka: Kept) -> None:
    app = create_web(settings, kafka)
    routes = {f"{route.method} {route.resource.canonical}" for route in app.router.routes() if route.resource is not None}
    assert routes - set(HEADS) == set(ROUTES), "add it to agents/access/table.py"


def test_every_command_is_in_the_table_and_one_that_shows_clients_writes_its_record_first() -> None:
    assert list(COMMANDS) == list(NAMES), "add it to agents/access/table.py, in the order of agents/main.py"
    sources = {name: inspect.getsource(import_module(f"agents.commands.{name.replace('-', '_')}")) for name in COMMANDS}
    silent = [name for name, outcome in COMMANDS.items() if outcome is not None and "kafka_settings(args)" not in sources[name]]
    assert silent == []


@pytest.mark.parametrize("user", USERS)
async def test_a_user_gets_the_pages_of_its_roles_and_nothing_else(client: aiohttp.ClientSession, kafka: Kept, user: str) -> None:
    roles = USERS[user]
    assert await sign_in(client, user) == (303 if roles else 403)
    expected, found = {}, {}
    for route, rule in ROUTES.items():
        method, _, path = route.partition(" ")
        if rule.who not in (*ROLES, "user") or route in ("POST /afmelden", "GET /"):
            continue
        path = path.replace("{client}", token("cl-003")).replace("{figure}", "dagen")
        refused = 403 if roles else 303
        expected[route] = {"GET": 200, "POST": 403}[method] if rule.who in roles else refused
        async with client.request(method, path, allow_redirects=False, data={} if method == "POST" else None) as response:
            found[route] = response.status
    assert found == expected
    walked = {one.filter for one in kafka.looks if one.outcome == "refused" and one.action != "sign-in"}
    assert walked == {route for route, status in expected.items() if status == 403 and ROUTES[route].who not in roles and roles}
    async with client.get("/", allow_redirects=False) as response:
        home = {"inzage": "/berichten", "kosten": "/kosten", "beheer": "/instellingen", "alles": "/berichten"}
        assert response.headers["Location"] == home.get(user, "/aanmelden")


async def test_whose_data_a_page_shows_is_written_with_the_user_and_the_filter(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:
    await sign_in(client, "inzage")
    for path in (f"/clienten/{token('cl-003')}", f"/berichten?client={quote(token('niemand'))}&van=2026-03-01"):
        async with client.get(path) as response:
            assert response.status == 200
    assert told(kafka.looks) == [
        ("inzage", "inzage", "sign-in", (), None, "done"),
        ("inzage", "inzage", "client", ("cl-003",), None, "shown"),
        ("inzage", "inzage", "messages", ("niemand",), "van=2026-03-01", "shown"),
    ]
    async with client.get("/berichten") as response:
        shown = set(re.findall(r">(cl-\d+)</a>", await response.text()))
    assert set(kafka.looks[-1].clients) == shown
    assert len({one.session for one in kafka.looks}) == 1


@pytest.mark.parametrize("route", [route for route, rule in ROUTES.items() if rule.shows is not None])
async def test_while_kafka_is_away_not_one_byte_of_a_clients_data_is_shown(
    client: aiohttp.ClientSession, kafka: Kept, route: str
) -> None:
    await sign_in(client, "alles")
    kafka.away = True
    path = route.partition(" ")[2].replace("{client}", token("cl-003")).replace("{figure}", "dagen")
    async with client.get(path) as response:
        body = await response.text()
    assert (response.status, "cl-0" in body, "afspraak met u" in body) == (503, False, False)


LOOKED: list[tuple[str, str, str, str | None, str, str]] = [
    ("2026-03-18T09:05:00Z", "linde", "jan", "Jan Jansen", "inzage", "cl-003"),
    ("2026-03-18T15:40:00Z", "linde", "jan", "Jan Jansen", "inzage", "cl-003"),
    ("2026-03-18T23:30:00Z", "linde", "jan", "Jan Jansen", "inzage", "cl-003"),
    ("2026-03-17T08:00:00Z", "*", "root", None, "command", "cl-003"),
    ("2026-03-17T08:00:00Z", "plein", "piet", None, "inzage", "cl-003"),
    ("2026-03-17T08:00:00Z", "linde", "joke", None, "inzage,beheer", "cl-004"),
]


async def test_who_looked_at_a_client_is_shown_once_a_day_and_looking_there_is_a_look_too(
    client: aiohttp.ClientSession, kafka: Kept, settings: Settings
) -> None:
    projection = Projection(open_database(settings.web_database, settings.data))
    for number, (at, organisation, user, name, role, whom) in enumerate(LOOKED):
        projection.note_access(
            AccessRecord(
                id=str(number), at=datetime.fromisoformat(at), organisation=organisation, user=user, user_name=name, role=role,
                action="client", clients=(whom,), outcome="shown",
            )
        )  # fmt: skip
    await sign_in(client, "beheer")
    async with client.get("/wie-keek") as response:
        token_ = form(await response.text())
    async with client.post("/wie-keek", data={"formulier": token_, "client": " cl-003 "}) as response:
        page = await response.text()
        assert "cl-003" not in str(response.url), "no client's id stands in an address"
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", page)]
    assert rows == [
        ["19 mrt 2026", "Jan Jansen (jan)", "inzage", "00:30", "00:30"],
        ["18 mrt 2026", "Jan Jansen (jan)", "inzage", "10:05", "16:40"],
        ["17 mrt 2026", "root", "opdracht op de server", "09:00", "09:00"],
    ]
    assert told(kafka.looks)[1:] == [("beheer", "beheer", "looks", ("cl-003",), None, "shown")]
    async with client.post("/wie-keek", data={"formulier": token_, "client": "niemand"}) as response:
        assert "Niemand keek bij deze cliënt." in await response.text()
    async with client.post("/wie-keek", data={"formulier": token_, "client": " "}) as response:
        assert response.url.path == "/wie-keek"
    async with client.get("/wie-keek/AAAA") as response:
        assert response.status == 404


@pytest.mark.parametrize(("user", "linked"), [("inzage", False), ("alles", True)])
async def test_the_page_of_a_client_leads_to_who_looked_for_whom_that_is_meant(
    client: aiohttp.ClientSession, user: str, linked: bool
) -> None:
    await sign_in(client, user)
    async with client.get(f"/clienten/{token('cl-003')}") as response:
        links = re.findall(r'href="(/wie-keek/[^"]+)"', await response.text())
    assert len(links) == linked


async def test_an_export_is_broken_off_where_kafka_goes_away_in_its_midst(
    client: aiohttp.ClientSession, kafka: Kept, settings: Settings
) -> None:
    """Each thousand rows are written down before they go out; the file does not end as if it were whole."""
    fill(settings, [record(f"n{number}", client=f"x{number}", at="2026-03-19T10:00:00Z") for number in range(2500)])
    await sign_in(client, "inzage")
    kafka.away_after = 2  # the sign-in, and the first thousand
    received = b""
    broken = False
    try:
        async with client.get("/berichten.csv") as response:
            async for chunk in response.content.iter_any():
                received += chunk
    except aiohttp.ClientPayloadError:
        broken = True
    assert broken
    assert received.count(b"\r\n") <= 1001
    assert len(kafka.looks[1].clients) == 1000
    kafka.away, kafka.away_after = False, None
    async with client.get("/berichten.csv") as response:
        lines = (await response.text()).splitlines()
    exported = [one for one in kafka.looks[2:] if one.action == "export"]
    assert {cell for one in exported for cell in one.clients} == {line.split(";")[1] for line in lines[1:]}


async def test_what_breaks_off_is_written_too(
    client: aiohttp.ClientSession, kafka: Kept, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was said to be shown something may have seen none of it, or a part."""
    await sign_in(client, "inzage")
    monkeypatch.delitem(pages.ENVIRONMENT.filters, "kinds")  # a fault of ours, once the record is there
    pages.ENVIRONMENT.cache.clear()  # type: ignore[union-attr]
    async with client.get(f"/clienten/{token('cl-003')}") as response:
        assert response.status == 500
    assert [(one.action, one.clients, one.outcome) for one in kafka.looks[1:]] == [
        ("client", ("cl-003",), "shown"), ("client", ("cl-003",), "failed"),
    ]  # fmt: skip
    assert len({one.id for one in kafka.looks}) == 3


async def test_an_export_that_its_reader_breaks_off_has_failed(
    client: aiohttp.ClientSession, kafka: Kept, settings: Settings
) -> None:
    said = "x" * 4_000
    fill(settings, [record(f"n{number}", client=f"x{number}", text=said, at="2026-03-19T10:00:00Z") for number in range(9000)])
    await sign_in(client, "inzage")
    async with client.get("/berichten.csv") as response:
        await response.content.readany()
        response.close()
    async with asyncio.timeout(20):
        while kafka.looks[-1].outcome != "failed":
            await asyncio.sleep(0.02)
    *shown, failed = [one for one in kafka.looks if one.action == "export"]
    assert {one.outcome for one in shown} == {"shown"}
    assert failed.clients == shown[-1].clients
    assert len(shown) < 9, "the rest was not read at all"


async def test_a_page_that_forgets_its_record_says_nothing_at_all(settings: Settings) -> None:
    async def forgets(request: web.Request) -> web.Response:
        return web.Response(text="cl-003")

    app = web.Application()
    app.router.add_get("/berichten", forgets)
    app.on_response_prepare.append(nothing_unlogged)
    async with Server(app, "127.0.0.1", 0, 5.0) as running, aiohttp.ClientSession(running.url) as http:
        body = ""
        try:
            async with http.get("/berichten") as response:
                body = await response.text()
        except aiohttp.ClientError:
            pass
        assert "cl-003" not in body


async def test_who_could_not_sign_in_is_written_but_no_name_that_is_nobodys(client: aiohttp.ClientSession, kafka: Kept) -> None:
    for user in ("kosten", "een-wachtwoord-in-het-verkeerde-veld"):
        async with client.get("/aanmelden") as response:
            said = {"formulier": form(await response.text()), "gebruiker": user, "wachtwoord": "dit-is-het-niet"}
        async with client.post("/aanmelden", data=said) as response:
            assert response.status == 403
    found = [(one.organisation, one.user, one.action, one.outcome) for one in kafka.looks]
    assert found == [("linde", "kosten", "sign-in", "refused"), ("*", "", "sign-in", "refused")]
