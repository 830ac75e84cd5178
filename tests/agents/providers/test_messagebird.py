"""SMS through the real SDK and real sockets, against the fake gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from messagebird.request_validator import RequestValidator

from agents.fakes import serve_http
from agents.fakes.sms import FakeSms
from agents.main import main
from agents.providers import ProviderAnswer, SmsCall, messagebird
from agents.providers.messagebird import MessageBird

CALL = SmsCall(
    message="m1", reference="m1.0", originator="Zorg Oost", recipient="+31612345678", body="Uw afspraak: één.", unicode=False
)


@dataclass
class Gateway:
    fake: FakeSms
    send: MessageBird


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with FakeSms(key="secret", path="/v1") as fake:
        send = MessageBird(fake.url, "secret", timeout=(5.0, 8.0), workers=4)
        yield Gateway(fake, send)
        await send.close()


def changed(**fields: Any) -> SmsCall:
    return msgspec.structs.replace(CALL, **fields)


async def test_a_good_message_is_sent_with_all_that_it_carries(gateway: Gateway) -> None:
    outcome = await gateway.send(changed(validity_seconds=3600, report_url="http://127.0.0.1:9/report"))

    [message] = gateway.fake.received.messages
    assert outcome == ProviderAnswer(kind="sent", detail="messagebird: 201", provider_id=message["id"], parts=1)
    del message["id"], message["at"]
    assert message == {
        "originator": "Zorg Oost",
        "recipients": ["31612345678"],
        "body": "Uw afspraak: één.",
        "reference": "m1.0",
        "datacoding": "plain",
        "validity": 3600,
        "reportUrl": "http://127.0.0.1:9/report",
        "parts": 1,
    }


async def test_a_text_outside_gsm_arrives_whole_and_its_parts_are_counted(gateway: Gateway) -> None:
    outcome = await gateway.send(changed(body="Geïnformeerde cliënt " * 4, unicode=True))

    assert (outcome.parts, gateway.fake.received.messages[0]["body"]) == (2, "Geïnformeerde cliënt " * 4)


async def test_a_numeric_originator_goes_without_its_plus(gateway: Gateway) -> None:
    await gateway.send(changed(originator="+31201234567"))

    assert gateway.fake.received.messages[0]["originator"] == "31201234567"


PROGRAMS: list[tuple[dict[str, Any], ProviderAnswer]] = [
    ({"answer": "no_recipient"}, ProviderAnswer(kind="permanent_address", detail="messagebird: 422/9")),
    ({"answer": "bad_originator"}, ProviderAnswer(kind="stop", whose="organisation", detail="messagebird: 422/10")),
    ({"answer": "wrong_key"}, ProviderAnswer(kind="stop", detail="messagebird: 401/2")),
    ({"answer": "no_balance"}, ProviderAnswer(kind="stop", detail="messagebird: 422/25")),
    ({"status": 402, "body": {"errors": [{"code": 25}]}}, ProviderAnswer(kind="stop", detail="messagebird: 402/25")),
    ({"answer": "no_endpoint"}, ProviderAnswer(kind="stop", detail="messagebird: 404/98")),
    ({"answer": "html"}, ProviderAnswer(kind="stop", detail="messagebird: 404")),
    ({"answer": "redirect"}, ProviderAnswer(kind="stop", detail="messagebird: 302")),
    ({"status": 403, "body": {}}, ProviderAnswer(kind="stop", detail="messagebird: 403")),
    ({"answer": "too_many"}, ProviderAnswer(kind="retry", detail="messagebird: 429")),
    (
        {"answer": "too_many", "headers": {"Retry-After": "7"}},
        ProviderAnswer(kind="retry", detail="messagebird: 429", retry_after=7.0),
    ),
    ({"status": 503, "headers": {"Retry-After": "soon"}}, ProviderAnswer(kind="retry", detail="messagebird: 503")),
    ({"answer": "broken"}, ProviderAnswer(kind="retry", detail="messagebird: 500/99")),
    ({"status": 500, "body": "<html>oops</html>"}, ProviderAnswer(kind="retry", detail="messagebird: 500")),
    ({"answer": "empty"}, ProviderAnswer(kind="unknown", detail="messagebird: 201")),
    ({"answer": "null"}, ProviderAnswer(kind="unknown", detail="messagebird: 201")),
    ({"status": 200, "body": "<html>hello</html>"}, ProviderAnswer(kind="unknown", detail="messagebird: 200")),
    ({"status": 200, "body": {"recipients": {}}}, ProviderAnswer(kind="unknown", detail="messagebird: 200")),
]


@pytest.mark.parametrize(("program", "outcome"), PROGRAMS, ids=[json.dumps(program) for program, _ in PROGRAMS])
async def test_an_answer_becomes_an_outcome(gateway: Gateway, program: dict[str, Any], outcome: ProviderAnswer) -> None:
    gateway.fake.program(**program)

    assert await gateway.send(CALL) == outcome
    assert gateway.fake.received.messages == []


@pytest.mark.parametrize("accepted", [False, True])
async def test_without_an_answer_nobody_knows(gateway: Gateway, accepted: bool) -> None:
    gateway.fake.program(hang_every=1, accept_then_hang=accepted)
    hasty = MessageBird(gateway.fake.url, "secret", timeout=(5.0, 0.2))

    assert await hasty(CALL) == ProviderAnswer(kind="unknown", detail="messagebird: ReadTimeout")
    assert len(gateway.fake.received.messages) == accepted
    await hasty.close()


async def test_retry_after_may_be_a_date(gateway: Gateway) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    gateway.fake.program(answer="too_many", headers={"Retry-After": later})

    assert 3000 < ((await gateway.send(CALL)).retry_after or 0) <= 3600


async def test_our_own_key_may_be_wrong(gateway: Gateway) -> None:
    send = MessageBird(gateway.fake.url, "other")

    assert (await send(CALL)).detail == "messagebird: 401/2"
    await send.close()


@pytest.mark.parametrize("number", ["", "+", "0612345678", "+31 6 1234", "+31612345678,+31687654321", "jan@example.org"])
async def test_what_is_no_number_is_not_sent(gateway: Gateway, number: str) -> None:
    assert (await gateway.send(changed(recipient=number))).kind == "permanent_address"
    assert gateway.fake.received.messages == []


async def test_a_text_that_cannot_be_encoded_is_not_sent(gateway: Gateway) -> None:
    assert (await gateway.send(changed(body="half a \ud83d", unicode=True))).kind == "permanent_message"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://no-such-host.invalid", "https://127.0.0.1:{port}"])
async def test_without_a_connection_nothing_was_sent(url: str) -> None:
    url = url.format(port=free_port())  # here, so that every process of a parallel run names the test alike
    send = MessageBird(url, "secret", timeout=(0.5, 0.5))

    assert (await send(CALL)).kind == "retry"
    await send.close()


@contextlib.asynccontextmanager
async def raw_server(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[str]:
    """An HTTP server that knows no HTTP."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_a_connection_that_is_cut_after_the_request_leaves_it_unknown() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.close()

    async with raw_server(cut) as url:
        send = MessageBird(url, "secret")
        outcome = await send(CALL)
        await send.close()

    assert outcome == ProviderAnswer(kind="unknown", detail="messagebird: ConnectionError")


async def test_a_server_that_trickles_is_bounded_and_who_waits_behind_it_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nX: ")
        with contextlib.suppress(ConnectionError):
            for _byte in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    monkeypatch.setattr(messagebird, "SLACK_SECONDS", 0.0)
    async with raw_server(trickle) as url:
        send = MessageBird(url, "secret", timeout=(0.1, 0.2), workers=1)
        outcomes = await asyncio.gather(send(CALL), send(CALL))
        await send.close()

    assert list(outcomes) == [
        ProviderAnswer(kind="unknown", detail="messagebird: no answer in time"),
        ProviderAnswer(kind="retry", detail="messagebird: no free worker"),
    ]


async def test_calls_run_side_by_side_and_leave_the_loop_to_others(gateway: Gateway) -> None:
    gateway.fake.program(delay_seconds=0.05)  # answered by this very loop

    assert [outcome.kind for outcome in await asyncio.gather(*(gateway.send(CALL) for _ in range(8)))] == ["sent"] * 8


async def test_a_cancelled_call_does_not_stop_the_request_nor_the_next_one(gateway: Gateway) -> None:
    gateway.fake.program(accept_then_hang=True, times=1)
    call = asyncio.create_task(gateway.send(CALL))
    while not gateway.fake.received.messages:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert (await gateway.send(changed(reference="m2.0"))).kind == "sent"
    assert sorted(message["reference"] for message in gateway.fake.received.messages) == ["m1.0", "m2.0"]


@pytest.mark.parametrize("url", ["rest.messagebird.com", "ftp://x", "https://", "https://x?y", "https://x#y"])
def test_an_address_that_cannot_be_used_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        MessageBird(url, "secret")


@pytest.mark.parametrize("key", ["", "two words", "line\n", "clé"])
def test_a_key_that_cannot_be_used_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        MessageBird("https://rest.messagebird.com", key)


SIGNING_KEY = "a-signing-key-of-thirty-two-bytes"


@dataclass
class Receiver:
    """Gets status reports, and checks their signature as the provider's own SDK does."""

    url: str = ""
    statuses: list[str] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    expected: int = 1

    async def take(self, request: web.Request) -> web.Response:
        url = f"http://{request.host}{request.raw_path}"
        RequestValidator(SIGNING_KEY).validate_signature(request.headers["MessageBird-Signature-JWT"], url, b"")
        self.statuses.append(request.query["status"])
        if len(self.statuses) == self.expected:
            self.enough.set()
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.get("/report", receiver.take)])
    runner, port = await serve_http(app, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{port}/report?by=us"
    yield receiver
    await runner.cleanup()


@pytest.mark.parametrize(
    ("program", "statuses"),
    [
        ({}, ["delivered"]),
        ({"reports": ["sent", "delivered"], "report_copies": 2}, ["sent", "sent", "delivered", "delivered"]),
        ({"reports": ["sent", "delivery_failed"], "report_reorder": True}, ["delivery_failed", "sent"]),
    ],
)
async def test_the_gateway_reports_what_became_of_a_message(receiver: Receiver, program: Any, statuses: list[str]) -> None:
    receiver.expected = len(statuses)
    async with FakeSms(signing_key=SIGNING_KEY) as fake:
        fake.program(**program)
        send = MessageBird(fake.url, "any")
        await send(changed(report_url=receiver.url))
        await asyncio.wait_for(receiver.enough.wait(), 10)
        await send.close()

    assert receiver.statuses == statuses


async def test_what_was_received_is_on_disk_before_the_answer(tmp_path: Path) -> None:
    record = tmp_path / "received.jsonl"
    async with FakeSms(record=record) as fake:
        fake.program(accept_then_hang=True)
        send = MessageBird(fake.url, "any", timeout=(1.0, 0.2))
        await send(CALL)
        assert json.loads(record.read_bytes())["reference"] == "m1.0"
        await send.close()


def test_the_gateway_says_that_its_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["fake-sms", "--port", str(taken.getsockname()[1])]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
