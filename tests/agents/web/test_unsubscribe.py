"""The unsubscribe page and the one-click POST: what they write, when they say so, and what nobody learns from them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email import _header_value_parser, message_from_bytes, policy

import aiohttp
import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from agents.kafka.publisher import UnavailableError
from agents.kafka.writer import Event
from agents.projection import organisations
from agents.projection.organisations import OrganisationState
from agents.projection.projection import Projection
from agents.projection.queries import Queries
from agents.projection.tables import open_database
from agents.settings.settings import Settings
from agents.tokens import Tokens
from agents.web import unsubscribe
from agents.web.http import forms, pages
from agents.web.http.server import Server
from agents.web.unsubscribe import choice
from renderers.email import EmailText, message_bytes
from tests.world import World, organisation

from .conftest import KEY, Kept

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
OFF = Event(
    "opt-outs", "linde/anna", {"organisation": "linde", "client": "anna", "channel": "email", "off": True, "source": "link"}
)
ON = OFF._replace(value={**OFF.value, "off": False})


def multipart(fields: dict[str, str]) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    for name, value in fields.items():
        writer.append(value).set_content_disposition("form-data", name=name)
    return writer


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "SafeLinks"}])
async def test_looking_changes_nothing(
    client: aiohttp.ClientSession, kafka: Kept, token: str, method: str, headers: dict[str, str]
) -> None:
    async with client.request(method, f"/u/{token}", headers=headers) as response:
        assert response.status == 200
    assert kafka.events == []


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(client: aiohttp.ClientSession, kafka: Kept, token: str, method: str) -> None:
    async with client.request(method, f"/u/{token}") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,POST")
    assert kafka.events == []


@pytest.mark.parametrize("encode", [dict, multipart], ids=["urlencoded", "multipart"])
async def test_one_click_turns_e_mail_off(client: aiohttp.ClientSession, kafka: Kept, token: str, encode: type) -> None:
    async with client.post(f"/u/{token}", data=encode(ONE_CLICK), allow_redirects=False) as response:
        assert response.status == 200
        assert "Set-Cookie" not in response.headers
    assert kafka.events == [OFF]


async def test_the_page_turns_e_mail_off_and_on_again(client: aiohttp.ClientSession, kafka: Kept, token: str) -> None:
    async with client.post(f"/u/{token}", data={"keuze": "afmelden"}) as response:
        assert "Uw afmelding is ontvangen" in await response.text()
    async with client.post(f"/u/{token}", data={"keuze": "aanmelden"}) as response:
        assert "Uw aanmelding is ontvangen" in await response.text()
    assert kafka.events == [OFF, ON]


async def test_a_token_may_be_used_again(client: aiohttp.ClientSession, kafka: Kept, token: str) -> None:
    answers = []
    for _ in range(3):
        async with client.post(f"/u/{token}", data=ONE_CLICK) as response:
            answers.append((response.status, await response.read()))
    assert answers == [answers[0]] * 3
    assert kafka.events == [OFF] * 3


WRONG = {
    "forged": "A" * 46,
    "short": "x",
    "not base64": "%21%21%21",
    "not ascii": "%C3%A9%E2%82%AC",
    "of another purpose": Tokens([KEY], "reference").seal("linde", "anna", "email"),
    "of another channel": Tokens([KEY], "unsubscribe").seal("linde", "anna", "sms"),
    "of another key": Tokens(["another-key-that-is-as-long-as-ours"], "unsubscribe").seal("linde", "anna", "email"),
    "header injection": "x%0d%0aSet-Cookie:%20a=b",
    "long": "A" * 4000,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_token_is_told_that_it_is_and_nothing_else(
    client: aiohttp.ClientSession, kafka: Kept, settings: Settings, wrong: str
) -> None:
    """The same page, whoever it may be about, and without a question to the database."""
    known(settings)
    answers = []
    for method, data in (("GET", None), ("POST", ONE_CLICK), ("POST", {"keuze": "aanmelden"})):
        async with client.request(method, f"/u/{wrong}", data=data) as response:
            answers.append((response.status, await response.text()))
    assert answers == [(404, pages.refused(404, "link").decode())] * 3
    assert "Deze link werkt niet" in answers[0][1]
    assert "De Linde" not in answers[0][1]
    assert kafka.events == []


async def test_a_cut_token_is_told_at_once_and_never_called_done(client: aiohttp.ClientSession, kafka: Kept, token: str) -> None:
    for length in range(1, len(token)):
        for method, data in (("GET", None), ("POST", ONE_CLICK)):
            async with client.request(method, f"/u/{token[:length]}", data=data) as response:
                assert (response.status, "Deze link werkt niet" in await response.text()) == (404, True)
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    async with client.post(f"/u/{changed}", data=ONE_CLICK) as response:
        assert "ontvangen" not in await response.text()
    assert kafka.events == []


async def test_the_pages_say_of_which_organisation_and_nothing_of_the_client(
    client: aiohttp.ClientSession, settings: Settings, token: str
) -> None:
    known(settings)
    texts = []
    for data in (None, {"keuze": "afmelden"}, {"keuze": "aanmelden"}):
        async with client.request("POST" if data else "GET", f"/u/{token}", data=data) as response:
            texts.append(await response.text())
    assert all(text.count("<b>Thuiszorg &lt;De Linde&gt;</b>") == 1 for text in texts)
    assert not any(word in text for text in texts for word in ("anna", "deze zorgorganisatie"))


async def test_of_an_organisation_that_is_not_known_the_pages_do_without_its_name(
    client: aiohttp.ClientSession, token: str
) -> None:
    async with client.get(f"/u/{token}") as response:
        assert "krijgt u van deze zorgorganisatie geen" in await response.text()


@pytest.mark.parametrize("how", ["away", "slow"])
async def test_whoever_unsubscribes_does_not_wait_for_the_projection(
    client: aiohttp.ClientSession, kafka: Kept, token: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async def asked(_: Queries, __: str) -> OrganisationState:
        if how == "away":
            raise UnavailableError
        return await asyncio.Future()

    monkeypatch.setattr(Queries, "settings", asked)
    monkeypatch.setattr(unsubscribe, "NAME_SECONDS", 0.01)
    structlog.reset_defaults()
    with capture_logs() as lines:
        async with client.post(f"/u/{token}", data=ONE_CLICK) as response:
            assert (response.status, "Uw afmelding is ontvangen" in await response.text()) == (200, True)
    assert kafka.events == [OFF]
    assert "the page to unsubscribe does without the organisation's name" in [line["event"] for line in lines]


async def test_wrong_links_are_counted_also_those_that_are_only_looked_at(client: aiohttp.ClientSession, server: Server) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        for method in ("GET", "POST"):
            async with client.request(method, "/u/forged", data=ONE_CLICK if method == "POST" else None):
                pass
    assert [line["event"] for line in lines].count("an unsubscribe link that no key of ours sealed") == 2
    assert "forged" not in str(lines)


def known(settings: Settings) -> None:
    """The organisation's settings came in."""
    value = orjson.dumps(organisation(organisation="linde", name="Thuiszorg <De Linde>"))
    row = organisations.row("organisations", 0, 0, b"linde", value, datetime(2026, 3, 2, tzinfo=UTC))
    Projection(open_database(None, settings.data)).note(row)


def test_after_a_change_of_keys_old_links_still_work(token: str) -> None:
    opened = Tokens(["a-new-key-that-is-long-enough-to-be-one", KEY], "unsubscribe").open(token)
    assert opened == ["linde", "anna", "email"]


async def test_while_kafka_is_away_nothing_is_called_done(client: aiohttp.ClientSession, kafka: Kept, token: str) -> None:
    kafka.away = True
    async with client.post(f"/u/{token}", data=ONE_CLICK) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "30")
        text = await response.text()
    assert "ontvangen" not in text
    assert "Dit lukt nu even niet" in text
    assert kafka.events == []


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/plain", b"List-Unsubscribe=One-Click", 415),
        ("", b"List-Unsubscribe=One-Click", 415),
        ("application/x-www-form-urlencoded", b"", 400),
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=Twice", 400),
        ("application/x-www-form-urlencoded", b"\xff\xfe", 400),
        ("application/x-www-form-urlencoded", b"a=%ff", 400),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 200), 400),
        ("multipart/form-data", b"--x", 400),
        ("multipart/form-data; boundary=x", b"nothing", 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--', 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--", 400),
        ("application/x-www-form-urlencoded", b"a=" + b"b" * 70_000, 413),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"b" * 70_000, 413),
    ],
)
async def test_what_is_not_asked_well_is_refused(
    client: aiohttp.ClientSession, kafka: Kept, token: str, kind: str, body: bytes, status: int
) -> None:
    async with client.post(f"/u/{token}", data=body, headers={"Content-Type": kind}) as response:
        assert response.status == status
        assert '<html lang="nl">' in await response.text()
    assert kafka.events == []


async def test_a_bad_compressed_body_is_refused(client: aiohttp.ClientSession, kafka: Kept, token: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    async with client.post(f"/u/{token}", data=b"not gzip", headers=headers) as response:
        assert response.status == 400
    assert kafka.events == []


@pytest.mark.parametrize("cut", ["headers", "body"])
async def test_a_slow_client_is_not_waited_for(server: Server, kafka: Kept, token: str, cut: str) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"POST /u/{token} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    writer.write((head if cut == "headers" else f"{head}Content-Length: 26\r\n\r\nList-Unsub").encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408") if cut == "body" else answer == b""
    assert kafka.events == []


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/u/"]
)
async def test_nothing_else_is_served(server: Server, path: str) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"import" not in answer


@pytest.mark.parametrize(
    "raw", [b"\x00\x01\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET / HTTP/1.1\r\nA b: c\r\n\r\n", b"G" * 20_000 + b"\r\n\r\n"]
)
async def test_what_is_not_http_is_refused(server: Server, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(raw)
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))


async def test_a_page_stands_alone_and_tells_nobody(client: aiohttp.ClientSession, token: str) -> None:
    async with client.get(f"/u/{token}") as response:
        text, headers = await response.text(), response.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "http:" not in text.replace("http://www.w3.org", "")
    assert "https:" not in text
    assert "<script" not in text
    assert " style=" not in text


async def test_logs_hold_no_token_and_no_id(client: aiohttp.ClientSession, token: str) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        async with client.post(f"/u/{token}", data=ONE_CLICK):
            pass
    assert [line["route"] for line in lines] == ["/u/{token}"]
    assert not any(word in str(lines) for word in (token, "anna", "linde"))


async def test_a_mailbox_provider_finds_its_way_in_the_mails_bytes(
    client: aiohttp.ClientSession, kafka: Kept, token: str
) -> None:
    """RFC 8058 3: one https address in List-Unsubscribe, the other field exactly so, both as sent; then a POST of that field."""
    words = EmailText("Bericht", "tekst", "tekst", "<p>tekst</p>")
    data = message_bytes(
        words, from_="zorg@linde.example", reply_to=None, to="anna@client.example", message_id="a@b",
        date=datetime(2026, 3, 2, tzinfo=UTC), unsubscribe=f"https://afspraakbericht.example/u/{token}",
    )  # fmt: skip
    mail = message_from_bytes(data, policy=policy.SMTP)
    (link,) = mail.get_all("List-Unsubscribe", [])
    (post,) = mail.get_all("List-Unsubscribe-Post", [])
    assert link.startswith("<https://afspraakbericht.example/u/")
    assert link.endswith(">")
    assert post == "List-Unsubscribe=One-Click"
    path = link.strip("<>").removeprefix("https://afspraakbericht.example")
    name, _, value = post.partition("=")
    async with client.post(path, data=multipart({name: value}), allow_redirects=False) as response:
        assert response.status == 200
    assert kafka.events == [OFF]


def test_only_a_clear_choice_counts() -> None:
    assert choice({"keuze": "afmelden"}) == choice(ONE_CLICK) == "off"
    assert choice({"keuze": "aanmelden"}) == "on"
    assert choice({}) is choice({"keuze": "?"}) is choice({"List-Unsubscribe": ""}) is None
    assert choice({"keuze": "aanmelden", **ONE_CLICK}) == "off"


def test_a_field_that_comes_twice_counts_once() -> None:
    assert forms.fields("application/x-www-form-urlencoded", b"a=1&a=2&b=%C3%A9") == {"a": "1", "b": "é"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503])
def test_every_refusal_has_its_page(status: int) -> None:
    assert b"<h1>" in pages.refused(status)


HOSTILE = {
    "a part header of semicolons": (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data" + b";" * 3000 + b"\r\n\r\na\r\n--x--",
        400,
    ),
    "a name of brackets": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="((((((((("\r\n\r\na\r\n--x--',
        400,
    ),
    "a type of semicolons": ("multipart/form-data; boundary=x" + ";" * 8000, b"--x--", 415),
    "a body of another page's size": ("application/x-www-form-urlencoded", b"a=" + b"b" * 5000, 413),
    "no boundary": ("multipart/form-data", b"--x--", 400),
    "a boundary that never comes": ("multipart/form-data; boundary=y", b"--x--", 400),
}


@pytest.mark.parametrize("row", HOSTILE)
async def test_a_hostile_form_is_refused_and_never_read_by_the_email_package(
    client: aiohttp.ClientSession, kafka: Kept, token: str, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header parser is quadratic: 64 KiB of semicolons stood the service still for 17 s."""
    parsed: list[str] = []
    read = _header_value_parser.parse_mime_parameters

    def kept(value: str) -> object:
        parsed.append(value)
        return read(value)

    monkeypatch.setattr(_header_value_parser, "parse_mime_parameters", kept)
    kind, body, status = HOSTILE[row]
    async with client.post(f"/u/{token}", data=body, headers={"Content-Type": kind}) as response:
        assert response.status == status
    assert [value for value in parsed if "charset" not in value] == [], "of its own answers' type alone"
    assert kafka.events == []


async def test_a_malformed_request_is_told_without_its_bytes(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    for head in ("GET /u/GEHEIM HTTP/9.9", "GET / HTTP/1.1\r\nBad Header GEHEIM: x", "G\x00T /GEHEIM HTTP/1.1"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}\r\nHost: x\r\nCookie: afspraakbericht=GEHEIM\r\n\r\n".encode("latin-1"))
        await reader.readline()
        writer.close()
    assert "GEHEIM" not in caplog.text


async def test_the_page_of_one_who_acts_for_a_client_speaks_of_the_client_without_a_name(
    client: aiohttp.ClientSession, kafka: Kept
) -> None:  # fmt: skip
    token = Tokens((KEY,), "unsubscribe").seal("linde", "anna", "p:moeder", "0f1e2d3c4b5a6978", "email")
    async with client.get(f"/u/{token}") as response:
        page = await response.text()
    assert "berichten over deze cliënt" in page
    for word in ("uw afspra", "anna", "moeder"):
        assert word not in page.lower()
    async with client.post(f"/u/{token}", data={"keuze": "afmelden"}) as response:
        assert "berichten over deze cliënt" in await response.text()
    (event,) = kafka.events
    assert isinstance(event.value, dict)
    assert (event.key, event.value["recipient"], event.value["mark"]) == ("linde/anna", "p:moeder", "0f1e2d3c4b5a6978")


async def test_an_employees_link_is_of_the_own_agenda(client: aiohttp.ClientSession, kafka: Kept) -> None:
    token = Tokens((KEY,), "unsubscribe").seal("linde", "", "e:m-204", "0f1e2d3c4b5a6978", "email")
    async with client.get(f"/u/{token}") as response:
        page = await response.text()
    assert "meer over uw agenda?" in page
    assert "cliënt" not in page
    async with client.post(f"/u/{token}", data=ONE_CLICK) as response:
        assert response.status == 200
    (event,) = kafka.events
    assert (event.topic, event.key, event.value["recipient"]) == ("opt-outs", "linde//m-204", "e:m-204")
    world = World().feed(event.topic, str(event.key), event.value)
    assert world.refused == []
    assert b'"off":{"email":"link"}' in world.simulation.rows["employees"][b"employees/linde//m-204"]
