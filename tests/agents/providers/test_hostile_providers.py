"""Providers from hell: whatever one answers, and however much, is an outcome, and no more than a little of it is read."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agents.providers import MOST_BYTES, SmsCall, provider_id
from agents.providers.messagebird import MessageBird

if TYPE_CHECKING:
    from agents.providers.bird import Bird

CALL = SmsCall(message="m1", reference="r1", originator="Zorg", recipient="+31612345678", body="Tot dan.", unicode=False)


def bird(*words: Any, **more: Any) -> Bird:
    """The API, whose SDK takes seconds to import: not in each process that only collects the tests."""
    from agents.providers.bird import Bird

    return Bird(*words, **more)


GATEWAYS: dict[str, Callable[[str], MessageBird | Bird]] = {
    "messagebird": lambda url: MessageBird(url, "secret", timeout=(2.0, 3.0)),
    "bird": lambda url: bird(url, "bk_eu1_secret", timeout=(2.0, 3.0)),
}
BOMB = gzip.compress(b'{"id":"m1","x":"' + b"a" * (64 << 20) + b'"}', compresslevel=1)
DEEP = b"[" * 60_000


class Hostile:
    """An HTTP server that answers with a body of any kind, and counts the bytes that it got rid of."""

    def __init__(self, status: int, body: bytes, *headers: str, endless: bool = False) -> None:
        self.status, self.body, self.headers, self.endless = status, body, headers, endless
        self.written = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            length = "" if self.endless else f"Content-Length: {len(self.body)}\r\n"
            extra = "".join(f"{header}\r\n" for header in self.headers)
            head = f"HTTP/1.1 {self.status} X\r\nContent-Type: application/json\r\nConnection: close\r\n{length}{extra}\r\n"
            writer.write(head.encode() + self.body)
            await writer.drain()
            while self.endless and self.written < 64 << 20:
                writer.write(b"a" * 8192)
                await writer.drain()
                self.written += 8192
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize("status", [201, 422, 500])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(BOMB, ["Content-Encoding: gzip"], id="packed"),
        pytest.param(DEEP, [], id="nested deeply"),
        pytest.param(b'{"errors":' + DEEP, [], id="an error that is nested deeply"),
        pytest.param(b'{"id":"' + b"a" * (1 << 20) + b'"}', [], id="longer than any answer"),
        pytest.param(b"\xff\xfe", [], id="no text"),
        pytest.param(b"", [], id="nothing"),
    ],
)
async def test_whatever_it_answers_is_an_outcome(name: str, status: int, body: bytes, headers: list[str]) -> None:
    async with Hostile(status, body, *headers).running() as url:
        gateway = GATEWAYS[name](url)
        outcome = await gateway(CALL)
        await gateway.close()
    assert outcome.kind in ("unknown", "retry", "permanent_message", "stop")
    assert outcome.provider_id is None


@pytest.mark.parametrize("name", GATEWAYS)
async def test_an_answer_without_an_end_is_not_read_to_it(name: str) -> None:
    hostile = Hostile(201, b'{"id":"', endless=True)
    async with hostile.running() as url:
        gateway = GATEWAYS[name](url)
        outcome = await gateway(CALL)
        await gateway.close()
    assert outcome.kind == "unknown"
    assert hostile.written < 32 << 20, "but for what the sockets' buffers hold"


CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"


def wrapped() -> ssl.SSLContext:
    """TLS with the certificate of `localhost`, of no authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


TOO_OLD = bytes.fromhex("15 0301 0002 02 46")
"""What a server says that speaks no version of TLS that we do: a fatal alert, protocol_version (RFC 8446 6)."""
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """This system trusts that certificate, and asks no proxy."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(CERTIFICATE))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize(
    ("host", "context", "says"),
    [
        pytest.param("127.0.0.1", wrapped(), ANSWER, id="an authority that nobody knows"),
        pytest.param("127.0.0.2", wrapped(), ANSWER, id="another name"),
        pytest.param("127.0.0.2", None, TOO_OLD, id="an old version of TLS"),
        pytest.param("127.0.0.2", None, ANSWER, id="no TLS at all"),
    ],
)
@pytest.mark.usefixtures("trusted")
async def test_a_provider_that_cannot_show_who_it_is_pauses_the_channel_as_a_mail_server_does(
    name: str, host: str, context: ssl.SSLContext | None, says: bytes
) -> None:
    """Found: it was `retry` until each SMS was given up; the alert ChannelPaused, which RUNBOOK tells to look at, never came."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1000))
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=context)
    gateway = GATEWAYS[name](f"https://{host}:{server.sockets[0].getsockname()[1]}")
    outcome = await gateway(CALL)
    await gateway.close()
    server.close()
    assert (outcome.kind, outcome.whose) == ("stop", "account")
    assert outcome.detail.removeprefix(f"{name}: ") in ("SSLCertVerificationError", "SSLError")
    assert not any(b"HTTP" in one for one in asked)


@pytest.mark.parametrize("name", GATEWAYS)
async def test_a_line_that_is_cut_before_anybody_showed_who_he_is_is_tried_again(name: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    gateway = GATEWAYS[name](f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    outcome = await gateway(CALL)
    await gateway.close()
    server.close()
    assert outcome.kind == "retry"


@pytest.mark.parametrize("given", [None, 7, "", "a" * 101, "a b", "a\nb", "é", True])
def test_what_is_no_providers_id(given: object) -> None:
    assert provider_id(given) is None
    assert MOST_BYTES == 65_536
