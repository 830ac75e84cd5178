"""The demo's inbox: what it shows of what arrived, to whom, and what it never does with it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from agents.demo.inbox import MOST, Inbox
from agents.demo.received import of_email, of_sms
from renderers.email import email, message_bytes
from tests.renderers.samples import SENT
from tests.renderers.test_golden import CASES

AT = "2026-03-02T09:00:05.000+00:00"
LONG = "De Linde: " + "Er is een afspraak met u gemaakt. " * 6


def sms(body: str, number: str = "31612345678") -> dict[str, Any]:
    return {"at": AT, "originator": "De Linde", "recipients": [number], "body": body}


def mail(name: str = "several", link: str = "https://x.example/u/1") -> dict[str, Any]:
    data = message_bytes(
        email(*CASES[name], SENT, link), from_="De Linde <post@linde.example>", reply_to=None, to="bram@client.example",
        message_id="a@b", date=SENT, unsubscribe=link,
    )  # fmt: skip
    return {"at": AT, "data": data.decode("utf-8", "replace")}


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with Inbox(ZoneInfo("Europe/Amsterdam"), {"+31612345678": "anna"}, port=0) as inbox:
        yield inbox


@pytest.fixture
async def client(inbox: Inbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(inbox.url) as session:
        yield session


def test_an_sms_is_read_with_its_parts_and_the_client_of_its_number() -> None:
    one = of_sms(3, sms(LONG), {"+31612345678": "anna"})
    assert (one.number, one.at, one.to, one.who) == (3, datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC), "+31612345678", "anna")
    assert ("".join(one.parts), len(one.parts), one.encoding, one.units) == (LONG, 2, "GSM-7", len(LONG))


def test_an_email_is_read_whole_and_beside_its_subject_stands_what_a_mail_client_shows() -> None:
    one = of_email(1, mail())
    assert (one.sender, one.to, one.who) == ("De Linde <post@linde.example>", "bram@client.example", "bram")
    assert one.first == "Bericht over uw afspraak"
    assert one.beside.startswith("Uw afspraak op vrijdag 17 januari 2020 is geannuleerd. Uw afspraak op"), "not the salutation"
    said = email(*CASES["several"], SENT, "https://x.example/u/1")
    assert (one.html, one.text) == (said.html, said.plain)
    assert "List-Unsubscribe: <https://x.example/u/1>\n" in one.source


def test_a_mail_in_a_charset_that_nobody_knows_is_shown_as_its_source() -> None:
    body = base64.b64encode(b"x").decode()
    data = f"Subject: s\r\nContent-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n"
    one = of_email(1, {"at": AT, "data": data})
    assert (one.text, one.html, one.first, one.to) == ("", "", "s", "")
    assert "klingon" in one.source


async def test_the_list_has_the_newest_first_in_local_time(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    assert "Nothing arrived yet" in await (await client.get("/")).text()
    inbox.take_sms(sms("Een <b>eerste</b>"))
    inbox.take_email(mail())
    text = await (await client.get("/")).text()
    assert "2 messages, the newest first" in text
    assert text.index('id="m2" class="email"') < text.index('id="m1" class="sms"')
    assert "Een &lt;b&gt;eerste&lt;/b&gt;" in text
    assert "10:00:05" in text
    assert '<span class="who">anna</span>' in text


async def test_an_sms_stands_in_its_conversation(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    inbox.take_sms(sms("Eerste"))
    inbox.take_sms(sms("Van een ander", "31687654321"))
    inbox.take_sms(sms(LONG))
    text = (await (await client.get("/messages/3")).text()).partition("<main")[2]
    assert text.index("Eerste") < text.index("De Linde: Er is")
    assert "Van een ander" not in text
    assert "2 parts, 214 septets (GSM-7)" in text


async def test_an_email_is_shown_as_html_text_and_source(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    inbox.take_email(mail())
    html, phone, text, source = [
        (await (await client.get(f"/messages/1{view}")).text()).partition("<main")[2]
        for view in ("", "/phone", "/text", "/source")
    ]
    frame = 'src="/messages/1/frame" sandbox="allow-popups allow-popups-to-escape-sandbox"'
    assert f'<iframe class="html" {frame}' in html
    assert f'<iframe class="phone" {frame}' in phone
    assert "Meld u af: https://x.example/u/1" in text
    assert "Content-Transfer-Encoding: quoted-printable" in source


async def test_a_mails_own_page_can_run_nothing_and_load_nothing(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    inbox.take_email(mail())
    async with client.get("/messages/1/frame") as response:
        policy, text = response.headers["Content-Security-Policy"], await response.text()
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert policy.endswith("frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox")
    assert '<head><base target="_blank">' in text


@pytest.mark.parametrize("path", ["/", "/static/inbox.js", "/messages/9", "/nergens"])
async def test_every_page_has_the_policy(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/messages/2", "/messages/1/text", "/messages/x", "/static/base.html", "/nergens"])
async def test_what_is_not_there_says_so(inbox: Inbox, client: aiohttp.ClientSession, path: str) -> None:
    inbox.take_sms(sms("Eerste"))
    async with client.get(path) as response:
        assert response.status == 404
        assert "No such message" in await response.text()


async def test_only_this_machine_by_its_own_name_is_answered(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    port = inbox.url.removesuffix("/").rpartition(":")[2]
    assert inbox.url.startswith("http://127.0.0.1:")
    found = {}
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", "evil.example", f"evil.example:{port}", "127.0.0.1"):
        async with client.get("/", headers={"Host": host}) as response:
            found[host] = response.status
    assert found == {
        f"127.0.0.1:{port}": 200, f"localhost:{port}": 200, "evil.example": 421, f"evil.example:{port}": 421, "127.0.0.1": 421,
    }  # fmt: skip


async def test_an_open_page_is_told_of_each_message(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    inbox.take_sms(sms("Eerste"))
    async with client.get("/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        found = [await count(response)]
        inbox.take_sms(sms("Tweede"))
        found.append(await count(response))
    assert found == [1, 2]


async def count(response: aiohttp.ClientResponse) -> int:
    async with asyncio.timeout(30):
        while not (line := await response.content.readline()).startswith(b"data: "):
            assert line
    return int(line.removeprefix(b"data: "))


async def test_the_oldest_go_first_and_numbers_go_on(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    for number in range(MOST + 2):
        inbox.take_sms(sms(f"Bericht {number}"))
    assert [inbox.messages[0].number, inbox.messages[-1].number] == [3, MOST + 2]
    async with client.get("/messages/2") as response:
        assert response.status == 404


async def test_where_its_port_is_taken_it_listens_on_another(inbox: Inbox) -> None:
    taken = int(inbox.url.removesuffix("/").rpartition(":")[2])
    async with Inbox(inbox.zone, port=taken) as other:
        assert other.url != inbox.url
